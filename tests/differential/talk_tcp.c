/* SPDX-License-Identifier: GPL-2.0-or-later */

/* TCP: mostly the next legal number, often one near an edge of the window, sometimes anything. */

#include <stdio.h>

#include "tests/differential/talk.h"
#include "tests/flows/flow_options.h"
#include "util/cleanup.h"

/* What one end of the connection would know. */
struct end {
	uint32_t isn, next; /* first and next sequence number */
	uint32_t peer;	    /* next one of the other end, as far as acknowledged */
	unsigned int window;
};

struct tcp {
	struct dice *dice;
	struct end end[2]; /* A, B */
	unsigned int packets;
	bool orderly; /* begins with a proper handshake */
	unsigned int sport;
};

static void start(struct tcp *r, struct dice *d, unsigned int sport)
{
	static const unsigned int windows[] = {1, 100, 1000, 8192, 29200, 65535};

	*r = (struct tcp){.dice = d, .orderly = dice_chance(d, 75), .sport = sport};
	for (int i = 0; i < 2; i++) {
		struct end *e = &r->end[i];

		/* one conversation in eight runs over the end of the number space */
		e->isn = dice_chance(d, 12) ? UINT32_MAX - dice_below(d, 2000) : dice_any(d);
		e->next = e->isn;
		e->window = DICE_PICK(d, windows);
	}
	r->end[0].peer = r->end[1].isn;
	r->end[1].peer = r->end[0].isn;
}

/* --- numbers --------------------------------------------------------------------------- */

/* Mostly n itself, else something near it or at an edge of the window that begins there. */
static uint32_t around(struct tcp *r, uint32_t n, uint32_t window, unsigned int percent)
{
	uint32_t edges[] = {n - 1,	    n + 1,	    n - window,	     n + window,
			    n + window - 1, n + window + 1, n + 2 * window,  n - window - 1,
			    n - 66000,	    n + 66000,	    n + window + 10, n - 66001};

	if (!dice_chance(r->dice, percent))
		return n;
	if (dice_chance(r->dice, 60))
		return DICE_PICK(r->dice, edges);
	if (dice_chance(r->dice, 50))
		return n + dice_below(r->dice, 4000) - 2000;
	return dice_chance(r->dice, 30) ? 0 : dice_any(r->dice);
}

static unsigned int some_window(struct tcp *r, const struct end *me)
{
	if (dice_chance(r->dice, 80))
		return me->window;
	return dice_chance(r->dice, 40) ? 0 : dice_below(r->dice, 65536);
}

static unsigned int some_length(struct tcp *r)
{
	static const unsigned int lengths[] = {1, 10, 100, 536, 1000, 1380};

	return dice_chance(r->dice, 50) ? 0 : DICE_PICK(r->dice, lengths);
}

/* --- options ---------------------------------------------------------------------------- */

static void add(struct flow_packet *p, const char *text)
{
	char copy[64];

	snprintf(copy, sizeof(copy), "%s", text);
	if (p->optlen + 24 <= FLOW_OPT_MAX)
		(void)flow_options_parse(p, copy);
}

/* Bytes that look like options: small kinds, lengths that may lie. */
static void junk_options(struct tcp *r, struct flow_packet *p)
{
	static const uint8_t kinds[] = {0, 1, 2, 3, 3, 4, 4, 5, 5, 8, 30};
	unsigned int n = 4 * (1 + dice_below(r->dice, 5));

	for (unsigned int i = 0; i < n; i++)
		p->opt[i] = dice_chance(r->dice, 50) ? DICE_PICK(r->dice, kinds)
						     : (uint8_t)dice_below(r->dice, 12);
	p->optlen = n;
}

static void syn_options(struct tcp *r, struct flow_packet *p)
{
	char scale[32];

	if (dice_chance(r->dice, 20))
		return;
	if (dice_chance(r->dice, 15)) {
		junk_options(r, p);
		return;
	}
	add(p, "mss=1460");
	if (dice_chance(r->dice, 60))
		add(p, "nop,nop,sackok");
	if (dice_chance(r->dice, 40))
		add(p, "nop,nop,ts");
	if (dice_chance(r->dice, 60)) {
		snprintf(scale, sizeof(scale), "nop,wscale=%u", dice_below(r->dice, 16));
		add(p, scale);
	}
}

