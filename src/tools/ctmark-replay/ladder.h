/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The ladder of one reel: two life lines with the tracker between them, a row for each packet, and
 * at the right what the tracker knows of the connection.
 *
 * Rows are as far apart as their texts need, not as the clock says: a long time without packets is
 * a gap that names its length. ladder.c finds the places, ladder_draw.c draws, ladder_details.c
 * writes what a page shows of the packet that is pointed at.
 */

#include <stdbool.h>
#include <stdio.h>

#include "tools/ctmark-replay/film.h"
#include "tools/ctmark-replay/markup.h"

/* Columns, in pixels. */
#define LADDER_WIDTH   960
#define LADDER_NUMBER  60  /* right end */
#define LADDER_TIME    144 /* right end */
#define LADDER_LEFT    166 /* life lines */
#define LADDER_TRACKER 356
#define LADDER_RIGHT   546
#define LADDER_CLASS   568
#define LADDER_BAR     714
#define LADDER_STATE   730
#define LADDER_TIMEOUT 944 /* right end */

#define LADDER_TEXT   54 /* characters between the life lines */
#define LADDER_STATUS 32 /* characters right of the bar */

enum row_kind { ROW_PACKET, ROW_GAP, ROW_LEFT_OUT, ROW_END };

struct row {
	uint8_t kind;
	bool names_state;	 /* the state is another one than in the row before */
	int y, height, arrow;	 /* arrow: where it begins */
	const struct shot *shot; /* of a packet */
	uint64_t gap_ns, count;	 /* of time and packets that are not here */
	struct lines label;	 /* above the arrow */
	struct lines note;	 /* below it */
	struct lines status;	 /* bits gained */
};

struct ladder {
	const struct film *film;
	const struct reel *reel;
	int top, height; /* of the rows; of all */
	size_t nrows;
	struct row *rows;
};

/* Finds the places. Returns 0 or -ENOMEM. */
int ladder_init(struct ladder *ret, const struct film *film, const struct reel *reel);
void ladder_done(struct ladder *l);

/* Draws it as the content of an <svg> or <g>, from 0,0 on. */
void ladder_draw(FILE *f, const struct ladder *l);

/*
 * For a page: on top of it a place for each packet, which shows details while it is pointed at or
 * has the focus.
 */
void ladder_details(FILE *f, const struct ladder *l);

/* ---- words that others need, too ---- */

#define LADDER_WORDS_MAX 160

/* "300 s", "5 d" */
const char *ladder_duration(uint64_t ns, char buf[static LADDER_WORDS_MAX]);

/* "0.001234": seconds since the capture began */
const char *ladder_time(uint64_t ns, char buf[static LADDER_WORDS_MAX]);

/* "Flow 3, tcp", "Packets without a flow" */
const char *ladder_title(const struct reel *r, char buf[static LADDER_WORDS_MAX]);

/* "10.0.0.1:40000" of one side */
const char *ladder_endpoint(const struct reel *r, bool left, char buf[static LADDER_WORDS_MAX]);

/* How it has ended, or that it has not. */
const char *ladder_end(const struct film *film, const struct reel *r,
		       char buf[static LADDER_WORDS_MAX]);
