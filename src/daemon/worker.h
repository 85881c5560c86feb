/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One thread on one queue: receive, ct_track(), verdict, events to the log.
 *
 * A fragment that has to wait for the first one of its datagram gets its verdict later, whichever
 * worker sees that first one: the verdict can only leave through the queue that holds the packet,
 * so the other worker wakes this one. Whatever is held when the thread ends is answered before the
 * queue is given back, or left to the successor of whoever keeps it.
 *
 * It also ends the flows of its share of the table whose time is up, a few between two batches.
 *
 * Between receive and flush a worker makes no system call, takes no lock across I/O and allocates
 * nothing. The configuration is a pointer published by the main thread: a worker looks at it once
 * per batch. It only moves forward, but it may skip some, and it may be about to adopt one that is
 * no longer the newest: only configurations older than the one it has adopted are done with.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "core/core.h"
#include "io/source.h"

struct ct_history;
struct ctl_stream;
struct jlog;
struct worker;
struct worker_memory;
struct zones;

/* A configuration in the life of the process, and what follows from it on this machine. */
struct daemon_conf {
	struct daemon_conf *older; /* the main thread's */
	struct conf conf;
	struct zones *zones; /* of interfaces; NULL: none is in one */
	/* of conf, until it is in force; the main thread's */
	struct conf_origins *origins;
};

struct worker_params {
	struct source *source; /* closed by worker_free(); copies what conf_copy_range() says */
	struct ct *ct;
	const struct daemon_conf *conf;
	struct jlog *log;
	struct ctl_stream *stream;   /* NULL: nobody can ask for events */
	struct ct_history *history;  /* NULL: none is kept */
	size_t index;		     /* among peers: its ring of the log, its share of the clock */
	unsigned int queue;	     /* names the thread */
	int cpu;		     /* to run on, -1: any */
	bool shadow;		     /* accept everything, never set a mark */
	struct worker *const *peers; /* all workers, complete before the first is started */
	size_t npeers;
	int ended_fd; /* eventfd, written when the thread is about to end */
	/* memory that outlives the process, perhaps a predecessor's; NULL: private */
	struct worker_memory *memory;
	uint32_t inherited; /* packets of the first batch that the predecessor may have judged */
	bool kept;	    /* somebody keeps the queue: what is held is left to a successor */
	bool surplus;	    /* the queue is about to be given up: no share of the expiry */
};

/*
 * Makes a thread of the engine ready for a table and a share of its expiry. Statistics go on; what
 * a predecessor was about to do does not, but for its trace.
 */
void worker_begin_thread(struct ct_thread *th, struct ct *ct, uint32_t share, uint32_t shares);

/* Makes a worker that does not run yet; on failure the source stays with the caller. */
int worker_new(struct worker **ret, const struct worker_params *params);

/* Starts the thread, with all signals blocked. Returns 0 or -errno. */
int worker_start(struct worker *w);

/* Asks the thread to answer what waits in the queue, to give the queue back and to end. */
void worker_stop(struct worker *w);

/*
 * Waits for the end of the thread. Returns true if it ended in time; then *ret_error is 0 or the
 * -errno that broke the source.
 */
bool worker_join(struct worker *w, int timeout_ms, int *ret_error);

/* Frees a worker whose thread is not running, and closes its source. NULL is fine. */
struct worker *worker_free(struct worker *w);

/*
 * What the thread does when it is told to stop, for a worker without one: answers what waits in the
 * queue, for half a second at most, then what is held, and gives the queue back. Returns 0 or the
 * -errno that broke the source.
 */
int worker_finish(struct worker *w);

/* Publishes a new configuration and wakes the thread to adopt it. */
void worker_set_conf(struct worker *w, const struct daemon_conf *conf);

/* The configuration the worker has adopted: it looks at no older one any more. */
const struct daemon_conf *worker_conf(const struct worker *w);

/*
 * A counter that moves at least every WORKER_WAIT_MS while the worker is healthy, whether there
 * are packets or not.
 */
#define WORKER_WAIT_MS 250
uint64_t worker_beats(const struct worker *w);

/* Totals of what the engine does not count. */
struct worker_counts {
	uint64_t retries; /* verdicts could not be sent and were tried again soon */
	uint64_t rounds;  /* packets that came back from "repeat" with their class: accepted */
	uint64_t circles; /* packets that came back without, again and again: accepted */
};

void worker_get_counts(const struct worker *w, struct worker_counts *ret);

/* nfqueue_settle() for its queue, soon. */
void worker_settle(struct worker *w, uint32_t n);

bool worker_ended(const struct worker *w);
unsigned int worker_queue(const struct worker *w);
const struct source *worker_source(const struct worker *w);
const struct ct_stats *worker_stats(const struct worker *w);

/*
 * One round, as the thread does it: waits at most timeout_ms, judges what came, sends the verdicts.
 * Returns the number of packets, or -errno if the source is broken.
 */
int worker_pass(struct worker *w, int timeout_ms);
