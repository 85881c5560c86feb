/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Fragments that a worker holds: when and by whom they are answered. */

#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "util/clock.h"

static const uint8_t rubbish[] = {0x45, 0, 0, 28};
/* UDP from 10.0.0.1 to 10.0.0.2 with eight bytes of data, in a fragment of their own. */
static const uint8_t first[] = {0x45, 0, 0,  28, 0, 9, 0x20, 0,	   64, 17, 0, 0,  10, 0,
				0,    1, 10, 0,	 0, 2, 0x12, 0x34, 0,  53, 0, 16, 0,  0};
static const uint8_t last[] = {0x45, 0, 0,  28, 0, 9, 0, 1, 64, 17, 0, 0, 10, 0,
			       0,    1, 10, 0,	0, 2, 1, 2, 3,	4,  5, 6, 7,  8};

/* A fragment that has to wait gets no verdict until the first one of its datagram comes. */
static void test_fragment_is_held(void **state)
{
	struct fixture *x = *state;

	x->conf.conf.verdict[CT_CLASS_NEW] = (struct conf_verdict){CONF_QUEUE, 300};
	fixture_make_worker(x, false);
	fixture_offer(x, 1, last, sizeof(last), 0x70);
	fixture_offer(x, 2, rubbish, sizeof(rubbish), 0);
	assert_int_equal(worker_pass(x->worker, 0), 2);
	assert_int_equal(x->source.nanswers, 1);
	assert_int_equal(x->source.answers[0].id, 2);
	assert_int_equal(worker_pass(x->worker, 0), 0);
	assert_int_equal(x->source.nanswers, 1);
	fixture_offer(x, 3, first, sizeof(first), 0);
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.nanswers, 3);
	assert_int_equal(x->source.answers[1].id, 3);
	assert_int_equal(x->source.answers[2].id, 1);
	for (int i = 1; i < 3; i++)
		assert_int_equal(x->source.answers[i].verdict, 300 << 16 | 3);
	assert_true(x->source.answers[2].set_mark);
	assert_int_equal(x->source.answers[2].mark, 0x7a);
}

/* Its time is up although nothing comes any more. */
static void test_held_fragment_times_out(void **state)
{
	struct fixture *x = *state;

	fixture_make_worker(x, false);
	fixture_offer(x, 1, last, sizeof(last), 0);
	x->source.packets[0].in.now_ns -= 31 * NS_PER_S;
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.nanswers, 1);
	assert_int_equal(x->source.answers[0].verdict, VERDICT_DROP);
	assert_int_equal(x->source.flushes, 1);
	assert_int_equal(worker_stats(x->worker)->reason[CT_REASON_FRAGMENT_TIMEOUT], 1);
}

/* The first one comes to another queue: its worker wakes this one, which gives the verdict. */
static void test_fragments_in_two_queues(void **state)
{
	struct fixture *x = *state;
	struct worker_params params = {
		.source = &x->other.source,
		.ct = x->ct,
		.conf = &x->conf,
		.log = x->log,
		.queue = QUEUE + 1,
		.peers = x->peers,
		.npeers = 2,
		.ended_fd = x->ended_fd,
	};

	x->npeers = 2;
	x->other.source.ops = &fixture_ops;
	x->other.closed = &x->other_closed;
	fixture_make_worker(x, false);
	assert_int_equal(worker_new(&x->peers[1], &params), 0);
	x->peers[0] = x->worker;
	fixture_offer(x, 1, last, sizeof(last), 0);
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.nanswers, 0);

	fixture_offer(x, 1, first, sizeof(first), 0);
	x->other.packets[0] = x->source.packets[--x->source.npackets];
	x->other.packets[0].in.queue = QUEUE + 1;
	x->other.npackets = 1;
	worker_pass(x->peers[1], 0);
	assert_int_equal(x->other.nanswers, 1);
	assert_int_equal(x->other.wakes, 0);
	assert_int_equal(x->source.wakes, 1);
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.nanswers, 1);
	assert_int_equal(x->source.answers[0].mark, 0xa);
	worker_pass(x->peers[1], 0);
	assert_int_equal(x->source.wakes, 1);
	worker_free(x->peers[1]);
	assert_true(x->other_closed);
}

/* What is held when the worker ends is answered: without a class, so as INVALID. */
static void test_stop_answers_held(void **state)
{
	struct fixture *x = *state;
	int error = -1;

	x->conf.conf.verdict[CT_CLASS_INVALID] = (struct conf_verdict){CONF_REPEAT, 0};
	fixture_make_worker(x, false);
	fixture_offer(x, 1, last, sizeof(last), 0);
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.nanswers, 0);
	worker_stop(x->worker);
	assert_int_equal(worker_start(x->worker), 0);
	assert_true(worker_join(x->worker, 5000, &error));
	assert_int_equal(x->source.nanswers, 1);
	assert_int_equal(x->source.answers[0].mark, 0xe);
	assert_int_equal(x->source.answers[0].verdict, VERDICT_ACCEPT);
	assert_true(x->source.released);
}

static void test_shadow_holds_nothing(void **state)
{
	struct fixture *x = *state;

	x->conf.conf.track.hold_fragments = false; /* as the daemon does */
	fixture_make_worker(x, true);
	fixture_offer(x, 1, last, sizeof(last), 0);
	fixture_offer(x, 2, first, sizeof(first), 0);
	fixture_offer(x, 3, last, sizeof(last), 0); /* a duplicate */
	worker_pass(x->worker, 0);
	assert_int_equal(x->source.nanswers, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(x->source.answers[i].verdict, VERDICT_ACCEPT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fragment_is_held),	    TEST(test_held_fragment_times_out),
		TEST(test_fragments_in_two_queues), TEST(test_stop_answers_held),
		TEST(test_shadow_holds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
