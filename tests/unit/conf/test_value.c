/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/value.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "util/cleanup.h"

#define SEC UINT64_C(1000000000)

static const char *const words[] = {"auto", "journal", "none", NULL};

/* A text and what it parses to; why is set where it must be refused. */
struct row {
	const char *text;
	uint64_t value;
	const char *why;
};

/* One line per row, so that a failure names the text that it is about. */
static void render(char *buf, size_t size, const char *text, const char *why, uint64_t value)
{
	if (*why)
		snprintf(buf, size, "\"%s\": %s", text, why);
	else
		snprintf(buf, size, "\"%s\" is %" PRIu64, text, value);
}

static void check_rows(conf_parser *parse, const struct conf_spec *spec, const struct row *rows,
		       size_t n)
{
	for (size_t i = 0; i < n; i++) {
		union {
			uint8_t u8;
			uint16_t u16;
			uint32_t u32;
			uint64_t u64;
		} field = {.u64 = UINT64_MAX};
		char why[CONF_WHY_MAX] = "", got[512], want[512];
		int r = parse(spec, rows[i].text, &field, why);
		uint64_t value = spec->size == 1   ? field.u8
				 : spec->size == 2 ? field.u16
				 : spec->size == 4 ? field.u32
						   : field.u64;

		render(got, sizeof(got), rows[i].text, why, value);
		render(want, sizeof(want), rows[i].text, rows[i].why ? rows[i].why : "",
		       rows[i].value);
		assert_string_equal(got, want);
		assert_int_equal(r, rows[i].why ? -EINVAL : 0);
		if (r < 0)
			assert_true(field.u64 == UINT64_MAX);
	}
}

#define CHECK(parse, spec, rows) check_rows(parse, &(spec), rows, ARRAY_SIZE(rows))

static void test_boolean(void **state)
{
	static const struct conf_spec spec = {.size = sizeof(bool)};
	static const struct row rows[] = {
		{"yes", 1},
		{"no", 0},
		{"true", 1},
		{"false", 0},
		{"on", 1},
		{"off", 0},
		{"1", 1},
		{"0", 0},
		{"YES", 1},
		{"Off", 0},
		{"2", .why = "must be yes or no"},
		{"yesno", .why = "must be yes or no"},
	};

	CHECK(conf_parse_boolean, spec, rows);
}

static void test_number(void **state)
{
	static const struct conf_spec byte = {.size = 1, .max = 255};
	static const struct conf_spec flows = {.size = 4, .min = 64, .max = UINT32_C(1) << 28};
	static const struct row byte_rows[] = {
		{"0", 0},
		{"255", 255},
		{"007", 7},
		{"256", .why = "must be from 0 to 255"},
		{"-1", .why = "not a decimal number"},
		{"+1", .why = "not a decimal number"},
		{" 1", .why = "not a decimal number"},
		{"1 ", .why = "not a decimal number"},
		{"0x10", .why = "not a decimal number"},
		{"3s", .why = "not a decimal number"},
	};
	static const struct conf_spec half = {.size = 2, .min = 1, .max = 65535};
	static const struct row half_rows[] = {
		{"65535", 65535},
		{"65536", .why = "must be from 1 to 65535"},
	};
	static const struct row flow_rows[] = {
		{"64", 64},
		{"268435456", UINT32_C(1) << 28},
		{"63", .why = "must be from 64 to 268435456"},
		{"268435457", .why = "must be from 64 to 268435456"},
		{"18446744073709551615", .why = "must be from 64 to 268435456"},
		{"18446744073709551616", .why = "not a decimal number"},
		{"184467440737095516160", .why = "not a decimal number"},
	};

	CHECK(conf_parse_number, byte, byte_rows);
	CHECK(conf_parse_number, half, half_rows);
	CHECK(conf_parse_number, flows, flow_rows);
}

