/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
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

/* Has it an inversion? */
bool ct_tuple_has_inverse(const struct ct_tuple *t);

/*
 * What a packet that names a flow needs: tuple and hash. False: it names none, and why is to be
 * found out by the functions above.
 */
bool ct_tuple_name(const struct ct_pkt *pkt, uint16_t zone, const struct ct_siphash_key *key,
		   struct ct_tuple *ret, uint32_t *ret_hash);

/* In words: a packet compares a few of them, and a call would be most of the cost. */
static inline bool ct_tuple_equal(const struct ct_tuple *a, const struct ct_tuple *b)
{
	uint64_t x, y; /* all behind the addresses */

	memcpy(&x, (const uint8_t *)a + sizeof(a->src) + sizeof(a->dst), sizeof(x));
	memcpy(&y, (const uint8_t *)b + sizeof(b->src) + sizeof(b->dst), sizeof(y));
	return ((a->src.q[0] ^ b->src.q[0]) | (a->src.q[1] ^ b->src.q[1]) |
		(a->dst.q[0] ^ b->dst.q[0]) | (a->dst.q[1] ^ b->dst.q[1]) | (x ^ y)) == 0;
}

/* ct_tuple_is_inverse() for ICMP and ICMPv6. */
bool ct_tuple_answers(const struct ct_tuple *a, const struct ct_tuple *b);

/* Is one the inversion of the other? */
static inline bool ct_tuple_is_inverse(const struct ct_tuple *a, const struct ct_tuple *b)
{
	const size_t at = offsetof(struct ct_tuple, src_id_be);
	uint32_t ids[2], rest[2]; /* family, protocol, zone */

	if (a->proto == CT_PROTO_ICMP || a->proto == CT_PROTO_ICMPV6)
		return ct_tuple_answers(a, b);
	memcpy(&ids[0], (const uint8_t *)a + at, sizeof(ids[0]));
	memcpy(&ids[1], (const uint8_t *)b + at, sizeof(ids[1]));
	memcpy(&rest[0], (const uint8_t *)a + at + sizeof(ids[0]), sizeof(rest[0]));
	memcpy(&rest[1], (const uint8_t *)b + at + sizeof(ids[1]), sizeof(rest[1]));
	return ((a->src.q[0] ^ b->dst.q[0]) | (a->src.q[1] ^ b->dst.q[1]) |
		(a->dst.q[0] ^ b->src.q[0]) | (a->dst.q[1] ^ b->src.q[1]) |
		(ids[0] ^ (ids[1] << 16 | ids[1] >> 16)) | (rest[0] ^ rest[1])) == 0;
}

/*
 * Hash of the flow a tuple belongs to: a tuple and its inversion have the same one, so that one
 * link per flow finds both directions.
 */
uint32_t ct_tuple_hash(const struct ct_tuple *t, const struct ct_siphash_key *key);
