/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What is kept of a capture, and that what is drawn of it can be read: each packet is there, no
 * text lies on another, and what is left out is named.
 */

#include "core/sctp.h"
#include "core/tcp.h"
#include "tests/unit/core/packet.h"
#include "tests/unit/tools/drawn.h"
#include "tools/ctmark-replay/film.h"
#include "tools/ctmark-replay/ladder.h"
#include "tools/ctmark-replay/states.h"
#include "util/cleanup.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FLOWS 4000

/* A film, and the next record for it. */
struct stage {
	struct choice choice;
	struct film film;
	struct pk pk;
	struct capture_packet packet;
	struct ct_input in;
	struct ct_result out;
	struct record record;
	uint64_t now_ns;
};

static void stage_open(struct stage *s)
{
	*s = (struct stage){.choice.infos = UINT8_MAX, .now_ns = CAPTURE_BEGIN_NS};
	assert_int_equal(film_init(&s->film, &s->choice, FLOWS), 0);
}

/* A segment of a flow (0: of none) that leaves it in a state; what else it is can be set before. */
static void play(struct stage *s, uint64_t flow, enum ct_dir dir, enum ct_info info, uint8_t flags,
		 uint8_t state)
{
	bool back = dir == CT_DIR_REPLY;

	pk_tcp(&s->pk, CT_AF_INET6, back ? 2 : 1, back ? 1 : 2, back ? 80 : 4000, back ? 4000 : 80,
	       flags, UINT32_MAX - 5, UINT32_MAX - 5);
	s->packet.number++;
	s->packet.link.family = CT_AF_INET6;
	s->in = pk_input(&s->pk, s->now_ns);
	s->out.info = info;
	s->out.dir = dir;
	s->out.has_flow = flow != 0;
	s->out.flow = flow << 32;
	s->out.state = state;
	s->out.timeout_ns = 120 * SEC;
	s->record.packet = &s->packet;
	s->record.in = &s->in;
	s->record.out = &s->out;
	s->record.flow = flow;
	s->record.slot = (uint32_t)flow;
	assert_int_equal(film_packet(&s->film, &s->record), 0);
	s->record.before = (struct moment){true, state, s->out.status, 120 * SEC};
	s->out.reason = 0;
	s->out.nevents = 0;
	s->now_ns += MSEC;
}

static void refuse(struct stage *s, uint64_t flow, enum ct_dir dir, uint8_t state)
{
	s->out.reason = CT_REASON_TCP_SEQ_OVER;
	s->out.nevents = 1;
	s->out.events[0] = (struct ct_event){
		.type = CT_EVENT_INVALID,
		.reason = CT_REASON_TCP_SEQ_OVER,
		.detail = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
	};
	play(s, flow, dir, CT_INFO_INVALID, PK_ACK, state);
}

static void end(struct stage *s, uint64_t flow, enum ct_death death)
{
	const struct ct_event event = {.death = death};
	const struct ending ending = {
		.time_ns = s->now_ns - CAPTURE_BEGIN_NS, .flow = flow, .event = &event};

	film_ending(&s->film, &ending);
}

static void draw(struct stage *s, struct drawn *d, struct ladder *l, bool details)
{
	const struct capture_totals capture = {};
	const struct replay_totals totals = {.capture = &capture,
					     .now_ns = s->now_ns - CAPTURE_BEGIN_NS};

	film_end(&s->film, &totals);
	assert_int_equal(ladder_init(l, &s->film, s->film.reels[0]), 0);
	drawn_open(d);
	ladder_draw(d->f, l);
	if (details)
		ladder_details(d->f, l);
	drawn_close(d);
}

static void stage_close(struct stage *s, struct drawn *d, struct ladder *l)
{
	if (d)
		drawn_free(d);
	if (l)
		ladder_done(l);
	film_done(&s->film);
}

/* ---- ladders ---- */

