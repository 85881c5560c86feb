/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What people want to see of a packet: addresses, flags, numbers, options, a line that sums it up.
 *
 * Pure. Any bytes are allowed, and nothing here judges them: that is the engine's part, whose
 * parsers of the network layer are used, so that both look at the same bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/pkt.h"

#define DECODE_SACKS_MAX  4
#define DECODE_CHUNKS_MAX 8

enum decode_kind {
	DECODE_NOTHING,	 /* not even the IP header could be read */
	DECODE_OTHER,	 /* a protocol without more to tell, or a header that is cut short */
	DECODE_FRAGMENT, /* not the first of its datagram: no transport header */
	DECODE_TCP,
	DECODE_UDP, /* UDP-Lite, too */
	DECODE_ICMP,
	DECODE_ICMP6,
	DECODE_SCTP,
	DECODE_GRE,
};

struct decoded_sack {
	uint32_t from, to;
};

struct decoded_tcp {
	uint32_t seq, ack; /* as in the header */
	uint16_t window;   /* as in the header: not scaled */
	uint8_t flags;	   /* CT_TCP_*_FLAG of core/tcp.h */
	bool has_mss, has_scale, sack_permitted, has_stamp;
	uint16_t mss;
	uint8_t scale;
	uint8_t nsacks;
	struct decoded_sack sack[DECODE_SACKS_MAX];
	uint32_t stamp, stamp_echo;
};

/* The packet that an ICMP error quotes, as far as it is there. */
struct decoded_quote {
	bool present, has_ports;
	uint8_t family, proto;
	union ct_addr src, dst;
	uint16_t sport, dport;
	bool has_icmp;
	uint8_t icmp_type, icmp_code;
	uint16_t icmp_id;
};

struct decoded_icmp {
	uint8_t type, code;
	bool has_id; /* echo, timestamp, ...: id and seq mean something */
	uint16_t id, seq;
	uint32_t mtu; /* of "too big", 0: none is told */
	struct decoded_quote quote;
};

struct decoded_sctp {
	uint32_t vtag;
	uint8_t nchunks; /* in chunk[] */
	bool more;	 /* there are others behind them */
	uint8_t chunk[DECODE_CHUNKS_MAX];
};

struct decoded_gre {
	uint8_t version;
	uint16_t proto; /* ethertype of what is in the tunnel */
	bool has_call;	/* version 1 */
	uint16_t call;
};

/* Numbers are in host order. */
struct decoded {
	uint8_t kind; /* enum decode_kind */
	uint8_t family, proto, hoplimit;
	bool has_addrs, has_ports;
	bool cut;	/* the packet has more than was captured of it */
	bool malformed; /* a header or an option does not fit into what carries it */
	uint16_t sport, dport;
	uint32_t len;	  /* of the packet, its IP header included, as that says */
	uint32_t payload; /* behind the transport header, or that of a fragment; as len says */
	union ct_addr src, dst;
	struct ct_frag frag; /* if frag.present */
	union {
		struct decoded_tcp tcp;
		struct decoded_icmp icmp;
		struct decoded_sctp sctp;
		struct decoded_gre gre;
	};
};

/*
 * Reads a packet of the given family (CT_AF_INET, CT_AF_INET6) of which caplen of len bytes are
 * there. What lies behind the length in its header (padding) is no part of it.
 */
void decode_packet(struct decoded *ret, const uint8_t *data, uint32_t caplen, uint32_t len,
		   uint8_t family);

/* Sequence numbers are shown relative to these: that of the sender, and that of the other side. */
struct decode_base {
	uint32_t seq, ack;
};

/*
 * Writes what kind of packet it is in a line, without endpoints, to buf, which is returned:
 * "SYN seq=100 win=64240 mss=1460", "echo request id=5 seq=1", "fragment offset=1480 more", ...
 * Without a base (NULL) sequence numbers are those of the header. Everything in it is made from
 * numbers, so it is plain text.
 */
#define DECODE_SUMMARY_MAX 320
char *decode_summary(const struct decoded *d, const struct decode_base *base,
		     char buf[static DECODE_SUMMARY_MAX]);

/* Writes "SYN,ACK", or "NONE", to buf, which is returned. */
#define DECODE_FLAGS_MAX 40
char *decode_flags(uint8_t flags, char buf[static DECODE_FLAGS_MAX]);

/* "echo request", "time exceeded", ...; NULL for a type without a name. proto: ICMP or ICMPv6. */
const char *decode_icmp_name(uint8_t proto, uint8_t type);

/* "port unreachable", ...; NULL for a code that says nothing more. */
const char *decode_icmp_code_name(uint8_t proto, uint8_t type, uint8_t code);
