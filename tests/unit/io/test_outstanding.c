/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/outstanding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "util/cleanup.h"

/* A batch of n packets from an id on; each came with its id as its mark. */
static void turn(struct outstanding *o, uint32_t id, unsigned int n)
{
	outstanding_turn(o);
	for (unsigned int i = 0; i < n; i++)
		outstanding_add(o, id + i, id + i);
}

/* Whether a message for several may answer it. */
static bool shared(struct outstanding *o, uint32_t id)
{
	uint32_t mark = 0xdead;
	bool yes = outstanding_answer(o, id, &mark);

	assert_int_equal(mark, yes ? id : 0xdead);
	return yes;
}

static void test_in_order(void **state)
{
	struct outstanding o = {};

	for (uint32_t id = 1; id < 1000; id += SOURCE_BATCH_MAX) {
		turn(&o, id, SOURCE_BATCH_MAX);
		assert_false(shared(&o, id)); /* the first alone */
		for (uint32_t i = 1; i < SOURCE_BATCH_MAX; i++)
			assert_true(shared(&o, id + i));
	}
}

static void test_ids_wrap_and_have_gaps(void **state)
{
	static const uint32_t ids[] = {UINT32_MAX - 5, UINT32_MAX, 0, 4, 5};
	struct outstanding o = {};

	outstanding_turn(&o);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		outstanding_add(&o, ids[i], ids[i]);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(shared(&o, ids[i]), i > 0);
	turn(&o, 6, 2);
	shared(&o, 6);
	assert_true(shared(&o, 7));
}

/* One that was passed over forbids it until it is answered, in its own batch ... */
static void test_late_in_its_batch(void **state)
{
	struct outstanding o = {};

	turn(&o, 1, 6);
	shared(&o, 1);
	assert_true(shared(&o, 2));
	assert_false(shared(&o, 5)); /* 3 and 4 were passed over */
	assert_false(shared(&o, 4));
	assert_false(shared(&o, 3));
	assert_true(shared(&o, 6));
}

/* ... or many batches later. */
static void test_late_in_another_batch(void **state)
{
	struct outstanding o = {};

	turn(&o, 1, 3);
	shared(&o, 1);
	assert_true(shared(&o, 2)); /* 3 is not answered */
	for (uint32_t id = 4; id < 40; id += 4) {
		turn(&o, id, 4);
		for (uint32_t i = 0; i < 4; i++)
			assert_false(shared(&o, id + i));
	}
	turn(&o, 40, 4);
	shared(&o, 40);
	assert_false(shared(&o, 3));
	assert_true(shared(&o, 41));
	assert_true(shared(&o, 42));
}

/* An empty receive makes nothing of what is answered already. */
static void test_empty_turn(void **state)
{
	struct outstanding o = {};

	turn(&o, 1, 2);
	shared(&o, 1);
	shared(&o, 2);
	turn(&o, 3, 0);
	turn(&o, 3, 2);
	shared(&o, 3);
	assert_true(shared(&o, 4));
}

static void test_stranded_for_ever(void **state)
{
	struct outstanding o = {};

	outstanding_strand(&o);
	for (uint32_t id = 1; id < 100; id += 2) {
		turn(&o, id, 2);
		assert_false(shared(&o, id));
		assert_false(shared(&o, id + 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_ids_wrap_and_have_gaps),
		cmocka_unit_test(test_late_in_its_batch),
		cmocka_unit_test(test_late_in_another_batch),
		cmocka_unit_test(test_empty_turn),
		cmocka_unit_test(test_stranded_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
