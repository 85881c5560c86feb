/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Lines of ctmark-replay that captures of the golden tests do not make: widths, times, tags. */

#include "tests/unit/core/packet.h"
#include "tools/ctmark-replay/sinks.h"
#include "util/cleanup.h"
#include "util/tty.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BEGIN_NS (1700000000 * SEC)

struct page {
	struct ct_config track;
	struct choice choice;
	struct look look;
	char *text;
	size_t size;
};

static void page_open(struct page *p, unsigned int width)
{
	*p = (struct page){.choice = {.infos = UINT8_MAX}};
	ct_config_init(&p->track);
	p->look = (struct look){
		.out = open_memstream(&p->text, &p->size),
		.width = width,
		.choice = &p->choice,
		.track = &p->track,
		.max_flows = 64,
	};
	assert_non_null(p->look.out);
}

static void page_is(struct page *p, const char *text)
{
	fclose(p->look.out);
	assert_string_equal(p->text, text);
	free(p->text);
}

/* A datagram of a new flow, 90 seconds after the beginning. */
static void show(struct sink *s, const struct capture_packet *packet)
{
	struct pk pk;
	struct ct_input in;
	struct ct_result out = {
		.info = CT_INFO_NEW,
		.mark = 0xa,
		.timeout_ns = 30 * SEC,
		.has_flow = true,
		.flow = 9,
	};

	pk_udp(&pk, CT_AF_INET, 1, 2, 5000, 53);
	in = pk_input(&pk, SEC);
	in.family = CT_AF_INET;
	assert_int_equal(s->ops->packet(s, &(struct record){.packet = packet,
							    .in = &in,
							    .out = &out,
							    .begin_ns = BEGIN_NS,
							    .flow = 1,
							    .slot = 1,
							    .first = true}),
			 0);
}

static void tagged(void **state)
{
	const struct capture_packet packet = {
		.number = 7,
		.time_ns = BEGIN_NS + 90 * SEC + 1500,
		.link = {.nvlans = 3, .vlan = {10, 20}},
	};
	struct page page;
	struct sink *s;

	page_open(&page, 0);
	s = text_new(&page.look);
	show(s, &packet);
	s->ops->free(s);
	s = json_new(&page.look);
	show(s, &packet);
	s->ops->free(s);
	page_is(&page,
		"packet       time  flow    class       mark state                  timeout\n"
		"     7  90.000001     1 -> NEW          0xa                            30s  "
		"udp 10.0.0.1:5000 > 10.0.0.2:53 len=4 vlan=10.20\n"
		"{\"packet\":7,\"time\":1700000090.000001,\"flow\":1,\"family\":\"ipv4\","
		"\"proto\":\"udp\",\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"sport\":5000,"
		"\"dport\":53,\"len\":32,\"vlan\":[10,20],\"summary\":\"len=4\","
		"\"ctinfo\":\"NEW\",\"mark\":\"0xa\",\"dir\":\"original\",\"timeout\":30}\n");
}

static void narrow(void **state)
{
	const struct capture_packet packet = {.number = 1, .time_ns = BEGIN_NS};
	struct page page;
	struct sink *s;

	page_open(&page, 80);
	s = text_new(&page.look);
	show(s, &packet);
	s->ops->free(s);
	page_is(&page,
		"packet       time  flow    class       mark state                  timeout\n"
		"     1   0.000000     1 -> NEW          0xa                            30s\n"
		"        udp 10.0.0.1:5000 > 10.0.0.2:53 len=4\n");
}

static void folded(void **state)
{
	static const char words[] = "one two three four five six";
	struct page page;

	page_open(&page, 20);
	look_fold(&page.look, 0, 0, "fits in twenty cols.");
	look_fold(&page.look, 3, 6, "so does this.");
	look_fold(&page.look, 3, 6, words);
	look_fold(&page.look, 0, 0, "abcdefghijklmnopqrstuvwxyz");
	page_is(&page, "fits in twenty cols.\n"
		       "   so does this.\n"
		       "\n        one two\n        three four\n        five six\n"
		       "abcdefghijkl\n        mnopqrstuvwx\n        yz\n");
}

static void time_is(enum time_style style, uint64_t begin_ns, uint64_t time_ns, const char *text)
{
	const struct look look = {.time = style};
	struct look_clock clock = {};
	char buf[64];
	struct words w = {.buf = buf, .size = sizeof(buf)};

	look_time(&look, &clock, begin_ns, time_ns, &w);
	assert_string_equal(buf, text);
}

static void times(void **state)
{
	setenv("TZ", "XYZ-2", 1);
	time_is(TIMES_RELATIVE, BEGIN_NS, BEGIN_NS + 1999, "0.000001");
	time_is(TIMES_RELATIVE, BEGIN_NS, BEGIN_NS - SEC, "-1.000000");
	time_is(TIMES_EPOCH, BEGIN_NS, BEGIN_NS, "1700000000.000000");
	time_is(TIMES_UTC, BEGIN_NS, BEGIN_NS, "2023-11-14 22:13:20.000000Z");
	time_is(TIMES_LOCAL, BEGIN_NS, BEGIN_NS, "2023-11-15 00:13:20.000000");
	time_is(TIMES_UTC, 0, UINT64_MAX, "2554-07-21 23:34:33.709551Z");
}

static void spans(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} cases[] = {
		{0, "0s"},	{599, "599s"},	   {600, "10m"},      {3599, "59m59s"},
		{3600, "1h"},	{3660, "1h01m"},   {86399, "23h59m"}, {86400, "1d"},
		{432000, "5d"}, {435600, "5d01h"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[32];
		struct words w = {.buf = buf, .size = sizeof(buf)};

		look_span(&w, cases[i].seconds * SEC);
		assert_string_equal(buf, cases[i].text);
	}
}

static void colours(void **state)
{
	bool colour;

	unsetenv("NO_COLOR");
	unsetenv("CLICOLOR");
	setenv("TERM", "xterm", 1);
	setenv("CLICOLOR_FORCE", "1", 1);
	assert_true(tty_colour("auto", stdout, &colour) && colour);
	setenv("NO_COLOR", "1", 1);
	assert_true(tty_colour(NULL, stdout, &colour) && !colour);
	assert_true(tty_colour("always", stdout, &colour) && colour);
	assert_true(tty_colour("never", stdout, &colour) && !colour);
	assert_false(tty_colour("sometimes", stdout, &colour));
}

/* Numbers cut off where the buffer ends, not beyond. */
static void short_buffers(void **state)
{
	char buf[6];
	struct words w = {.buf = buf, .size = sizeof(buf)};

	line_text(&w, "abc");
	line_number(&w, 12345);
	line_char(&w, 'x');
	assert_string_equal(buf, "abc12");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tagged),	 cmocka_unit_test(narrow),
		cmocka_unit_test(folded),	 cmocka_unit_test(times),
		cmocka_unit_test(spans),	 cmocka_unit_test(colours),
		cmocka_unit_test(short_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
