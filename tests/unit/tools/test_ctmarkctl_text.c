/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Durations, sizes, times and addresses for people; members of replies of the wrong type. */

#include "tools/ctmarkctl/classes.h"
#include "tools/ctmarkctl/text.h"
#include "tools/ctmarkctl/value.h"
#include "util/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void durations(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{0, "0s"},	     {59, "59s"},	   {60, "1m00s"},
		{3599, "59m59s"},    {3600, "1h00m00s"},   {86399, "23h59m59s"},
		{86400, "1d00h00m"}, {431999, "4d23h59m"}, {-5, "-5s"},
	};
	char buf[TEXT_STRLEN];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(text_duration(cases[i].seconds, buf), cases[i].text);
}

static void counts(void **state)
{
	static const struct {
		uint64_t n;
		const char *count, *bytes;
	} cases[] = {
		{0, "0", "0"},
		{9999, "9999", "9999"},
		{10000, "10.0k", "9.77K"},
		{999499, "999k", "976K"},
		{999500, "1.00M", "976K"},
		{123456789, "123M", "118M"},
		{UINT64_MAX, "18.4E", "16.0E"},
	};
	char buf[TEXT_STRLEN];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_string_equal(text_count(cases[i].n, buf), cases[i].count);
		assert_string_equal(text_bytes(cases[i].n, buf), cases[i].bytes);
	}
}

static void rates(void **state)
{
	char buf[TEXT_STRLEN];

	assert_string_equal(text_rate(0, buf), "0");
	assert_string_equal(text_rate(0.04, buf), "0");
	assert_string_equal(text_rate(0.5, buf), "0.5");
	assert_string_equal(text_rate(9.94, buf), "9.9");
	assert_string_equal(text_rate(9.96, buf), "10");
	assert_string_equal(text_rate(1234567, buf), "1.23M");
}

static void endpoints(void **state)
{
	char buf[TEXT_STRLEN];

	assert_string_equal(text_endpoint("10.0.0.1", 80, buf), "10.0.0.1:80");
	assert_string_equal(text_endpoint("2001:db8::1", 80, buf), "[2001:db8::1]:80");
	assert_string_equal(text_endpoint("2001:db8::1", -1, buf), "2001:db8::1");
}

static void sides(void **state)
{
	json_t *flow = json_pack("{s:s, s:i, s:s, s:s, s:i}", "src", "10.0.0.1", "sport", 0, "dst",
				 "10.0.0.2", "reply_src", "fe80::1", "reply_sport", 7);
	char buf[TEXT_STRLEN];

	assert_string_equal(text_side(flow, "src", buf), "10.0.0.1:0");
	assert_string_equal(text_side(flow, "dst", buf), "10.0.0.2");
	assert_string_equal(text_side(flow, "reply_src", buf), "[fe80::1]:7");
	assert_string_equal(text_side(flow, "reply_dst", buf), "");
	json_decref(flow);
}

static void times(void **state)
{
	char buf[TEXT_STRLEN];

	setenv("TZ", "CET-1", 1);
	assert_string_equal(text_time(1795000000, 123999, true, true, buf),
			    "2026-11-18 11:06:40.123");
	assert_string_equal(text_time(1795000000, 0, false, false, buf), "12:06:40.000");
	assert_string_equal(text_time(INT64_MAX, 0, true, false, buf), "00:00:00.000");
}

static void wrong_types(void **state)
{
	json_t *o = json_pack("{s:i, s:s, s:n, s:[s,i]}", "number", 7, "text", "x", "null", "list",
			      "a", 1);

	assert_string_equal(value_text(o, "number"), "");
	assert_string_equal(value_text(NULL, "number"), "");
	assert_int_equal(value_number(o, "text"), 0);
	assert_int_equal(value_number(o, "number"), 7);
	assert_false(value_has(o, "null"));
	assert_false(value_has(o, "none"));
	assert_true(value_lists(o, "list", "a"));
	assert_false(value_lists(o, "list", "b"));
	assert_false(value_lists(o, "text", "x"));
	assert_false(value_true(o, "text"));
	json_decref(o);
}

static void assert_classes(const char *text, const char *want)
{
	json_t *list = classes_read(text);
	char *got = list ? json_dumps(list, JSON_COMPACT) : strdup("none");

	assert_string_equal(got, want);
	free(got);
	json_decref(list);
}

static void classes(void **state)
{
	assert_classes("new,Destroy", "[\"new\",\"destroy\"]");
	assert_classes("NEW", "[\"new\",\"related\"]");
	assert_classes("UPDATES,invalid", "[\"reply\",\"assured\",\"state\",\"invalid\"]");
	assert_classes("nonsense", "[\"nonsense\"]");
	assert_classes("", "none");
	assert_classes(",,", "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),   cmocka_unit_test(counts),  cmocka_unit_test(rates),
		cmocka_unit_test(endpoints),   cmocka_unit_test(sides),	  cmocka_unit_test(times),
		cmocka_unit_test(wrong_types), cmocka_unit_test(classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
