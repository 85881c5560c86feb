/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The screen of top. Pure. */

#include <stdbool.h>

#include "tools/ctmarkctl/rates.h"
#include "tools/ctmarkctl/screen.h"

struct top_view {
	const json_t *status; /* a Status of the service */
	const json_t *census; /* a Census */
	struct rates rates;
	const char *clock; /* time of the sample */
	bool paused, help;
	bool keys; /* there is a keyboard */
};

/* Fills a screen, whatever its size, and leaves no line over. */
void top_draw(struct screen *s, const struct top_view *v);
