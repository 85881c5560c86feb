/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How things are shown: where, how wide, in which colours, with which times. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "tools/ctmark-replay/choice.h"
#include "tools/ctmark-replay/line.h"

/* The words of --time. */
#define TIMES_LIST(X)                                                                              \
	X(RELATIVE, "relative")                                                                    \
	X(LOCAL, "local")                                                                          \
	X(UTC, "utc")                                                                              \
	X(EPOCH, "epoch")

enum time_style {
#define X(id, word) TIMES_##id,
	TIMES_LIST(X)
#undef X
		TIMES_MAX
};

struct again;

/* How things are shown, for all of them. */
struct look {
	FILE *out;
	bool colour;
	unsigned int width; /* columns of the terminal, 0: there is none */
	enum time_style time;
	const struct choice *choice;   /* what is to be shown */
	const struct ct_config *track; /* by which packets are judged */
	uint32_t max_flows;	       /* slots of the table */
	const struct again *again;     /* NULL: the input can be read once only (sinks.h) */
};

/* A word of --time. False: it is none. */
bool look_time_style(const char *word, enum time_style *ret);

/* The second that was written last: most packets come in the same one. */
struct look_clock {
	bool valid;
	time_t second;
	char text[32];
};

/* Writes a time, since 1970, of a capture that began at begin_ns. */
void look_time(const struct look *l, struct look_clock *c, uint64_t begin_ns, uint64_t time_ns,
	       struct words *w);

/* Columns that a time takes. */
unsigned int look_time_width(const struct look *l);

/* Writes a span in one or two units: "30s", "1h59m", "5d". */
void look_span(struct words *w, uint64_t ns);

/* What colours mean. */
enum look_style { LOOK_PLAIN, LOOK_HEAD, LOOK_DIM, LOOK_GOOD, LOOK_NOTE, LOOK_BAD };

/* Writes text in a style. Returns how many bytes of what was written take no column. */
size_t look_styled(const struct look *l, struct words *w, enum look_style style, const char *text);

/*
 * Ends a line that has got as far as column `at` with text, from column `from` on; where that does
 * not fit, below it and indented, by words.
 */
void look_fold(const struct look *l, unsigned int at, unsigned int from, const char *text);

/* What a sink returns: 0, or -errno if the output could not be written. */
int look_written(const struct look *l);