static void ack_options(struct tcp *r, struct flow_packet *p, const struct end *me)
{
	uint32_t right = around(r, p->ack + 200, me->window, 40);
	uint32_t second = around(r, p->ack + 400, me->window, 40);
	char sack[64];

	if (dice_chance(r->dice, 4)) {
		junk_options(r, p);
		return;
	}
	if (dice_chance(r->dice, 20))
		add(p, "nop,nop,ts");
	if (!dice_chance(r->dice, 15))
		return;
	if (dice_chance(r->dice, 60))
		snprintf(sack, sizeof(sack), "nop,nop,sack=%u-%u", right - 100, right);
	else
		snprintf(sack, sizeof(sack), "nop,nop,sack=%u-%u+%u-%u", right - 100, right,
			 second - 100, second);
	add(p, sack);
}

/* --- packets ----------------------------------------------------------------------------- */

/* SYN, SYN/ACK, ACK, but for an accident now and then. */
static unsigned int orderly_flags(const struct tcp *r, int *side)
{
	static const unsigned int flags[] = {FLOW_SYN, FLOW_SYN | FLOW_ACK, FLOW_ACK};

	*side = r->packets == 1;
	return flags[r->packets];
}

static unsigned int some_flags(struct tcp *r)
{
	static const struct {
		unsigned int weight, flags;
	} kinds[] = {
		{34, FLOW_ACK},
		{24, FLOW_ACK | FLOW_PSH},
		{12, FLOW_FIN | FLOW_ACK},
		{8, FLOW_SYN},
		{7, FLOW_SYN | FLOW_ACK},
		{7, FLOW_RST},
		{5, FLOW_RST | FLOW_ACK},
		{1, FLOW_ACK | FLOW_URG},
		{1, FLOW_SYN | FLOW_URG},
	};
	uint32_t n = dice_below(r->dice, 100);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (n < kinds[i].weight)
			return kinds[i].flags;
		n -= kinds[i].weight;
	}
	return dice_below(r->dice, 512);
}

/* A SYN carries the first number (or, if the other end has spoken, perhaps a new one). */
static uint32_t some_seq(struct tcp *r, struct end *me, unsigned int flags)
{
	if (!(flags & FLOW_SYN))
		return around(r, me->next, me->window, flags & FLOW_RST ? 45 : 18);
	if (r->packets > 3 && dice_chance(r->dice, 40))
		me->isn = around(r, me->next, me->window, 90);
	return around(r, me->isn, me->window, 6);
}

/* The sender goes on behind what it sent, unless the packet is one that leads nowhere. */
static void remember(struct tcp *r, struct end *me, struct end *other, const struct flow_packet *p)
{
	uint32_t end = p->seq + p->len + !!(p->flags & FLOW_SYN) + !!(p->flags & FLOW_FIN);

	if (p->flags & FLOW_RST || dice_chance(r->dice, 12))
		return;
	if (p->flags & FLOW_SYN || p->seq == me->next)
		me->next = end;
	if (dice_chance(r->dice, 85))
		other->peer = me->next;
}

static void make_packet(struct tcp *r, struct flow_packet *p)
{
	int side = (int)dice_below(r->dice, 2);
	struct end *me, *other;

	p->l4 = FLOW_TCP;
	if (r->orderly && r->packets < 3)
		p->flags = orderly_flags(r, &side);
	else
		p->flags = some_flags(r);
	me = &r->end[side];
	other = &r->end[!side];
	p->src = side ? FLOW_HOST_B : FLOW_HOST_A;
	p->dst = side ? FLOW_HOST_A : FLOW_HOST_B;
	p->sport = side ? 80 : r->sport;
	p->dport = side ? r->sport : 80;
	p->seq = some_seq(r, me, p->flags);
	if (p->flags & FLOW_ACK || dice_chance(r->dice, 3))
		p->ack = around(r, me->peer, other->window, r->packets < 3 ? 6 : 15);
	p->win = some_window(r, me);
	if (p->flags & FLOW_SYN)
		syn_options(r, p);
	else if (p->flags & FLOW_ACK)
		ack_options(r, p, me);
	if (!(p->flags & (FLOW_SYN | FLOW_RST)) || dice_chance(r->dice, 4))
		p->len = some_length(r);
	remember(r, me, other, p);
	r->packets++;
}

/* Mostly one connection, sometimes two at once that differ in one port. */
void talk_make_tcp(struct talk *t, struct dice *d)
{
	unsigned int n = 4 + dice_below(d, 20), connections = dice_chance(d, 8) ? 2 : 1;
	struct tcp tcp[2];

	start(&tcp[0], d, 40000);
	start(&tcp[1], d, dice_chance(d, 10) ? 80 : 40001);
	for (; n; n--)
		make_packet(&tcp[dice_below(d, connections)], &talk_add(t)->packet);
}
