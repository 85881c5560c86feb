/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the kernel is told, verdicts for one and for several packets, and what it makes of it. */

#include "io/nfqueue.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fake_kernel.h"
#include "io/rcvbuf.h"
#include "io/verdict.h"
#include "util/cleanup.h"

#define A VERDICT_ACCEPT

struct fixture {
	struct source *source;
	struct packet batch[SOURCE_BATCH_MAX];
	int n;
};

static void open_queue(struct fixture *x)
{
	const struct nfqueue_params params = {
		.fd = -1, .config.max_packets = 1024, .config.copy_range = 128};
	struct nfqueue_grant grant;

	assert_int_equal(nfqueue_open(&x->source, &params, &grant), 0);
}

static void receive(struct fixture *x)
{
	x->n = x->source->ops->receive(x->source, x->batch, 0);
	assert_true(x->n >= 0);
}

static void arrive(struct fixture *x, unsigned int n, uint32_t mark)
{
	while (n-- > 0)
		fake_arrive(FAKE_GOOD, mark);
	receive(x);
}

static void answer(struct fixture *x, uint32_t id, uint32_t verdict, bool set_mark, uint32_t mark)
{
	/* as the worker answers what it held, of which it has no more than the id */
	const struct packet p = {.id = id, .in.mark = 0xbad};

	x->source->ops->verdict(x->source, &p, verdict, set_mark, mark);
}

static void answer_all(struct fixture *x, uint32_t mark)
{
	for (int i = 0; i < x->n; i++)
		answer(x, x->batch[i].id, A, x->batch[i].in.mark != mark, mark);
}

static int flush(struct fixture *x)
{
	return x->source->ops->flush(x->source);
}

static struct nfqueue_stats stats(const struct fixture *x)
{
	struct nfqueue_stats s;

	nfqueue_get_stats(x->source, &s);
	return s;
}

static void expect_all_answered(uint32_t mark)
{
	for (size_t i = 0; i < fake.npackets; i++) {
		assert_int_equal(fake.packets[i].answers, 1);
		assert_int_equal(fake.packets[i].mark_out, mark);
	}
}

static int set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	fake_reset(0);
	open_queue(x);
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *x = *state;

	x->source->ops->close(x->source);
	free(x);
	return 0;
}

static void test_run(void **state)
{
	struct fixture *x = *state;

	arrive(x, 64, 0);
	answer_all(x, 7);
	assert_int_equal(flush(x), 0);
	fake_expect_messages("1 b64");
	arrive(x, 1, 0);
	answer_all(x, 7);
	flush(x);
	arrive(x, 2, 7);
	answer_all(x, 7);
	flush(x);
	fake_expect_messages("65 66 67");
	expect_all_answered(7);
}

/* A mark that a packet came with is as good as one that is set. */
static void test_marks_decide(void **state)
{
	struct fixture *x = *state;

	fake_arrive(FAKE_GOOD, 1);
	fake_arrive(FAKE_GOOD, 9); /* stays */
	fake_arrive(FAKE_GOOD, 1); /* becomes 9 */
	fake_arrive(FAKE_GOOD, 9); /* stays */
	fake_arrive(FAKE_GOOD, 3); /* stays */
	arrive(x, 1, 9);	   /* stays */
	answer(x, 1, A, false, 0);
	answer(x, 2, A, false, 0);
	answer(x, 3, A, true, 9);
	answer(x, 4, A, false, 0);
	answer(x, 5, A, false, 0);
	answer(x, 6, A, false, 0);
	flush(x);
	fake_expect_messages("1 b4 b6");
	assert_int_equal(fake_find(3)->mark_out, 9);
	assert_int_equal(fake_find(5)->mark_out, 3);
	assert_int_equal(fake_find(6)->mark_out, 9);
}

