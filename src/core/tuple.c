/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Stage 2: the key of a flow.
 *
 * A packet names one direction of its flow by a tuple; the other direction is the inversion:
 * addresses and ids change places, except for ICMP, where the identifier stays and a request type
 * becomes its reply type. Types without a reply have no inversion and so can have no flow.
 *
 * The hash treats both directions alike: the two endpoints are put in order before hashing, and an
 * ICMP type and its reply count as the smaller of the two.
 */

#include <string.h>

#include "core/key.h"

/* Small parts of what is done for every packet: a call would cost as much as they do. */
#define INLINE inline __attribute__((always_inline))

#define GRE_VERSION 0x0007
#define GRE_PPP	    0x880b

static bool is_icmp(uint8_t proto)
{
	return proto == CT_PROTO_ICMP || proto == CT_PROTO_ICMPV6;
}

bool ct_tuple_is_call(const struct ct_pkt *pkt)
{
	return pkt->proto == CT_PROTO_GRE && pkt->l4.cap >= 8 &&
	       (ct_read_be16(pkt->l4.data) & GRE_VERSION) == 1;
}

/*
 * Version 1 (PPTP) carries the call id of its receiver, that of its sender is not in the packet.
 * All else, also what is cut short, goes by its addresses.
 */
static enum ct_reason read_gre(struct ct_tuple *ret, const struct ct_pkt *pkt,
			       uint32_t detail[static CT_DETAIL_MAX])
{
	enum ct_reason reason = CT_REASON_NONE;
	const uint8_t *h = ct_bytes_get(pkt->l4, 0, 4, CT_REASON_NONE, &reason, detail);

	if (!h || (ct_read_be16(h) & GRE_VERSION) != 1)
		return reason;
	h = ct_bytes_get(pkt->l4, 0, 8, CT_REASON_NONE, &reason, detail);
	if (!h)
		return reason;
	if (ct_read_be16(h + 2) != GRE_PPP) {
		detail[0] = ct_read_be16(h + 2);
		return CT_REASON_GRE_PROTOCOL;
	}
	ret->dst_id_be = ct_read_raw16(h + 6);
	return CT_REASON_NONE;
}

static INLINE enum ct_reason build(struct ct_tuple *ret, const struct ct_pkt *pkt, uint16_t zone,
				   uint32_t detail[static CT_DETAIL_MAX])
{
	enum ct_reason reason = CT_REASON_NONE;
	const uint8_t *h;

	*ret = (struct ct_tuple){
		.src = pkt->src,
		.dst = pkt->dst,
		.family = pkt->family,
		.proto = pkt->proto,
		.zone = zone,
	};
	if (ct_has_ports(pkt->proto)) {
		h = ct_bytes_get(pkt->l4, 0, 4, CT_REASON_L4_HEADER, &reason, detail);
		if (h) {
			ret->src_id_be = ct_read_raw16(h);
			ret->dst_id_be = ct_read_raw16(h + 2);
		}
	} else if (is_icmp(pkt->proto)) {
		h = ct_bytes_get(pkt->l4, 0, 8, CT_REASON_L4_HEADER, &reason, detail);
		if (h) {
			ret->src_id_be = ct_read_raw16(h + 4);
			ret->dst_id_be = ct_read_raw16(h);
		}
	} else if (pkt->proto == CT_PROTO_GRE) {
		reason = read_gre(ret, pkt, detail);
	}
	return reason;
}

/* The type that answers, or is answered by, an ICMP type; -1: there is none. */
static int icmp_counterpart(uint8_t proto, uint8_t type)
{
	static const uint8_t pairs4[][2] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}};
	static const uint8_t pairs6[][2] = {{128, 129}, {139, 140}};
	const uint8_t(*pairs)[2] = proto == CT_PROTO_ICMP ? pairs4 : pairs6;
	size_t n = proto == CT_PROTO_ICMP ? 4 : 2;

	for (size_t i = 0; i < n; i++) {
		if (pairs[i][0] == type)
			return pairs[i][1];
		if (pairs[i][1] == type)
			return pairs[i][0];
	}
	return -1;
}

bool ct_tuple_has_inverse(const struct ct_tuple *t)
{
	return !is_icmp(t->proto) || icmp_counterpart(t->proto, ct_tuple_icmp_type(t)) >= 0;
}

bool ct_tuple_answers(const struct ct_tuple *a, const struct ct_tuple *b)
{
	struct ct_tuple inverse;

	return ct_tuple_invert(&inverse, a) && ct_tuple_equal(&inverse, b);
}

