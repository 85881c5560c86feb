/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Screens of any size: no line is too long, none too many, and nothing controls the terminal. */

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/explain.h"
#include "tools/ctmarkctl/status.h"
#include "tools/ctmarkctl/top.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A screen that is written to memory. */
struct canvas {
	struct app app;
	struct screen s;
	char *text;
	size_t len;
};

static void canvas_init(struct canvas *c, unsigned int width, unsigned int height)
{
	memset(c, 0, sizeof(*c));
	c->s = (struct screen){.app = &c->app, .width = width, .height = height, .eol = "\n"};
	c->s.out = open_memstream(&c->text, &c->len);
	assert_non_null(c->s.out);
}

static const char *canvas_text(struct canvas *c)
{
	fflush(c->s.out);
	return c->text;
}

static void canvas_done(struct canvas *c)
{
	fclose(c->s.out);
	free(c->text);
}

static void assert_fits(struct canvas *c)
{
	const char *line = canvas_text(c);
	unsigned int lines = 0;

	for (; *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n')) {
		assert_true(strcspn(line, "\n") <= c->s.width);
		lines++;
	}
	if (c->s.height)
		assert_true(lines <= c->s.height);
	for (const char *p = c->text; *p; p++)
		assert_true(*p == '\n' || (unsigned char)*p >= ' ');
}

/* ---- pieces ---- */

static void text_is_cut_at_the_width(void **state)
{
	struct canvas c;

	canvas_init(&c, 10, 0);
	screen_add(&c.s, STYLE_PLAIN, "12345678");
	screen_add(&c.s, STYLE_PLAIN, "\u00e4\u00f6\u00fc");
	screen_add(&c.s, STYLE_PLAIN, "more");
	screen_line(&c.s);
	assert_string_equal(canvas_text(&c), "12345678\u00e4\u00f6\n");
	canvas_done(&c);
}

static void lines_beyond_the_height_are_left_out(void **state)
{
	struct canvas c;

	canvas_init(&c, 10, 2);
	for (int i = 0; i < 5; i++) {
		screen_add(&c.s, STYLE_PLAIN, "%d", i);
		screen_line(&c.s);
	}
	assert_string_equal(canvas_text(&c), "0\n1\n");
	assert_int_equal(screen_left(&c.s), 0);
	canvas_done(&c);
}

static void words_are_wrapped(void **state)
{
	struct canvas c;

	canvas_init(&c, 12, 0);
	screen_wrap(&c.s, 2, STYLE_PLAIN, "one two three averyverylongword x");
	assert_string_equal(canvas_text(&c), "  one two\n  three\n  averyveryl\n  x\n");
	canvas_done(&c);
}

static void a_bar_is_as_long_as_its_part(void **state)
{
	struct canvas c;

	canvas_init(&c, 0, 0);
	screen_bar(&c.s, 12, 0.5);
	screen_bar(&c.s, 4, 7);
	screen_bar(&c.s, 4, -1);
	assert_string_equal(canvas_text(&c), "[#####.....][##][..]");
	canvas_done(&c);
}

static void colours_take_no_room(void **state)
{
	struct canvas c;

	canvas_init(&c, 4, 0);
	c.app.colour = true;
	screen_add(&c.s, STYLE_BAD, "abc");
	screen_add(&c.s, STYLE_PLAIN, "defg");
	assert_string_equal(canvas_text(&c), "\033[1;31mabc\033[0md");
	canvas_done(&c);
}

static void fields_end_where_they_should(void **state)
{
	struct canvas c;

	canvas_init(&c, 20, 0);
	screen_field(&c.s, 6, STYLE_PLAIN, "ab");
	screen_field(&c.s, 12, STYLE_PLAIN, "toolongforit");
	screen_add(&c.s, STYLE_PLAIN, "|\033[2J");
	assert_string_equal(canvas_text(&c), "ab    toolo |?[2J");
	canvas_done(&c);
}

/* Behind a line that is full a terminal would erase its last column. */
static void a_full_line_ends_otherwise(void **state)
{
	struct canvas c;

	canvas_init(&c, 4, 0);
	c.s.eol = "!\n";
	c.s.eol_full = "\n";
	screen_add(&c.s, STYLE_PLAIN, "abc");
	screen_line(&c.s);
	screen_add(&c.s, STYLE_PLAIN, "abcd");
	screen_line(&c.s);
	assert_string_equal(canvas_text(&c), "abc!\nabcd\n");
	canvas_done(&c);
}

