/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/proto.h"

enum ct_icmp_type {
	CT_ICMP_UNREACH = 3,
	CT_ICMP_QUENCH = 4,
	CT_ICMP_REDIRECT = 5,
	CT_ICMP_ECHO = 8,
	CT_ICMP_EXCEEDED = 11,
	CT_ICMP_PARAMETER = 12,
	CT_ICMP_TIMESTAMP = 13,
	CT_ICMP_INFO = 15,
	CT_ICMP_ADDRESS = 17,
	CT_ICMP_TYPE_MAX = 18, /* the highest that is tracked at all */
};

enum ct_icmp6_type {
	CT_ICMP6_ERROR_MAX = 127,
	CT_ICMP6_ECHO = 128,
	CT_ICMP6_MLD_QUERY = 130,
	CT_ICMP6_MLD_REPORT = 131,
	CT_ICMP6_MLD_DONE = 132,
	CT_ICMP6_ROUTER_SOLICIT = 133,
	CT_ICMP6_ROUTER_ADVERT = 134,
	CT_ICMP6_NEIGHBOUR_SOLICIT = 135,
	CT_ICMP6_NEIGHBOUR_ADVERT = 136,
	CT_ICMP6_REDIRECT = 137,
	CT_ICMP6_NI_QUERY = 139,
	CT_ICMP6_MLD2_REPORT = 143,
	CT_ICMP6_MRD_ADVERT = 151, /* multicast router discovery, RFC 4286 */
	CT_ICMP6_MRD_SOLICIT = 152,
};

/*
 * Judges a query or reply by its flow. may_create: the type is a request, so it may be the first
 * packet of one; a reply that nobody asked for has no flow.
 */
enum ct_judgement ct_icmp_query(struct ct_step *s, bool may_create, enum ct_timeout timeout);

/* Checks what both versions share: family, header and checksum. */
bool ct_icmp_check(struct ct_step *s, uint8_t family);
