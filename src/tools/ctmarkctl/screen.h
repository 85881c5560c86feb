/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Lines of text that are at most so wide and so many, with styles in them that take no room. What
 * controls a terminal becomes '?'.
 */

#include <stddef.h>
#include <stdio.h>

#include "tools/ctmarkctl/style.h"

struct screen {
	const struct app *app;
	FILE *out;
	unsigned int width, height; /* 0: no limit */
	unsigned int row, column;
	const char *eol;      /* what ends a line */
	const char *eol_full; /* one that is as wide as the screen; NULL: the same */
};

/* Adds text to the line; what does not fit is cut off. */
void screen_add(struct screen *s, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Fills with spaces up to a column. */
void screen_tab(struct screen *s, unsigned int column);

/* Text that ends before a column, then spaces up to that. */
void screen_field(struct screen *s, unsigned int end, enum style style, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Ends the line. */
void screen_line(struct screen *s);

/* Lines that are left. */
unsigned int screen_left(const struct screen *s);

/* "[####......]", that wide, for a part of a whole. */
void screen_bar(struct screen *s, unsigned int width, double part);

/* Text whose lines are broken at spaces, each indented by so much; without a width it is not
 * broken. */
void screen_wrap(struct screen *s, unsigned int indent, enum style style, const char *text);