static void test_held_packet(void **state)
{
	struct fixture *x = *state;

	arrive(x, 6, 0);
	for (uint32_t id = 1; id <= 6; id++)
		if (id != 4)
			answer(x, id, A, true, 8);
	flush(x);
	fake_expect_messages("1 b3 5 6");
	arrive(x, 3, 0);
	answer_all(x, 8);
	flush(x);
	fake_expect_messages("7 8 9");
	assert_true(fake_find(4)->waits);
	arrive(x, 4, 0);
	answer(x, 10, A, true, 8);
	answer(x, 11, A, true, 8);
	answer(x, 4, A, true, 8);
	answer(x, 12, A, true, 8);
	answer(x, 13, A, true, 8);
	flush(x);
	fake_expect_messages("10 11 4 b13");
	expect_all_answered(8);
}

/* Answered as the next of its batch, after all: the mark it came with counts, not that in p. */
static void test_held_packet_in_turn(void **state)
{
	struct fixture *x = *state;

	arrive(x, 3, 5);
	answer(x, 1, A, true, 0xbad);
	answer(x, 2, A, false, 0);
	answer(x, 3, A, true, 0xbad);
	flush(x);
	fake_expect_messages("1 2 3");
	assert_int_equal(fake_find(2)->mark_out, 5);
}

/* It is accepted while older ones of its batch have no verdict yet. */
static void test_broken_packet(void **state)
{
	struct fixture *x = *state;

	fake_arrive(FAKE_GOOD, 0);
	fake_arrive(FAKE_GOOD, 0);
	fake_arrive(FAKE_BROKEN, 6);
	fake_arrive(FAKE_GOOD, 0);
	fake_arrive(FAKE_BROKEN, 6);
	arrive(x, 1, 0);
	assert_int_equal(x->n, 4);
	for (int i = 0; i < 4; i++)
		answer(x, x->batch[i].id, VERDICT_DROP, false, 0);
	flush(x);
	fake_expect_messages("3 5 1 b6");
	for (uint32_t id = 1; id <= 6; id++)
		assert_int_equal(fake_find(id)->verdict,
				 id == 3 || id == 5 ? VERDICT_ACCEPT : VERDICT_DROP);
	assert_int_equal(fake_find(3)->mark_out, 6);
	assert_int_equal(stats(x).broken, 2);
	fake_arrive(FAKE_BROKEN, 0);
	arrive(x, 0, 0);
	fake_expect_messages("7");
}

/* What might hold a packet forbids runs: it would be answered with them. */
static void test_unreadable_packet(void **state)
{
	struct fixture *x = *state;

	fake_arrive(FAKE_UNREADABLE, 0);
	arrive(x, 3, 0);
	answer_all(x, 8);
	flush(x);
	fake_expect_messages("2 3 4");
	assert_true(fake.packets[0].waits);
	assert_int_equal(stats(x).unreadable, 1);
}

/* A run that could not be sent is over: nothing of the next batch joins it. */
static void test_failed_send(void **state)
{
	struct fixture *x = *state;

	arrive(x, 3, 0);
	answer_all(x, 8);
	fake.failing_sends = 4;
	assert_int_equal(flush(x), -ENOBUFS);
	assert_int_equal(fake.failing_sends, 0);
	arrive(x, 3, 0);
	answer(x, 5, A, true, 8); /* 4 is held */
	answer(x, 6, A, true, 8);
	assert_int_equal(flush(x), 0);
	fake_expect_messages("1 b3 5 6");
	assert_true(fake_find(4)->waits);
}

/*
 * No room is left and none can be made: the verdict is lost, and its packet waits for ever. Every
 * second packet has a verdict of its own, so that there are no runs.
 */
