/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_random.h"

#include <string.h>

#include "tests/flows/flow_options.h"
#include "util/cleanup.h"

void flow_random_init(struct flow_random *r, uint64_t seed)
{
	*r = (struct flow_random){.state = seed};
}

/* SplitMix64: any seed is a good one. */
static uint64_t draw(struct flow_random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint32_t flow_random_below(struct flow_random *r, uint32_t n)
{
	return (uint32_t)(draw(r) >> 32) % n;
}

static bool chance(struct flow_random *r, unsigned int percent)
{
	return flow_random_below(r, 100) < percent;
}

void flow_random_start(struct flow_random *r)
{
	static const unsigned int windows[] = {1, 100, 1000, 8192, 29200, 65535};

	r->packets = 0;
	r->orderly = chance(r, 75);
	for (int i = 0; i < 2; i++) {
		struct flow_end *e = &r->end[i];

		/* one conversation in eight runs over the end of the number space */
		e->isn =
			chance(r, 12) ? UINT32_MAX - flow_random_below(r, 2000) : (uint32_t)draw(r);
		e->next = e->isn;
		e->window = windows[flow_random_below(r, ARRAY_SIZE(windows))];
	}
	r->end[0].peer = r->end[1].isn;
	r->end[1].peer = r->end[0].isn;
}

/* --- numbers --------------------------------------------------------------------------- */

/* Mostly n itself, else something near it or at an edge of the window that begins there. */
static uint32_t around(struct flow_random *r, uint32_t n, uint32_t window, unsigned int percent)
{
	uint32_t edges[] = {n - 1,	    n + 1,	    n - window,	     n + window,
			    n + window - 1, n + window + 1, n + 2 * window,  n - window - 1,
			    n - 66000,	    n + 66000,	    n + window + 10, n - 66001};

	if (!chance(r, percent))
		return n;
	if (chance(r, 60))
		return edges[flow_random_below(r, ARRAY_SIZE(edges))];
	if (chance(r, 50))
		return n + flow_random_below(r, 4000) - 2000;
	return chance(r, 30) ? 0 : (uint32_t)draw(r);
}

static unsigned int some_window(struct flow_random *r, const struct flow_end *me)
{
	if (chance(r, 80))
		return me->window;
	return chance(r, 40) ? 0 : flow_random_below(r, 65536);
}

static unsigned int some_length(struct flow_random *r)
{
	static const unsigned int lengths[] = {1, 10, 100, 536, 1000, 1380};

	return chance(r, 50) ? 0 : lengths[flow_random_below(r, ARRAY_SIZE(lengths))];
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
static void junk_options(struct flow_random *r, struct flow_packet *p)
{
	static const uint8_t kinds[] = {0, 1, 2, 3, 3, 4, 4, 5, 5, 8, 30};
	unsigned int n = 4 * (1 + flow_random_below(r, 5));

	for (unsigned int i = 0; i < n; i++)
		p->opt[i] = chance(r, 50) ? kinds[flow_random_below(r, ARRAY_SIZE(kinds))]
					  : (uint8_t)flow_random_below(r, 12);
	p->optlen = n;
}

static void syn_options(struct flow_random *r, struct flow_packet *p)
{
	char scale[32];

	if (chance(r, 20))
		return;
	if (chance(r, 15)) {
		junk_options(r, p);
		return;
	}
	add(p, "mss=1460");
	if (chance(r, 60))
		add(p, "nop,nop,sackok");
	if (chance(r, 40))
		add(p, "nop,nop,ts");
	if (chance(r, 60)) {
		snprintf(scale, sizeof(scale), "nop,wscale=%u", flow_random_below(r, 16));
		add(p, scale);
	}
}

static void ack_options(struct flow_random *r, struct flow_packet *p, const struct flow_end *me)
{
	uint32_t right = around(r, p->ack + 200, me->window, 40);
	uint32_t second = around(r, p->ack + 400, me->window, 40);
	char sack[64];

	if (chance(r, 4)) {
		junk_options(r, p);
		return;
	}
	if (chance(r, 20))
		add(p, "nop,nop,ts");
	if (!chance(r, 15))
		return;
	if (chance(r, 60))
		snprintf(sack, sizeof(sack), "nop,nop,sack=%u-%u", right - 100, right);
	else
		snprintf(sack, sizeof(sack), "nop,nop,sack=%u-%u+%u-%u", right - 100, right,
			 second - 100, second);
	add(p, sack);
}

/* --- packets ----------------------------------------------------------------------------- */

/* SYN, SYN/ACK, ACK, but for an accident now and then. */
static unsigned int orderly_flags(const struct flow_random *r, int *side)
{
	static const unsigned int flags[] = {FLOW_SYN, FLOW_SYN | FLOW_ACK, FLOW_ACK};

	*side = r->packets == 1;
	return flags[r->packets];
}

static unsigned int some_flags(struct flow_random *r)
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
	uint32_t n = flow_random_below(r, 100);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (n < kinds[i].weight)
			return kinds[i].flags;
		n -= kinds[i].weight;
	}
	return flow_random_below(r, 512);
}

/* A SYN carries the first number (or, if the other end has spoken, perhaps a new one). */
static uint32_t some_seq(struct flow_random *r, struct flow_end *me, unsigned int flags)
{
	if (!(flags & FLOW_SYN))
		return around(r, me->next, me->window, flags & FLOW_RST ? 45 : 18);
	if (r->packets > 3 && chance(r, 40))
		me->isn = around(r, me->next, me->window, 90);
	return around(r, me->isn, me->window, 6);
}

/* The sender goes on behind what it sent, unless the packet is one that leads nowhere. */
static void remember(struct flow_random *r, struct flow_end *me, struct flow_end *other,
		     const struct flow_packet *p)
{
	uint32_t end = p->seq + p->len + !!(p->flags & FLOW_SYN) + !!(p->flags & FLOW_FIN);

	if (p->flags & FLOW_RST || chance(r, 12))
		return;
	if (p->flags & FLOW_SYN || p->seq == me->next)
		me->next = end;
	if (chance(r, 85))
		other->peer = me->next;
}

void flow_random_packet(struct flow_random *r, struct flow_packet *p)
{
	int side = (int)flow_random_below(r, 2);
	struct flow_end *me, *other;

	flow_packet_init(p);
	p->l4 = FLOW_TCP;
	if (r->orderly && r->packets < 3)
		p->flags = orderly_flags(r, &side);
	else
		p->flags = some_flags(r);
	me = &r->end[side];
	other = &r->end[!side];
	p->src = side ? FLOW_HOST_B : FLOW_HOST_A;
	p->dst = side ? FLOW_HOST_A : FLOW_HOST_B;
	p->sport = side ? 80 : 40000;
	p->dport = side ? 40000 : 80;
	p->seq = some_seq(r, me, p->flags);
	if (p->flags & FLOW_ACK || chance(r, 3))
		p->ack = around(r, me->peer, other->window, r->packets < 3 ? 6 : 15);
	p->win = some_window(r, me);
	if (p->flags & FLOW_SYN)
		syn_options(r, p);
	else if (p->flags & FLOW_ACK)
		ack_options(r, p, me);
	if (!(p->flags & (FLOW_SYN | FLOW_RST)) || chance(r, 4))
		p->len = some_length(r);
	remember(r, me, other, p);
	r->packets++;
}
