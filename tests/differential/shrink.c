/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/differential/shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/cleanup.h"

#define TRIES_MAX   400
#define SECONDS_MAX 60
#define AGAIN	    3 /* what depends on time may not happen at once */

struct shrinking {
	struct duel *duel;
	struct play *play; /* to play in */
	struct talk best;
	unsigned int tries;
	uint64_t end_ns;
	int error;
};

static void sleep_until(uint64_t at_ns)
{
	struct timespec ts = {.tv_sec = (time_t)(at_ns / CT_NS_PER_S),
			      .tv_nsec = (long)(at_ns % CT_NS_PER_S)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* Plays the talk in s->play by itself. True: it ended with a difference. */
static bool differs(struct shrinking *s)
{
	struct play *p = s->play;
	enum duel_end end = DUEL_GOES_ON;

	duel_begin(s->duel, p);
	while (end == DUEL_GOES_ON && s->error == 0) {
		sleep_until(p->due_ns);
		s->error = duel_step(s->duel, &p, 1, &end);
		if (p->next < p->talk.nsteps)
			p->due_ns = volley_now_ns() + p->talk.steps[p->next].wait_ms * 1000000ULL;
	}
	return s->error == 0 && end == DUEL_DIFFERS;
}

static bool may_go_on(const struct shrinking *s)
{
	return s->error == 0 && s->tries < TRIES_MAX && volley_now_ns() < s->end_ns;
}

/* The candidate in s->play becomes the best one if it still differs; else it is the best again. */
static bool try(struct shrinking *s)
{
	s->tries++;
	if (s->play->talk.nsteps > 0 && differs(s)) {
		while (s->play->talk.nsteps > s->play->next)
			talk_remove(&s->play->talk, s->play->talk.nsteps - 1);
		talk_done(&s->best);
		talk_copy(&s->best, &s->play->talk);
		return true;
	}
	talk_done(&s->play->talk);
	talk_copy(&s->play->talk, &s->best);
	return false;
}

/* Leaves out runs of steps: halves first, single ones in the end. */
static void remove_steps(struct shrinking *s)
{
	for (unsigned int n = s->best.nsteps / 2; n > 0; n /= 2)
		for (unsigned int at = 0; at < s->best.nsteps && may_go_on(s);) {
			for (unsigned int i = 0; i < n && at < s->play->talk.nsteps; i++)
				talk_remove(&s->play->talk, at);
			if (!try(s))
				at += n;
		}
}

/* --- plainer packets -------------------------------------------------------------------- */

/* Each makes one thing plain; false: it is already. */
static bool no_wait(struct talk_step *s)
{
	bool was = s->wait_ms;

	s->wait_ms = 0;
	return was;
}

static bool whole(struct talk_step *s)
{
	bool was = s->pieces || s->keep != FLOW_UNSET;

	s->pieces = 0;
	s->keep = FLOW_UNSET;
	return was;
}

static bool one_patch_less(struct talk_step *s)
{
	if (s->npatches)
		s->npatches--;
	else
		return false;
	return true;
}

static bool no_extensions(struct talk_step *s)
{
	bool was = s->packet.next || s->packet.ipopt;

	s->packet.next = 0;
	s->packet.ipopt = 0;
	return was;
}

static bool no_options(struct talk_step *s)
{
	bool was = s->packet.optlen;

	s->packet.optlen = 0;
	return was;
}

static bool no_payload(struct talk_step *s)
{
	bool was = s->packet.len;

	s->packet.len = 0;
	return was;
}

static bool full_window(struct talk_step *s)
{
	bool was = s->packet.l4 == FLOW_TCP && s->packet.win != 65535;

	s->packet.win = 65535;
	return was;
}

static bool plain_flags(struct talk_step *s)
{
	unsigned int plain = s->packet.flags & (FLOW_SYN | FLOW_ACK | FLOW_FIN | FLOW_RST);
	bool was = plain != s->packet.flags;

	s->packet.flags = plain;
	return was;
}

static bool no_loss(struct talk_step *s)
{
	bool was = s->packet.dropped;

	s->packet.dropped = false;
	return was;
}

static bool no_damage(struct talk_step *s)
{
	struct flow_packet *p = &s->packet;
	bool was = p->badsum || p->nosum || p->cut != FLOW_UNSET || p->udplen != FLOW_UNSET;

	p->badsum = p->nosum = false;
	p->cut = p->udplen = FLOW_UNSET;
	return was;
}

static void make_plain(struct shrinking *s)
{
	static bool (*const changes[])(struct talk_step *) = {
		no_wait,    whole,	 one_patch_less, no_extensions, no_options,
		no_payload, full_window, plain_flags,	 no_loss,	no_damage};

	for (size_t c = 0; c < ARRAY_SIZE(changes); c++)
		for (unsigned int i = 0; i < s->best.nsteps && may_go_on(s); i++)
			if (changes[c](&s->play->talk.steps[i]))
				try(s);
}

int shrink(struct duel *d, struct play *p)
{
	struct shrinking s = {
		.duel = d, .play = p, .end_ns = volley_now_ns() + SECONDS_MAX * CT_NS_PER_S};
	bool again = false;

	while (p->talk.nsteps > p->next)
		talk_remove(&p->talk, p->talk.nsteps - 1);
	talk_copy(&s.best, &p->talk);
	for (unsigned int i = 0; i < AGAIN && !again && may_go_on(&s); i++)
		again = try(&s);
	if (again) {
		remove_steps(&s);
		make_plain(&s);
		remove_steps(&s);
	}
	if (!again || !differs(&s))
		printf("# not again\n");
	talk_done(&s.best);
	return s.error;
}