static void test_lost_verdict(void **state)
{
	struct fixture *x = *state;

	fake.failing_sends = UINT32_MAX;
	for (int pass = 0; pass < 2; pass++) {
		arrive(x, 64, 0);
		for (int i = 0; i < 64; i++)
			answer(x, x->batch[i].id, i % 2, true, 8);
		assert_int_equal(flush(x), -ENOBUFS);
	}
	arrive(x, 1, 0);
	answer_all(x, 8);
	assert_int_equal(stats(x).unsent, 1);
	fake.failing_sends = 0;
	assert_int_equal(flush(x), 0);
	fake.nmessages = 0;
	arrive(x, 3, 0);
	answer_all(x, 8);
	flush(x);
	fake_expect_messages("130 131 132");
	assert_true(fake_find(129)->waits);
	assert_int_equal(fake_find(128)->answers, 1);
}

/* The buffer is full in the middle of a run, and is sent then. */
static void test_full_buffer(void **state)
{
	struct fixture *x = *state;

	fake.failing_sends = 8;
	for (int pass = 0; pass < 3; pass++) {
		arrive(x, 60, 0);
		for (int i = 0; i < 60; i++)
			answer(x, x->batch[i].id, pass < 2 ? i % 2 : A, true, 8);
		flush(x);
	}
	assert_int_equal(stats(x).unsent, 0);
	assert_true(fake.nmessages > 120 && fake.nmessages < 130);
	for (uint32_t id = 1; id <= 180; id++)
		assert_int_equal(fake_find(id)->answers, 1);
}

/* Packets that came while the queue was configured are older than all others. */
static void test_kept_packets(void **state)
{
	struct fixture *x = *state;

	x->source->ops->close(x->source);
	fake_reset(100);
	fake.early = 3;
	open_queue(x);
	arrive(x, 2, 0);
	assert_int_equal(x->n, 3);
	assert_int_equal(x->batch[0].id, 101);
	answer_all(x, 8);
	flush(x);
	receive(x);
	assert_int_equal(x->n, 2);
	answer_all(x, 8);
	flush(x);
	fake_expect_messages("101 b103 104 105");
	expect_all_answered(8);
}

static void test_ids_wrap(void **state)
{
	struct fixture *x = *state;

	fake_reset(UINT32_MAX - 3);
	arrive(x, 8, 0);
	answer_all(x, 8);
	flush(x);
	fake_expect_messages("4294967293 b4");
	expect_all_answered(8);
	arrive(x, 4, 0);
	answer_all(x, 8);
	flush(x);
	fake_expect_messages("5 b8");
	assert_int_equal(stats(x).lost, 0);
}

/* The kernel has nothing left of a whole run, or something. */
static void test_gone_packets(void **state)
{
	struct fixture *x = *state;

	arrive(x, 20, 0);
	assert_int_equal(fake_purge(), 20);
	answer_all(x, 8);
	flush(x);
	fake_expect_messages("1 b20");
	receive(x);
	assert_int_equal(stats(x).gone, 20);

	for (int i = 0; i < 5; i++)
		fake_arrive(FAKE_GOOD, 0);
	assert_int_equal(fake_purge(), 5);
	arrive(x, 5, 0);
	answer_all(x, 8);
	flush(x);
	fake_expect_messages("21 b30");
	receive(x);
	assert_int_equal(stats(x).gone, 21); /* one for sure; the run found some of its packets */
	assert_int_equal(stats(x).refused, 0);
}

static void configure(struct fixture *x, struct source_config config)
{
	assert_int_equal(x->source->ops->configure(x->source, &config), 0);
}

/* A command is never taken for a run. */
static void test_refused_command(void **state)
{
	struct fixture *x = *state;

	fake.command_error = EBUSY;
	configure(x, (struct source_config){.copy_range = 256, .max_packets = 1024});
	receive(x);
	assert_int_equal(stats(x).refused, 3); /* length, flag and copied part */
	assert_int_equal(stats(x).refused_error, EBUSY);
	assert_int_equal(stats(x).gone, 0);
}

/*
 * A verdict that got lost is not waited for for ever; but while a fragment is held nothing can be
 * said about all up to an id.
 */
