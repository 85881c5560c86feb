/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A queue whose holder died: what the next one does with the packets that it was at work on. */

#include "io/nfqueue.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_kernel.h"
#include "io/inherit.h"
#include "io/rcvbuf.h"
#include "util/cleanup.h"

#define A     VERDICT_ACCEPT
#define QUEUE 7

struct fixture {
	struct source *source;
	struct desk *desk;
	struct nfqueue_params params;
	struct nfqueue_grant grant;
	struct packet batch[SOURCE_BATCH_MAX];
	int n;
};

static void open_queue(struct fixture *x)
{
	assert_int_equal(nfqueue_open(&x->source, &x->params, &x->grant), 0);
}

/* Nothing is sent any more, and no memory is looked at but the desk. */
static void die(struct fixture *x)
{
	x->source->ops->close(x->source);
	x->source = NULL;
	fake.nmessages = 0;
}

static void adopt(struct fixture *x)
{
	x->params.fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	open_queue(x);
	assert_int_equal(fcntl(x->params.fd, F_GETFD), -1); /* it was taken */
}

static void receive(struct fixture *x)
{
	x->n = x->source->ops->receive(x->source, x->batch, 0);
	assert_true(x->n >= 0);
}

static void arrive(struct fixture *x, unsigned int n)
{
	while (n-- > 0)
		fake_arrive(FAKE_GOOD, 0);
	receive(x);
}

static void answer(struct fixture *x, uint32_t id, uint32_t verdict)
{
	x->source->ops->verdict(x->source, &(struct packet){.id = id}, verdict, true, 8);
}

static void answer_all(struct fixture *x)
{
	for (int i = 0; i < x->n; i++)
		answer(x, x->batch[i].id, A);
	assert_int_equal(x->source->ops->flush(x->source), 0);
}

static struct nfqueue_stats stats(const struct fixture *x)
{
	struct nfqueue_stats s;

	nfqueue_get_stats(x->source, &s);
	assert_int_equal(s.off, 0);
	return s;
}

static void expect_batch(struct fixture *x, int n, uint32_t first)
{
	receive(x);
	assert_int_equal(x->n, n);
	for (int i = 0; i < n; i++) {
		assert_int_equal(x->batch[i].id, first + (uint32_t)i);
		assert_int_equal(x->batch[i].in.caplen, 4);
		assert_int_equal(x->batch[i].in.data[0], 0x45);
	}
}

static void expect_verdicts(uint32_t from, uint32_t to, uint32_t verdict)
{
	for (uint32_t id = from; id != to + 1; id++) {
		assert_int_equal(fake_find(id)->answers, 1);
		assert_int_equal(fake_find(id)->verdict, verdict);
	}
}

static int set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	fake_reset(0);
	x->desk = desk_new(QUEUE);
	x->params = (struct nfqueue_params){
		.queue = QUEUE,
		.fd = -1,
		.desk = x->desk,
		.config.max_packets = 1024,
		.config.copy_range = 128,
	};
	open_queue(x);
	fake.nmessages = 0;
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *x = *state;

	x->source->ops->close(x->source);
	desk_free(x->desk);
	free(x);
	return 0;
}

static void test_new_queue(void **state)
{
	struct fixture *x = *state;

	assert_false(x->grant.adopted);
	assert_int_equal(x->grant.inherited, 0);
	assert_int_equal(fake.opened, 1);
}

/* Of a batch of eight, some have their verdict: from none to all. */
static void test_any_part_is_judged(void **state)
{
	struct fixture *x = *state;
	uint32_t first = 1;

	for (uint32_t k = 0; k <= 8; k++, first += 10) {
		arrive(x, 8);
		for (uint32_t i = 0; i < k; i++)
			answer(x, first + i, VERDICT_DROP);
		die(x);
		adopt(x);
		assert_true(x->grant.adopted);
		assert_false(x->grant.damaged);
		assert_int_equal(x->grant.resent, k);
		assert_int_equal(x->grant.inherited, 8 - k);
		expect_verdicts(first, first + k - 1, VERDICT_DROP);
		fake_arrive(FAKE_GOOD, 0);
		fake_arrive(FAKE_GOOD, 0);
		if (k < 8)
			expect_batch(x, 8 - (int)k, first + k);
		else
			x->n = 0;
		answer_all(x);
		expect_batch(x, 2, first + 8);
		answer_all(x);
		expect_verdicts(first + k, first + 9, A);
	}
	assert_int_equal(stats(x).received, 90);
	assert_int_equal(stats(x).gone, 0);
	assert_int_equal(stats(x).lost, 0);
	assert_int_equal(stats(x).waiting, 0);
	assert_int_equal(fake.opened, 1);
	assert_int_equal(fake.adopted, 9);
}

