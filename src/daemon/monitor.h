/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the main thread watches once a second: rates for STATUS=, losses, how full the table is, and
 * whether every worker still comes back, without which the watchdog is not fed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct daemon;
struct monitor;

/* Reports the growth of a counter, at most once per interval while it lasts. */
struct limiter {
	uint64_t told;	  /* total at the last report */
	uint64_t next_ns; /* none before */
};

/* Returns what is to be reported now: the growth since the last report, or 0. */
uint64_t limiter_due(struct limiter *l, uint64_t total, uint64_t now_ns, uint64_t interval_ns);

/* A counter that must move. */
struct pulse {
	uint64_t beats;
	uint64_t since_ns; /* last seen moving */
	bool stalled;
};

/*
 * Takes note of the counter. Returns true if it has not moved for limit_ns; p->stalled is then set,
 * so that a caller can tell a new stall from a known one.
 */
bool pulse_stalled(struct pulse *p, uint64_t beats, uint64_t now_ns, uint64_t limit_ns);

/* Returns NULL without memory. */
struct monitor *monitor_new(size_t nqueues);
struct monitor *monitor_free(struct monitor *m);

/*
 * One look: reports, STATUS=, and WATCHDOG=1 if every worker is well. To be called about once a
 * second.
 */
void monitor_tick(struct monitor *m, struct daemon *d, uint64_t now_ns);

/* Packets lost so far: they never arrived, found no room in the table, or got no verdict. */
uint64_t monitor_drops(const struct daemon *d);

/*
 * Packets given back so far without a look of the engine: from exit hooks, classified before, of
 * other families, back from "repeat", not understood.
 */
uint64_t monitor_unjudged(const struct daemon *d);