/* As long as texts can be: IPv6, all bits at once, the longest state, reasons with numbers. */
static void no_text_lies_on_another(void **state)
{
	struct stage s;
	struct drawn d;
	struct ladder l;

	stage_open(&s);
	s.record.first = true;
	play(&s, 1, CT_DIR_ORIGINAL, CT_INFO_NEW, PK_SYN, CT_TCP_STATE_SYN_SENT);
	s.record.first = false;
	s.out.status = UINT16_MAX;
	play(&s, 1, CT_DIR_REPLY, CT_INFO_ESTABLISHED_REPLY, 0xff, CT_TCP_STATE_ESTABLISHED);
	refuse(&s, 1, CT_DIR_REPLY, CT_TCP_STATE_ESTABLISHED);
	s.now_ns += 400000 * SEC;
	s.packet.number += 8999990;
	refuse(&s, 1, CT_DIR_ORIGINAL, CT_TCP_STATE_ESTABLISHED);
	s.now_ns += 5 * SEC;
	end(&s, 1, CT_DEATH_TIMEOUT);
	draw(&s, &d, &l, false);
	assert_true(drawn_says(&d, "ESTABLISHED_REPLY"));
	assert_true(drawn_says(&d, "maxend=4294967295"));
	assert_true(drawn_says(&d, "\u2026 5 d"));
	assert_true(drawn_says(&d, "ended: no packet"));
	drawn_assert_tidy(&d, LADDER_WIDTH, l.height);
	stage_close(&s, &d, &l);
}

static void each_packet_is_drawn(void **state)
{
	struct stage s;
	struct drawn d;
	struct ladder l;

	stage_open(&s);
	for (int i = 0; i < 50; i++)
		play(&s, 1, i % 2, CT_INFO_ESTABLISHED, PK_ACK, CT_TCP_STATE_ESTABLISHED);
	refuse(&s, 1, CT_DIR_REPLY, CT_TCP_STATE_ESTABLISHED);
	draw(&s, &d, &l, true);
	for (int i = 1; i <= 51; i++) {
		char mark[64];

		snprintf(mark, sizeof(mark), " data-packet=\"%d\">", i);
		assert_int_equal(drawn_count(&d, mark), 1);
	}
	assert_int_equal(drawn_count(&d, "class=\"place\""), 51);
	/* a head for each but the one that ends at the tracker */
	assert_int_equal(drawn_count(&d, "-4v8z"), 50);
	assert_int_equal(drawn_count(&d, "s-INVALID n w2"), 1);
	/* the state is named once, where it begins */
	assert_int_equal(drawn_count(&d, "class=\"ts f-ink\">ESTABLISHED<"), 1);
	stage_close(&s, &d, &l);
}

static void much_of_a_long_flow_is_left_out(void **state)
{
	struct stage s;
	struct drawn d;
	struct ladder l;
	const struct reel *r;
	char text[64];
	uint64_t left = 0;

	stage_open(&s);
	for (int i = 0; i < 20000; i++)
		if (i % 1000 == 500)
			refuse(&s, 1, CT_DIR_ORIGINAL, CT_TCP_STATE_ESTABLISHED);
		else
			play(&s, 1, i % 2, CT_INFO_ESTABLISHED, PK_ACK, CT_TCP_STATE_ESTABLISHED);
	r = s.film.reels[0];
	assert_int_equal(reel_length(r), REEL_HEAD + 20 + REEL_TAIL);
	assert_int_equal(r->packets, 20000);
	assert_int_equal(r->invalid, 20);
	assert_int_equal(reel_shot(r, 0)->number, 1);
	assert_int_equal(reel_shot(r, reel_length(r) - 1)->number, 20000);
	draw(&s, &d, &l, false);
	for (size_t i = 0; i < l.nrows; i++)
		left += l.rows[i].count;
	assert_int_equal(left + reel_length(r), 20000);
	snprintf(text, sizeof(text), "%u packets are not drawn", 501 - REEL_HEAD - 1);
	assert_true(drawn_says(&d, text));
	drawn_assert_tidy(&d, LADDER_WIDTH, l.height);
	stage_close(&s, &d, &l);
}

static void packets_without_a_flow_are_by_addresses(void **state)
{
	struct stage s;
	struct drawn d;
	struct ladder l;

	stage_open(&s);
	refuse(&s, 0, CT_DIR_ORIGINAL, 0);
	refuse(&s, 0, CT_DIR_REPLY, 0);
	assert_int_equal(s.film.nreels, 1);
	assert_int_equal(s.film.reels[0]->packets, 2);
	draw(&s, &d, &l, false);
	assert_true(drawn_says(&d, "Packets without a flow"));
	assert_true(drawn_says(&d, "tcp 4000 &gt; 80 ACK"));
	assert_true(drawn_says(&d, "tcp 80 &gt; 4000 ACK"));
	/* one from each side, both to the tracker */
	assert_int_equal(drawn_count(&d, "s-INVALID n w\" d=\"M166 "), 1);
	assert_int_equal(drawn_count(&d, "s-INVALID n w\" d=\"M546 "), 1);
	drawn_assert_tidy(&d, LADDER_WIDTH, l.height);
	stage_close(&s, &d, &l);
}

