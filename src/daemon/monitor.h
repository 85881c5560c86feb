/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the main thread watches once a second: rates for STATUS=, losses, how full the table is, and
 * whether every worker still comes back, without which the watchdog is triggered.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctl_queue;
struct daemon;
struct monitor;

/* Reports the growth of a counter, at most once per interval while it lasts. */
struct limiter {
	uint64_t told;	  /* total at the last report */
	uint64_t next_ns; /* none before */
};

/* Returns what is to be reported now: the growth since the last report, or 0. */
uint64_t limiter_due(struct limiter *l, uint64_t total, uint64_t now_ns, uint64_t interval_ns);

/* Two counters, of which one grows and the other should, too. */
struct absence {
	uint64_t missing, arrived;
	uint64_t next_ns; /* nothing is told before */
};

#define ABSENCE_MIN	    10
#define ABSENCE_NS	    UINT64_C(10000000000)
#define ABSENCE_INTERVAL_NS UINT64_C(60000000000)

/*
 * Returns what is to be reported now: how many are missing, if they are ABSENCE_MIN or more since
 * the last arrival and that is ABSENCE_NS ago; at most once per ABSENCE_INTERVAL_NS. Else 0.
 */
uint64_t absence_due(struct absence *a, uint64_t missing, uint64_t arrived, uint64_t now_ns);

/* A counter that must move. */
struct pulse {
	uint64_t beats;
	uint64_t since_ns; /* last seen moving */
	uint64_t seen_ns;  /* last looked at */
	bool stalled;
};

/*
 * Takes note of the counter, about once a second. Returns true if it has not moved for limit_ns; a
 * caller sets p->stalled to tell a new stall from a known one. A look that comes more than
 * PULSE_GAP_NS after the last one finds that the whole process was asleep (stopped, frozen, a
 * machine that was paused), and begins anew.
 */
#define PULSE_GAP_NS UINT64_C(2000000000)
bool pulse_stalled(struct pulse *p, uint64_t beats, uint64_t now_ns, uint64_t limit_ns);

/* Returns NULL without memory. */
struct monitor *monitor_new(size_t nqueues);
struct monitor *monitor_free(struct monitor *m);

/* Tells what became of the packets of each queue, whether it comes out even or not. */
void monitor_tell_accounts(const struct daemon *d);

/* When no worker runs any more: reports what they lost track of. */
void monitor_close_accounts(const struct daemon *d);

/*
 * Begins with counters that a predecessor may have counted, and told of. To be called once, before
 * packets are judged.
 */
void monitor_begin(struct monitor *m, struct daemon *d);

/*
 * One look: reports, STATUS=, and WATCHDOG=1 if every worker is well, WATCHDOG=trigger once if one
 * is not. To be called about once a second.
 */
void monitor_tick(struct monitor *m, struct daemon *d, uint64_t now_ns);

/*
 * Takes over what the kernel has counted for our queues, which is lost when they are given back.
 * Returns false if it may not be read.
 */
bool monitor_read_kernel(struct daemon *d);

/* What is known of a queue here: whether its worker is well, and the kernel's counters. */
void monitor_get_queue(const struct daemon *d, size_t index, struct ctl_queue *ret);

/*
 * Packets dropped so far against anybody's will: they found their queue full, never arrived, found
 * no room in the table, among the fragments or the expectations, or were dropped by the kernel
 * before their verdict. *ret_exact is false if there may be more, because the kernel's counters
 * could not be read.
 */
uint64_t monitor_drops(const struct daemon *d, bool *ret_exact);

/*
 * Packets given back so far without a look of the engine: from exit hooks, classified before, of
 * other families, back from "repeat", not understood, given up.
 */
uint64_t monitor_unjudged(const struct daemon *d);
