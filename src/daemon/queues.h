/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The queues of the daemon: bound, taken over from a predecessor, or given up.
 */

#include <stddef.h>
#include <stdint.h>

#include "daemon/daemon.h"

/* The ring of the log for packets that the main thread judges, behind those of the workers. */
#define QUEUES_RING(d) ((d)->nqueues)

/* Reads d->store. Says what is wrong with it; then there is none. */
void queues_read_store(struct daemon *d);

/*
 * Fills in d->posts, with what workers of a predecessor left; memory for those of ours is in the
 * store then, if there is one. Returns 0 or -errno.
 */
int queues_take_seats(struct daemon *d);

/*
 * Fills in d->sources. From here on packets wait, and survive the process if there is a store. Says
 * what failed and returns the exit status; STATUS_OK if nothing did.
 */
enum exit_status queues_open(struct daemon *d);

/* Answers what waits in queues of a predecessor that are ours no longer, and unbinds them. */
void queues_give_up(struct daemon *d);