static void flows_are_bounded_and_counted(void **state)
{
	struct stage s;

	stage_open(&s);
	s.record.first = true;
	for (uint64_t i = 0; i < 3000; i++)
		play(&s, 1 + (i ^ 1), CT_DIR_ORIGINAL, CT_INFO_NEW, PK_SYN, CT_TCP_STATE_SYN_SENT);
	assert_int_equal(s.film.nreels, FILM_FLOWS_MAX);
	assert_int_equal(s.film.flows_left, 3000 - FILM_FLOWS_MAX);
	assert_int_equal(s.film.packets, 3000);
	/* again, and one that has begun with a packet that is not shown */
	s.record.first = false;
	play(&s, 3000, CT_DIR_REPLY, CT_INFO_INVALID, PK_SYN, CT_TCP_STATE_SYN_SENT);
	play(&s, 3001, CT_DIR_REPLY, CT_INFO_INVALID, PK_SYN, CT_TCP_STATE_SYN_SENT);
	assert_int_equal(s.film.flows_left, 3001 - FILM_FLOWS_MAX);
	for (size_t i = 1; i < s.film.nreels; i++)
		assert_true(s.film.reels[i - 1]->number < s.film.reels[i]->number);
	stage_close(&s, NULL, NULL);
}

static void what_is_not_chosen_is_not_kept(void **state)
{
	struct stage s;

	stage_open(&s);
	s.choice.nflows = 1;
	s.choice.flows[0] = (struct choice_range){2, 2};
	play(&s, 1, CT_DIR_ORIGINAL, CT_INFO_NEW, PK_SYN, CT_TCP_STATE_SYN_SENT);
	play(&s, 2, CT_DIR_ORIGINAL, CT_INFO_NEW, PK_SYN, CT_TCP_STATE_SYN_SENT);
	assert_int_equal(s.film.nreels, 1);
	assert_int_equal(s.film.reels[0]->number, 2);
	stage_close(&s, NULL, NULL);
}

static void a_flow_that_takes_over_ports_says_so(void **state)
{
	struct stage s;
	struct drawn d;
	struct ladder l;

	stage_open(&s);
	play(&s, 1, CT_DIR_ORIGINAL, CT_INFO_NEW, PK_SYN, CT_TCP_STATE_SYN_SENT);
	end(&s, 1, CT_DEATH_TCP_REOPEN);
	s.record.first = true;
	play(&s, 2, CT_DIR_ORIGINAL, CT_INFO_NEW, PK_SYN, CT_TCP_STATE_SYN_SENT);
	draw(&s, &d, &l, false);
	assert_true(drawn_says(&d, "as flow 2"));
	assert_int_equal(s.film.reels[1]->reopens, 1);
	stage_close(&s, &d, &l);
}

/* ---- state graphs ---- */

static size_t edges_of_table(void)
{
	size_t n = 0;

	for (uint8_t from = 0; from < CT_TCP_STATE_MAX; from++) {
		bool seen[256] = {};

		for (int i = 0; i < 2 * CT_TCP_INDEX_MAX; i++) {
			uint8_t to = ct_tcp_fsm(i % 2, (enum ct_tcp_index)(i / 2), from);

			n += to < CT_TCP_STATE_MAX && !seen[to];
			seen[to] = true;
		}
	}
	return n;
}

static void draw_graph(struct drawn *d, uint8_t proto, const struct graph *g)
{
	drawn_open(d);
	states_draw(d->f, proto, g);
	drawn_close(d);
}

static void the_graph_is_that_of_the_table(void **state)
{
	struct graph g = {};
	struct drawn d;

	draw_graph(&d, CT_PROTO_TCP, &g);
	assert_int_equal(drawn_count(&d, "class=\"edge faint"), edges_of_table());
	assert_int_equal(drawn_count(&d, "class=\"edge taken"), 0);
	for (uint8_t i = 0; i < CT_TCP_STATE_MAX; i++)
		assert_true(drawn_says(&d, ct_state_name(CT_PROTO_TCP, i)));
	drawn_assert_tidy(&d, STATES_WIDTH, STATES_HEIGHT);
	drawn_free(&d);
}

