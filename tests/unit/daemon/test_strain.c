/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/strain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define SEC UINT64_C(1000000000)

static const char *line_of(enum strain_kind kind, const struct strain_due *due, bool shadow)
{
	static char buf[STRAIN_LINE_STRLEN];

	return strain_line(kind, due, shadow, buf);
}

static void test_quiet(void **state)
{
	struct strain s = {};
	struct ct_stats sum = {};
	struct strain_due due;

	for (uint64_t i = 1; i < 1000; i++) {
		sum.reason[CT_REASON_CHECKSUM] += STRAIN_PER_S - 1;
		sum.reason[CT_REASON_NONE] += 100000;
		assert_false(strain_due(&s, &sum, i * SEC, &due));
	}
	assert_int_equal(strain_invalid(&sum), 999 * (STRAIN_PER_S - 1));
}

/* Once a minute while it lasts, and at once when it comes again later. */
static void test_flood(void **state)
{
	struct strain s = {};
	struct ct_stats sum = {};
	struct strain_due due;
	unsigned int told = 0;

	for (uint64_t i = 1; i <= 120; i++) {
		sum.reason[CT_REASON_ICMP_NO_FLOW] += 4900;
		sum.reason[CT_REASON_CHECKSUM] += 100;
		if (!strain_due(&s, &sum, i * SEC, &due))
			continue;
		told++;
		assert_int_equal(i % 60, 1);
		assert_int_equal(due.n[STRAIN_FLOOD], 5000);
		assert_int_equal(due.total, i * 5000);
		assert_int_equal(due.reason, CT_REASON_ICMP_NO_FLOW);
		assert_int_equal(due.percent, 98);
	}
	assert_int_equal(told, 2);
	for (uint64_t i = 121; i < 300; i++)
		assert_false(strain_due(&s, &sum, i * SEC, &due));
	sum.reason[CT_REASON_TCP_FLAGS] += 1234567;
	assert_true(strain_due(&s, &sum, 300 * SEC, &due));
	assert_string_equal(line_of(STRAIN_FLOOD, &due, false),
			    "INVALID packets in masses: 1,234,567 in a second, 1,834,567 so far, "
			    "100 % of them tcp-flags");
}

/* A look that comes late has seen more of it, not a faster flood. */
static void test_late_look(void **state)
{
	struct strain s = {};
	struct ct_stats sum = {};
	struct strain_due due;

	assert_false(strain_due(&s, &sum, SEC, &due));
	sum.reason[CT_REASON_CHECKSUM] = 9 * STRAIN_PER_S;
	assert_false(strain_due(&s, &sum, 11 * SEC, &due));
	sum.reason[CT_REASON_CHECKSUM] += 10 * STRAIN_PER_S;
	assert_true(strain_due(&s, &sum, 21 * SEC, &due));
	assert_int_equal(due.n[STRAIN_FLOOD], STRAIN_PER_S);
	assert_false(strain_due(&s, &sum, 21 * SEC, &due));
}

/* Has its own records, and is no INVALID packet. */
static void test_want_of_room(void **state)
{
	struct strain s = {};
	struct ct_stats sum = {};
	struct strain_due due;

	sum.reason[CT_REASON_TABLE_FULL] = 1000000;
	assert_false(strain_due(&s, &sum, SEC, &due));
	sum.reason[CT_REASON_FRAGMENT_LIMIT] = 7000;
	sum.count[CT_STAT_FRAGMENTS_EVICTED] = 3;
	sum.reason[CT_REASON_EXPECT_REFUSED] = 2000;
	assert_true(strain_due(&s, &sum, 2 * SEC, &due));
	assert_int_equal(due.n[STRAIN_FLOOD], 0);
	assert_int_equal(due.total, 0);
	assert_string_equal(line_of(STRAIN_FRAGMENTS, &due, false),
			    "No room for fragments: 7,003 fragments were dropped or datagrams "
			    "given up; see MaxFragments=");
	assert_string_equal(line_of(STRAIN_EXPECTATIONS, &due, true),
			    "No room for expectations: 2,000 packets that announced a connection "
			    "would have been dropped; see MaxExpectations=");
	sum.reason[CT_REASON_EXPECT_REFUSED]++;
	assert_false(strain_due(&s, &sum, 30 * SEC, &due));
	assert_true(strain_due(&s, &sum, 62 * SEC, &due));
	assert_int_equal(due.n[STRAIN_EXPECTATIONS], 1);
	assert_int_equal(due.n[STRAIN_FRAGMENTS], 0);
}

/* A predecessor has told of what it counted. */
static void test_begin(void **state)
{
	struct strain s = {};
	struct ct_stats sum = {};
	struct strain_due due;

	sum.reason[CT_REASON_CHECKSUM] = 1000000;
	sum.reason[CT_REASON_FRAGMENT_LIMIT] = 7000;
	sum.count[CT_STAT_FRAGMENTS_EVICTED] = 3;
	sum.reason[CT_REASON_EXPECT_REFUSED] = 2000;
	strain_begin(&s, &sum);
	assert_false(strain_due(&s, &sum, SEC, &due));
	assert_int_equal(due.total, 1000000);
	sum.reason[CT_REASON_EXPECT_REFUSED]++;
	assert_true(strain_due(&s, &sum, 2 * SEC, &due));
	assert_int_equal(due.n[STRAIN_EXPECTATIONS], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quiet),	  cmocka_unit_test(test_flood),
		cmocka_unit_test(test_late_look), cmocka_unit_test(test_want_of_room),
		cmocka_unit_test(test_begin),
	};

	return cmocka_run_group_tests_name("strain", tests, NULL, NULL);
}
