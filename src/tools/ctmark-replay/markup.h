/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Elements of SVG and HTML, written to a stream. Whatever text goes through here is made plain and
 * escaped, for the content of an element as for the value of an attribute; so nothing that comes
 * from a capture can leave the place that it was put in.
 */

#include <stdio.h>

/* Writes text that is made plain (log/plain.h) and escaped; longer than MARKUP_MAX it is cut. */
#define MARKUP_MAX 1024
void markup_text(FILE *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes <text> at a place, in pixels; classes are those of theme.h. */
void markup_label(FILE *f, int x, int y, const char *classes, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Writes <line>, <rect>. */
void markup_line(FILE *f, int x1, int y1, int x2, int y2, const char *classes);
void markup_rect(FILE *f, int x, int y, int width, int height, const char *classes);

/*
 * Text broken into lines at its spaces, each of at most width characters, which has to be below
 * LINES_WIDTH. What does not fit into so many lines is left out, which "..." at the end says.
 */
#define LINES_MAX   4
#define LINES_WIDTH 96
struct lines {
	unsigned int n;
	char text[LINES_MAX][LINES_WIDTH];
};

void lines_break(struct lines *ret, const char *text, unsigned int width, unsigned int max);
