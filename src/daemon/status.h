/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The STATUS= line and other texts about totals. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct status {
	unsigned int queue_first, queue_last;
	bool at_exit; /* that is where flows are confirmed */
	uint64_t flows;
	double pps;
	uint64_t invalid; /* packets so far; left out of the line if there are none */
	int fragments;	  /* enum ct_fragments_seen bits; -1: nobody looks at them */
	uint64_t drops;
	bool drops_exact;
};

/* "18,234": decimal with a comma every three digits. */
#define STATUS_NUMBER_STRLEN 28
char *status_number(uint64_t n, char buf[static STATUS_NUMBER_STRLEN]);

/* "812 pps", "41.2 kpps", "1.3 Mpps". */
#define STATUS_RATE_STRLEN 32
char *status_rate(double pps, char buf[static STATUS_RATE_STRLEN]);

/* "1,000 drops", or "at least 1,000 drops" if there may be more. */
#define STATUS_DROPS_STRLEN 48
char *status_drops(uint64_t n, bool exact, char buf[static STATUS_DROPS_STRLEN]);

/* "no fragments seen yet" or "IPv6 fragments unassembled"; "" if nobody looks. */
const char *status_fragments(int fragments);

/*
 * "queues 0-3, confirming at the entry, 18,234 flows, 41.2 kpps, 12 invalid, no fragments seen yet,
 * 0 drops"; "queue 0" where there is one.
 */
#define STATUS_LINE_STRLEN 240
char *status_line(const struct status *s, char buf[static STATUS_LINE_STRLEN]);

/* "queues 0-3" or "queue 0". */
#define STATUS_QUEUES_STRLEN 32
char *status_queues(unsigned int first, unsigned int last, char buf[static STATUS_QUEUES_STRLEN]);
