/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <string.h>

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

/*
 * Makes the tuple of the other direction, at another place. False: a message type that has no
 * reply.
 */
bool ct_tuple_invert(struct ct_tuple *ret, const struct ct_tuple *t);

/* In words: a packet compares a few of them, and a call would be most of the cost. */
static inline bool ct_tuple_equal(const struct ct_tuple *a, const struct ct_tuple *b)
{
	uint64_t x, y; /* all behind the addresses */

	memcpy(&x, (const uint8_t *)a + sizeof(a->src) + sizeof(a->dst), sizeof(x));
	memcpy(&y, (const uint8_t *)b + sizeof(b->src) + sizeof(b->dst), sizeof(y));
	return ((a->src.q[0] ^ b->src.q[0]) | (a->src.q[1] ^ b->src.q[1]) |
		(a->dst.q[0] ^ b->dst.q[0]) | (a->dst.q[1] ^ b->dst.q[1]) | (x ^ y)) == 0;
}

/*
 * Hash of the flow a tuple belongs to: a tuple and its inversion have the same one, so that one
 * link per flow finds both directions.
 */
uint32_t ct_tuple_hash(const struct ct_tuple *t, const struct ct_siphash_key *key);
