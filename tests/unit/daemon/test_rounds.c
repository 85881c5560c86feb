/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/rounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define S UINT64_C(1000000000)

static bool allow(struct rounds *r, const uint8_t *data, uint32_t len, uint64_t now_ns)
{
	return rounds_allow(
		r, &(struct ct_input){
			   .data = data, .caplen = len, .len = len, .now_ns = now_ns, .iif = 2});
}

static void test_circle_is_given_up(void **state)
{
	static const uint8_t a[] = "one packet", b[] = "another...";
	static struct rounds r;

	for (uint64_t i = 0; i < ROUNDS_MAX; i++) {
		assert_true(allow(&r, a, sizeof(a), S + i));
		assert_true(allow(&r, b, sizeof(b) - (i % 2), S + i));
	}
	assert_false(allow(&r, a, sizeof(a), S + ROUNDS_MAX));
	assert_true(allow(&r, a, sizeof(a), S + ROUNDS_MAX)); /* from the start again */
	assert_true(allow(&r, b, sizeof(b), S + ROUNDS_MAX));
}

static void test_other_ways_are_other_packets(void **state)
{
	static const uint8_t a[] = "one packet";
	static struct rounds r;
	struct ct_input in = {.data = a, .caplen = sizeof(a), .len = sizeof(a), .now_ns = S};

	for (uint32_t i = 0; i < 3 * ROUNDS_MAX; i++) {
		in.iif = i / 3;
		in.hook = (uint8_t)(i % 3);
		assert_true(rounds_allow(&r, &in));
	}
}

static void test_slow_repetition_is_none(void **state)
{
	static const uint8_t a[] = "keep alive";
	static struct rounds r;

	for (uint64_t i = 1; i < 5 * ROUNDS_MAX; i++)
		assert_true(allow(&r, a, sizeof(a), i * (ROUNDS_WITHIN_NS + 1)));
}

static void test_long_and_empty(void **state)
{
	static uint8_t huge[4096];
	static struct rounds r;

	for (unsigned int i = 0; i < ROUNDS_MAX; i++) {
		assert_true(allow(&r, huge, sizeof(huge), S));
		assert_true(allow(&r, NULL, 0, S));
	}
	assert_false(allow(&r, huge, sizeof(huge), S));
	assert_false(allow(&r, NULL, 0, S));
}

#define MANY (3 * ROUNDS_SETS * ROUNDS_WAYS)

/* More packets in circles than there is room for: they still come to an end, one after the other.
 */
static void test_every_circle_ends(void **state)
{
	static bool out[MANY];
	static struct rounds r;
	unsigned int left = MANY, turn = 0;

	for (; left > 0 && turn < 1000; turn++) {
		for (uint32_t i = 0; i < MANY; i++) {
			if (out[i] || allow(&r, (const uint8_t *)&i, sizeof(i), S + turn * S / 100))
				continue;
			out[i] = true;
			left--;
		}
	}
	assert_int_equal(left, 0);
	assert_in_range(turn, ROUNDS_MAX + 1, 20 * ROUNDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_circle_is_given_up),
		cmocka_unit_test(test_other_ways_are_other_packets),
		cmocka_unit_test(test_slow_repetition_is_none),
		cmocka_unit_test(test_long_and_empty),
		cmocka_unit_test(test_every_circle_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
