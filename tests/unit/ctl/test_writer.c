/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/writer.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static json_t *read_back(struct ctl_writer *w)
{
	const char *bytes;
	size_t len = ctl_writer_waiting(w, &bytes);
	json_t *value;

	assert_true(len > 0 && bytes[len - 1] == '\0');
	value = json_loads(bytes, 0, NULL);
	assert_non_null(value);
	return value;
}

static void test_values(void **state)
{
	struct ctl_writer w;
	json_t *got, *wanted;

	ctl_writer_init(&w, 4096);
	ctl_message_begin(&w);
	ctl_put_int(&w, "least", INT64_MIN);
	ctl_put_uint(&w, "most", UINT64_MAX);
	ctl_put_bool(&w, "yes", true);
	ctl_open(&w, "list", '[');
	ctl_put_bool(&w, NULL, false);
	ctl_open(&w, NULL, '{');
	ctl_close(&w, '}');
	ctl_put_id(&w, NULL, 0xabc);
	ctl_close(&w, ']');
	ctl_put_words(&w, "words", "a,b,,c", 6, ',');
	ctl_put_words(&w, "none", "", 0, ',');
	assert_true(ctl_message_end(&w));
	got = read_back(&w);
	wanted = json_pack("{s:I,s:I,s:b,s:[b,{},s],s:[s,s,s,s],s:[]}", "least", INT64_MIN, "most",
			   INT64_MAX, "yes", 1, "list", 0, "0000000000000abc", "words", "a", "b",
			   "", "c", "none");
	assert_true(json_equal(got, wanted));
	json_decref(got);
	json_decref(wanted);
	ctl_writer_done(&w);
}

/* Whatever bytes there are, what comes out is JSON, and well-formed text comes out as it was. */
static void test_any_text(void **state)
{
	static const char fine[] = "\"\\/\b\t\n\x01 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \x7f";
	unsigned int seed = 1;
	struct ctl_writer w;
	json_t *got;

	ctl_writer_init(&w, 1 << 16);
	ctl_message_begin(&w);
	ctl_put_string(&w, "x", fine);
	assert_true(ctl_message_end(&w));
	got = read_back(&w);
	assert_string_equal(json_string_value(json_object_get(got, "x")), fine);
	json_decref(got);
	for (int round = 0; round < 20000; round++) {
		char text[24];
		size_t len = (size_t)rand_r(&seed) % sizeof(text);

		for (size_t i = 0; i < len; i++)
			text[i] = (char)(1 + rand_r(&seed) % 255);
		ctl_writer_done(&w);
		ctl_message_begin(&w);
		ctl_put_text(&w, "x", text, len);
		assert_true(ctl_message_end(&w));
		json_decref(read_back(&w));
	}
	ctl_writer_done(&w);
}

/* What finds no room leaves nothing behind, and what was there is as it was. */
static void test_bounds(void **state)
{
	char big[3000];
	struct ctl_writer w;
	const char *bytes;
	size_t before;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	ctl_writer_init(&w, 4096);
	ctl_message_begin(&w);
	ctl_put_string(&w, "x", big);
	assert_true(ctl_message_end(&w));
	before = ctl_writer_waiting(&w, &bytes);
	for (int i = 0; i < 3; i++) {
		ctl_message_begin(&w);
		ctl_put_string(&w, "x", big);
		assert_int_equal(ctl_writer_waiting(&w, &bytes), before);
		assert_false(ctl_message_end(&w));
		assert_int_equal(ctl_writer_waiting(&w, &bytes), before);
		assert_true(w.size <= 4096);
	}
	ctl_writer_sent(&w, 1000); /* makes room */
	ctl_message_begin(&w);
	ctl_put_text(&w, "y", big, 1500);
	assert_true(ctl_message_end(&w));
	before = ctl_writer_waiting(&w, &bytes);
	assert_memory_equal(bytes + before - 3, "\"}", 3);
	ctl_writer_sent(&w, before);
	assert_null(w.buf);
	ctl_writer_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_any_text),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests_name("ctl/writer", tests, NULL, NULL);
}
