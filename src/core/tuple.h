/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The numbers of AF_INET and AF_INET6, which the kernel's tuples use too. */
#define CT_AF_INET  2
#define CT_AF_INET6 10

/* An address as on the wire; IPv4 in the first four bytes, the rest zero. */
union ct_addr {
	uint8_t b[16];
	uint32_t w[4];
	uint64_t q[2];
};

/*
 * One direction of a flow (semantics 1.3).
 *
 * src_id and dst_id are in wire order: the ports of TCP, UDP, UDP-Lite and SCTP; for ICMP and
 * ICMPv6 src_id is the echo identifier and dst_id holds the type in its first byte and the code in
 * its second; the call ids of GRE version 1, each that of the host that chose it; zero for every
 * other protocol. Hashed and compared as bytes, so there is no padding.
 */
struct ct_tuple {
	union ct_addr src, dst;
	uint16_t src_id_be, dst_id_be;
	uint8_t family; /* CT_AF_INET or CT_AF_INET6 */
	uint8_t proto;	/* IP protocol number */
	uint16_t zone;
};

_Static_assert(sizeof(struct ct_tuple) == 40, "a tuple is hashed: no padding");

static inline uint8_t ct_tuple_icmp_type(const struct ct_tuple *t)
{
	return ((const uint8_t *)&t->dst_id_be)[0];
}

static inline uint8_t ct_tuple_icmp_code(const struct ct_tuple *t)
{
	return ((const uint8_t *)&t->dst_id_be)[1];
}

static inline void ct_tuple_set_icmp(struct ct_tuple *t, uint8_t type, uint8_t code)
{
	((uint8_t *)&t->dst_id_be)[0] = type;
	((uint8_t *)&t->dst_id_be)[1] = code;
}