/* ---- whole screens ---- */

static json_t *load(const char *text)
{
	json_error_t error;
	json_t *value = json_loads(text, 0, &error);

	if (!value)
		fail_msg("%s", error.text);
	return value;
}

/* A reply that says more than it should in every member. */
static json_t *totals(int seconds, int queues)
{
	json_t *reply = load("{\"totals\":{\"counters\":[],\"ctinfo\":[],\"reasons\":[],"
			     "\"deaths\":[]},\"queues\":[]}");
	json_t *totals = json_object_get(reply, "totals");
	static const char *const lists[] = {"counters", "ctinfo", "reasons", "deaths"};

	json_object_set_new(totals, "time_ns", json_integer((json_int_t)seconds * 1000000000));
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (int j = 0; j < 100; j++)
			json_array_append_new(json_object_get(totals, lists[i]),
					      json_pack("{s:s++, s:I}", "name",
							"a-name-that-is-rather-long-", lists[i],
							"\033]0;x\007", "value",
							(json_int_t)seconds * 1000000000000 + j));
	for (int i = 0; i < queues; i++)
		json_array_append_new(json_object_get(reply, "queues"),
				      json_pack("{s:i, s:I, s:I, s:I, s:b}", "queue", i, "waiting",
						(json_int_t)1 << 40, "max", (json_int_t)1 << 40,
						"received", (json_int_t)seconds << 50, "alive", 0));
	return reply;
}

static json_t *census(void)
{
	json_t *c = load("{\"sample\":4096,\"states\":[],\"talkers\":[]}");

	for (int i = 0; i < 50; i++) {
		json_array_append_new(json_object_get(c, "states"),
				      json_pack("{s:s, s:i}", "name",
						"sctp SHUTDOWN_ACK_SENT and more than that",
						"value", 4096 - i));
		json_array_append_new(
			json_object_get(c, "talkers"),
			json_pack("{s:s, s:s, s:s, s:i, s:i, s:i}", "role", "target", "address",
				  "2001:db8:1234:5678:9abc:def0:1234:5678/128", "proto", "udplite",
				  "dport", 65535, "zone", 65535, "permille", 1000));
	}
	return c;
}

static void draw_top(unsigned int width, unsigned int height, int queues, bool help)
{
	json_t *status = load("{\"version\":\"0.1.0-with-a-very-long-name-of-a-version\","
			      "\"uptime\":99999999,\"shadow\":true,\"flows\":9999999999,"
			      "\"max_flows\":9999999999,\"drops\":99999999999,"
			      "\"drops_exact\":false}");
	json_t *before = totals(1, queues), *now = totals(2, queues), *sample = census();
	const struct top_view v = {.status = status,
				   .census = sample,
				   .rates = {before, now},
				   .clock = "12:34:56.789",
				   .paused = true,
				   .help = help,
				   .keys = true};
	struct canvas c;

	canvas_init(&c, width, height);
	top_draw(&c.s, &v);
	assert_fits(&c);
	canvas_done(&c);
	json_decref(status);
	json_decref(before);
	json_decref(now);
	json_decref(sample);
}

static void top_fits_any_size(void **state)
{
	static const unsigned int widths[] = {1, 5, 20, 49, 50, 51, 80, 120, 300};

	for (size_t i = 0; i < ARRAY_SIZE(widths); i++)
		for (unsigned int height = 1; height < 60; height++)
			for (int queues = 0; queues < 65; queues += 16)
				draw_top(widths[i], height, queues, height % 7 == 0);
}

static void top_without_anything(void **state)
{
	const struct top_view v = {.clock = ""};
	struct canvas c;

	canvas_init(&c, 80, 24);
	top_draw(&c.s, &v);
	assert_fits(&c);
	canvas_done(&c);
}

static void nothing_makes_no_trouble(void **state)
{
	json_t *wrong = load("{\"queues\":7,\"log\":\"x\",\"history\":{},\"words\":[1,null],"
			     "\"flow\":[],\"tcp\":[],\"fragments\":[{}],\"restart_needed\":[7]}");
	struct canvas c;

	canvas_init(&c, 80, 0);
	status_draw(&c.s, wrong, &(struct rates){});
	status_draw(&c.s, NULL, &(struct rates){});
	explain_draw(&c.s, wrong);
	explain_draw(&c.s, NULL);
	assert_fits(&c);
	canvas_done(&c);
	json_decref(wrong);
}