static void test_size(void **state)
{
	static const struct conf_spec spec = {.size = 8, .min = 1024, .max = UINT64_C(4) << 30};
	static const struct row rows[] = {
		{"1024", 1024},
		{"1K", 1024},
		{"1k", 1024},
		{"64M", 64 << 20},
		{"4G", UINT64_C(4) << 30},
		{"5G", .why = "must be from 1024 to 4294967296 bytes"},
		{"1023", .why = "must be from 1024 to 4294967296 bytes"},
		{"18446744073709551615G", .why = "must be from 1024 to 4294967296 bytes"},
		{"17179869185G", .why = "must be from 1024 to 4294967296 bytes"},
		{"64MB", .why = "unknown unit \"MB\" (K, M or G)"},
		{"1T", .why = "unknown unit \"T\" (K, M or G)"},
		{"1.5M", .why = "unknown unit \".5M\" (K, M or G)"},
		{"M", .why = "not a size (bytes, or a number with K, M or G)"},
		{"-1", .why = "not a size (bytes, or a number with K, M or G)"},
	};
	static const struct conf_spec range = {.size = 4, .min = 128, .max = 65535};
	static const struct row range_rows[] = {
		{"auto", 0},
		{"128", 128},
		{"65535", 65535},
		{"63K", 63 << 10},
		{"64K", .why = "must be from 128 to 65535 bytes"},
		{"0", .why = "must be from 128 to 65535 bytes"},
		{"127", .why = "must be from 128 to 65535 bytes"},
		{"Auto", .why = "must be auto or a size in bytes"},
	};

	CHECK(conf_parse_size, spec, rows);
	CHECK(conf_parse_size_or_auto, range, range_rows);
}

static void test_span(void **state)
{
	static const struct conf_spec spec = {.size = 8, .min = SEC, .max = 365 * 86400 * SEC};
	static const struct row rows[] = {
		{"90", 90 * SEC},
		{"30s", 30 * SEC},
		{"5min", 300 * SEC},
		{"5m", 300 * SEC},
		{"5d", 432000 * SEC},
		{"1h30min", 5400 * SEC},
		{"1h 30min", 5400 * SEC},
		{"1 hour 30 minutes", 5400 * SEC},
		{"2w", 1209600 * SEC},
		{"1min30s", 90 * SEC},
		{"30s1min", 90 * SEC},
		{"365d", 31536000 * SEC},
		{"0", .why = "must be from 1s to 31536000s"},
		{"366d", .why = "must be from 1s to 31536000s"},
		{"18446744073709551615d", .why = "must be from 1s to 31536000s"},
		{"18446744073s 18446744073s", .why = "must be from 1s to 31536000s"},
		{"99999999999999999d 1s", .why = "must be from 1s to 31536000s"},
		{"1h30", .why = "a number has no unit (s, min, h, d or w)"},
		{"1 30", .why = "a number has no unit (s, min, h, d or w)"},
		{"500ms", .why = "unknown time unit \"ms\" (s, min, h, d or w)"},
		{"1y", .why = "unknown time unit \"y\" (s, min, h, d or w)"},
		{"1 s d", .why = "not a time span (such as 90, 30s, 10min, 5d or 1h30min)"},
		{"1fortnightandaday",
		 .why = "unknown time unit \"fortnightandaday\" (s, min, h, d or w)"},
		{"1.5h", .why = "unknown time unit \".\" (s, min, h, d or w)"},
		{"-5s", .why = "not a time span (such as 90, 30s, 10min, 5d or 1h30min)"},
		{"infinity", .why = "not a time span (such as 90, 30s, 10min, 5d or 1h30min)"},
	};

	CHECK(conf_parse_span, spec, rows);
}

static void test_rate(void **state)
{
	static const struct conf_spec spec = {.size = 4, .max = 10000000};
	static const struct row rows[] = {
		{"2000/s", 2000},
		{"0", 0},
		{"0/s", 0},
		{"2000", .why = "a rate is per second: write 2000/s"},
		{"60/min", .why = "a rate is per second: write 60/s"},
		{"10000001/s", .why = "must be from 0 to 10000000"},
		{"many", .why = "not a rate (such as 2000/s, or 0 for no limit)"},
	};

	CHECK(conf_parse_rate, spec, rows);
}

static void test_words(void **state)
{
	static const struct conf_spec spec = {.size = 4, .min = 3, .words = words};
	static const struct row word_rows[] = {
		{"auto", 3},
		{"none", 5},
		{"Auto", .why = "\"Auto\" is none of auto journal none"},
		{"auto none", .why = "\"auto none\" is none of auto journal none"},
	};
	static const struct row set_rows[] = {
		{"auto", 1 << 3},
		{"none auto", 1 << 5 | 1 << 3},
		{"none,auto, auto", 1 << 5 | 1 << 3},
		{",journal,", 1 << 4},
		{",", .why = "no word in the list"},
		{"auto no", .why = "\"no\" is none of auto journal none"},
		{"auto/none", .why = "\"auto/none\" is none of auto journal none"},
	};

	CHECK(conf_parse_word, spec, word_rows);
	CHECK(conf_parse_word_set, spec, set_rows);
}

