/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ICMP and ICMPv6: questions and answers, and errors about the packets of a conversation. */

#include <stdlib.h>
#include <string.h>

#include "tests/differential/talk.h"
#include "tests/flows/flow_icmp.h"
#include "util/cleanup.h"

static void some_direction(struct dice *d, struct flow_packet *p, unsigned int back)
{
	bool reply = dice_chance(d, back);

	p->src = reply ? FLOW_HOST_B : dice_chance(d, 95) ? FLOW_HOST_A : FLOW_HOST_A2;
	p->dst = reply ? FLOW_HOST_A : FLOW_HOST_B;
}

static bool exists(int kind, uint8_t family)
{
	return (family == CT_AF_INET ? flow_icmp_types[kind].type4 : flow_icmp_types[kind].type6) >=
	       0;
}

/* Mostly echo and its answer, else any kind or any number. */
static void some_type(struct dice *d, struct flow_packet *p, uint8_t family)
{
	if (dice_chance(d, 65)) {
		p->icmp_kind = p->src == FLOW_HOST_B; /* echo, echo-reply */
		return;
	}
	p->icmp_type = dice_chance(d, 60) ? dice_below(d, 20) : dice_below(d, 256);
	if (family == CT_AF_INET6 && dice_chance(d, 60))
		p->icmp_type = 128 + dice_below(d, 30);
	if (dice_chance(d, 50)) {
		p->icmp_kind = (int)dice_below(d, ARRAY_SIZE(flow_icmp_types));
		if (!exists(p->icmp_kind, family))
			p->icmp_kind = FLOW_UNSET;
	}
}

void talk_make_icmp(struct talk *t, struct dice *d)
{
	for (unsigned int n = 3 + dice_below(d, 8); n; n--) {
		struct flow_packet *p = &talk_add(t)->packet;

		p->l4 = dice_chance(d, 97) ? FLOW_ICMP : FLOW_ICMP_ALIEN;
		some_direction(d, p, 45);
		some_type(d, p, t->family);
		if (dice_chance(d, 10))
			p->icmp_code = (int)dice_below(d, 3);
		p->icmp_id = 7 + dice_chance(d, 15);
		p->len = dice_below(d, 60);
		if (dice_chance(d, 2))
			p->cut = (int)dice_below(d, 9);
		if (dice_chance(d, 30))
			p->ttl = 255;
	}
}

/* --- errors ------------------------------------------------------------------------------ */

/* The conversation that the errors are about. */
static void some_talk(struct talk *t, struct dice *d)
{
	static void (*const makers[])(struct talk *, struct dice *) = {
		talk_make_tcp,	talk_make_tcp,	  talk_make_tcp, talk_make_udp,
		talk_make_udp,	talk_make_sctp,	  talk_make_gre, talk_make_udplite,
		talk_make_icmp, talk_make_generic};

	DICE_PICK(d, makers)(t, d);
}

/* A quote that is not quite the packet: cut short, of another flow, in another form. */
static void mutate_quote(struct dice *d, struct flow_packet *q, uint8_t family)
{
	static const unsigned int ports[] = {0, 53, 54, 80, 40000, 40001, 40002};

	switch (dice_below(d, 8)) {
	case 0:
		q->cut = (int)dice_below(d, 12);
		break;
	case 1:
		q->ipcut = (int)dice_below(d, 12);
		break;
	case 2:
		q->sport = DICE_PICK(d, ports);
		break;
	case 3:
		q->dport = DICE_PICK(d, ports);
		break;
	case 4:
		q->dst = dice_chance(d, 50) ? FLOW_HOST_B2 : FLOW_HOST_A2;
		break;
	case 5:
		q->fragoff = (int)dice_below(d, 3);
		break;
	case 6:
		q->proto = dice_below(d, 256);
		q->l4 = dice_chance(d, 50) ? FLOW_PROTO : q->l4;
		break;
	default:
		if (family == CT_AF_INET6)
			q->ext[q->next++] = dice_chance(d, 50) ? FLOW_EXT_DEST : FLOW_EXT_ATOMIC;
		else
			q->ipopt = 4 * dice_below(d, 11);
		break;
	}
}

/* What kind of error, from whom and to whom. */
static void make_error(struct dice *d, struct flow_packet *p, uint8_t family)
{
	static const char *const sound[] = {"unreachable", "too-big",		"time-exceeded",
					    "redirect",	   "parameter-problem", "source-quench"};
	const struct flow_packet *q = p->quote;
	const char *name = DICE_PICK(d, sound);

	p->l4 = FLOW_ICMP;
	for (int i = 0; i < (int)ARRAY_SIZE(flow_icmp_types); i++)
		if (strcmp(flow_icmp_types[i].name, name) == 0)
			p->icmp_kind = i;
	if (!exists(p->icmp_kind, family) || dice_chance(d, 10)) {
		p->icmp_kind = FLOW_UNSET;
		p->icmp_type = dice_below(d, family == CT_AF_INET ? 20 : 140);
	}
	if (dice_chance(d, 10))
		p->icmp_code = (int)dice_below(d, 16);
	p->src = dice_chance(d, 70) ? FLOW_HOST_R : q->dst;
	p->dst = dice_chance(d, 90) ? q->src : dice_chance(d, 50) ? FLOW_HOST_A2 : FLOW_HOST_B;
	if (family == CT_AF_INET6 && p->icmp_kind != FLOW_UNSET &&
	    flow_icmp_types[p->icmp_kind].type6 == 137) {
		p->src = dice_chance(d, 85) ? FLOW_HOST_LINK : FLOW_HOST_R;
		p->ttl = dice_chance(d, 90) ? 255 : 64;
	}
	if (dice_chance(d, 10))
		p->rd_option = (int)dice_below(d, 6);
}

static void add_error(struct talk *t, struct dice *d)
{
	unsigned int about = dice_below(d, t->nsteps);
	struct talk_step *s = talk_add(t);
	struct flow_packet *q = malloc(sizeof(*q));

	if (!q)
		abort();
	*q = talk_packet_copy(&t->steps[about].packet);
	s->packet.quote = q;
	if (dice_chance(d, 35))
		mutate_quote(d, q, t->family);
	make_error(d, &s->packet, t->family);
	/* somewhere behind the packet that it is about */
	for (unsigned int i = t->nsteps - 1; i > about + 1 && dice_chance(d, 75); i--) {
		struct talk_step swap = t->steps[i];

		t->steps[i] = t->steps[i - 1];
		t->steps[i - 1] = swap;
	}
}

void talk_make_error(struct talk *t, struct dice *d)
{
	some_talk(t, d);
	while (t->nsteps > 14)
		talk_remove(t, t->nsteps - 1);
	for (unsigned int n = 2 + dice_below(d, 6); n; n--)
		add_error(t, d);
}
