/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What strains the engine beside a full table: no room for fragments or expectations, and INVALID
 * packets in masses. What is to be reported of it, when, and in which words. Pure, so that a clock
 * and counters can be made up.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"
#include "daemon/monitor.h"

/* Each is told once in this time at most. */
#define STRAIN_INTERVAL_NS UINT64_C(60000000000)
/* So many INVALID packets within a second are a flood. */
#define STRAIN_PER_S 1000

/* Suffix, suffix of the MESSAGE_ID. */
#define STRAIN_LIST(X)                                                                             \
	X(FRAGMENTS, FRAGMENTS_FULL)                                                               \
	X(EXPECTATIONS, EXPECTATIONS_FULL)                                                         \
	X(FLOOD, INVALID_FLOOD)

enum strain_kind {
#define X(name, msgid) STRAIN_##name,
	STRAIN_LIST(X)
#undef X
		STRAIN_MAX
};

/* What was seen and told before. Zeroed at the start. */
struct strain {
	struct limiter fragments, expectations;
	uint64_t flood_next_ns;
	uint64_t seen_ns, reason[CT_REASON_MAX]; /* at the last look */
};

/* What is to be reported now. */
struct strain_due {
	uint64_t n[STRAIN_MAX]; /* times, packets, packets in a second; 0: nothing */
	uint64_t total;		/* INVALID packets since the start */
	enum ct_reason reason;	/* the most frequent one in the flood, and its share of it */
	unsigned int percent;
};

/* Packets that records of class invalid tell of, since the start, but for those without room. */
uint64_t strain_invalid(const struct ct_stats *sum);

/* Takes note of what a predecessor has counted and told already; to be called before the first
 * look. */
void strain_begin(struct strain *s, const struct ct_stats *sum);

/* Takes note of a look. Returns whether there is something to be reported now. */
bool strain_due(struct strain *s, const struct ct_stats *sum, uint64_t now_ns,
		struct strain_due *ret);

/* The record of one kind as a sentence. shadow: no packet was dropped for it. */
#define STRAIN_LINE_STRLEN 256
char *strain_line(enum strain_kind kind, const struct strain_due *due, bool shadow,
		  char buf[static STRAIN_LINE_STRLEN]);
