/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/rcvbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "util/cleanup.h"

/* What the kernel counted for a packet (doc/decisions/002), and so much was copied of it. */
static const struct {
	uint32_t copy_range, counted;
} measured[] = {
	{128, 832},	/* any */
	{2048, 832},	/* 64 bytes of UDP */
	{2048, 2304},	/* 1400 bytes */
	{2048, 4352},	/* 1600 to 16000 bytes */
	{2048, 2852},	/* aggregated */
	{9216, 16640},	/* 8000 to 16000 bytes */
	{9216, 10020},	/* aggregated */
	{65535, 33024}, /* 16000 bytes */
	{65535, 66335}, /* 65507 bytes, in pages */
};

static void test_enough_for_what_was_measured(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(measured); i++) {
		uint64_t counted = 1000 * (uint64_t)measured[i].counted;

		assert_true(2 * rcvbuf_needed(1000, measured[i].copy_range) >= counted);
	}
}

/* And not much more than the worst of them. */
static void test_not_too_much(void **state)
{
	assert_true(rcvbuf_needed(8192, 2048) < UINT64_C(18) << 20);
	assert_true(rcvbuf_needed(8192, 65535) < UINT64_C(262) << 20);
}

static void test_grows(void **state)
{
	for (uint32_t range = 128; range < 65535; range++)
		assert_true(rcvbuf_needed(100, range) <= rcvbuf_needed(100, range + 1));
	assert_true(rcvbuf_needed(UINT32_MAX, 65535) > UINT64_C(1) << 46);
	assert_true(rcvbuf_needed(1, 128) >= 64 * 1024);
}

static void test_holds_what_is_needed(void **state)
{
	static const uint32_t packets[] = {0, 1, 2, 100, 8191, 8192, UINT32_MAX};

	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		uint64_t needed = rcvbuf_needed(packets[i], 2048);

		assert_int_equal(rcvbuf_holds(needed, 2048), packets[i]);
		assert_true(packets[i] == 0 || rcvbuf_holds(needed - 1, 2048) < packets[i]);
	}
	assert_int_equal(rcvbuf_holds(0, 2048), 0);
	assert_int_equal(rcvbuf_holds(65535, 65535), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enough_for_what_was_measured),
		cmocka_unit_test(test_not_too_much),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_holds_what_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
