/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * From events to journal records, off the packet path.
 *
 * A packet thread calls jlog_push(), which filters by class, takes a token of the class's bucket
 * and copies the event into the thread's own bounded ring: no lock, no system call, no allocation.
 * The log thread empties the rings into sd_journal_sendv() or stderr. What the rate limit or a
 * full ring keeps out is counted and reported, exactly, by a record of its own once a second.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "log/oplog.h"

struct jlog;
struct ifname;

struct jlog_config {
	enum log_target target; /* LOG_TARGET_JOURNAL, _CONSOLE or _NONE */
	uint32_t events;	/* bits 1 << enum ct_event_type */
	uint32_t rate;		/* records per second and class, 0: unlimited */
	uint32_t burst;
};

/* What became of the events of one class so far. */
struct jlog_stats {
	uint64_t sent;
	uint64_t suppressed; /* by the rate limit */
	uint64_t dropped;    /* ring full */
	uint64_t failed;     /* the journal refused it */
};

/*
 * Makes a log with nrings rings (one per pushing thread). names may be NULL (interfaces then appear
 * as numbers). Returns 0 or -errno.
 */
int jlog_new(struct jlog **ret, const struct jlog_config *cfg, size_t nrings, struct ifname *names);

/* Starts the log thread, with all signals blocked. Returns 0 or -errno. */
int jlog_start(struct jlog *log);

/* Takes over a new configuration while threads push. */
void jlog_configure(struct jlog *log, const struct jlog_config *cfg);

/* Offers one event; ring is the pushing thread's own (below nrings), one thread per ring. */
void jlog_push(struct jlog *log, size_t ring, const struct ct_event *ev);

/* Reads the totals of a class. */
void jlog_get_stats(const struct jlog *log, enum ct_event_type type, struct jlog_stats *ret);

/*
 * Sends what is in the rings and ends the thread, giving a stuck journal timeout_ms. Returns true
 * if everything was sent. Then frees the log (a thread stuck in the journal keeps what it needs).
 */
bool jlog_stop(struct jlog *log, int timeout_ms);
