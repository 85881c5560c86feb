/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The IRC helper where packet scripts do not reach: where the search ends, long segments. */

#include "helped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SEARCHED 4095 /* bytes of a segment that are looked at */
#define LONG	 65000
#define CLIENT	 CT_DIR_ORIGINAL

static void test_from_anywhere(void **state)
{
	struct helped h;

	helped_open(&h, CT_HELPER_IRC, CT_AF_INET, CT_PROTO_TCP);
	assert_int_equal(
		helped_text(&h, CLIENT, "PRIVMSG bob :\1DCC SEND file 167772161 1025\1\r\n"),
		CT_HELP_ACCEPT);
	assert_int_equal(helped_count(&h), 1);
	assert_false(helped_met(&h, 9, 2, 1025));
	assert_true(helped_met(&h, 9, 1, 1025));
	helped_close(&h);
}

static void test_other_infos(void **state)
{
	static const char text[] = "PRIVMSG bob :\1DCC SEND file 167772161 1025\1\r\n";
	static const enum ct_info infos[] = {CT_INFO_NEW, CT_INFO_RELATED,
					     CT_INFO_ESTABLISHED_REPLY};
	struct helped h;

	for (size_t i = 0; i < 3; i++) {
		helped_open(&h, CT_HELPER_IRC, CT_AF_INET, CT_PROTO_TCP);
		assert_int_equal(helped_info(&h, infos[i], text, strlen(text)), CT_HELP_ACCEPT);
		assert_int_equal(helped_count(&h), 0);
		helped_close(&h);
	}
}

/* A request whose newline is the last byte at end, behind a name that fills the segment. */
static bool found_at(size_t end, size_t len)
{
	static const char request[] = " :\1DCC SEND f 167772161 1025\1\n";
	size_t n = strlen(request);
	char *text = malloc(len);
	struct helped h;
	bool found;

	assert_non_null(text);
	memset(text, 'x', len);
	memcpy(text, "PRIVMSG ", 8);
	memcpy(text + end - n, request, n);
	helped_open(&h, CT_HELPER_IRC, CT_AF_INET, CT_PROTO_TCP);
	assert_int_equal(helped_bytes(&h, CLIENT, text, len), CT_HELP_ACCEPT);
	found = helped_count(&h) == 1;
	helped_close(&h);
	free(text);
	return found;
}

static void test_search_ends(void **state)
{
	assert_true(found_at(1000, 1000));
	assert_true(found_at(SEARCHED, SEARCHED));
	assert_true(found_at(SEARCHED, LONG));
	assert_false(found_at(SEARCHED + 1, SEARCHED + 1));
	assert_false(found_at(SEARCHED + 1, LONG));
	assert_false(found_at(LONG, LONG));
}

/* What is not copied is not there. */
static void test_copied_in_part(void **state)
{
	static const char text[] = "PRIVMSG bob :\1DCC SEND file 167772161 1025\1\r\n";
	struct helped h;

	helped_open(&h, CT_HELPER_IRC, CT_AF_INET, CT_PROTO_TCP);
	for (h.cut = 1; h.cut <= sizeof(text); h.cut++)
		assert_int_equal(helped_text(&h, CLIENT, text), CT_HELP_ACCEPT);
	assert_int_equal(helped_count(&h), 0);
	helped_close(&h);
}

/* Beginnings without an end, one after the other. */
static void test_long(void **state)
{
	static const char *const pieces[] = {" :", " :\1DCC ", " :\1DCC GET ", " ", "\n", "1"};
	char *text = malloc(LONG);
	struct helped h;

	assert_non_null(text);
	helped_open(&h, CT_HELPER_IRC, CT_AF_INET, CT_PROTO_TCP);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		size_t n = strlen(pieces[i]);

		memcpy(text, "PRIVMSG ", 8);
		for (size_t at = 8; at < LONG; at++)
			text[at] = pieces[i][(at - 8) % n];
		assert_int_equal(helped_bytes(&h, CLIENT, text, LONG), CT_HELP_ACCEPT);
	}
	assert_int_equal(helped_count(&h), 0);
	helped_close(&h);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_anywhere), cmocka_unit_test(test_other_infos),
		cmocka_unit_test(test_search_ends),   cmocka_unit_test(test_copied_in_part),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests_name("helper irc", tests, NULL, NULL);
}
