/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Flows on stdout, one after the other, in the form that the user wants. */

#include "tools/ctmarkctl/columns.h"
#include "tools/ctmarkctl/conntrack.h"
#include "tools/ctmarkctl/series.h"

struct flows {
	const struct app *app;
	struct conntrack_layout layout;
	struct series series;
	struct columns columns;
	size_t n;
};

/* Begins; APP_USAGE: the options make no sense, which was said. */
enum app_status flows_init(struct flows *f, const struct app *app);

void flows_add(struct flows *f, const json_t *flow);

/* Ends; total: and says how many there were. */
void flows_done(struct flows *f, bool total);
