/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Who fills the table: the sources and the destination that most flows have. */

#include <stdbool.h>
#include <stdint.h>

#include "core/tuple.h"

struct ct;

#define CT_TALKERS_MAX	  3
#define CT_TALKERS_SAMPLE 4096 /* flows looked at, at most */

/* What many flows have in common on one of their sides. Compared as bytes: no padding. */
struct ct_party {
	union ct_addr addr; /* bits beyond prefix are zero */
	uint16_t zone;
	uint16_t port_be; /* with service: of protocols with ports, else 0 */
	uint8_t family;	  /* CT_AF_INET or CT_AF_INET6 */
	uint8_t prefix;	  /* its length in bits */
	uint8_t proto;	  /* with service: the protocol, else 0 */
	bool service;	  /* proto and port_be belong to it */
};

_Static_assert(sizeof(struct ct_party) == 24, "a party is compared as bytes: no padding");

struct ct_talker {
	struct ct_party party;
	uint16_t permille; /* of the sample; never too many */
};

struct ct_talkers {
	uint32_t sample; /* flows looked at */
	unsigned int nsources;
	struct ct_talker source[CT_TALKERS_MAX]; /* those with most flows first */
	bool has_target;
	struct ct_talker target; /* where most flows go */
};

/*
 * Looks at a sample of the flows, at all in a small table, and names what stands out among
 * them: source addresses (of IPv6 a /64), networks (/24, of IPv6 /48) with what they have beyond
 * the addresses named, a destination, with protocol and port if they are mostly the same. To be
 * called once in a while, by any thread: it takes locks, each for a few flows only. seed says which
 * flows are looked at.
 */
void ct_talkers(struct ct *ct, uint64_t seed, struct ct_talkers *ret);
