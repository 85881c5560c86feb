/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How crowded the flow table is: what is to be reported of it, when, and in which words. Pure, so
 * that a clock and a table can be made up.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"
#include "daemon/monitor.h"

/* Each is told once in this time at most, and a table that fills not beside one that is full. */
#define CROWD_INTERVAL_NS     UINT64_C(60000000000)
#define CROWD_FILLING_PERCENT 80

/* Suffix, suffix of the MESSAGE_ID. */
#define CROWD_LIST(X)                                                                              \
	X(FULL, TABLE_FULL)                                                                        \
	X(EARLY, EARLY_DROP)                                                                       \
	X(FILLING, TABLE_FILLING)

enum crowd_kind {
#define X(name, msgid) CROWD_##name,
	CROWD_LIST(X)
#undef X
		CROWD_MAX
};

/* The table at one moment. */
struct crowd_look {
	uint64_t flows, max;
	uint64_t full, early; /* packets without room, flows ended for others, since the start */
	uint64_t now_ns;
};

/* What was told before. Zeroed at the start. */
struct crowd {
	struct limiter full, early;
	uint64_t filling_next_ns;
};

/*
 * Takes note of a look. Returns whether there is something to be reported now, and for each kind
 * how many: packets, flows, percent in use; 0 if nothing.
 */
bool crowd_due(struct crowd *c, const struct crowd_look *look, uint64_t ret[static CROWD_MAX]);

/* "192.0.2.7=412 198.51.100.0/24=120": the sources of the sample with their permille. */
#define CROWD_TALKERS_STRLEN 320
char *crowd_talkers(const struct ct_talkers *who, char buf[static CROWD_TALKERS_STRLEN]);

/* "203.0.113.5,tcp/443=870", or "". */
#define CROWD_TARGET_STRLEN 96
char *crowd_target(const struct ct_talkers *who, char buf[static CROWD_TARGET_STRLEN]);

/*
 * The record of one kind as a sentence, with whom it names. shadow: no packet was dropped for it.
 */
#define CROWD_LINE_STRLEN 640
char *crowd_line(enum crowd_kind kind, uint64_t n, const struct crowd_look *look, bool shadow,
		 const struct ct_talkers *who, char buf[static CROWD_LINE_STRLEN]);
