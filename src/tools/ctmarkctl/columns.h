/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A table on stdout whose columns stand below each other. The first rows are kept back until it is
 * known how wide columns have to be; the rest is written as it comes, so that any number of rows
 * takes little memory.
 */

#include <stdbool.h>
#include <stddef.h>

#include "tools/ctmarkctl/style.h"

#define COLUMNS_MAX  12
#define COLUMNS_LOOK 256 /* rows that widths are taken from */

struct column {
	const char *head;
	bool right; /* numbers */
};

struct columns_row {
	char *cell[COLUMNS_MAX];
	enum style style[COLUMNS_MAX];
};

struct columns {
	const struct app *app;
	const struct column *spec;
	unsigned int n, at; /* columns; cells of the present row */
	unsigned int width[COLUMNS_MAX];
	bool settled; /* widths are known, the heading is written */
	size_t rows;
	struct columns_row row[COLUMNS_LOOK];
};

/* Begins a table; the heading is written if there are rows, and if the user wants it. */
void columns_init(struct columns *c, const struct app *app, const struct column *spec,
		  unsigned int n);

/* The next cell, which ends the row if it is the last one. */
void columns_cell(struct columns *c, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes what was kept back. */
void columns_done(struct columns *c);
