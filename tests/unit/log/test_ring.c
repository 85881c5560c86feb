/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "log/ring.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct ct_event numbered(uint64_t n)
{
	return (struct ct_event){.type = CT_EVENT_STATE, .flow = n, .time_ns = ~n};
}

static void test_sizes(void **state)
{
	struct ring r;

	assert_int_equal(ring_init(&r, 0), -EINVAL);
	assert_int_equal(ring_init(&r, 3), -EINVAL);
	assert_int_equal(ring_init(&r, 1), 0);
	ring_done(&r);
	ring_done(&r);
}

static void test_order_and_wrap(void **state)
{
	struct ct_event ev;
	struct ring r;
	uint64_t in = 0, out = 0;

	assert_int_equal(ring_init(&r, 8), 0);
	assert_false(ring_pop(&r, &ev));
	assert_null(ring_peek(&r));
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 1 + round % 8; i++, in++) {
			ev = numbered(in);
			assert_true(ring_push(&r, &ev));
		}
		while (ring_peek(&r)) {
			assert_int_equal(ring_peek(&r)->flow, out);
			assert_true(ring_pop(&r, &ev));
			assert_int_equal(ev.flow, out);
			assert_int_equal(ev.time_ns, ~out);
			out++;
		}
		assert_int_equal(in, out);
	}
	ring_done(&r);
}

/* What was in it is left out, and it goes on as before. */
static void test_forget(void **state)
{
	struct ct_event ev;
	struct ring r;

	assert_int_equal(ring_init(&r, 8), 0);
	for (uint64_t i = 0; i < 50; i++) {
		ev = numbered(i);
		assert_true(ring_push(&r, &ev));
		if (i % 3 == 0)
			assert_non_null(ring_peek(&r));
		if (i % 5 != 4)
			continue;
		assert_int_equal(ring_fill(&r), 5);
		ring_forget(&r);
		assert_int_equal(ring_fill(&r), 0);
		assert_null(ring_peek(&r));
		assert_true(ring_push(&r, &ev));
		assert_true(ring_pop(&r, &ev));
		assert_int_equal(ev.flow, i);
	}
	ring_done(&r);
}

static void test_oldest(void **state)
{
	struct ring r[3];
	uint64_t last = 0, time_ns;
	struct ct_event ev = {.type = CT_EVENT_NEW};
	struct ring *from;
	unsigned int n = 0;

	for (int i = 0; i < 3; i++)
		assert_int_equal(ring_init(&r[i], 16), 0);
	assert_null(ring_oldest(r, 3, &time_ns));
	for (uint64_t i = 1; i <= 30; i++) {
		ev.time_ns = i;
		assert_true(ring_push(&r[i * 7 % 3], &ev));
	}
	while ((from = ring_oldest(r, 3, &time_ns))) {
		assert_true(ring_pop(from, &ev));
		assert_int_equal(ev.time_ns, time_ns);
		assert_int_equal(time_ns, ++last);
		n++;
	}
	assert_int_equal(n, 30);
	for (int i = 0; i < 3; i++)
		ring_done(&r[i]);
}

static void test_full_counts_by_class(void **state)
{
	struct ct_event ev;
	struct ring r;

	assert_int_equal(ring_init(&r, 4), 0);
	for (uint64_t i = 0; i < 10; i++) {
		ev = numbered(i);
		ev.type = i == 9 ? CT_EVENT_INVALID : CT_EVENT_STATE;
		assert_int_equal(ring_push(&r, &ev), i < 4);
	}
	assert_int_equal(ring_dropped(&r, CT_EVENT_STATE), 5);
	assert_int_equal(ring_dropped(&r, CT_EVENT_INVALID), 1);
	assert_int_equal(ring_dropped(&r, CT_EVENT_NEW), 0);

	/* what was in stays in, and one place makes room for one event */
	assert_true(ring_pop(&r, &ev));
	assert_int_equal(ev.flow, 0);
	ev = numbered(10);
	assert_true(ring_push(&r, &ev));
	assert_false(ring_push(&r, &ev));
	ring_done(&r);
}

#define ITEMS 2000000

struct run {
	struct ring ring;
	bool retry;
	_Atomic bool finished;
	uint64_t received, disorder;
};

static void *produce(void *arg)
{
	struct run *run = arg;

	for (uint64_t i = 1; i <= ITEMS; i++) {
		struct ct_event ev = numbered(i);

		while (!ring_push(&run->ring, &ev) && run->retry)
			sched_yield();
	}
	atomic_store(&run->finished, true);
	return NULL;
}

static void consume(struct run *run)
{
	uint64_t last = 0;
	struct ct_event ev;

	for (;;) {
		bool finished = atomic_load(&run->finished);

		if (ring_pop(&run->ring, &ev)) {
			run->disorder += ev.flow <= last || ev.time_ns != ~ev.flow;
			last = ev.flow;
			run->received++;
		} else if (finished) {
			return;
		} else {
			sched_yield();
		}
	}
}

static void two_threads(bool retry)
{
	struct run run = {.retry = retry};
	uint64_t dropped;
	pthread_t t;

	assert_int_equal(ring_init(&run.ring, 256), 0);
	assert_int_equal(pthread_create(&t, NULL, produce, &run), 0);
	consume(&run);
	pthread_join(t, NULL);

	dropped = ring_dropped(&run.ring, CT_EVENT_STATE);
	assert_int_equal(run.disorder, 0);
	assert_int_equal(run.received + (retry ? 0 : dropped), ITEMS);
	ring_done(&run.ring);
}

static void test_threads_all_arrive(void **state)
{
	two_threads(true);
}

static void test_threads_loss_is_counted(void **state)
{
	two_threads(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_order_and_wrap),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_oldest),
		cmocka_unit_test(test_full_counts_by_class),
		cmocka_unit_test(test_threads_all_arrive),
		cmocka_unit_test(test_threads_loss_is_counted),
	};

	return cmocka_run_group_tests_name("log/ring", tests, NULL, NULL);
}
