/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A drawing as a test looks at it: its texts, each with the box that it needs at most. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct drawn_text {
	int x, y, width, height; /* of the box, in pixels */
	char text[400];
};

struct drawn {
	FILE *f; /* to draw to, until it is closed */
	char *svg;
	size_t size;
	size_t ntexts;
	struct drawn_text *texts;
};

void drawn_open(struct drawn *d);

/* Reads what was drawn. */
void drawn_close(struct drawn *d);
void drawn_free(struct drawn *d);

/* How often is this in it? */
size_t drawn_count(const struct drawn *d, const char *what);

/* Is there a text with these words? */
bool drawn_says(const struct drawn *d, const char *words);

/* Fails unless all texts lie within so many pixels, and no two of them on each other. */
void drawn_assert_tidy(const struct drawn *d, int width, int height);