/* Verdicts that had left already do no harm, and are not taken for lost packets. */
static void test_sent_before(void **state)
{
	struct fixture *x = *state;

	arrive(x, 5);
	answer_all(x);
	die(x);
	adopt(x);
	fake_expect_messages("1 2 3 4 5 b5");
	assert_int_equal(x->grant.resent, 5);
	assert_int_equal(x->grant.inherited, 0);
	arrive(x, 0);
	assert_int_equal(x->n, 0);
	assert_int_equal(stats(x).gone, 0);
	assert_int_equal(stats(x).refused, 0);
	expect_verdicts(1, 5, A);
}

/* Processes die over the first of three packets, until one does not get it any more. */
static void test_fatal_packet(void **state)
{
	struct fixture *x = *state;

	arrive(x, 3);
	for (unsigned int deaths = 1; deaths < INHERIT_DEATHS_MAX; deaths++) {
		die(x);
		adopt(x);
		assert_false(x->grant.has_fatal);
		expect_batch(x, 3, 1);
	}
	die(x);
	adopt(x);
	assert_true(x->grant.has_fatal);
	assert_int_equal(x->grant.fatal, 1);
	expect_verdicts(1, 1, VERDICT_DROP);
	assert_int_equal(stats(x).fatal, 1);
	expect_batch(x, 2, 2);
	answer_all(x);
	expect_verdicts(2, 3, A);
	stats(x);
}

/* To die often is not the fault of packets that are judged in between, or not looked at. */
static void test_deaths_over_others(void **state)
{
	struct fixture *x = *state;

	arrive(x, 3 * INHERIT_DEATHS_MAX);
	for (unsigned int deaths = 0; deaths < 2 * INHERIT_DEATHS_MAX; deaths++) {
		answer(x, deaths + 1, A);
		die(x);
		adopt(x);
		assert_false(x->grant.has_fatal);
		receive(x);
	}
	for (unsigned int deaths = 0; deaths < 2 * INHERIT_DEATHS_MAX; deaths++) {
		die(x);
		adopt(x);
		assert_false(x->grant.has_fatal);
	}
	assert_int_equal(stats(x).fatal, 0);
}

/* What was held is older than the batch, and of it nothing is known: round again. */
static void test_held_goes_round(void **state)
{
	struct fixture *x = *state;

	arrive(x, 4);
	answer(x, 1, A);
	answer(x, 4, A);
	x->source->ops->flush(x->source);
	arrive(x, 3);
	answer(x, 6, A);
	die(x);
	adopt(x);
	fake_expect_messages("6 b4");
	assert_true(x->grant.orphans);
	expect_verdicts(2, 3, VERDICT_REPEAT);
	receive(x);
	assert_int_equal(x->n, 2);
	assert_int_equal(x->batch[0].id, 5);
	assert_int_equal(x->batch[1].id, 7);
	answer_all(x);
	expect_verdicts(4, 7, A);
	assert_int_equal(stats(x).settled, 3); /* two held, and the verdict sent again */
}

/* The same with nothing on the desk: up to the last that was read. */
static void test_held_alone(void **state)
{
	struct fixture *x = *state;

	arrive(x, 3);
	answer(x, 2, A);
	x->source->ops->flush(x->source);
	receive(x);
	die(x);
	fake_arrive(FAKE_GOOD, 0);
	adopt(x);
	fake_expect_messages("b3");
	expect_verdicts(3, 3, VERDICT_REPEAT);
	assert_true(fake_find(4)->waits);
	expect_batch(x, 1, 4);
	answer_all(x);
	expect_verdicts(4, 4, A);
}

