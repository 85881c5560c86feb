/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/pkt.h"
#include "core/siphash.h"
#include "core/tuple.h"

/*
 * Builds the tuple of a packet (semantics 1.3). On failure *ret still has addresses and protocol,
 * with ids of zero.
 */
enum ct_reason ct_tuple_build(struct ct_tuple *ret, const struct ct_pkt *pkt, uint16_t zone,
			      uint32_t detail[static CT_DETAIL_MAX]);

/*
 * Is this a packet of a PPTP call, whose tuple has its call id as the destination id? What has the
 * source id is the key map (core/helper/keymap.h).
 */
bool ct_tuple_is_call(const struct ct_pkt *pkt);

/* Makes the tuple of the other direction. False: a message type that has no reply. */
bool ct_tuple_invert(struct ct_tuple *ret, const struct ct_tuple *t);

bool ct_tuple_equal(const struct ct_tuple *a, const struct ct_tuple *b);

/*
 * Hash of the flow a tuple belongs to: a tuple and its inversion have the same one, so that one
 * link per flow finds both directions.
 */
uint64_t ct_tuple_hash(const struct ct_tuple *t, const struct ct_siphash_key *key);