static void test_stranded_packet(void **state)
{
	struct fixture *x = *state;

	fake_arrive(FAKE_UNREADABLE, 0);
	arrive(x, 3, 5);
	answer(x, 2, A, true, 8);
	answer(x, 4, A, true, 8); /* 3 is held */
	flush(x);
	assert_int_equal(stats(x).waiting, 2);
	assert_int_equal(stats(x).stranded, 1);
	fake.later_s = 4;
	receive(x);
	fake.later_s = 6;
	receive(x);
	fake.nmessages = 0;
	assert_true(fake_find(1)->waits);
	answer(x, 3, A, true, 8);
	flush(x);
	receive(x);
	fake_expect_messages("3 b4");
	assert_int_equal(fake_find(1)->verdict, A);
	assert_int_equal(fake_find(1)->mark_out, 0);
	flush(x);
	assert_int_equal(stats(x).overdue, 1);
	assert_int_equal(stats(x).waiting, 0);
	assert_int_equal(stats(x).off, 0);
	arrive(x, 3, 0);
	answer_all(x, 8);
	flush(x);
	fake_expect_messages("5 b7"); /* runs are possible again */
	fake.later_s = 100;
	receive(x);
	fake_expect_messages("");
	assert_int_equal(stats(x).gone, 0);
}

/* Packets that the kernel has and nobody knows of: a dead process took them along. */
static void test_strays(void **state)
{
	struct fixture *x = *state;

	fake_arrive(FAKE_LOST, 0)->waits = true;
	fake_arrive(FAKE_LOST, 0)->waits = true;
	arrive(x, 2, 0);
	answer(x, 3, A, true, 8); /* 4 is held */
	flush(x);
	nfqueue_settle(x->source, 2);
	receive(x);
	fake_expect_messages("3");
	answer(x, 4, A, true, 8);
	flush(x);
	receive(x);
	fake_expect_messages("4 b4");
	assert_int_equal(fake_find(1)->answers, 1);
	assert_int_equal(fake_find(2)->answers, 1);
	receive(x);
	assert_int_equal(stats(x).strays, 2);
	nfqueue_settle(x->source, 2); /* there are none, as the kernel says */
	receive(x);
	fake_expect_messages("b4");
	receive(x);
	assert_int_equal(stats(x).strays, 2);
	assert_int_equal(stats(x).gone, 0);
	assert_int_equal(stats(x).refused, 0);
	assert_int_equal(stats(x).off, 0);
}

static void test_is_empty(void **state)
{
	struct fixture *x = *state;

	assert_true(nfqueue_is_empty(x->source));
	fake_arrive(FAKE_GOOD, 0);
	assert_false(nfqueue_is_empty(x->source));
}

static uint64_t granted(struct fixture *x, struct nfqueue_params params)
{
	struct nfqueue_grant grant;

	x->source->ops->close(x->source);
	assert_int_equal(nfqueue_open(&x->source, &params, &grant), 0);
	return grant.receive_buffer;
}

static void test_receive_buffer(void **state)
{
	const uint64_t needed = rcvbuf_needed(1000, 2048), much = UINT64_C(1) << 40;
	struct fixture *x = *state;

	assert_int_equal(granted(x,
				 (struct nfqueue_params){
					 .config.max_packets = 1000,
					 .config.copy_range = 2048,
				 }),
			 needed);
	assert_int_equal(granted(x,
				 (struct nfqueue_params){
					 .config.max_packets = 1000,
					 .config.copy_range = 2048,
					 .config.receive_buffer = 65536,
				 }),
			 65536);
	assert_int_equal(granted(x,
				 (struct nfqueue_params){
					 .config.max_packets = UINT32_MAX,
					 .config.copy_range = 65535,
				 }),
			 RCVBUF_MAX);
	fake.unforced = true;
	assert_int_equal(granted(x,
				 (struct nfqueue_params){
					 .config.max_packets = 1,
					 .config.copy_range = 2048,
					 .config.receive_buffer = much,
				 }),
			 FAKE_RMEM_MAX);
}

