/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Many values as JSON without having them all in memory: one on each line, or, indented, as one
 * array.
 */

#include <stddef.h>

#include "tools/ctmarkctl/app.h"

struct series {
	const struct app *app;
	size_t n;
};

void series_add(struct series *s, const json_t *value);

/* Ends the array. */
void series_done(struct series *s);
