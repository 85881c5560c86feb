/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Packets and an engine for tests.
 *
 * Hosts are numbers: host n is 10.x.y.z or 2001:db8::n. Transport checksums are right, computed in
 * another way than the engine does it.
 */

#include "core/core.h"

#define PK_MAX 512

#define PK_FIN 0x01
#define PK_SYN 0x02
#define PK_RST 0x04
#define PK_ACK 0x10

#define MSEC 1000000ull
#define SEC  (1000 * MSEC)

struct pk {
	uint8_t b[PK_MAX];
	uint32_t len;
	uint32_t l4; /* offset of the transport header */
};

/* Headers around n bytes of transport header and data; family is CT_AF_INET or CT_AF_INET6. */
void pk_ip(struct pk *p, int family, uint32_t src, uint32_t dst, uint8_t proto, const void *l4,
	   size_t n);

/* Puts n bytes (IPv4 options, IPv6 extension headers starting with header first) before the rest.
 */
void pk_insert(struct pk *p, const void *bytes, size_t n, uint8_t first);

void pk_udp(struct pk *p, int family, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport);
void pk_tcp(struct pk *p, int family, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport,
	    uint8_t flags, uint32_t seq, uint32_t ack);

/* quote: the packet an error is about, or NULL. */
void pk_icmp(struct pk *p, int family, uint32_t src, uint32_t dst, uint8_t type, uint8_t code,
	     uint16_t id, const struct pk *quote);

/*
 * Bytes [start, end) of what stands behind the network header of whole, as a fragment; bytes beyond
 * its end are zero.
 */
void pk_fragment(struct pk *p, const struct pk *whole, uint32_t id, uint32_t start, uint32_t end,
		 bool more);

/* Sets the checksum field at this offset of the transport header. */
void pk_fix_checksum(struct pk *p, uint32_t at);

/* The checksum over pseudo header and transport part as they are: 0 or 0xffff if it is right. */
uint16_t pk_checksum(const struct pk *p);

/* As received by PREROUTING, its checksum not verified yet. */
struct ct_input pk_input(const struct pk *p, uint64_t now_ns);

struct engine {
	struct ct_config cfg;
	struct ct_thread th;
	void *arena;
};

void engine_open(struct engine *e, uint32_t max_flows);

/* The same with room for so many fragmented datagrams and held fragments. */
void engine_open_fragments(struct engine *e, uint32_t max_flows, uint32_t max_fragmented,
			   uint32_t max_held);
void engine_close(struct engine *e);

/* ct_track() of a packet with pk_input(). */
struct ct_result engine_track(struct engine *e, const struct pk *p, uint64_t now_ns);
/*
 * An ASSURED UDP flow from host src: a question at now_ns, its answer, and one more question three
 * seconds later.
 */
struct ct_result engine_assured(struct engine *e, uint32_t src, uint64_t now_ns);
uint64_t engine_stat(const struct engine *e, enum ct_stat stat);

/* Deterministic numbers for tests that throw dice. */
uint64_t dice(uint64_t *state);
