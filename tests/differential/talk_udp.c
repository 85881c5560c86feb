/* SPDX-License-Identifier: GPL-2.0-or-later */

/* UDP, UDP-Lite, GRE and the protocols that have no tracker of their own. */

#include "tests/differential/talk.h"
#include "util/cleanup.h"

/* Mostly there and back between two hosts, sometimes from or to somebody else. */
static void some_hosts(struct dice *d, struct flow_packet *p)
{
	static const enum flow_host clients[] = {FLOW_HOST_A, FLOW_HOST_A, FLOW_HOST_A,
						 FLOW_HOST_A2};
	static const enum flow_host servers[] = {FLOW_HOST_B, FLOW_HOST_B, FLOW_HOST_B,
						 FLOW_HOST_B2};
	bool back = dice_chance(d, 45);
	enum flow_host client = DICE_PICK(d, clients), server = DICE_PICK(d, servers);

	p->src = back ? server : client;
	p->dst = back ? client : server;
}

static unsigned int some_length(struct dice *d)
{
	static const unsigned int lengths[] = {0, 1, 8, 8, 40, 512, 1400};

	return DICE_PICK(d, lengths);
}

static void some_ports(struct dice *d, struct flow_packet *p)
{
	static const unsigned int ports[] = {40000, 40000, 40000, 40001, 53, 0};
	bool back = p->src == FLOW_HOST_B || p->src == FLOW_HOST_B2;
	unsigned int client = DICE_PICK(d, ports), server = dice_chance(d, 90) ? 53 : 54;

	p->sport = back ? server : client;
	p->dport = back ? client : server;
}

void talk_make_udp(struct talk *t, struct dice *d)
{
	for (unsigned int n = 3 + dice_below(d, 10); n; n--) {
		struct flow_packet *p = &talk_add(t)->packet;

		p->l4 = FLOW_UDP;
		some_hosts(d, p);
		some_ports(d, p);
		p->len = some_length(d);
		p->nosum = dice_chance(d, 8);
		if (dice_chance(d, 5))
			p->udplen = (int)dice_below(d, p->len + 20);
		if (dice_chance(d, 2))
			p->cut = (int)dice_below(d, 9);
	}
}

/* Mostly with the checksum that the kernel takes for right. */
void talk_make_udplite(struct talk *t, struct dice *d)
{
	for (unsigned int n = 3 + dice_below(d, 8); n; n--) {
		struct flow_packet *p = &talk_add(t)->packet;

		p->l4 = FLOW_UDPLITE;
		some_hosts(d, p);
		some_ports(d, p);
		p->len = some_length(d);
		p->nosum = dice_chance(d, 5);
		p->udpsum = dice_chance(d, 85);
		if (dice_chance(d, 35))
			p->coverage = (int)dice_below(d, dice_chance(d, 70) ? p->len + 9 : 20);
		if (dice_chance(d, 2))
			p->cut = (int)dice_below(d, 9);
	}
}

void talk_make_gre(struct talk *t, struct dice *d)
{
	bool pptp = dice_chance(d, 50);

	for (unsigned int n = 3 + dice_below(d, 8); n; n--) {
		struct flow_packet *p = &talk_add(t)->packet;

		p->l4 = FLOW_GRE;
		some_hosts(d, p);
		p->gre_version = dice_chance(d, 95) ? pptp : dice_below(d, 8);
		p->gre_keyed = dice_chance(d, 30);
		p->gre_key = dice_below(d, 3);
		p->gre_call = dice_below(d, 3);
		if (dice_chance(d, 10))
			p->gre_proto = dice_chance(d, 50) ? 0x0800 : 0x880b;
		p->len = some_length(d);
		if (dice_chance(d, 4))
			p->cut = (int)dice_below(d, 9);
	}
}

void talk_make_generic(struct talk *t, struct dice *d)
{
	static const unsigned int protos[] = {4, 33, 41, 50, 89, 103, 108, 112, 137, 253};
	unsigned int proto = DICE_PICK(d, protos);

	for (unsigned int n = 2 + dice_below(d, 6); n; n--) {
		struct flow_packet *p = &talk_add(t)->packet;

		p->l4 = FLOW_PROTO;
		p->proto = dice_chance(d, 90) ? proto : DICE_PICK(d, protos);
		some_hosts(d, p);
		p->len = some_length(d);
	}
}
