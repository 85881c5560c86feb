/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * SCTP: associations that begin with a handshake, with two at once, or with a HEARTBEAT on a new
 * path, and whose chunks mostly follow each other as they should and mostly carry the right tag.
 */

#include "tests/differential/talk.h"
#include "tests/flows/flow_sctp.h"
#include "util/cleanup.h"

enum {
	DATA = 0,
	INIT = 1,
	INIT_ACK = 2,
	SACK = 3,
	HEARTBEAT = 4,
	HEARTBEAT_ACK = 5,
	ABORT = 6,
	SHUTDOWN = 7,
	SHUTDOWN_ACK = 8,
	COOKIE_ECHO = 10,
	COOKIE_ACK = 11,
	SHUTDOWN_COMPLETE = 14,
};

/* How an association goes on; whoever has the word sends the first, the other the second... */
struct course {
	unsigned int chunks[5], n;
};

static const struct course beginnings[] = {
	{{INIT, INIT_ACK, COOKIE_ECHO, COOKIE_ACK}, 4},
	{{INIT, INIT_ACK, COOKIE_ECHO}, 3},
	{{INIT, INIT_ACK}, 2},
	{{INIT, INIT, INIT_ACK, INIT_ACK}, 4},
	{{INIT}, 1},
	{{HEARTBEAT, HEARTBEAT_ACK}, 2},
	{{HEARTBEAT}, 1},
	{{SHUTDOWN_ACK}, 1},
};

static const struct course courses[] = {
	{{DATA, SACK}, 2},
	{{SACK, DATA}, 2},
	{{HEARTBEAT, HEARTBEAT_ACK}, 2},
	{{SHUTDOWN, SHUTDOWN_ACK, SHUTDOWN_COMPLETE}, 3},
	{{SHUTDOWN, SHUTDOWN_ACK}, 2},
	{{SHUTDOWN}, 1},
	{{ABORT}, 1},
	{{INIT, INIT_ACK, COOKIE_ECHO, COOKIE_ACK}, 4},
};

struct sctp {
	struct dice *dice;
	uint32_t tag[2]; /* that A and B have chosen: the other side's packets carry it */
	bool path;	 /* no handshake was seen: tags are unknown to whoever looks on */
};

static uint32_t some_tag(struct sctp *s, int side)
{
	uint32_t others[] = {0, 0, s->tag[side], s->tag[side] + 1, s->tag[!side] + 1, 7};

	return dice_chance(s->dice, s->path ? 60 : 86) ? s->tag[!side] : DICE_PICK(s->dice, others);
}

/* A side that begins once more has another tag then. */
static void choose_tag(struct sctp *s, int side)
{
	if (dice_chance(s->dice, 25))
		s->tag[side] = dice_any(s->dice) | 1;
}

static void add_chunk(struct sctp *s, struct flow_packet *p, unsigned int type, int side)
{
	struct flow_chunk *c = &p->chunk[p->nchunks++];

	flow_chunk_init(c, type);
	if (type == INIT || type == INIT_ACK)
		c->tag = dice_chance(s->dice, 92) ? s->tag[side] : dice_below(s->dice, 10);
	if ((type == ABORT || type == SHUTDOWN_COMPLETE) && dice_chance(s->dice, 35)) {
		c->flags = 1;
		if (dice_chance(s->dice, 80))
			p->vtag = s->tag[side];
	}
	if (dice_chance(s->dice, 1))
		c->length = (int)dice_below(s->dice, 30);
}

static void make_packet(struct sctp *s, struct flow_packet *p, unsigned int type, int side)
{
	p->l4 = FLOW_SCTP;
	p->src = side ? FLOW_HOST_B : FLOW_HOST_A;
	p->dst = side ? FLOW_HOST_A : FLOW_HOST_B;
	p->sport = side ? 3868 : 40000;
	p->dport = side ? 40000 : 3868;
	if (type == INIT)
		choose_tag(s, side);
	p->vtag = type == INIT && dice_chance(s->dice, 97) ? 0 : some_tag(s, side);
	add_chunk(s, p, type, side);
	while (p->nchunks < 4 && type != INIT && type != INIT_ACK && dice_chance(s->dice, 12))
		add_chunk(s, p,
			  dice_chance(s->dice, 50) ? (dice_chance(s->dice, 50) ? DATA : SACK)
						   : dice_below(s->dice, 16),
			  side);
	if (dice_chance(s->dice, 1))
		p->cut = (int)dice_below(s->dice, 30);
	p->nosum = dice_chance(s->dice, 1);
}

/* Anybody may send anything in between. */
static void interrupt(struct sctp *s, struct talk *t)
{
	struct talk_step *step;
	unsigned int type = dice_below(s->dice, 17);

	if (!dice_chance(s->dice, 30) || !(step = talk_add(t)))
		return;
	make_packet(s, &step->packet, type < 16 ? type : 0x80, (int)dice_below(s->dice, 2));
}

static void follow(struct sctp *s, struct talk *t, const struct course *c, int side)
{
	for (unsigned int i = 0; i < c->n; i++) {
		struct talk_step *step = talk_add(t);

		if (!step)
			return;
		make_packet(s, &step->packet, c->chunks[i], side);
		side = !side;
		interrupt(s, t);
	}
}

void talk_make_sctp(struct talk *t, struct dice *d)
{
	struct sctp s = {.dice = d, .tag = {dice_any(d) | 1, dice_any(d) | 1}};
	const struct course *begin = &DICE_PICK(d, beginnings);
	unsigned int n = 4 + dice_below(d, 18);

	s.path = begin->chunks[0] != INIT;
	if (dice_chance(d, 90))
		follow(&s, t, begin, 0);
	while (t->nsteps < n)
		follow(&s, t, &DICE_PICK(d, courses), (int)dice_below(d, 2));
}
