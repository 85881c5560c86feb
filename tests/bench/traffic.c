/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/bench/traffic.h"

#include <string.h>

#define UDP_HLEN 8
#define TCP_HLEN 20
#define DATA	 4 /* bytes that a segment or datagram carries */

#define SYN 0x02
#define ACK 0x10

static void put16(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static void put32(uint8_t *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b + 2, v);
}

static void fill_input(struct traffic_packet *p, uint32_t len)
{
	p->in = (struct ct_input){
		.data = p->bytes,
		.caplen = len,
		.len = len,
		.iif = 2,
		.hook = CT_HOOK_PREROUTING,
		.family = p->bytes[0] >> 4 == 4 ? CT_AF_INET : CT_AF_INET6,
	};
}

/* Network header of a packet of a flow; reply: from its other end. Returns the transport header. */
static uint8_t *ip4(struct traffic_packet *p, uint32_t flow, bool reply, uint8_t proto,
		    uint32_t len)
{
	uint8_t *h = p->bytes;
	uint32_t client = 0x0a000000 | (flow >> 8 & 0xffff), server = 0x0b000001 + (flow >> 24);

	memset(h, 0, 20);
	h[0] = 0x45;
	put16(h + 2, 20 + len);
	h[8] = 64;
	h[9] = proto;
	put32(h + 12, reply ? server : client);
	put32(h + 16, reply ? client : server);
	fill_input(p, 20 + len);
	return h + 20;
}

static uint8_t *ip6(struct traffic_packet *p, uint32_t flow, bool reply, uint8_t proto,
		    uint32_t len)
{
	uint8_t *h = p->bytes;

	memset(h, 0, 40);
	h[0] = 0x60;
	put16(h + 4, len);
	h[6] = proto;
	h[7] = 64;
	put32(h + 8, 0x20010db8);
	put32(h + 20, reply ? 1 : 2 + (flow >> 8));
	put32(h + 24, 0x20010db8);
	put32(h + 36, reply ? 2 + (flow >> 8) : 1);
	fill_input(p, 40 + len);
	return h + 40;
}

static void ports(uint8_t *h, uint32_t flow, bool reply, uint16_t server)
{
	uint16_t client = (uint16_t)(1024 + (flow & 0xff));

	put16(h, reply ? server : client);
	put16(h + 2, reply ? client : server);
}

static void udp(uint8_t *h, uint32_t flow, bool reply)
{
	ports(h, flow, reply, 53);
	put16(h + 4, UDP_HLEN + DATA);
	put16(h + 6, 0);
}

void traffic_udp(struct traffic_packet *p, uint32_t n, uint32_t flows)
{
	uint32_t flow = n / 2 % flows;

	udp(ip4(p, flow, n & 1, 17, UDP_HLEN + DATA), flow, n & 1);
}

void traffic_udp6(struct traffic_packet *p, uint32_t n, uint32_t flows)
{
	uint32_t flow = n / 2 % flows;

	udp(ip6(p, flow, n & 1, 17, UDP_HLEN + DATA), flow, n & 1);
}

void traffic_udp_each(struct traffic_packet *p, uint32_t n, uint32_t flows)
{
	uint32_t flow = n % flows;

	udp(ip4(p, flow, false, 17, UDP_HLEN + DATA), flow, false);
}

/* A number that looks like chance, the same for the same n. */
static uint32_t scatter(uint32_t n)
{
	n ^= n >> 16;
	n *= 0x7feb352d;
	n ^= n >> 15;
	n *= 0x846ca68b;
	return n ^ n >> 16;
}

void traffic_udp_any(struct traffic_packet *p, uint32_t n, uint32_t first, uint32_t flows)
{
	traffic_udp_each(p, first + (uint32_t)((uint64_t)scatter(n) * flows >> 32), first + flows);
}

void traffic_udp_scattered(struct traffic_packet *p, uint32_t n, uint32_t flows)
{
	traffic_udp_any(p, n, 0, flows);
}

static void tcp(struct traffic_packet *p, uint32_t flow, bool reply, uint8_t flags, uint32_t seq,
		uint32_t ack, uint32_t len)
{
	uint8_t *h = ip4(p, flow, reply, 6, TCP_HLEN + len);

	ports(h, flow, reply, 80);
	put32(h + 4, seq);
	put32(h + 8, ack);
	h[12] = TCP_HLEN / 4 << 4;
	h[13] = flags;
	put16(h + 14, 0xffff);
	put32(h + 16, 0);
}

void traffic_tcp(struct traffic_packet *p, uint32_t n, uint32_t flows)
{
	uint32_t flow = n / 4 % flows, round = n / 4 / flows, step = n % 4;
	uint32_t sent = 1 + (round > 0 ? (round - 1) * DATA : 0);

	if (round == 0) {
		tcp(p, flow, step == 1,
		    step == 0	? SYN
		    : step == 1 ? SYN | ACK
				: ACK,
		    step != 0 && step != 1, step > 0, 0);
		return;
	}
	switch (step) {
	case 0:
		tcp(p, flow, false, ACK, sent, sent, DATA);
		break;
	case 1:
		tcp(p, flow, true, ACK, sent, sent + DATA, 0);
		break;
	case 2:
		tcp(p, flow, true, ACK, sent, sent + DATA, DATA);
		break;
	default:
		tcp(p, flow, false, ACK, sent + DATA, sent + DATA, 0);
	}
}

static void echo(struct traffic_packet *p, uint32_t n, uint32_t flows)
{
	uint32_t flow = n / 2 % flows;
	uint8_t *h = ip4(p, flow, n & 1, 1, 8);

	memset(h, 0, 8);
	h[0] = n & 1 ? 0 : 8;
	put16(h + 4, flow);
}

/* A flow of which no other packet comes, from addresses of its own. */
static void single(struct traffic_packet *p, uint32_t n)
{
	udp(ip4(p, 0x80000000 | n, false, 17, UDP_HLEN + DATA), n, false);
}

void traffic_mixed(struct traffic_packet *p, uint32_t n, uint32_t flows)
{
	uint32_t turn = n / 16, k = n % 16;

	if (k < 10)
		traffic_tcp(p, turn * 10 + k, flows);
	else if (k < 14)
		traffic_udp(p, turn * 4 + k - 10, flows);
	else if (k == 14)
		echo(p, turn, flows);
	else
		single(p, turn);
}
