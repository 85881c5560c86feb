/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What a worker leaves behind for its successor, in a memfd that the service manager keeps: its
 * engine's thread and counters, and the desk of its queue (seat.c).
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/core.h"
#include "io/desk.h"

/* What is the worker's of it. Counters have one writer, readable by any thread. */
struct worker_memory {
	struct ct_thread thread; /* statistics and trace go on, the rest begins anew */
	_Atomic uint64_t retries, rounds, circles; /* struct worker_counts */
	struct ct_thread control; /* of the control thread, in the seat of the first queue */
};

struct seat {
	int fd; /* the memfd, owned */
	struct worker_memory *worker;
	struct desk *desk;
	void *memory;
	size_t size;
};

/* A seat that nobody has had. Returns 0 or -errno. */
int seat_new(struct seat *ret, unsigned int queue);

/*
 * Takes over the seat of a queue, and on success the descriptor with it. Returns 0, -EBADMSG if it
 * is none, of another version or another queue, or another -errno. The desk may be damaged all the
 * same, which nfqueue_open() finds out.
 */
int seat_adopt(struct seat *ret, int fd, unsigned int queue);

/* Unmaps and closes; for one that is all zero, nothing. Worker and source must be gone. */
void seat_free(struct seat *s);
