/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * PPTP (RFC 2637): sessions and calls that are asked for, answered, disconnected and asked for
 * again, now and then in a wrong order, and GRE packets of those calls and of others.
 */

#include "tests/differential/dialog.h"
#include "util/cleanup.h"

#define PPTP_PORT 1723
#define IDS	  4 /* so few that calls and packets meet */

enum {
	START_REQUEST = 1,
	START_REPLY = 2,
	STOP_REQUEST = 3,
	STOP_REPLY = 4,
	ECHO_REQUEST = 5,
	OUT_REQUEST = 7,
	OUT_REPLY = 8,
	IN_REQUEST = 9,
	IN_REPLY = 10,
	IN_CONNECTED = 11,
	CLEAR_REQUEST = 12,
	DISCONNECT = 13,
};

struct pptp {
	struct dialog g;
	unsigned int client, server; /* call ids */
};

static unsigned int some_id(struct pptp *p, unsigned int usual)
{
	return dice_chance(p->g.dice, 92) ? usual : dice_below(p->g.dice, IDS + 2);
}

static unsigned int some_result(struct pptp *p)
{
	return dice_chance(p->g.dice, 93) ? 1 : dice_below(p->g.dice, 4);
}

/* Bytes behind those that every message begins with, and behind the numbers given here. */
static unsigned int filling(struct pptp *p, unsigned int type, unsigned int given)
{
	static const uint8_t sizes[] = {0, 144, 144, 4, 4, 4, 8, 156, 20, 208, 12, 16, 4, 136};
	unsigned int n = sizes[type] - given;

	return dice_chance(p->g.dice, 95) ? n : n - dice_chance(p->g.dice, 50);
}

static void say(struct pptp *p, int side, unsigned int type, unsigned int a, unsigned int b,
		unsigned int result)
{
	dialog_say(&p->g, side, "{hex:0010%04x1a2b3c4d%04x0000}{hex:%04x%04x%02x%02x}{%u*.}",
		   dice_chance(p->g.dice, 98) ? 1 : 2, type, a, b, result, 1, filling(p, type, 6));
}

/* Messages that are shorter than the numbers of a call. */
static void say_short(struct pptp *p, int side, unsigned int type, unsigned int a)
{
	dialog_say(&p->g, side, "{hex:001000011a2b3c4d%04x0000}{hex:%04x0000}", type, a);
}

static void start(struct pptp *p)
{
	say(p, 0, START_REQUEST, 0x0100, 0, 0);
	/* the result is the third byte */
	say(p, 1, START_REPLY, 0x0100, some_result(p) << 8, 0);
}

static void call_out(struct pptp *p)
{
	say(p, 0, OUT_REQUEST, p->client, 0, 0);
	say(p, 1, OUT_REPLY, some_id(p, p->server), some_id(p, p->client), some_result(p));
}

static void call_in(struct pptp *p)
{
	say(p, 1, IN_REQUEST, p->server, 0, 0);
	say(p, 0, IN_REPLY, some_id(p, p->client), some_id(p, p->server), some_result(p));
	say(p, 1, IN_CONNECTED, some_id(p, p->client), 0, 0);
}

static void tunnel(struct pptp *p)
{
	for (unsigned int n = 1 + dice_below(p->g.dice, 4); n; n--) {
		struct talk_step *s = talk_add(p->g.talk);
		bool back = dice_chance(p->g.dice, 45);

		if (!s)
			return;
		s->packet.l4 = FLOW_GRE;
		s->packet.src = back ? FLOW_HOST_B : FLOW_HOST_A;
		s->packet.dst = back ? FLOW_HOST_A : FLOW_HOST_B;
		s->packet.gre_version = 1;
		s->packet.gre_call = some_id(p, back ? p->client : p->server);
		s->packet.len = 20;
	}
}

static void end(struct pptp *p)
{
	switch (dice_below(p->g.dice, 5)) {
	case 0:
		say_short(p, 0, CLEAR_REQUEST, p->client);
		say(p, 1, DISCONNECT, p->server, 0, 0);
		break;
	case 1:
		say(p, 1, DISCONNECT, p->server, 0, 0);
		break;
	case 2:
		say_short(p, 0, STOP_REQUEST, 0x0100);
		say_short(p, 1, STOP_REPLY, 0x0100);
		break;
	case 3:
		say_short(p, 0, ECHO_REQUEST, 1);
		break;
	}
}

void talk_make_pptp(struct talk *t, struct dice *d)
{
	struct pptp p = {.g = dialog_open(t, d, FLOW_TCP, PPTP_PORT)};

	if (dice_chance(d, 95))
		start(&p);
	for (unsigned int n = 1 + dice_below(d, 3); n; n--) {
		p.client = 1 + dice_below(d, IDS);
		p.server = 1 + dice_below(d, IDS);
		(dice_chance(d, 70) ? call_out : call_in)(&p);
		tunnel(&p);
		end(&p);
		if (dice_chance(d, 50))
			tunnel(&p);
	}
}