static void packets_take_edges(void **state)
{
	struct stage s;
	struct drawn d;

	stage_open(&s);
	s.record.first = true;
	play(&s, 1, CT_DIR_ORIGINAL, CT_INFO_NEW, PK_SYN, CT_TCP_STATE_SYN_SENT);
	s.record.first = false;
	refuse(&s, 1, CT_DIR_REPLY, CT_TCP_STATE_SYN_SENT);
	play(&s, 1, CT_DIR_REPLY, CT_INFO_ESTABLISHED_REPLY, PK_SYN | PK_ACK,
	     CT_TCP_STATE_SYN_RECV);
	for (int i = 0; i < 9; i++)
		play(&s, 1, CT_DIR_ORIGINAL, CT_INFO_ESTABLISHED, PK_ACK, CT_TCP_STATE_ESTABLISHED);
	draw_graph(&d, CT_PROTO_TCP, &s.film.tcp);
	assert_int_equal(drawn_count(&d, "class=\"edge taken"), 4);
	assert_int_equal(drawn_count(&d, "class=\"edge faint"), edges_of_table() - 4);
	assert_true(drawn_says(&d, "SYN/ACK \u2190"));
	assert_true(drawn_says(&d, "8\u00d7, #5 \u2026"));
	drawn_free(&d);
	stage_close(&s, NULL, NULL);
}

static uint8_t next_state(uint8_t proto, enum ct_dir dir, unsigned int row, uint8_t from)
{
	uint8_t to;

	if (proto == CT_PROTO_TCP) {
		to = row < CT_TCP_INDEX_MAX ? ct_tcp_fsm(dir, (enum ct_tcp_index)row, from)
					    : CT_TCP_INVALID;
		return to < CT_TCP_STATE_MAX ? to : UINT8_MAX;
	}
	if (from >= CT_SCTP_STATE_MAX || !ct_sctp_chunk_name((uint8_t)row) || row == CT_SCTP_DATA ||
	    row == CT_SCTP_SACK)
		return UINT8_MAX;
	to = ct_sctp_fsm(dir, (uint8_t)row, from);
	return to < CT_SCTP_STATE_MAX ? to : UINT8_MAX;
}

/* Every edge of the table taken at once, by packets with high numbers. */
static void fill(struct graph *g, uint8_t proto)
{
	for (uint8_t from = 0; from < CT_TCP_STATE_MAX; from++) {
		for (unsigned int i = 0; i < 2 * CT_SCTP_CHUNK_MAX; i++) {
			uint8_t to = next_state(proto, i % 2, i / 2, from);

			if (to == UINT8_MAX)
				continue;
			g->edge[from][to].count = 3;
			g->edge[from][to].number[0] = 123456;
			g->edge[from][to].by[i % 2] |= (uint16_t)(1u << i / 2);
		}
	}
}

static void assert_readable(uint8_t proto)
{
	struct graph g = {.packets = 1};
	struct drawn d;

	fill(&g, proto);
	draw_graph(&d, proto, &g);
	assert_int_equal(drawn_count(&d, "class=\"edge faint"), 0);
	drawn_assert_tidy(&d, STATES_WIDTH, STATES_HEIGHT);
	drawn_free(&d);
}

static void labels_of_all_edges_can_be_read(void **state)
{
	assert_readable(CT_PROTO_TCP);
	assert_readable(CT_PROTO_SCTP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_text_lies_on_another),
		cmocka_unit_test(each_packet_is_drawn),
		cmocka_unit_test(much_of_a_long_flow_is_left_out),
		cmocka_unit_test(packets_without_a_flow_are_by_addresses),
		cmocka_unit_test(flows_are_bounded_and_counted),
		cmocka_unit_test(what_is_not_chosen_is_not_kept),
		cmocka_unit_test(a_flow_that_takes_over_ports_says_so),
		cmocka_unit_test(the_graph_is_that_of_the_table),
		cmocka_unit_test(packets_take_edges),
		cmocka_unit_test(labels_of_all_edges_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
