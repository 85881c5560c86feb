/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Which packets of a queue wait for their verdict, as far as it takes to know whether one message
 * may answer several: NFQNL_MSG_VERDICT_BATCH answers every packet up to an id that still waits, so
 * nothing older than those it is meant for may be among them.
 *
 * A batch is mostly answered in its order. What is passed over there waits behind: it is only
 * counted, and while there is any, each packet gets a message of its own. Ids are compared for
 * equality alone, so it does not matter that they wrap around and have gaps.
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/source.h"

struct outstanding {
	struct {
		uint32_t id, mark;
	} batch[SOURCE_BATCH_MAX];
	unsigned int n, next; /* those before next were answered or passed over */
	uint64_t behind;      /* packets before next that wait */
};

/* A new batch begins: what the last one left unanswered waits behind it. */
void outstanding_turn(struct outstanding *o);

/* The next packet of the batch, of SOURCE_BATCH_MAX at most, and the mark it came with. */
void outstanding_add(struct outstanding *o, uint32_t id, uint32_t mark);

/*
 * A packet is answered, each once. Returns true if a message for several may answer it, and
 * *ret_mark, the mark it came with: no older one waits, and it is not the first of its batch. That
 * is always asked for by its own id, because the kernel does not say how many packets a message for
 * several found: when it drops all that wait, for rules are replaced, the oldest tells.
 */
bool outstanding_answer(struct outstanding *o, uint32_t id, uint32_t *ret_mark);

/* A packet that will never be answered waits in the kernel. */
void outstanding_strand(struct outstanding *o);

/* So many of those were answered after all. */
void outstanding_unstrand(struct outstanding *o, unsigned int n);

/* Packets that wait for their verdict. */
static inline uint64_t outstanding_waiting(const struct outstanding *o)
{
	return o->behind + o->n - o->next;
}
