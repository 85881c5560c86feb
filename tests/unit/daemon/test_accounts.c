/* SPDX-License-Identifier: GPL-2.0-or-later */

/* When a difference between counts is one. */

#include "daemon/accounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "util/cleanup.h"

static void test_difference(void **state)
{
	static const struct {
		int64_t value, due;
	} looks[] = {
		{0, 0}, {0, 0}, {0, 0},	 {3, 0},  {3, 0},   {3, 3}, /* stood still */
		{3, 0}, {3, 0}, {3, 0},	 {3, 0},		    /* told once */
		{4, 0}, {3, 0}, {4, 0},	 {3, 0},		    /* moves */
		{0, 0}, {3, 0}, {3, 0},	 {0, 0},  {3, 0},   {3, 0},
		{3, 3}, {0, 0}, {-1, 0}, {-1, 0}, {-1, -1},
	};
	struct difference d = {};

	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		assert_int_equal(difference_due(&d, looks[i].value), looks[i].due);
}

static void test_surplus(void **state)
{
	static const struct {
		uint32_t in_kernel, known;
		bool empty;
		uint32_t due;
	} looks[] = {
		{5, 5, true, 0}, {9, 5, true, 0},  {8, 5, true, 0},
		{7, 5, true, 0}, {9, 5, true, 0},  {9, 5, true, 2}, /* two all the time */
		{9, 5, true, 0}, {9, 5, true, 0},  {9, 5, true, 0},
		{9, 5, true, 0}, {9, 5, false, 0}, /* on their way */
		{9, 5, true, 0}, {9, 5, true, 0},  {9, 5, true, 0},
		{9, 5, true, 0}, {4, 5, true, 0}, /* the kernel dropped some */
		{9, 5, true, 0}, {9, 5, true, 0},  {9, 5, true, 0},
		{9, 5, true, 0}, {9, 5, true, 4},
	};
	struct surplus s = {};

	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		assert_int_equal(
			surplus_due(&s, looks[i].in_kernel, looks[i].known, looks[i].empty),
			looks[i].due);
}

static void test_line(void **state)
{
	struct nfqueue_stats s = {.received = 1234, .answered = 1230, .waiting = 4};
	char buf[ACCOUNTS_LINE_STRLEN];

	assert_string_equal(accounts_line(7, &s, buf),
			    "Queue 7: 1,234 packets came, 1,230 answered, 4 wait; "
			    "nothing is missing");
	s.settled = 2;
	s.overdue = 1;
	s.lost = 5;
	s.gone = 6;
	s.off = -3;
	assert_string_equal(accounts_line(7, &s, buf),
			    "Queue 7: 1,234 packets came, 1,230 answered, 2 handed on to another "
			    "process, 1 let through late, 4 wait; 5 did not get here, 6 or more "
			    "gone before their verdict, -3 are not accounted for");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_difference),
		cmocka_unit_test(test_surplus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
