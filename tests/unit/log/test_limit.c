/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "log/limit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define S  UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define US UINT64_C(1000)

/* How many of n takes at one moment are let through. */
static unsigned int take(struct limit *l, uint64_t now_ns, unsigned int n)
{
	unsigned int got = 0;

	while (n--)
		got += limit_take(l, now_ns);
	return got;
}

static void test_burst_then_rate(void **state)
{
	struct limit l;

	limit_init(&l, 1000, 10);
	assert_int_equal(take(&l, 5 * S, 100), 10);
	assert_int_equal(limit_suppressed(&l), 90);
	assert_int_equal(take(&l, 5 * S + MS - 1, 5), 0);
	assert_int_equal(take(&l, 5 * S + MS, 5), 1);
	assert_int_equal(take(&l, 5 * S + 4 * MS, 5), 3);
	assert_int_equal(limit_suppressed(&l), 90 + 5 + 4 + 2);
	/* never more than the burst, however long the pause */
	assert_int_equal(take(&l, 900 * S, 100), 10);
}

static void test_exact_over_time(void **state)
{
	static const uint32_t rates[] = {1, 7, 300, 2000, 100000};
	uint64_t passed, tried;
	struct limit l;

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		limit_init(&l, rates[i], 5);
		passed = tried = 0;
		for (uint64_t now = 0; now < 3 * S; now += 5 * US, tried++)
			passed += limit_take(&l, now);
		/* the burst and what three seconds bring; rounding may cost one */
		assert_in_range(passed, 5 + 3 * rates[i] - 1, 5 + 3 * rates[i]);
		assert_int_equal(limit_suppressed(&l), tried - passed);
	}
}

static void test_edges_of_configuration(void **state)
{
	struct limit l;

	limit_init(&l, 0, 0);
	assert_int_equal(take(&l, 0, 100000), 100000);
	assert_int_equal(limit_suppressed(&l), 0);

	limit_init(&l, 10, 0);
	assert_int_equal(take(&l, S, 3), 1);
	assert_int_equal(take(&l, S + 100 * MS, 3), 1);

	limit_init(&l, 1, UINT32_MAX);
	assert_int_equal(take(&l, S, 1000), 1000);
	limit_init(&l, UINT32_MAX, 2);
	assert_int_equal(take(&l, S, 1000), 2);
	assert_int_equal(take(&l, S + 2, 1000), 2);
}

static void test_reconfigured(void **state)
{
	struct limit l;

	limit_init(&l, 1000, 10);
	assert_int_equal(take(&l, S, 20), 10);
	limit_configure(&l, 1000, 15);
	assert_int_equal(take(&l, S, 20), 5);
	limit_configure(&l, 0, 1);
	assert_int_equal(take(&l, S, 20), 20);
	assert_int_equal(limit_suppressed(&l), 10 + 15);
}

static void test_clock_steps(void **state)
{
	struct limit l;

	/* a little behind, as between threads: nothing is won or lost */
	limit_init(&l, 1000, 10);
	assert_int_equal(take(&l, 50 * S, 20), 10);
	assert_int_equal(take(&l, 50 * S - 3 * MS, 20), 0);
	assert_int_equal(take(&l, 50 * S + MS, 20), 1);

	/* an hour back: an empty bucket, not an hour of silence */
	assert_int_equal(take(&l, 3 * S, 20), 0);
	assert_int_equal(take(&l, 3 * S + 5 * MS, 20), 5);
	/* an hour ahead: a full one */
	assert_int_equal(take(&l, 3600 * S, 20), 10);
}

#define THREADS 4
#define TAKES	300000

struct crowd {
	struct limit limit;
	_Atomic uint64_t now_ns;
	uint64_t step_ns;
	_Atomic uint64_t passed;
};

static void *crowd_member(void *arg)
{
	struct crowd *c = arg;
	uint64_t passed = 0;

	for (int i = 0; i < TAKES; i++)
		passed += limit_take(&c->limit, atomic_fetch_add(&c->now_ns, c->step_ns));
	atomic_fetch_add(&c->passed, passed);
	return NULL;
}

static void run_crowd(struct crowd *c)
{
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, crowd_member, c), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(c->passed + limit_suppressed(&c->limit), THREADS * TAKES);
}

static void test_concurrent(void **state)
{
	struct crowd still = {.now_ns = S}, moving = {.now_ns = S, .step_ns = US};

	limit_init(&still.limit, 2000, 1000);
	run_crowd(&still);
	assert_int_equal(still.passed, 1000);

	/* 1.2 s of the crowd's clock: 1000 at once and 2000 per second */
	limit_init(&moving.limit, 2000, 1000);
	run_crowd(&moving);
	assert_in_range(moving.passed, 1000 + 2400 - 2, 1000 + 2400 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_exact_over_time),
		cmocka_unit_test(test_edges_of_configuration),
		cmocka_unit_test(test_reconfigured),
		cmocka_unit_test(test_clock_steps),
		cmocka_unit_test(test_concurrent),
	};

	return cmocka_run_group_tests_name("log/limit", tests, NULL, NULL);
}
