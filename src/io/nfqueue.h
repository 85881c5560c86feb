/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A struct source on one NFQUEUE of the running kernel, by libmnl and the nfq_nlmsg_* half of
 * libnetfilter_queue.
 *
 * Every packet message gets exactly one verdict: those handed out from the caller, those whose
 * attributes cannot be understood ACCEPT from here (counted). If sending fails for so long that the
 * verdicts of two batches wait, further ones are dropped and counted as unsent: their packets are
 * accepted some seconds later.
 *
 * A queue lives as long as its socket, in whatever process that is: one that dies can leave it to
 * another, with what it was at work on (io/desk.h). Then the packets of its last batch come first.
 *
 * Neighbours that leave alike are answered together. The kernel says if it had no packet any more
 * for a message, but not if it had some: then those that were gone are not counted.
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/desk.h"
#include "io/source.h"

struct nfqueue_params {
	uint16_t queue;
	int fd;		   /* a predecessor's socket, which may have the queue; -1: none */
	struct desk *desk; /* where packets lie, perhaps the predecessor's; NULL: private memory */
	bool fail_open;	   /* accept, not drop, what finds the queue full */
	uint32_t max_packets;	 /* waiting in the kernel */
	uint32_t copy_range;	 /* bytes of each packet to copy, at least 1 */
	uint64_t receive_buffer; /* bytes (io/rcvbuf.h), 0: for max_packets, whatever is copied */
	uint32_t loopback;	 /* interface index, 0: none */
};

/* What the kernel granted. */
struct nfqueue_grant {
	bool gso;		 /* large packets arrive unsplit */
	bool fail_open;		 /* only if asked for */
	uint64_t receive_buffer; /* bytes, as read back */
	/* the queue was the predecessor's, and goes on: */
	bool adopted;
	bool damaged;	    /* what lay on its desk cannot be trusted */
	uint32_t resent;    /* verdicts that it had given, sent again to be sure */
	uint32_t inherited; /* packets that it had not judged, or not to the end: the first batch */
	bool has_fatal;	    /* a packet was dropped over which several processes have died: */
	uint32_t fatal;	    /* its id */
	bool orphans;	    /* packets whose bytes are gone, if there are any, go round again */
};

/* Totals (io/desk.h); counted by the receiving thread, readable by any. */
struct nfqueue_stats {
#define X(name, ...) uint64_t name;
	DESK_TOTAL_LIST(X)
#undef X
	int refused_error; /* the last such error, a positive errno */
	uint64_t waiting;  /* packets without a verdict at the end of the last batch: held, or... */
	uint64_t stranded; /* ...of them, those whose verdict got lost */
	int64_t off;	   /* what came - what became of it: not 0 is a mistake in here */
};

/*
 * Binds a queue of this network namespace, or goes on with one that a predecessor left. Packets may
 * wait from here on. On success params->fd is the source's; the desk must outlive it.
 *
 * Returns 0 or: -EPERM without CAP_NET_ADMIN, -EBUSY if another socket holds the queue (see
 * queuelist_holder), -EPROTONOSUPPORT if the kernel has no NFQUEUE, -ETIMEDOUT if it did not
 * answer, or another -errno.
 */
int nfqueue_open(struct source **ret, const struct nfqueue_params *params,
		 struct nfqueue_grant *ret_grant);

void nfqueue_get_stats(const struct source *s, struct nfqueue_stats *ret);

/* The socket, for a store that keeps it, while it is not released. */
int nfqueue_fd(const struct source *s);

/* Is there nothing to be read? Any thread. */
bool nfqueue_is_empty(const struct source *s);

/*
 * The kernel has n packets more without a verdict than are known here, for seconds: those among
 * them that were read, by whomever, are to be accepted as soon as nothing is held. Any thread.
 */
void nfqueue_settle(struct source *s, uint32_t n);
