/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The Amanda helper: which ports a line announces, and how long an answer keeps the flow. */

#include "helped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/table.h"

#define BIG 65000

static void begin(struct helped *h)
{
	helped_open(h, CT_HELPER_AMANDA, CT_AF_INET, CT_PROTO_UDP);
}

static bool met(struct helped *h, uint16_t dport)
{
	struct ct_tuple t = h->engine.th.ct->arena.slots[h->master].orig;
	struct ct_expect x;

	t.proto = CT_PROTO_TCP;
	t.dst_id_be = ct_be16(dport);
	return ct_expect_meet(&h->engine.th, &t, h->now_ns, &x);
}

/* What an answer announces: the ports in any order, no others. */
static void announces(const char *text, unsigned int n, const uint16_t *ports)
{
	struct helped h;

	begin(&h);
	assert_int_equal(helped_text(&h, CT_DIR_REPLY, text), CT_HELP_ACCEPT);
	assert_int_equal(helped_count(&h), n);
	for (unsigned int i = 0; i < n; i++)
		assert_true(met(&h, ports[i]));
	helped_close(&h);
}

#define ANNOUNCES(text, ...)                                                                       \
	announces(text, sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t),                \
		  (const uint16_t[]){__VA_ARGS__})

static void test_lines(void **state)
{
	ANNOUNCES("CONNECT DATA 1 MESG 2 INDEX 3 STATE 4\n", 1, 2, 3, 4);
	ANNOUNCES("CONNECT STATE 4 INDEX 3\n", 3, 4);
	ANNOUNCES("a CONNECT b DATA 5c\n", 5);
	ANNOUNCES("CONNECT DATA 65535\n", 65535);
	ANNOUNCES("CONNECT DATA 65537\n", 1);
	ANNOUNCES("CONNECT DATA 00080\n", 80);
	ANNOUNCES("CONNECT DATA 123456\n", 12345);
	ANNOUNCES("CONNECT DATA 7 MESG x INDEX 8\n", 7);
	ANNOUNCES("CONNECTCONNECT DATA 9\n", 9);
	announces("CONNECT DATA 0 MESG 2\n", 0, NULL);
	announces("CONNECT DATA 000001\n", 0, NULL);
	announces("CONNECT DATA -1\n", 0, NULL);
	announces("CONNECT DATA 65536 MESG 2\n", 0, NULL);
	announces("CONNECT  DATA\n 1\n", 0, NULL);
	announces("CONNECT DATA 1", 0, NULL);
	announces("CONNECT\nDATA 1\n", 0, NULL);
	announces("Connect DATA 1\n", 0, NULL);
	announces("CONNECT ", 0, NULL);
	announces("\nCONNECT \n", 0, NULL);
	announces("", 0, NULL);
}

static void test_only_answers(void **state)
{
	static const char line[] = "CONNECT DATA 1\n";
	struct helped h;

	begin(&h);
	helped_text(&h, CT_DIR_ORIGINAL, line);
	assert_true(h.last.timeout_ns == 0);
	helped_info(&h, CT_INFO_NEW, line, strlen(line));
	assert_true(h.last.timeout_ns == 0);
	assert_int_equal(helped_count(&h), 0);
	helped_text(&h, CT_DIR_REPLY, "");
	assert_true(h.last.timeout_ns == 300 * SEC);
	helped_close(&h);
}

static void test_copied_part(void **state)
{
	static const char line[] = "CONNECT DATA 12345\n";
	struct helped h;

	begin(&h);
	for (h.cut = (uint32_t)strlen(line); h.cut > 0; h.cut--) {
		assert_int_equal(helped_text(&h, CT_DIR_REPLY, line), CT_HELP_ACCEPT);
		assert_int_equal(helped_count(&h), 0);
	}
	helped_text(&h, CT_DIR_REPLY, line);
	assert_int_equal(helped_count(&h), 1);
	helped_close(&h);
}

/* One port that another flow announces makes the packet go, but not what else it announces. */
static void test_taken(void **state)
{
	struct ct_expect_spec spec;
	struct helped h;
	uint32_t other;

	begin(&h);
	helped_text(&h, CT_DIR_REPLY, "\n");
	spec = ct_help_spec(&h.last, CT_PROTO_TCP);
	spec.tuple.src = h.last.tuple[CT_DIR_ORIGINAL].src;
	spec.tuple.dst = h.last.tuple[CT_DIR_ORIGINAL].dst;
	spec.tuple.dst_id_be = ct_be16(1);
	spec.any_src_id = true;
	spec.timeout_ns = 10 * SEC;
	other = ct_arena_put(&h.engine.th.ct->arena, &(struct ct_flow){.helper = CT_HELPER_FTP}, 0);
	assert_int_equal(ct_expect_add(h.engine.th.ct, other, &spec, 0, SEC), CT_EXPECT_OK);
	assert_int_equal(helped_text(&h, CT_DIR_REPLY, "CONNECT DATA 1 MESG 2\n"), CT_HELP_DROP);
	assert_int_equal(h.last.reason, CT_REASON_EXPECT_REFUSED);
	assert_int_equal(h.last.detail[2], 1);
	assert_int_equal(helped_count(&h), 2);
	assert_true(met(&h, 1));
	assert_true(met(&h, 2));
	helped_close(&h);
}

/* Nothing but beginnings of words: still one look at each byte for each word. */
static void test_big(void **state)
{
	char *text = malloc(BIG + 1);
	struct helped h;

	assert_non_null(text);
	for (size_t i = 0; i < BIG; i++)
		text[i] = "CONNECT"[i % 7];
	memcpy(text, "CONNECT ", 8);
	text[BIG - 1] = '\n';
	text[BIG] = '\0';
	begin(&h);
	assert_int_equal(helped_text(&h, CT_DIR_REPLY, text), CT_HELP_ACCEPT);
	memcpy(text + BIG - 8, " DATA 7", 7);
	assert_int_equal(helped_text(&h, CT_DIR_REPLY, text), CT_HELP_ACCEPT);
	assert_true(met(&h, 7));
	helped_close(&h);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),	    cmocka_unit_test(test_only_answers),
		cmocka_unit_test(test_copied_part), cmocka_unit_test(test_taken),
		cmocka_unit_test(test_big),
	};

	return cmocka_run_group_tests_name("helper amanda", tests, NULL, NULL);
}
