/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/differential/dialog.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define TEXT_MAX   2048
#define OTHERS_ISN 7000

/* --- packets ------------------------------------------------------------------------------- */

static struct flow_packet *add(struct dialog *g, int side)
{
	struct talk_step *s = talk_add(g->talk);
	struct flow_packet *p;

	if (!s)
		return NULL;
	p = &s->packet;
	p->l4 = g->l4;
	p->src = side ? FLOW_HOST_B : FLOW_HOST_A;
	p->dst = side ? FLOW_HOST_A : FLOW_HOST_B;
	p->sport = g->port[side];
	p->dport = g->port[!side];
	return p;
}

/* A segment that goes on where its side stopped. */
static void go_on(struct flow_packet *p, unsigned int flags)
{
	p->flags = flags;
	p->seq = 0;
	p->ack = 0;
	p->seq_more = !(flags & FLOW_SYN);
	p->ack_more = flags & FLOW_ACK;
}

static void shake_hands(struct dialog *g)
{
	static const unsigned int flags[] = {FLOW_SYN, FLOW_SYN | FLOW_ACK, FLOW_ACK};

	for (int i = 0; i < 3; i++) {
		struct flow_packet *p = add(g, i == 1);

		if (!p)
			return;
		go_on(p, flags[i]);
		if (flags[i] & FLOW_SYN)
			p->seq = dice_any(g->dice);
	}
}

struct dialog dialog_open(struct talk *t, struct dice *d, enum flow_l4 l4, unsigned int port)
{
	struct dialog g = {.talk = t, .dice = d, .l4 = l4, .port = {40000, port}};

	t->control = l4;
	if (l4 == FLOW_TCP && dice_chance(d, 95))
		shake_hands(&g);
	return g;
}

/* --- text ---------------------------------------------------------------------------------- */

/* May the text be cut here, or this letter be another one: not in an escape or placeholder. */
static bool is_free(const char *text, size_t at)
{
	bool inside = false;

	for (size_t i = 0; i < at; i++) {
		if (text[i] == '\\') {
			size_t n = text[i + 1] == 'x' ? 4 : 2;

			if (i + n > at)
				return false;
			i += n - 1;
		} else if (text[i] == '{' || text[i] == '}') {
			inside = text[i] == '{';
		}
	}
	return !inside;
}

static size_t some_place(struct dialog *g, const char *text)
{
	size_t n = strlen(text), at = n ? dice_below(g->dice, (uint32_t)n) : 0;

	while (at < n && !is_free(text, at))
		at++;
	return at;
}

static void change_letter(struct dialog *g, char *text)
{
	static const char others[] = "0199aZ ,.|:;=(-";
	size_t at = some_place(g, text);

	if (isalnum((unsigned char)text[at]))
		text[at] = dice_chance(g->dice, 30)
				   ? (char)(text[at] ^ 0x20)
				   : others[dice_below(g->dice, sizeof(others) - 1)];
	else if (strchr(",|: ", text[at]) && text[at])
		text[at] = others[dice_below(g->dice, sizeof(others) - 1)];
}

static char *copy(const char *text, size_t n)
{
	char *s = strndup(text, n);

	if (!s)
		abort();
	return s;
}

static void send_text(struct dialog *g, int side, const char *text, size_t n)
{
	static const int offsets[] = {1, -1, 5, -10, 1000};
	struct flow_packet *p = n ? add(g, side) : NULL;

	if (!p)
		return;
	p->data = copy(text, n);
	if (g->l4 != FLOW_TCP)
		return;
	go_on(p, FLOW_ACK | FLOW_PSH);
	if (dice_chance(g->dice, 3))
		p->seq = (uint32_t)DICE_PICK(g->dice, offsets);
	if (dice_chance(g->dice, 1))
		p->flags |= FLOW_FIN;
}

static void acknowledge(struct dialog *g, int side)
{
	struct flow_packet *p = g->l4 == FLOW_TCP ? add(g, side) : NULL;

	if (p)
		go_on(p, FLOW_ACK);
}

void dialog_say(struct dialog *g, int side, const char *format, ...)
{
	char text[TEXT_MAX];
	size_t n, cut;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (dice_chance(g->dice, 10))
		change_letter(g, text);
	n = cut = strlen(text);
	if (dice_chance(g->dice, 7))
		cut = some_place(g, text);
	send_text(g, side, text, cut);
	if (cut < n && dice_chance(g->dice, 70))
		send_text(g, side, text + cut, n - cut);
	if (dice_chance(g->dice, 25))
		acknowledge(g, !side);
}

/* --- other connections ------------------------------------------------------------------------ */

static void put(struct flow_packet *p, enum flow_l4 l4, enum flow_host src, unsigned int sport,
		enum flow_host dst, unsigned int dport)
{
	p->l4 = l4;
	p->src = src;
	p->dst = dst;
	p->sport = sport;
	p->dport = dport;
}

void dialog_connect(struct dialog *g, enum flow_l4 l4, enum flow_host src, unsigned int sport,
		    enum flow_host dst, unsigned int dport)
{
	static const unsigned int flags[] = {FLOW_SYN, FLOW_SYN | FLOW_ACK, FLOW_ACK,
					     FLOW_ACK | FLOW_FIN};
	unsigned int n = 1 + dice_below(g->dice, 4);

	if (!sport)
		sport = 30000 + dice_below(g->dice, 3);
	for (unsigned int i = 0; i < n; i++) {
		struct talk_step *s = talk_add(g->talk);

		if (!s)
			return;
		if (i % 2)
			/* NOLINTNEXTLINE(readability-suspicious-call-argument): the way back */
			put(&s->packet, l4, dst, dport, src, sport);
		else
			put(&s->packet, l4, src, sport, dst, dport);
		if (l4 == FLOW_UDP) {
			s->packet.len = 12;
			continue;
		}
		go_on(&s->packet, flags[i]);
		if (flags[i] & FLOW_SYN)
			s->packet.seq = OTHERS_ISN + 100 * i;
	}
}
