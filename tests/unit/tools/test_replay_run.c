/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What sinks are told does not depend on who listens. With views each packet is told of before the
 * next one is judged, without some are told of later: random captures have to come out the same.
 * And each packet is told of once, however many were held.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/core/packet.h"
#include "tests/unit/tools/stage.h"
#include "util/cleanup.h"

#define CAPTURES 60
#define PACKETS	 400
#define TOLD_MAX (4 * PACKETS)

/* What was told of a packet, or of the end of a flow (packet 0). */
struct told {
	uint64_t packet, time_ns, flow, master, timeout_ns, before_ns, begin_ns;
	uint32_t mark, detail;
	uint16_t status, before_status;
	uint8_t info, reason, dir, state, before_state, death, nevents;
	bool first, known;
};

struct listener {
	struct sink base;
	size_t n;
	uint64_t packets, flows, alive;
	struct told told[TOLD_MAX];
};

static struct told *next(struct sink *s)
{
	struct listener *l = (struct listener *)s;

	assert_true(l->n < TOLD_MAX);
	memset(&l->told[l->n], 0, sizeof(l->told[0]));
	return &l->told[l->n++];
}

static int hear_packet(struct sink *s, const struct record *r)
{
	const struct ct_result *out = r->out;
	struct told *t = next(s);

	t->packet = r->packet->number;
	t->time_ns = r->in->now_ns;
	t->begin_ns = r->begin_ns;
	t->flow = r->flow;
	t->master = r->master;
	t->mark = out->mark;
	t->info = out->info;
	t->reason = out->reason;
	t->nevents = (uint8_t)out->nevents;
	t->first = r->first;
	t->known = r->before.known;
	t->before_ns = r->before.timeout_ns;
	t->before_status = r->before.status;
	t->before_state = r->before.state;
	if (out->nevents > 0)
		t->detail = out->events[0].detail[0];
	if (!out->has_flow)
		return 0;
	t->dir = out->dir;
	t->state = out->state;
	t->status = out->status;
	t->timeout_ns = out->timeout_ns;
	return 0;
}

static int hear_ending(struct sink *s, const struct ending *e)
{
	struct told *t = next(s);

	t->time_ns = e->time_ns;
	t->flow = e->flow;
	t->master = e->master;
	t->death = e->event->death;
	t->status = e->event->status;
	return 0;
}

static int hear_done(struct sink *s, const struct replay_totals *t)
{
	struct listener *l = (struct listener *)s;

	l->packets = t->packets;
	l->flows = t->flows;
	l->alive = t->alive;
	return 0;
}

static const struct sink_ops ops = {
	.packet = hear_packet, .ending = hear_ending, .done = hear_done};

static void listen(struct stage *s, struct listener *l, bool plain)
{
	l->base.ops = &ops;
	l->n = 0;
	s->plain = plain;
	assert_int_equal(stage_run(s, &l->base), 0);
}

/* ---- captures ---- */

static uint32_t any(uint64_t *random, uint32_t below)
{
	*random = *random * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*random >> 33) % below;
}

static void add_pk(struct stage *s, const struct pk *p)
{
	stage_add(s, p->b, p->len, p->len);
}

/* Few hosts and ports: connections end, are opened anew and run out of time. */
static void add_tcp(struct stage *s, uint64_t *random)
{
	static const uint8_t flags[] = {
		PK_SYN, PK_SYN | PK_ACK, PK_ACK,	  PK_ACK, PK_FIN | PK_ACK,
		PK_RST, PK_RST | PK_ACK, PK_SYN | PK_FIN, PK_SYN,
	};
	uint16_t port = (uint16_t)(4000 + any(random, 4));
	bool back = any(random, 2);
	struct pk p;

	pk_tcp(&p, CT_AF_INET, back ? 2 : 1, back ? 1 : 2, back ? 80 : port, back ? port : 80,
	       flags[any(random, ARRAY_SIZE(flags))], any(random, 4), any(random, 4));
	add_pk(s, &p);
}

static void add_udp(struct stage *s, uint64_t *random, bool in_pieces)
{
	bool back = any(random, 2);
	uint32_t at = 16 * any(random, 3);
	struct pk whole, piece;

	pk_udp(&whole, CT_AF_INET, back ? 2 : 1, back ? 1 : 2, back ? 53 : 5000, back ? 5000 : 53);
	if (!in_pieces) {
		add_pk(s, &whole);
		return;
	}
	pk_fragment(&piece, &whole, 1 + any(random, 6), at, at + 16, at < 32);
	add_pk(s, &piece);
}

static void add_any(struct stage *s, uint64_t *random)
{
	static const uint64_t waits_ns[] = {
		0, 0, 1000, 200000000, 31 * CT_NS_PER_S, 400 * CT_NS_PER_S};
	uint32_t kind = any(random, 10);

	s->time_ns += waits_ns[any(random, 20) ? any(random, 4) : any(random, 6)];
	if (kind < 6)
		add_tcp(s, random);
	else
		add_udp(s, random, kind < 9);
}

/* ---- tests ---- */

static void with_views_and_without(void **state)
{
	struct listener *one = calloc(2, sizeof(*one)), *other = one + 1;
	uint64_t random = 1;

	assert_non_null(one);
	for (int i = 0; i < CAPTURES; i++) {
		struct stage s;

		stage_init(&s);
		s.cfg.checksum = false;
		s.cfg.accounting = any(&random, 2);
		s.max_fragments = any(&random, 2) ? 64 : 2;
		s.cfg.max_held = any(&random, 2) ? 64 : 3;
		for (int k = 0; k < PACKETS; k++)
			add_any(&s, &random);
		listen(&s, one, false);
		listen(&s, other, true);
		assert_int_equal(one->packets, PACKETS);
		assert_int_equal(one->flows, other->flows);
		assert_int_equal(one->alive, other->alive);
		assert_int_equal(one->n, other->n);
		for (size_t k = 0; k < one->n; k++)
			assert_memory_equal(&one->told[k], &other->told[k], sizeof(one->told[k]));
		stage_done(&s);
	}
	free(one);
}

/* More fragments in a batch than may be held at a time, of datagrams that never become whole. */
static void each_that_was_held(void **state)
{
	struct listener *l = calloc(1, sizeof(*l));
	bool told[PACKETS + 1] = {false};
	struct pk whole, piece;
	struct stage s;

	assert_non_null(l);
	stage_init(&s);
	s.max_fragments = 1024;
	s.cfg.max_held = 3;
	pk_udp(&whole, CT_AF_INET, 1, 2, 5000, 53);
	for (uint32_t i = 0; i < PACKETS; i++) {
		pk_fragment(&piece, &whole, i, 16, 32, false);
		add_pk(&s, &piece);
	}
	listen(&s, l, true);
	assert_int_equal(l->packets, PACKETS);
	assert_int_equal(l->n, PACKETS);
	for (size_t i = 0; i < l->n; i++) {
		assert_false(told[l->told[i].packet]);
		told[l->told[i].packet] = true;
	}
	stage_done(&s);
	free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_views_and_without),
		cmocka_unit_test(each_that_was_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