static void test_file(void **state)
{
	static const struct conf_spec spec = {.size = 8};
	static const char *const good[] = {"auto", "none", "/a", "/a/b/c"};
	static const char *const bad[][2] = {
		{"Auto", "must be auto, none or an absolute path"},
		{"flows", "must be auto, none or an absolute path"},
		{"./a", "must be auto, none or an absolute path"},
		{"/", "a directory, where a file is to be named"},
		{"/a/", "a directory, where a file is to be named"},
		{"/1234567", "a path has at most 7 characters here"},
	};
	char file[9], why[CONF_WHY_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		memset(file, 'x', sizeof(file));
		assert_int_equal(conf_parse_file(&spec, good[i], file, why), 0);
		assert_string_equal(file, good[i]);
		assert_int_equal(file[8], 'x');
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(conf_parse_file(&spec, bad[i][0], file, why), -EINVAL);
		assert_string_equal(why, bad[i][1]);
		assert_string_equal(file, good[ARRAY_SIZE(good) - 1]);
	}
}

/* Two neighbours of 16 bits, seen as one number. */
static uint64_t range(uint16_t first, uint16_t last)
{
	const uint16_t pair[2] = {first, last};
	uint32_t value;

	memcpy(&value, pair, sizeof(value));
	return value;
}

static void test_queue_range(void **state)
{
	static const struct conf_spec spec = {.size = 4};
	const struct row rows[] = {
		{"0", range(0, 0)},
		{"0-3", range(0, 3)},
		{"65535", range(65535, 65535)},
		{"100-355", range(100, 355)},
		{"100-356", .why = "more than 256 queues"},
		{"3-0", .why = "the range runs backwards"},
		{"65536", .why = "queue numbers end at 65535"},
		{"0-65536", .why = "queue numbers end at 65535"},
		{"0-", .why = "not a queue number or range (such as 0 or 0-3)"},
		{"-3", .why = "not a queue number or range (such as 0 or 0-3)"},
		{"0:3", .why = "not a queue number or range (such as 0 or 0-3)"},
		{"0-3-4", .why = "not a queue number or range (such as 0 or 0-3)"},
	};

	CHECK(conf_parse_queue_range, spec, rows);
}

static void test_mask(void **state)
{
	static const struct conf_spec spec = {.size = 4};
	static const struct row rows[] = {
		{"0xf", 0xf},
		{"0X7F0000", 0x7f0000},
		{"0xf0000000", 0xf0000000},
		{"0xffffffff", 0xffffffff},
		{"0x00000000f", 0xf},
		{"0x80000000", 0x80000000},
		{"0x5", .why = "bits are not contiguous"},
		{"0x80000001", .why = "bits are not contiguous"},
		{"0x0", .why = "no bit is set"},
		{"0x100000000", .why = "a mark has 32 bits"},
		{"0xffffffffffffffffff", .why = "a mark has 32 bits"},
		{"15", .why = "not a hexadecimal mask (such as 0xf or 0x7f)"},
		{"0x", .why = "not a hexadecimal mask (such as 0xf or 0x7f)"},
		{"0xg", .why = "not a hexadecimal mask (such as 0xf or 0x7f)"},
		{"0x-1", .why = "not a hexadecimal mask (such as 0xf or 0x7f)"},
	};

	CHECK(conf_parse_mask, spec, rows);
}

