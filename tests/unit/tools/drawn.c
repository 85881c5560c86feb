/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tools/drawn.h"

#include "tools/ctmark-replay/theme.h"
#include "util/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

void drawn_open(struct drawn *d)
{
	*d = (struct drawn){};
	d->f = open_memstream(&d->svg, &d->size);
	assert_non_null(d->f);
}

/* Characters, an entity being one. */
static int count_characters(const char *text)
{
	int n = 0;

	for (; *text; text++) {
		if (*text == '&')
			text += strcspn(text, ";");
		n += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return n;
}

static bool has_class(const char *classes, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = classes; (p = strstr(p, name)); p += len)
		if ((p == classes || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

static void measure(struct drawn_text *t, const char *classes)
{
	static const struct {
		const char *name;
		int size, percent;
	} fonts[] = {
#define X(suffix, name, size, percent, style) {name, size, percent},
		THEME_FONTS(X)
#undef X
	};
	size_t i = 0;

	while (i < ARRAY_SIZE(fonts) && !has_class(classes, fonts[i].name))
		i++;
	assert_true(i < ARRAY_SIZE(fonts));
	t->width = count_characters(t->text) * fonts[i].size * fonts[i].percent / 100;
	t->height = fonts[i].size;
	t->y -= t->height * 8 / 10;
	if (has_class(classes, "e"))
		t->x -= t->width;
	if (has_class(classes, "c"))
		t->x -= t->width / 2;
}

void drawn_close(struct drawn *d)
{
	const char *p;

	assert_int_equal(fclose(d->f), 0);
	d->texts = calloc(drawn_count(d, "<text ") + 1, sizeof(*d->texts));
	assert_non_null(d->texts);
	for (p = d->svg; (p = strstr(p, "<text ")); p++) {
		struct drawn_text *t = &d->texts[d->ntexts];
		char classes[64];
		int n = sscanf(p, "<text x=\"%d\" y=\"%d\" class=\"%63[^\"]\">%399[^<]", &t->x,
			       &t->y, classes, t->text);

		if (n == 3)
			continue; /* an empty one */
		assert_int_equal(n, 4);
		measure(t, classes);
		d->ntexts++;
	}
}

void drawn_free(struct drawn *d)
{
	free(d->svg);
	free(d->texts);
}

size_t drawn_count(const struct drawn *d, const char *what)
{
	size_t n = 0;

	for (const char *p = d->svg; (p = strstr(p, what)); p++)
		n++;
	return n;
}

bool drawn_says(const struct drawn *d, const char *words)
{
	for (size_t i = 0; i < d->ntexts; i++)
		if (strstr(d->texts[i].text, words))
			return true;
	return false;
}

static bool overlap(const struct drawn_text *a, const struct drawn_text *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
	       b->y < a->y + a->height;
}

void drawn_assert_tidy(const struct drawn *d, int width, int height)
{
	for (size_t i = 0; i < d->ntexts; i++) {
		const struct drawn_text *a = &d->texts[i];

		if (a->x < 0 || a->x + a->width > width || a->y < 0 || a->y + a->height > height)
			fail_msg("'%s' at %d,%d lies outside", a->text, a->x, a->y);
		for (size_t j = i + 1; j < d->ntexts; j++)
			if (overlap(a, &d->texts[j]))
				fail_msg("'%s' at %d,%d lies on '%s' at %d,%d", a->text, a->x, a->y,
					 d->texts[j].text, d->texts[j].x, d->texts[j].y);
	}
}
