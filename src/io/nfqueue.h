/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A struct source on one NFQUEUE of the running kernel, by libmnl and the nfq_nlmsg_* half of
 * libnetfilter_queue.
 *
 * Every packet message gets exactly one verdict: those handed out from the caller, those whose
 * attributes cannot be understood ACCEPT from here (counted). If sending fails for so long that the
 * verdicts of two batches wait, further ones are dropped and counted as unsent: their packets stay
 * in the kernel until the queue is released, which drops them.
 *
 * Neighbours that leave alike are answered together. The kernel says if it had no packet any more
 * for a message, but not if it had some: then those that were gone are not counted.
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/source.h"

struct nfqueue_params {
	uint16_t queue;
	bool fail_open;		 /* accept, not drop, what finds the queue full */
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
};

/* Totals; counted by the receiving thread, readable by any. */
struct nfqueue_stats {
	uint64_t lost;	     /* packets that never arrived: gaps in their ids */
	uint64_t broken;     /* packets accepted unread: attributes not understood */
	uint64_t unreadable; /* messages without a packet id: nothing to answer */
	uint64_t refused;    /* verdicts the kernel answered with another error */
	int refused_error;   /* the last such error, a positive errno */
	uint64_t gone;	 /* packets that the kernel had dropped before their verdict, at least */
	uint64_t crowds; /* times max_packets were read in a row without finding none */
	uint64_t unsent; /* verdicts dropped because sending kept failing */
};

/*
 * Binds a queue of this network namespace. Packets may wait from here on.
 *
 * Returns 0 or: -EPERM without CAP_NET_ADMIN, -EBUSY if another socket holds the queue (see
 * queuelist_holder), -EPROTONOSUPPORT if the kernel has no NFQUEUE, -ETIMEDOUT if it did not
 * answer, or another -errno.
 */
int nfqueue_open(struct source **ret, const struct nfqueue_params *params,
		 struct nfqueue_grant *ret_grant);

void nfqueue_get_stats(const struct source *s, struct nfqueue_stats *ret);