static void explain_fits_any_width(void **state)
{
	json_t *e = load("{\"flow\":{\"flow\":\"0000000000000001\",\"proto\":\"tcp\","
			 "\"src\":\"2001:db8:1234:5678:9abc:def0:1234:5678\",\"sport\":65535,"
			 "\"dst\":\"2001:db8:1234:5678:9abc:def0:1234:5679\",\"dport\":65535,"
			 "\"state\":\"ESTABLISHED\",\"status\":[\"SEEN_REPLY\",\"ASSURED\"],"
			 "\"timeout\":1},"
			 "\"tcp\":{\"original\":{\"end\":4294967295,\"flags\":[\"A\",\"B\"]},"
			 "\"liberal\":true,\"retrans\":3},"
			 "\"words\":[\"A sentence that goes on for longer than one line can be, so "
			 "that it has to be broken somewhere.\"],"
			 "\"history\":[{\"event\":\"invalid\",\"time\":1795000001,"
			 "\"message\":\"TCP [2001:db8::1]:1 > [2001:db8::2]:2: INVALID, and a long "
			 "story about how it came to be so\",\"reason\":\"tcp-seq-over\","
			 "\"detail\":\"seq=1 end=2 maxend=3 ack=4\"}]}");

	for (unsigned int width = 1; width < 200; width++) {
		struct canvas c;

		canvas_init(&c, width, 0);
		explain_draw(&c.s, e);
		assert_fits(&c);
		canvas_done(&c);
	}
	json_decref(e);
}

static void check_measure(const char *reason, const char *detail, const char *want)
{
	json_t *explanation = json_pack("{s:[{s:s, s:s, s:s}]}", "history", "event", "invalid",
					"reason", reason, "detail", detail);
	struct canvas c;

	canvas_init(&c, 0, 0);
	explain_draw(&c.s, explanation);
	assert_non_null(strstr(canvas_text(&c), want));
	canvas_done(&c);
	json_decref(explanation);
}

/* Also over the end of the numbers, and from words that are not what they should be. */
static void explain_measures_sequence_numbers(void **state)
{
	check_measure("tcp-seq-over", "seq=5 end=9 maxend=4294967295 ack=1",
		      " tcp-seq-over: begins 6 beyond what it may send\n");
	check_measure("tcp-ack-over", "ack=20 sack=30 end=10",
		      " tcp-ack-over: 20 beyond all that was sent\n");
	check_measure("tcp-rst-stale", "seq=7 maxack=10",
		      " tcp-rst-stale: 3 below what is acknowledged\n");
	check_measure("tcp-flags", "flags=FIN,SYN", " tcp-flags\n");
	check_measure("tcp-seq-over", "seq=5", " tcp-seq-over\n");
	check_measure("tcp-seq-over", "", " tcp-seq-over\n");
}

static void rates_of_two_samples(void **state)
{
	json_t *one = load("{\"totals\":{\"time_ns\":1000000000,\"counters\":[{\"name\":\"a\","
			   "\"value\":10}]},\"queues\":[{\"queue\":3,\"received\":5}]}");
	json_t *two = load("{\"totals\":{\"time_ns\":3000000000,\"counters\":[{\"name\":\"a\","
			   "\"value\":30}]},\"queues\":[{\"queue\":3,\"received\":6}]}");

	assert_true(rates_of(&(struct rates){one, two}, "counters", "a") == 10);
	assert_true(rates_of_queue(&(struct rates){one, two}, 3, "received") == 0.5);
	assert_true(rates_of(&(struct rates){NULL, two}, "counters", "a") < 0);
	/* a daemon that began anew */
	assert_true(rates_of(&(struct rates){two, one}, "counters", "a") < 0);
	json_decref(one);
	json_decref(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_cut_at_the_width),
		cmocka_unit_test(lines_beyond_the_height_are_left_out),
		cmocka_unit_test(words_are_wrapped),
		cmocka_unit_test(a_bar_is_as_long_as_its_part),
		cmocka_unit_test(colours_take_no_room),
		cmocka_unit_test(fields_end_where_they_should),
		cmocka_unit_test(a_full_line_ends_otherwise),
		cmocka_unit_test(top_fits_any_size),
		cmocka_unit_test(top_without_anything),
		cmocka_unit_test(nothing_makes_no_trouble),
		cmocka_unit_test(explain_fits_any_width),
		cmocka_unit_test(explain_measures_sequence_numbers),
		cmocka_unit_test(rates_of_two_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
