/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/columns.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/plain.h"
#include "tools/ctmarkctl/app.h"

void columns_init(struct columns *c, const struct app *app, const struct column *spec,
		  unsigned int n)
{
	memset(c, 0, sizeof(*c));
	c->app = app;
	c->spec = spec;
	c->n = n;
	for (unsigned int i = 0; i < n && app->legend; i++)
		c->width[i] = (unsigned int)strlen(spec[i].head);
}

/* Spaces are written when something follows them: no line ends with any. */
static unsigned int write_cell(const struct columns *c, unsigned int i, const char *text,
			       enum style style, unsigned int spaces)
{
	unsigned int len = (unsigned int)strlen(text);
	unsigned int pad = c->width[i] > len ? c->width[i] - len : 0;
	unsigned int before = c->spec[i].right ? pad : 0;

	if (!len)
		return spaces + pad + 2;
	printf("%*s%s%s%s", (int)(spaces + before), "", style_on(c->app, style), text,
	       style_off(c->app, style));
	return pad - before + 2;
}

static void write_heading(const struct columns *c)
{
	unsigned int spaces = 0;

	for (unsigned int i = 0; i < c->n; i++)
		spaces = write_cell(c, i, c->spec[i].head, STYLE_HEAD, spaces);
	putchar('\n');
}

static void write_row(const struct columns *c, struct columns_row *row)
{
	unsigned int spaces = 0;

	for (unsigned int i = 0; i < c->n; i++) {
		spaces = write_cell(c, i, row->cell[i] ? row->cell[i] : "", row->style[i], spaces);
		free(row->cell[i]);
		row->cell[i] = NULL;
	}
	putchar('\n');
}

static void settle(struct columns *c)
{
	if (c->settled)
		return;
	c->settled = true;
	if (c->app->legend && c->rows)
		write_heading(c);
}

static void write_rows(struct columns *c)
{
	settle(c);
	for (size_t i = 0; i < c->rows; i++)
		write_row(c, &c->row[i]);
	c->rows = 0;
}

static void end_row(struct columns *c)
{
	c->at = 0;
	c->rows++;
	if (c->settled || c->rows == COLUMNS_LOOK)
		write_rows(c);
}

void columns_cell(struct columns *c, enum style style, const char *format, ...)
{
	struct columns_row *row = &c->row[c->rows];
	char *text = NULL;
	size_t len;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text)
		plain_text(text, '?');
	len = text ? strlen(text) : 0;
	if (!c->settled && len > c->width[c->at])
		c->width[c->at] = (unsigned int)len;
	row->cell[c->at] = text;
	row->style[c->at] = style;
	if (++c->at == c->n)
		end_row(c);
}

void columns_done(struct columns *c)
{
	write_rows(c);
}