bool ct_tuple_invert(struct ct_tuple *ret, const struct ct_tuple *t)
{
	int type = -1;

	if (is_icmp(t->proto)) {
		type = icmp_counterpart(t->proto, ct_tuple_icmp_type(t));
		if (type < 0)
			return false;
	}
	/* field by field: what was written in small parts just now is slow to read as a whole */
	ret->src = t->dst;
	ret->dst = t->src;
	ret->src_id_be = type < 0 ? t->dst_id_be : t->src_id_be;
	ret->dst_id_be = type < 0 ? t->src_id_be : t->dst_id_be;
	ret->family = t->family;
	ret->proto = t->proto;
	ret->zone = t->zone;
	if (type >= 0)
		ct_tuple_set_icmp(ret, (uint8_t)type, ct_tuple_icmp_code(t));
	return true;
}

/* Of an ICMP tuple: what the two directions have in common beside the identifier. */
static uint16_t icmp_kind(const struct ct_tuple *t)
{
	uint8_t type = ct_tuple_icmp_type(t);
	int other = icmp_counterpart(t->proto, type);

	if (other >= 0 && other < type)
		type = (uint8_t)other;
	return (uint16_t)(type << 8 | ct_tuple_icmp_code(t));
}

/* What follows the addresses, seven bytes, and the length of everything that is hashed. */
static INLINE uint64_t hash_tail(const struct ct_tuple *t, uint64_t ids, uint64_t length)
{
	return ids | (uint64_t)t->proto << 32 | (uint64_t)t->zone << 40 | length << 56;
}

/* 15 bytes. Addresses are put in order together with their ports, each pair as one number. */
static INLINE uint64_t hash4(const struct ct_tuple *t, const struct ct_siphash_key *key)
{
	uint64_t src = (uint64_t)t->src.w[0] << 16, dst = (uint64_t)t->dst.w[0] << 16, low, high;
	bool icmp = is_icmp(t->proto);

	if (!icmp) {
		src |= t->src_id_be;
		dst |= t->dst_id_be;
	}
	low = src < dst ? src : dst;
	high = src < dst ? dst : src;
	if (icmp) {
		low |= t->src_id_be;
		high |= icmp_kind(t);
	}
	low |= high << 48;
	return ct_siphash_tail(key, &low, 1, hash_tail(t, high >> 16, 15));
}

/* Is the source the second one in the order of the hash? */
static bool comes_second(const struct ct_tuple *t)
{
	unsigned int i = t->src.q[0] == t->dst.q[0];

	if (t->src.q[i] != t->dst.q[i])
		return t->src.q[i] > t->dst.q[i];
	return t->src_id_be > t->dst_id_be;
}

/* 39 bytes. */
static uint64_t hash6(const struct ct_tuple *t, const struct ct_siphash_key *key)
{
	bool swap = comes_second(t);
	const union ct_addr *low = swap ? &t->dst : &t->src, *high = swap ? &t->src : &t->dst;
	const uint64_t words[] = {low->q[0], low->q[1], high->q[0], high->q[1]};
	uint64_t ids;

	if (is_icmp(t->proto))
		ids = (uint64_t)icmp_kind(t) << 16 | t->src_id_be;
	else if (swap)
		ids = (uint64_t)t->src_id_be << 16 | t->dst_id_be;
	else
		ids = (uint64_t)t->dst_id_be << 16 | t->src_id_be;
	return ct_siphash_tail(key, words, 4, hash_tail(t, ids, 39));
}

static INLINE uint32_t hash(const struct ct_tuple *t, const struct ct_siphash_key *key)
{
	return (uint32_t)(t->family == CT_AF_INET ? hash4(t, key) : hash6(t, key));
}

/* --- one by one, and all at once -------------------------------------------------------------- */

enum ct_reason ct_tuple_build(struct ct_tuple *ret, const struct ct_pkt *pkt, uint16_t zone,
			      uint32_t detail[static CT_DETAIL_MAX])
{
	return build(ret, pkt, zone, detail);
}

uint32_t ct_tuple_hash(const struct ct_tuple *t, const struct ct_siphash_key *key)
{
	return hash(t, key);
}

bool ct_tuple_name(const struct ct_pkt *pkt, uint16_t zone, const struct ct_siphash_key *key,
		   struct ct_tuple *ret, uint32_t *ret_hash)
{
	uint32_t unused[CT_DETAIL_MAX];

	if (build(ret, pkt, zone, unused) != CT_REASON_NONE || !ct_tuple_has_inverse(ret))
		return false;
	*ret_hash = hash(ret, key);
	return true;
}