static void test_ids_wrap(void **state)
{
	struct fixture *x = *state;

	fake.last_id = UINT32_MAX - 3;
	arrive(x, 2);
	answer(x, UINT32_MAX - 1, A); /* the one before is held */
	x->source->ops->flush(x->source);
	arrive(x, 4);
	answer(x, UINT32_MAX, A);
	die(x);
	adopt(x);
	fake_expect_messages("4294967295 b4294967295");
	expect_verdicts(UINT32_MAX - 2, UINT32_MAX - 2, VERDICT_REPEAT);
	expect_batch(x, 3, 0);
	answer_all(x);
	expect_verdicts(0, 2, A);
	assert_int_equal(stats(x).lost, 0);
	assert_int_equal(stats(x).received, 6);
}

/* No desk to be trusted: whatever is older than the first that comes goes round again. */
static void test_damaged_desk(void **state)
{
	struct fixture *x = *state;

	arrive(x, 6);
	die(x);
	x->desk->stride = 3;
	adopt(x);
	assert_true(x->grant.damaged);
	fake_expect_messages("");
	receive(x);
	assert_int_equal(x->n, 0);
	assert_int_equal(x->desk->astray, DESK_SOME);
	arrive(x, 2);
	fake_expect_messages("b6");
	expect_verdicts(1, 6, VERDICT_REPEAT);
	assert_int_equal(x->desk->astray, DESK_ALL);
	assert_int_equal(x->n, 2);
	answer_all(x);
	assert_int_equal(stats(x).waiting, 0);
}

/* The same, and none comes: after some seconds everything goes round again, whatever its id. */
static void test_damaged_desk_in_silence(void **state)
{
	struct fixture *x = *state;

	fake.last_id = UINT32_MAX - 3;
	arrive(x, 6);
	die(x);
	x->desk->magic = 0;
	adopt(x);
	receive(x);
	fake_expect_messages("");
	fake.later_s = 6;
	receive(x);
	fake_expect_messages("b2147483647 b4294967295 b2147483647");
	expect_verdicts(UINT32_MAX - 2, 2, VERDICT_REPEAT);
	receive(x);
	assert_int_equal(x->desk->astray, DESK_ALL);
	arrive(x, 1);
	answer_all(x);
	assert_int_equal(stats(x).gone, 0);
}

/* Packets that were read while the queue was set up lie nowhere when that is cut off. */
static void test_died_while_kept(void **state)
{
	struct fixture *x = *state;

	arrive(x, 2);
	answer(x, 1, A);
	die(x);
	fake.early = 3;
	adopt(x);
	die(x);
	assert_int_equal(x->desk->astray, DESK_SOME);
	adopt(x);
	assert_true(x->grant.damaged);
	fake_arrive(FAKE_GOOD, 0);
	expect_batch(x, 1, 2); /* it is on the desk */
	answer_all(x);
	receive(x);
	assert_int_equal(x->n, 1);
	answer_all(x);
	expect_verdicts(1, 2, A);
	expect_verdicts(3, 5, VERDICT_REPEAT);
	expect_verdicts(6, 6, A);
	assert_int_equal(stats(x).lost, 0);
}

/* Packets that waited come behind those of the desk, whatever answers are between them. */
static void test_order(void **state)
{
	struct fixture *x = *state;

	arrive(x, 2);
	fake_answer(3, ENOENT); /* to a run of verdicts of then */
	die(x);
	fake_arrive(FAKE_GOOD, 0);
	fake_answer(70000, 0); /* to a command of then */
	fake.early = 2;
	adopt(x);
	expect_batch(x, 2, 1);
	answer_all(x);
	expect_batch(x, 3, 3);
	answer_all(x);
	expect_verdicts(1, 5, A);
	assert_int_equal(stats(x).gone, 3);
	assert_int_equal(stats(x).refused, 0);
	assert_int_equal(x->desk->astray, DESK_ALL);
}

/* A socket that has no queue, or another's. */
static void test_not_our_queue(void **state)
{
	struct fixture *x = *state;

	arrive(x, 2);
	die(x);
	fake.foreign = true;
	adopt(x);
	assert_false(x->grant.adopted);
	assert_int_equal(x->grant.inherited, 0);
	assert_int_equal(fake.opened, 2);
	fake_expect_messages("");
	die(x);
	fake.no_netlink = true;
	adopt(x);
	assert_false(x->grant.adopted);
	assert_int_equal(fake.opened, 3);
	assert_int_equal(fake.adopted, 1);
}