/* It grows with what is copied or waits, unless it was given; never back, for packets may be in it.
 */
static void test_receive_buffer_follows(void **state)
{
	struct nfqueue_params params = {
		.fd = -1, .config.max_packets = 1000, .config.copy_range = 2048};
	struct source_config config = params.config;
	struct fixture *x = *state;

	granted(x, params);
	config.copy_range = 65535;
	configure(x, config);
	assert_int_equal(fake.rcvbuf, rcvbuf_needed(1000, 65535));
	configure(x, params.config);
	assert_int_equal(fake.rcvbuf, rcvbuf_needed(1000, 65535));
	config.max_packets = 1001;
	configure(x, config);
	assert_int_equal(fake.rcvbuf, rcvbuf_needed(1001, 65535));
	config.receive_buffer = 1 << 20; /* given: also if that is less */
	configure(x, config);
	assert_int_equal(fake.rcvbuf, 1 << 20);
	config.copy_range = 256;
	configure(x, config);
	assert_int_equal(fake.rcvbuf, 1 << 20);
	config.receive_buffer = 0;
	config.copy_range = 65535;
	configure(x, config);
	assert_int_equal(fake.rcvbuf, rcvbuf_needed(1001, 65535));
	params.config.receive_buffer = 1 << 20;
	granted(x, params);
	params.config.copy_range = 65535;
	configure(x, params.config);
	assert_int_equal(fake.rcvbuf, 1 << 20);
}

/* What is configured while packets wait is in force, and no packet is met in between. */
static void test_configure(void **state)
{
	struct fixture *x = *state;

	arrive(x, 3, 0);
	assert_int_equal(x->n, 3);
	fake_arrive(FAKE_GOOD, 0);
	configure(x,
		  (struct source_config){.copy_range = 300, .max_packets = 77, .fail_open = true});
	assert_int_equal(fake.max_packets, 77);
	assert_int_equal(fake.copy_range, 300);
	assert_true(fake.flags & NFQA_CFG_F_FAIL_OPEN);
	assert_true(fake.flags & NFQA_CFG_F_GSO);
	answer_all(x, 0);
	flush(x);
	receive(x);
	assert_int_equal(x->n, 1);
	answer_all(x, 0);
	flush(x);
	assert_int_equal(stats(x).received, 4);
	assert_int_equal(stats(x).answered, 4);
	assert_int_equal(stats(x).off, 0);
	configure(x, (struct source_config){.copy_range = 300, .max_packets = 78});
	assert_false(fake.flags & NFQA_CFG_F_FAIL_OPEN);
	assert_int_equal(fake.max_packets, 78);
}

/* What found no room was dropped, or passed, as the queue was told. */
static void test_lost_or_passed(void **state)
{
	struct source_config config = {.copy_range = 128, .max_packets = 1024};
	struct fixture *x = *state;

	arrive(x, 1, 0);
	fake.last_id += 5;
	arrive(x, 1, 0);
	assert_int_equal(stats(x).lost, 5);
	config.fail_open = true;
	answer_all(x, 0);
	flush(x);
	configure(x, config);
	fake.last_id += 7;
	arrive(x, 1, 0);
	assert_int_equal(stats(x).lost, 5);
	assert_int_equal(stats(x).passed, 7);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_run),
		TEST(test_marks_decide),
		TEST(test_held_packet),
		TEST(test_held_packet_in_turn),
		TEST(test_broken_packet),
		TEST(test_unreadable_packet),
		TEST(test_failed_send),
		TEST(test_lost_verdict),
		TEST(test_full_buffer),
		TEST(test_kept_packets),
		TEST(test_ids_wrap),
		TEST(test_gone_packets),
		TEST(test_refused_command),
		TEST(test_stranded_packet),
		TEST(test_strays),
		TEST(test_is_empty),
		TEST(test_receive_buffer),
		TEST(test_configure),
		TEST(test_lost_or_passed),
		TEST(test_receive_buffer_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
