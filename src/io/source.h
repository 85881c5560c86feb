/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Where packets come from and verdicts go: the seam between the engine's loop and the outside.
 *
 * A source gives packets in batches and takes one verdict for each packet: of those of a batch
 * before the next batch is asked for, but for packets that are held, of which only the id is kept
 * and which may be answered later, in any order, until the source is released. Two kinds exist in
 * principle: an NFQUEUE of the running kernel (io/nfqueue.c) and a capture file; the loop that
 * drives the engine is the same for both.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/core.h"

#define SOURCE_BATCH_MAX 64

/* Verdicts by the kernel's numbers. */
enum verdict {
	VERDICT_DROP = 0,
	VERDICT_ACCEPT = 1,
	VERDICT_QUEUE = 3, /* hand on to another queue: queue number in the upper 16 bits */
	VERDICT_REPEAT = 4,
};

#define VERDICT_QUEUE_NR(n) (((uint32_t)(n) << 16) | VERDICT_QUEUE)

/* One packet of a batch; the bytes stay valid until the next receive. */
struct packet {
	uint32_t id; /* the source's name for it */
	struct ct_input in;
};

/* The packet that an input of the engine is part of. */
static inline const struct packet *packet_of(const struct ct_input *in)
{
	return (const void *)((const char *)in - offsetof(struct packet, in));
}

struct source;

/* What can change while packets flow. */
struct source_config {
	uint32_t copy_range;	 /* bytes of each packet to copy, at least 1 */
	uint32_t max_packets;	 /* waiting in the kernel */
	uint64_t receive_buffer; /* bytes (io/rcvbuf.h), 0: for max_packets, whatever is copied */
	bool fail_open;		 /* accept, not drop, what finds the queue full */
};

static inline bool source_config_equal(const struct source_config *a, const struct source_config *b)
{
	return a->copy_range == b->copy_range && a->max_packets == b->max_packets &&
	       a->receive_buffer == b->receive_buffer && a->fail_open == b->fail_open;
}

struct source_ops {
	/*
	 * Waits at most timeout_ms for packets (-1: for ever, 0: not at all) and fills batch.
	 * Returns how many (0: timeout or woken), or -errno if the source is broken.
	 */
	int (*receive)(struct source *s, struct packet batch[static SOURCE_BATCH_MAX],
		       int timeout_ms);
	/*
	 * Notes the verdict for a packet of the current batch, or for one that was held, of which
	 * only the id is looked at. set_mark false leaves the mark.
	 */
	void (*verdict)(struct source *s, const struct packet *p, uint32_t verdict, bool set_mark,
			uint32_t mark);
	/* Sends every noted verdict. Returns 0 or -errno (the caller may only log it). */
	int (*flush)(struct source *s);
	/*
	 * Changes how packets wait and arrive, from now on; by the thread that receives, between
	 * two batches. Returns 0, or -errno: to be tried again, with some of it done.
	 */
	int (*configure)(struct source *s, const struct source_config *config);
	/* Makes a receive() of another thread return soon. Async-signal-safe, any thread. */
	void (*wake)(struct source *s);
	/*
	 * Ends receiving for good, by the thread that receives: an NFQUEUE is left to whoever
	 * has its socket, too, or binds it next. Totals stay readable and wake() harmless until
	 * close().
	 */
	void (*release)(struct source *s);
	/* Frees the source, released or not. NULL is fine. */
	void (*close)(struct source *s);
};

struct source {
	const struct source_ops *ops;
};