/* What fails leaves the descriptor with its owner, to be tried again. */
static void test_failure(void **state)
{
	struct fixture *x = *state;
	struct source *source = NULL;

	arrive(x, 3);
	die(x);
	fake.command_error = EBUSY;
	x->params.fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(nfqueue_open(&source, &x->params, &x->grant), -EBUSY);
	assert_int_equal(fcntl(x->params.fd, F_GETFD), FD_CLOEXEC);
	fake.command_error = 0;
	desk_note(x->desk, &(struct desk_note){.id = 1}); /* which cannot be sent again */
	fake.failing_sends = 100;
	assert_int_equal(nfqueue_open(&source, &x->params, &x->grant), -ENOBUFS);
	assert_int_equal(fcntl(x->params.fd, F_GETFD), FD_CLOEXEC);
	close(x->params.fd);
	fake.failing_sends = 0;
	assert_int_equal(fake.opened, 1);
	adopt(x);
	assert_int_equal(x->grant.resent, 1);
	assert_int_equal(x->grant.inherited, 2);
	receive(x);
	answer_all(x);
}

/* The queue is set up anew, flags that are not wanted any more included. */
static void test_configured_again(void **state)
{
	struct fixture *x = *state;

	die(x);
	x->params.config.fail_open = true;
	adopt(x);
	assert_true(x->grant.fail_open);
	assert_int_equal(fake.flags, NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN);
	die(x);
	x->params.config.fail_open = false;
	x->params.config.max_packets = 77;
	x->params.config.copy_range = 99;
	x->params.config.receive_buffer = 123456;
	adopt(x);
	assert_false(x->grant.fail_open);
	assert_int_equal(fake.flags, NFQA_CFG_F_GSO);
	assert_int_equal(fake.max_packets, 77);
	assert_int_equal(fake.copy_range, 99);
	assert_int_equal(fake.rcvbuf, 123456);
}

/* Longer packets than before: the slots move once the old ones are empty. */
static void test_longer_slots(void **state)
{
	struct fixture *x = *state;

	arrive(x, 3);
	die(x);
	x->params.config.copy_range = 4000;
	adopt(x);
	fake_arrive(FAKE_GOOD, 0);
	expect_batch(x, 3, 1);
	assert_int_equal(x->desk->stride, desk_stride(128));
	answer_all(x);
	expect_batch(x, 1, 4);
	assert_int_equal(x->desk->stride, desk_stride(4000));
	answer_all(x);
	die(x);
	x->params.config.copy_range = 128;
	adopt(x);
	assert_int_equal(x->desk->stride, desk_stride(4000));
}

static void test_broken_packets(void **state)
{
	struct fixture *x = *state;

	fake_arrive(FAKE_GOOD, 0);
	fake_arrive(FAKE_BROKEN, 0);
	arrive(x, 1);
	die(x); /* before the verdict of the broken one was sent */
	adopt(x);
	fake_expect_messages("2 b0");
	assert_int_equal(x->grant.inherited, 2);
	receive(x);
	assert_int_equal(x->n, 2);
	answer_all(x);
	expect_verdicts(1, 3, A);
	assert_int_equal(stats(x).received, 3);
}

/* Nothing is lost to a desk in memory of the process either. */
static void test_without_a_desk(void **state)
{
	struct fixture *x = *state;

	arrive(x, 3);
	die(x);
	x->params.desk = NULL;
	adopt(x);
	assert_true(x->grant.adopted);
	arrive(x, 2);
	fake_expect_messages("b3");
	answer_all(x);
	expect_verdicts(1, 3, VERDICT_REPEAT);
	expect_verdicts(4, 5, A);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_queue),	     TEST(test_any_part_is_judged),
		TEST(test_sent_before),	     TEST(test_held_goes_round),
		TEST(test_fatal_packet),     TEST(test_deaths_over_others),
		TEST(test_held_alone),	     TEST(test_ids_wrap),
		TEST(test_damaged_desk),     TEST(test_damaged_desk_in_silence),
		TEST(test_died_while_kept),  TEST(test_order),
		TEST(test_not_our_queue),    TEST(test_failure),
		TEST(test_configured_again), TEST(test_longer_slots),
		TEST(test_broken_packets),   TEST(test_without_a_desk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
