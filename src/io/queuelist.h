/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The kernel's list of queues, /proc/net/netfilter/nfnetlink_queue: who holds which, and what was
 * dropped before it could reach a socket. Only root may read it.
 */

#include <stdint.h>
#include <stdio.h>

/* What /proc/net points to, and all that is left of it under ProcSubset=pid. */
#define QUEUELIST_PATH "/proc/self/net/netfilter/nfnetlink_queue"

struct queuelist_entry {
	uint32_t queue;
	uint32_t portid;  /* of the netlink socket that holds it */
	uint32_t waiting; /* packets without a verdict */
	uint32_t full;	  /* packets dropped because too many were waiting; wraps around */
	uint32_t lost;	  /* packets that did not fit into the socket's memory; wraps around */
};

/* Reads the next line of the list. Returns 1, 0 at the end, or -EIO. */
int queuelist_next(FILE *list, struct queuelist_entry *ret);

/*
 * Finds the holder of a queue. Returns 0, -ENOENT if nobody holds it, or another -errno if the list
 * cannot be read.
 */
int queuelist_holder(const char *path, uint16_t queue, uint32_t *ret_portid);
