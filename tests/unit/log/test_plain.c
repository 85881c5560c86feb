/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "log/plain.h"
#include "util/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void assert_text(const char *from, const char *to)
{
	char buf[64];

	snprintf(buf, sizeof(buf), "%s", from);
	plain_text(buf, '?');
	assert_string_equal(buf, to);
}

static void test_text_that_stays(void **state)
{
	static const char *const plain[] = {"",
					    "a b=\"c\"\\",
					    "\xc3\xa4\xc3\x9f",
					    "\xe2\x82\xac",
					    "\xf0\x9f\x90\xa7",
					    "\xef\xbf\xbd",
					    "\xf4\x8f\xbf\xbf",
					    "\xed\x9f\xbf",
					    "\xc2\xa0"};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		assert_text(plain[i], plain[i]);
}

static void test_text_that_does_not(void **state)
{
	assert_text("a\nb\tc\x1b[1m\x7f", "a?b?c?[1m?");
	assert_text("\xc2\x9b"
		    "31m",
		    "??31m");		    /* a C1 control */
	assert_text("\xe2\x80\xa8", "???"); /* ends a line */
	assert_text("\xe2\x80\xae", "???"); /* turns what follows round */
	assert_text("\xe2\x81\xa7", "???"); /* so does this */
	assert_text("\xc3\xa4\xff\xfe.", "\xc3\xa4??.");
	assert_text("\x80", "?");      /* goes on, but nothing began */
	assert_text("\xe2\x82", "??"); /* cut */
	assert_text("\xe2\x82\n", "???");
	assert_text("\xc0\xaf", "??"); /* a slash, too long */
	assert_text("\xe0\x82\xac", "???");
	assert_text("\xed\xa0\x80", "???");	 /* half of a pair */
	assert_text("\xf4\x90\x80\x80", "????"); /* beyond the last character */
	assert_text("\xf8\x88\x80\x80\x80", "?????");
}

/* Nothing is left to do after the first time, whatever the bytes were, and none is lost. */
static void test_text_of_any_bytes(void **state)
{
	for (uint32_t i = 0; i < 1 << 24; i += 251) {
		char once[5] = {(char)(i >> 16), (char)(i >> 8), (char)i, '\xbf'}, twice[5];
		size_t len = strlen(once);

		plain_text(once, '?');
		assert_int_equal(strlen(once), len);
		memcpy(twice, once, sizeof(twice));
		plain_text(twice, '!');
		assert_string_equal(once, twice);
	}
}

static void assert_name(const char *from, const char *to)
{
	char buf[PLAIN_NAME_STRLEN];

	assert_string_equal(plain_name(from, buf), to);
}

static void test_name(void **state)
{
	assert_name("", "");
	assert_name("wan-0.10@'=;~", "wan-0.10@'=;~");
	assert_name("a\"b\\c", "a\\x22b\\x5cc");
	assert_name("\x1b[31m\x7f\n ", "\\x1b[31m\\x7f\\x0a\\x20");
	assert_name("\xc3\xa4\xff", "\\xc3\\xa4\\xff");
	assert_name("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		    "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_that_stays),
		cmocka_unit_test(test_text_that_does_not),
		cmocka_unit_test(test_text_of_any_bytes),
		cmocka_unit_test(test_name),
	};

	return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