static void test_verdict(void **state)
{
	static const struct {
		const char *text;
		struct conf_verdict verdict;
		const char *why;
	} rows[] = {
		{"accept", {CONF_ACCEPT, 0}},
		{"drop", {CONF_DROP, 0}},
		{"repeat", {CONF_REPEAT, 0}},
		{"queue:0", {CONF_QUEUE, 0}},
		{"queue:65535", {CONF_QUEUE, 65535}},
		{"queue:65536", .why = "queue: takes a queue number from 0 to 65535"},
		{"queue:", .why = "queue: takes a queue number from 0 to 65535"},
		{"queue:1-2", .why = "queue: takes a queue number from 0 to 65535"},
		{"queue", .why = "must be accept, drop, queue:N or repeat"},
		{"reject", .why = "must be accept, drop, queue:N or repeat"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct conf_verdict got = {77, 77};
		char why[CONF_WHY_MAX] = "";
		int r = conf_parse_verdict(NULL, rows[i].text, &got, why);

		assert_int_equal(r, rows[i].why ? -EINVAL : 0);
		assert_string_equal(why, rows[i].why ? rows[i].why : "");
		assert_int_equal(got.kind, rows[i].why ? 77 : rows[i].verdict.kind);
		assert_int_equal(got.queue, rows[i].why ? 77 : rows[i].verdict.queue);
	}
}

static void check_cpus(const char *text, const char *want)
{
	char why[CONF_WHY_MAX], got[CPU_SETSIZE + 1] = "";
	cpu_set_t set;

	assert_int_equal(conf_parse_cpus(NULL, text, &set, why), 0);
	for (size_t i = 0; i < strlen(want) || i < 16; i++)
		strcat(got, CPU_ISSET(i, &set) ? "1" : "0");
	assert_string_equal(got, want);
}

static void check_bad_cpus(const char *text, const char *want)
{
	char why[CONF_WHY_MAX];
	cpu_set_t set;

	assert_int_equal(conf_parse_cpus(NULL, text, &set, why), -EINVAL);
	assert_string_equal(why, want);
}

static void test_cpus(void **state)
{
	check_cpus("0", "1000000000000000");
	check_cpus("0-3,8", "1111000010000000");
	check_cpus("2 4  6", "0010101000000000");
	check_cpus(" 1, 3 ", "0101000000000000");
	check_bad_cpus("1024", "CPU numbers end at 1023");
	check_bad_cpus("0-18446744073709551615", "CPU numbers end at 1023");
	check_bad_cpus("3-1", "the range 3-1 runs backwards");
	check_bad_cpus("all", "not a list of CPUs (such as 0-3,8)");
	check_bad_cpus("1;2", "not a list of CPUs (such as 0-3,8)");
	check_bad_cpus("0-", "not a list of CPUs (such as 0-3,8)");
	check_bad_cpus(",", "no CPU in the list");
}

static void check_helpers(const char *text, const char *want)
{
	static const struct conf_spec spec = {.size = sizeof(struct conf_helpers)};
	char why[CONF_WHY_MAX] = "", got[512] = "";
	struct conf_helpers list;

	assert_int_equal(conf_parse_helpers(&spec, text, &list, why), 0);
	for (unsigned int i = 0; i < list.n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s:%u", i ? " " : "",
			 ct_helper_name(list.ports[i].helper), list.ports[i].port);
	assert_string_equal(got, want);
}

static void check_bad_helpers(const char *text, const char *want)
{
	static const struct conf_spec spec = {.size = sizeof(struct conf_helpers)};
	char why[CONF_WHY_MAX] = "";
	struct conf_helpers list, before;

	memset(&list, 0xa5, sizeof(list));
	before = list;
	assert_int_equal(conf_parse_helpers(&spec, text, &list, why), -EINVAL);
	assert_string_equal(why, want);
	assert_memory_equal(&list, &before, sizeof(list));
}

static void test_helpers(void **state)
{
	check_helpers("ftp", "ftp:21");
	check_helpers("ftp tftp irc sip pptp amanda sane",
		      "ftp:21 tftp:69 irc:6667 sip:5060 pptp:1723 amanda:10080 sane:6566");
	check_helpers("ftp:2121,21 \t irc:1,2,3,4,5,6,7,65535",
		      "ftp:2121 ftp:21 irc:1 irc:2 irc:3 irc:4 irc:5 irc:6 irc:7 irc:65535");
	check_helpers("tftp:21 ftp", "tftp:21 ftp:21"); /* UDP and TCP */
	check_bad_helpers("smtp", "\"smtp\" is none of ftp tftp irc sip pptp amanda sane");
	check_bad_helpers("FTP", "\"FTP\" is none of ftp tftp irc sip pptp amanda sane");
	check_bad_helpers(":21", "\"\" is none of ftp tftp irc sip pptp amanda sane");
	check_bad_helpers("ftp,tftp", "not a list of helpers (such as ftp:21,2121 tftp)");
	check_bad_helpers("ftp:", "ftp: takes ports from 1 to 65535 (such as ftp:21)");
	check_bad_helpers("ftp:0", "ftp: takes ports from 1 to 65535 (such as ftp:21)");
	check_bad_helpers("ftp:65536", "ftp: takes ports from 1 to 65535 (such as ftp:21)");
	check_bad_helpers("ftp:21,", "ftp: takes ports from 1 to 65535 (such as ftp:21)");
	check_bad_helpers("ftp:21, 22", "ftp: takes ports from 1 to 65535 (such as ftp:21)");
	check_bad_helpers("sip:1-3", "sip: takes ports from 1 to 65535 (such as sip:5060)");
	check_bad_helpers("ftp:21:22", "ftp: takes ports from 1 to 65535 (such as ftp:21)");
	check_bad_helpers("ftp:21,21", "ftp has port 21 twice");
	check_bad_helpers("ftp tftp ftp:2121", "ftp comes twice");
	check_bad_helpers("ftp irc:21", "port 21 of irc is that of ftp already");
	check_bad_helpers("tftp:5060 sip", "port 5060 of sip is that of tftp already");
	check_bad_helpers("sip:69 tftp", "port 69 of tftp is that of sip already");
	check_bad_helpers("ftp:1,2,3,4,5,6,7,8,9", "ftp has more than 8 ports");
}

static void test_interfaces(void **state)
{
	static const struct conf_spec spec = {.size = CONF_LIST_MAX};
	static const struct {
		const char *text, *list, *why;
	} rows[] = {
		{"lan0", .list = "lan0"},
		{"\tlan0  eth0.7 vlan* ?[0-9]", .list = "lan0 eth0.7 vlan* ?[0-9]"},
		{"a123456789012345", .why = "\"a123456789012345\" is no name of an interface"},
		{"a23456789012345 *23456789012345678",
		 .list = "a23456789012345 *23456789012345678"},
		{"lan0, lan1", .why = "\"lan0,\" is no name of an interface"},
		{"..", .why = "\"..\" is no name of an interface"},
		{"a:1", .why = "\"a:1\" is no name of an interface"},
		{"a aa b a", .why = "a comes twice"},
		{"aa a", .list = "aa a"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char why[CONF_WHY_MAX] = "", list[CONF_LIST_MAX];
		int r;

		memset(list, 'x', sizeof(list));
		r = conf_parse_interfaces(&spec, rows[i].text, list, why);
		assert_int_equal(r, rows[i].why ? -EINVAL : 0);
		assert_string_equal(why, rows[i].why ? rows[i].why : "");
		if (rows[i].list)
			assert_string_equal(list, rows[i].list);
		assert_int_equal(list[CONF_LIST_MAX - 1], rows[i].why ? 'x' : 0);
	}
}

static void check_queues(const char *text, const char *want)
{
	static const struct conf_spec spec = {.size = sizeof(struct conf_ranges)};
	char got[512] = "", why[CONF_WHY_MAX] = "";
	struct conf_ranges r = {};

	(void)conf_parse_queues(&spec, text, &r, why);
	for (unsigned int i = 0; i < r.n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%u-%u ", r.range[i].first,
			 r.range[i].last);
	assert_string_equal(*why ? why : got, want);
}

static void test_queues(void **state)
{
	check_queues("0", "0-0 ");
	check_queues("7 0-3,65535", "7-7 0-3 65535-65535 ");
	check_queues("0-3,3", "queue 3 comes twice");
	check_queues("5 0-9", "queue 5 comes twice");
	check_queues("3-0", "the range 3-0 runs backwards");
	check_queues("65536", "queue numbers end at 65535");
	check_queues("0:3", "not a list of queues (such as 0-3,8)");
	check_queues(",", "no queue in the list");
	check_queues("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
		     "more than 16 numbers and ranges");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boolean),	   cmocka_unit_test(test_number),
		cmocka_unit_test(test_size),	   cmocka_unit_test(test_span),
		cmocka_unit_test(test_rate),	   cmocka_unit_test(test_words),
		cmocka_unit_test(test_file),	   cmocka_unit_test(test_queue_range),
		cmocka_unit_test(test_mask),	   cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_cpus),	   cmocka_unit_test(test_helpers),
		cmocka_unit_test(test_interfaces), cmocka_unit_test(test_queues),
	};

	return cmocka_run_group_tests_name("conf/value", tests, NULL, NULL);
}
