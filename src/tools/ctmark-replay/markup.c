/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/markup.h"

#include <stdarg.h>
#include <string.h>

#include "log/plain.h"

static void escape(FILE *f, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		case '\'':
			fputs("&#39;", f);
			break;
		default:
			fputc(*text, f);
		}
	}
}

static void __attribute__((format(printf, 2, 0))) put(FILE *f, const char *format, va_list ap)
{
	char text[MARKUP_MAX];

	if (vsnprintf(text, sizeof(text), format, ap) < 0)
		return;
	plain_text(text, '?'); /* a character that was cut is not well-formed, either */
	escape(f, text);
}

void markup_text(FILE *f, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put(f, format, ap);
	va_end(ap);
}

void markup_label(FILE *f, int x, int y, const char *classes, const char *format, ...)
{
	va_list ap;

	fprintf(f, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, classes);
	va_start(ap, format);
	put(f, format, ap);
	va_end(ap);
	fputs("</text>\n", f);
}

void markup_line(FILE *f, int x1, int y1, int x2, int y2, const char *classes)
{
	fprintf(f, "<path class=\"%s\" d=\"M%d %dL%d %d\"/>\n", classes, x1, y1, x2, y2);
}

void markup_rect(FILE *f, int x, int y, int width, int height, const char *classes)
{
	fprintf(f, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", classes,
		x, y, width, height);
}

/* Bytes of text that make a line: up to the last space in it, or as much as there is room for. */
static size_t line_length(const char *text, size_t width)
{
	size_t n = strnlen(text, width + 1), end = width;

	if (n <= width)
		return n;
	while (end > 0 && text[end] != ' ')
		end--;
	return end > width / 3 ? end : width;
}

void lines_break(struct lines *ret, const char *text, unsigned int width, unsigned int max)
{
	ret->n = 0;
	while (*text && ret->n < max && ret->n < LINES_MAX) {
		char *line = ret->text[ret->n++];
		size_t n = line_length(text, width);

		memcpy(line, text, n);
		line[n] = '\0';
		text += n;
		text += strspn(text, " ");
		if (*text && (ret->n == max || ret->n == LINES_MAX))
			strcpy(line + (n > width - 3 ? width - 3 : n), "...");
	}
}
