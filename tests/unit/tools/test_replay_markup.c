/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Text from outside stays text, lines are broken where they may be, and colours can be read. */

#include "tests/unit/tools/drawn.h"
#include "tools/ctmark-replay/markup.h"
#include "tools/ctmark-replay/theme.h"
#include "util/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void hostile_text_stays_text(void **state)
{
	struct drawn d;

	drawn_open(&d);
	markup_text(d.f, "%s", "</text><script>alert('1' & \"2\")</script>\x1b[31m\xff\n\u202e");
	drawn_close(&d);
	assert_string_equal(d.svg, "&lt;/text&gt;&lt;script&gt;alert(&#39;1&#39; &amp; "
				   "&quot;2&quot;)&lt;/script&gt;?[31m?\?\?\?\?");
	drawn_free(&d);
}

static void a_long_text_is_cut(void **state)
{
	char text[3 * MARKUP_MAX];
	struct drawn d;

	memset(text, '<', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	drawn_open(&d);
	markup_text(d.f, "%s", text);
	drawn_close(&d);
	assert_int_equal(drawn_count(&d, "&lt;"), MARKUP_MAX - 1);
	assert_int_equal(d.size, 4 * (MARKUP_MAX - 1));
	drawn_free(&d);
}

static void lines_break_at_spaces(void **state)
{
	struct lines l;

	lines_break(&l, "", 10, 2);
	assert_int_equal(l.n, 0);
	lines_break(&l, "one two three four", 9, 4);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.text[0], "one two");
	assert_string_equal(l.text[1], "three");
	assert_string_equal(l.text[2], "four");
	lines_break(&l, "exactly10c", 10, 2);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.text[0], "exactly10c");
}

static void lines_end_with_dots_if_there_is_more(void **state)
{
	struct lines l;

	lines_break(&l, "one two three four", 9, 2);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.text[1], "three...");
	lines_break(&l, "abcdefghijklmnopqrstuvwxyz", 10, 2);
	assert_string_equal(l.text[0], "abcdefghij");
	assert_string_equal(l.text[1], "klmnopq...");
}

/* ---- colours ---- */

struct colour {
	const char *name;
	enum theme_use use;
	const char *value[2]; /* light, dark */
};

static const struct colour colours[] = {
#define X(suffix, name, use, light, dark) {name, THEME_##use, {light, dark}},
	THEME_LIST(X)
#undef X
};

/* sRGB to linear light, as WCAG has it; near enough without libm: x^2.4 by its square root's root.
 */
static double linear(unsigned int byte)
{
	double x = byte / 255.0, y, root = 1;

	if (x <= 0.04045)
		return x / 12.92;
	y = (x + 0.055) / 1.055;
	/* y^0.4 by Newton on r^5 = y^2 */
	for (int i = 0; i < 60; i++)
		root -= (root * root * root * root * root - y * y) /
			(5 * root * root * root * root);
	return y * y * root;
}

static double luminance(const char *value)
{
	unsigned int r, g, b;

	assert_int_equal(sscanf(value, "#%2x%2x%2x", &r, &g, &b), 3);
	return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

static double contrast(const char *one, const char *other)
{
	double a = luminance(one), b = luminance(other);

	return a > b ? (a + 0.05) / (b + 0.05) : (b + 0.05) / (a + 0.05);
}

static void text_can_be_read(void **state)
{
	assert_true(contrast("#000000", "#ffffff") > 20.9);
	assert_true(contrast("#777777", "#ffffff") < 4.5 && contrast("#767676", "#ffffff") > 4.5);
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		for (size_t j = 0; j < ARRAY_SIZE(colours); j++)
			for (int dark = 0; dark < 2; dark++)
				if (colours[i].use == THEME_TEXT &&
				    colours[j].use == THEME_GROUND &&
				    contrast(colours[i].value[dark], colours[j].value[dark]) < 4.5)
					fail_msg("%s on %s", colours[i].value[dark],
						 colours[j].value[dark]);
}

static void each_ctinfo_has_a_colour(void **state)
{
	static const char *const names[] = {
#define X(suffix, value, name, class) name,
		CT_INFO_LIST(X)
#undef X
	};
	struct drawn d;

	drawn_open(&d);
	theme_style(d.f);
	drawn_close(&d);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char rule[64];

		snprintf(rule, sizeof(rule), ".s-%s{stroke:", names[i]);
		assert_int_equal(drawn_count(&d, rule), 2); /* light and dark */
	}
	drawn_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_text_stays_text),
		cmocka_unit_test(a_long_text_is_cut),
		cmocka_unit_test(lines_break_at_spaces),
		cmocka_unit_test(lines_end_with_dots_if_there_is_more),
		cmocka_unit_test(text_can_be_read),
		cmocka_unit_test(each_ctinfo_has_a_colour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
