/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the two kinds of pictures share: the film, the file that they go to, and which reels are
 * drawn if there is no room for all.
 */

#include <stdio.h>

#include "tools/ctmark-replay/film.h"
#include "tools/ctmark-replay/ladder.h"
#include "tools/ctmark-replay/sinks.h"

/* What cannot be guessed. */
#define PICTURE_LEGEND                                                                             \
	"Cross at the tracker: INVALID or dropped, no part of the flow. Bar of the state: "        \
	"pale until a reply is seen, then grey, green once assured."

struct picture {
	struct sink base;
	struct film film;
	const char *file;
	FILE *out; /* NULL: stdout, which is not ours */
	/* writes the document; 0 or -ENOMEM */
	int (*draw)(FILE *f, const struct film *film, const struct picture *p);
	size_t max_ladders, max_packets; /* drawn */
	int max_height;			 /* of all ladders together, in pixels */
};

/* Opens the file. NULL: it cannot be written, or there is no memory, which was said. */
struct sink *picture_new(const struct look *look, const char *file, const struct picture *kind);

/*
 * Which reels are drawn: flows with INVALID packets first, then packets without a flow, then the
 * other flows, each in order, as far as they fit. drawn has a place for each reel.
 */
void picture_choose(const struct picture *p, bool *drawn);

/* What was left out, in a sentence; "" if nothing was. */
const char *picture_left_out(const struct film *film, const bool *drawn,
			     char buf[static LADDER_WORDS_MAX]);

/* "3 flows, 41 packets" */
const char *picture_sum(const struct film *film, char buf[static LADDER_WORDS_MAX]);
