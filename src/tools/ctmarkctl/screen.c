/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/screen.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "log/plain.h"
#include "tools/ctmarkctl/app.h"

static unsigned int room(const struct screen *s, unsigned int end)
{
	if (s->height && s->row >= s->height)
		return 0;
	if (s->width && end > s->width)
		end = s->width;
	return end > s->column ? end - s->column : 0;
}

/* Bytes of text that fill at most so many columns. A character takes one. */
static size_t cut(const char *text, unsigned int columns, unsigned int *ret_used)
{
	const char *p = text;
	unsigned int used = 0;

	while (*p && used < columns) {
		p++;
		while (((unsigned char)*p & 0xc0) == 0x80)
			p++;
		used++;
	}
	*ret_used = used;
	return (size_t)(p - text);
}

static void __attribute__((format(printf, 4, 0)))
add(struct screen *s, unsigned int end, enum style style, const char *format, va_list ap)
{
	_cleanup_free_ char *text = NULL;
	unsigned int used;
	size_t len;

	if (vasprintf(&text, format, ap) < 0) {
		text = NULL;
		return;
	}
	plain_text(text, '?');
	len = cut(text, room(s, end), &used);
	if (!len)
		return;
	fprintf(s->out, "%s%.*s%s", style_on(s->app, style), (int)len, text,
		style_off(s->app, style));
	s->column += used;
}

void screen_add(struct screen *s, enum style style, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(s, UINT_MAX, style, format, ap);
	va_end(ap);
}

void screen_tab(struct screen *s, unsigned int column)
{
	unsigned int n = room(s, column);

	fprintf(s->out, "%*s", (int)n, "");
	s->column += n;
}

void screen_field(struct screen *s, unsigned int end, enum style style, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(s, end ? end - 1 : 0, style, format, ap);
	va_end(ap);
	screen_tab(s, end);
}

void screen_line(struct screen *s)
{
	if (s->height && s->row >= s->height)
		return;
	fputs(s->eol_full && s->width && s->column >= s->width ? s->eol_full : s->eol, s->out);
	s->row++;
	s->column = 0;
}

unsigned int screen_left(const struct screen *s)
{
	if (!s->height)
		return UINT_MAX;
	return s->height > s->row ? s->height - s->row : 0;
}

void screen_bar(struct screen *s, unsigned int width, double part)
{
	unsigned int inner = width > 2 ? width - 2 : 0;
	unsigned int full = part <= 0 ? 0 : part >= 1 ? inner : (unsigned int)(part * inner + 0.5);
	enum style style = part >= 0.95 ? STYLE_BAD : part >= 0.8 ? STYLE_WARN : STYLE_GOOD;

	screen_add(s, STYLE_PLAIN, "[");
	for (unsigned int i = 0; i < inner; i++)
		screen_add(s, i < full ? style : STYLE_DIM, i < full ? "#" : ".");
	screen_add(s, STYLE_PLAIN, "]");
}

void screen_wrap(struct screen *s, unsigned int indent, enum style style, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, " ");

		if (s->column > indent && s->width && s->column + 1 + len > s->width)
			screen_line(s);
		if (s->column < indent)
			screen_tab(s, indent);
		else if (s->column > indent)
			screen_add(s, style, " ");
		screen_add(s, style, "%.*s", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
	screen_line(s);
}
