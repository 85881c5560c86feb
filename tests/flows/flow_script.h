/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Packet scripts (tests/flows/README.md) in memory, and reading them.
 *
 * A script knows nothing of addresses and families: hosts are names, and the same script is run
 * over IPv4 and over IPv6. Bytes are made from it by flow_packet.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/core.h"

#define FLOW_OPT_MAX	  40
#define FLOW_EXT_MAX	  4
#define FLOW_SETTINGS_MAX 32
#define FLOW_CHUNKS_MAX	  8
#define FLOW_ERROR_MAX	  256
#define FLOW_UNSET	  (-1)

/* Hosts: client side, server side, and what a router in between or the link itself sends. */
#define FLOW_HOST_LIST(X)                                                                          \
	X(A, "A")                                                                                  \
	X(A2, "A2")                                                                                \
	X(B, "B")                                                                                  \
	X(B2, "B2")                                                                                \
	X(R, "R")                                                                                  \
	X(LINK, "LINK")                                                                            \
	X(ALL, "ALL")

enum flow_host {
#define X(name, str) FLOW_HOST_##name,
	FLOW_HOST_LIST(X)
#undef X
		FLOW_HOST_MAX
};

enum flow_l4 {
	FLOW_TCP,
	FLOW_UDP,
	FLOW_ICMP,
	FLOW_ICMP_ALIEN,
	FLOW_SCTP,
	FLOW_GRE,
	FLOW_UDPLITE,
	FLOW_PROTO
};

enum flow_tcp_flag {
	FLOW_FIN = 0x01,
	FLOW_SYN = 0x02,
	FLOW_RST = 0x04,
	FLOW_PSH = 0x08,
	FLOW_ACK = 0x10,
	FLOW_URG = 0x20,
	FLOW_ECE = 0x40,
	FLOW_CWR = 0x80,
	FLOW_AE = 0x100,
};

enum flow_ext { FLOW_EXT_HOP, FLOW_EXT_ROUTING, FLOW_EXT_DEST, FLOW_EXT_AH, FLOW_EXT_ATOMIC };

/* A chunk of an SCTP packet; flow_chunk_init() makes a correct one of a type. */
struct flow_chunk {
	unsigned int type, flags;
	uint32_t tag;	   /* of INIT and INIT ACK */
	unsigned int body; /* bytes behind the header, without padding */
	int length;	   /* the length field; FLOW_UNSET: that of the bytes */
};

/* One packet. Signed fields: FLOW_UNSET means "as a correct packet has it". */
struct flow_packet {
	enum flow_host src, dst;
	enum flow_l4 l4;
	unsigned int sport, dport;
	char *data;	  /* owned: text of the payload (flow_data.h), or NULL */
	unsigned int len; /* bytes of payload behind that */
	/* TCP */
	unsigned int flags;
	uint32_t seq, ack;
	bool seq_more, ack_more; /* they count from what was sent so far (flow_talk.h) */
	unsigned int win;
	uint8_t opt[FLOW_OPT_MAX];
	unsigned int optlen;
	int doff; /* in 32-bit words */
	/* UDP */
	int udplen;
	bool nosum; /* UDP-Lite and SCTP, too */
	/* UDP-Lite */
	int coverage;
	bool udpsum; /* checksum as if the protocol were UDP */
	/* SCTP */
	uint32_t vtag;
	struct flow_chunk chunk[FLOW_CHUNKS_MAX];
	unsigned int nchunks;
	/* GRE */
	unsigned int gre_version;
	bool gre_keyed; /* version 0 with a key */
	uint32_t gre_key;
	unsigned int gre_call; /* call id of version 1: that of the receiver */
	unsigned int gre_own;  /* that of the sender: not in the packet, but in its flow's tuple */
	int gre_proto;
	/* ICMP: the kind is an index of flow_icmp_types or FLOW_UNSET for a literal type */
	int icmp_kind;
	unsigned int icmp_type;
	int icmp_code;
	unsigned int icmp_id;
	struct flow_packet *quote; /* owned */
	int rd_option, rd_optlen;  /* first option of an ICMPv6 redirect; type 0: none */
	/* any other protocol */
	unsigned int proto;
	/* network layer and damage */
	bool badsum;
	bool dropped; /* the router drops it after classification */
	bool no_next; /* IPv6: the chain ends in No-Next-Header */
	int ttl;
	int cut;   /* bytes kept behind the IP header chain */
	int ipcut; /* bytes kept behind the fixed IP header */
	int fragoff;
	unsigned int ipopt; /* bytes of IPv4 options */
	enum flow_ext ext[FLOW_EXT_MAX];
	unsigned int next;
};

/* What a packet must be. */
struct flow_expect {
	enum ct_info info;
	bool has_flow; /* a flow of this packet is in the table afterwards */
	bool gone;     /* there was one, and this packet ended it */
	bool drop;     /* a helper drops the packet */
	int state;     /* of TCP or SCTP, FLOW_UNSET: another protocol */
	uint8_t proto; /* IP protocol whose state that is */
	uint16_t status;
	uint32_t timeout;	   /* seconds */
	bool tagged;		   /* vtag is compared */
	uint32_t vtag[CT_DIR_MAX]; /* of SCTP packets in each direction */
	int reason;		   /* enum ct_reason, FLOW_UNSET: not compared */
	int differs; /* what ctmarkd says when live (enum ct_info), FLOW_UNSET: the same */
	char *why;   /* owned */
};

struct flow_event {
	int type;     /* enum ct_event_type, FLOW_UNSET: none at all */
	int death;    /* enum ct_death or FLOW_UNSET */
	int state[2]; /* old, new or FLOW_UNSET */
};

struct flow_step {
	char *file; /* owned */
	unsigned int line;
	uint64_t wait_ns; /* before the packet */
	struct flow_packet packet;
	struct flow_expect expect;
	struct flow_event *expired; /* owned: events of the wait */
	size_t nexpired;
	struct flow_event *events; /* owned: events of the packet */
	size_t nevents;
};

struct flow_setting {
	const struct flow_knob *knob;
	uint32_t value;
};

struct flow_script {
	char *path;  /* owned */
	char *title; /* owned */
	bool ipv4, ipv6;
	char *not_live;	 /* owned: why the kernel cannot be asked, or NULL */
	bool live_alone; /* it can, with no ctmarkd beside it */
	struct flow_setting settings[FLOW_SETTINGS_MAX];
	size_t nsettings;
	struct flow_step *steps; /* owned */
	size_t nsteps;
};

/*
 * Reads a script. Returns NULL and a message "file:line: what" in error if it cannot be read or
 * does not follow the language.
 */
struct flow_script *flow_script_load(const char *path, char error[static FLOW_ERROR_MAX]);
struct flow_script *flow_script_free(struct flow_script *s);

/* The expectation as the script writes it, for messages; returns buf. */
#define FLOW_EXPECT_STRLEN 128
char *flow_expect_to_str(const struct flow_expect *e, char buf[static FLOW_EXPECT_STRLEN]);

/* Writes the packet as a script writes it, without an expectation. */
void flow_packet_print(FILE *f, const struct flow_packet *p);

/* The protocol that has the states of the packet's flow: TCP (6), SCTP (132) or 0. */
uint8_t flow_packet_stateful(const struct flow_packet *p);

void flow_packet_init(struct flow_packet *p);
void flow_packet_done(struct flow_packet *p);
