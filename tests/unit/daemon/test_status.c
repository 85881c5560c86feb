/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/monitor.h"

#define SEC UINT64_C(1000000000)

static void test_number(void **state)
{
	char buf[STATUS_NUMBER_STRLEN];

	assert_string_equal(status_number(0, buf), "0");
	assert_string_equal(status_number(999, buf), "999");
	assert_string_equal(status_number(1000, buf), "1,000");
	assert_string_equal(status_number(18234, buf), "18,234");
	assert_string_equal(status_number(1234567, buf), "1,234,567");
	assert_string_equal(status_number(UINT64_MAX, buf), "18,446,744,073,709,551,615");
}

static void test_rate(void **state)
{
	char buf[STATUS_RATE_STRLEN];

	assert_string_equal(status_rate(0, buf), "0 pps");
	assert_string_equal(status_rate(812.4, buf), "812 pps");
	assert_string_equal(status_rate(999.9, buf), "1.0 kpps");
	assert_string_equal(status_rate(41200, buf), "41.2 kpps");
	assert_string_equal(status_rate(999960, buf), "1.0 Mpps");
	assert_string_equal(status_rate(1300000, buf), "1.3 Mpps");
}

static void test_line(void **state)
{
	struct status s = {.queue_last = 3,
			   .flows = 18234,
			   .pps = 41200,
			   .fragments = -1,
			   .drops_exact = true};
	char buf[STATUS_LINE_STRLEN];

	assert_string_equal(
		status_line(&s, buf),
		"queues 0-3, confirming at the entry, 18,234 flows, 41.2 kpps, 0 drops");
	s.queue_last = 0;
	s.drops = 1000;
	s.at_exit = true;
	assert_string_equal(
		status_line(&s, buf),
		"queue 0, confirming at the exit, 18,234 flows, 41.2 kpps, 1,000 drops");
	s.invalid = 12345;
	assert_string_equal(status_line(&s, buf),
			    "queue 0, confirming at the exit, 18,234 flows, 41.2 kpps, "
			    "12,345 invalid, 1,000 drops");
	s.invalid = 0;
	s.drops_exact = false;
	assert_string_equal(
		status_line(&s, buf),
		"queue 0, confirming at the exit, 18,234 flows, 41.2 kpps, at least 1,000 drops");
	s.fragments = 0;
	assert_string_equal(
		status_line(&s, buf),
		"queue 0, confirming at the exit, 18,234 flows, 41.2 kpps, no fragments seen yet, "
		"at least 1,000 drops");
	s.fragments = 3;
	assert_string_equal(
		status_line(&s, buf),
		"queue 0, confirming at the exit, 18,234 flows, 41.2 kpps, fragments unassembled, "
		"at least 1,000 drops");
	assert_string_equal(status_fragments(1), "IPv4 fragments unassembled");
	assert_string_equal(status_fragments(2), "IPv6 fragments unassembled");
}

/* Every growth is told once, though not at once. */
static void test_limiter(void **state)
{
	struct limiter l = {};

	assert_int_equal(limiter_due(&l, 0, 1 * SEC, 10 * SEC), 0);
	assert_int_equal(limiter_due(&l, 5, 2 * SEC, 10 * SEC), 5);
	assert_int_equal(limiter_due(&l, 7, 3 * SEC, 10 * SEC), 0);
	assert_int_equal(limiter_due(&l, 9, 11 * SEC, 10 * SEC), 0);
	assert_int_equal(limiter_due(&l, 9, 12 * SEC, 10 * SEC), 4);
	assert_int_equal(limiter_due(&l, 9, 90 * SEC, 10 * SEC), 0);
	assert_int_equal(limiter_due(&l, 10, 91 * SEC, 10 * SEC), 1);
}

/* Some are always missing. If none arrives at all, something is wrong. */
static void test_absence(void **state)
{
	struct absence a = {};

	assert_int_equal(absence_due(&a, 1000, 5, 100 * SEC), 0); /* before the first look */
	assert_int_equal(absence_due(&a, 1050, 6, 109 * SEC), 0);
	assert_int_equal(absence_due(&a, 1100, 6, 118 * SEC), 0); /* one came in these 10 s */
	assert_int_equal(absence_due(&a, 1100, 6, 119 * SEC), 50);
	assert_int_equal(absence_due(&a, 1200, 6, 178 * SEC), 0); /* once a minute */
	assert_int_equal(absence_due(&a, 1200, 6, 179 * SEC), 100);
	assert_int_equal(absence_due(&a, 1400, 7, 240 * SEC), 0);
	assert_int_equal(absence_due(&a, 1409, 7, 300 * SEC), 0); /* a few say nothing */
	assert_int_equal(absence_due(&a, 1410, 7, 301 * SEC), 10);
}

static void test_pulse(void **state)
{
	struct pulse p = {};

	for (unsigned int s = 1; s < 6; s++)
		assert_false(pulse_stalled(&p, 0, s * SEC, 5 * SEC));
	assert_true(pulse_stalled(&p, 0, 6 * SEC, 5 * SEC));
	p.stalled = true;
	assert_true(pulse_stalled(&p, 0, 7 * SEC, 5 * SEC));
	assert_true(p.stalled);
	assert_false(pulse_stalled(&p, 1, 8 * SEC, 5 * SEC));
	assert_false(p.stalled); /* the next stall is a new one */
	for (unsigned int s = 9; s < 13; s++)
		assert_false(pulse_stalled(&p, 1, s * SEC, 5 * SEC));
	assert_true(pulse_stalled(&p, 1, 13 * SEC, 5 * SEC));
}

/* Who slept cannot say that others did not move. */
static void test_pulse_after_sleep(void **state)
{
	struct pulse p = {};

	assert_false(pulse_stalled(&p, 7, 100 * SEC, 5 * SEC));
	assert_false(pulse_stalled(&p, 7, 101 * SEC, 5 * SEC));
	assert_false(pulse_stalled(&p, 7, 900 * SEC, 5 * SEC));
	for (unsigned int s = 901; s < 905; s++)
		assert_false(pulse_stalled(&p, 7, s * SEC, 5 * SEC));
	assert_true(pulse_stalled(&p, 7, 905 * SEC, 5 * SEC)); /* though awake for long enough */
	p.stalled = true;
	assert_false(pulse_stalled(&p, 7, 999 * SEC, 5 * SEC));
	assert_false(p.stalled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_limiter),
		cmocka_unit_test(test_absence),
		cmocka_unit_test(test_pulse),
		cmocka_unit_test(test_pulse_after_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
