/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/cursor.h"
#include "core/event.h"
#include "core/tuple.h"

#define CT_PROTO_ICMP	 1
#define CT_PROTO_TCP	 6
#define CT_PROTO_UDP	 17
#define CT_PROTO_GRE	 47
#define CT_PROTO_ICMPV6	 58
#define CT_PROTO_SCTP	 132
#define CT_PROTO_UDPLITE 136

/* Does its header begin with two ports? */
static inline bool ct_has_ports(uint8_t proto)
{
	return proto == CT_PROTO_TCP || proto == CT_PROTO_UDP || proto == CT_PROTO_UDPLITE ||
	       proto == CT_PROTO_SCTP;
}

/* Where a fragment belongs in its datagram. Of several IPv6 fragment headers the first one counts.
 */
struct ct_frag {
	uint32_t id;	   /* host order; 16 bits of it in IPv4 */
	uint32_t offset;   /* of its first byte in the payload of the datagram */
	uint32_t end;	   /* behind its last one, as the packet's length says */
	uint32_t overhead; /* IPv4: length of the header; IPv6: of the extension headers before */
	uint8_t header;	   /* bytes of a fragment header that reassembly takes away */
	uint8_t ecn;	   /* codepoint */
	bool more;
	bool present; /* a fragment, or an IPv6 packet with a fragment header */
};

/* A packet with its network layer read. */
struct ct_pkt {
	struct ct_bytes l4; /* from the transport header to the end */
	union ct_addr src, dst;
	uint8_t family;
	uint8_t proto;	  /* of the transport header */
	uint8_t hoplimit; /* TTL or hop limit */
	bool fragment;	  /* first fragment of several: the transport payload is not whole */
	bool has_addrs;	  /* src and dst were read */
	struct ct_frag frag;
};

/*
 * Reads the network layer of a packet of the given family and finds the transport header
 * (semantics 1.2). Returns CT_REASON_NONE, or why not, with the numbers in detail; then *ret holds
 * what was read up to there (addresses and family, at least zeroed).
 */
enum ct_reason ct_pkt_parse(struct ct_pkt *ret, struct ct_bytes v, uint8_t family,
			    uint32_t detail[static CT_DETAIL_MAX]);

/* The family a packet claims in its first four bits, 0 if that is neither IPv4 nor IPv6. */
uint8_t ct_pkt_family(struct ct_bytes v);
