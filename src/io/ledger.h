/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What each packet of a queue is owed: verdicts on their way, and packets that lack one (ledger.c).
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/desk.h"
#include "io/outstanding.h"
#include "io/verdict.h"

struct ledger {
	int fd; /* of the queue's socket */
	struct desk *desk;
	struct verdict_buf verdicts;
	struct outstanding outstanding;
	unsigned int
		stranded;     /* packets whose verdict got lost, or may be in what was unreadable */
	uint64_t stranded_ns; /* when the first of them was noticed */
	bool blind;	      /* what is older than the first packet has to go round again */
	uint64_t blind_ns;    /* since when */
	bool knows_id;	      /* it has come: what is unknown has ids up to */
	uint32_t blind_id;
	uint32_t strays_asked; /* accepted if the kernel has them, which it will say */
	/* for other threads */
	_Atomic uint64_t waiting, stranded_then; /* at the last balance */
	_Atomic int64_t off;
	_Atomic uint32_t strays_wanted; /* written by any */
};

/* How long what got lost waits, and what nothing is known of. */
#define LEDGER_WAIT_NS UINT64_C(5000000000)

/* Gives a packet its verdict, noted first; sent with the others. */
void ledger_give(struct ledger *l, const struct verdict_entry *e, uint64_t now_ns);

/* Sends all. Returns 0 or -errno, then they are kept. */
int ledger_send(struct ledger *l);

/* A packet has, or may have, no verdict for ever. */
void ledger_strand(struct ledger *l, uint64_t now_ns);

/* Blind, and a packet has come: anything older that is not known here has to go round again. */
void ledger_see_first(struct ledger *l, uint32_t id);

/* Is there anything for the next? Cheap. */
static inline bool ledger_needs_attention(const struct ledger *l)
{
	return l->blind || l->stranded > 0 ||
	       atomic_load_explicit(&l->strays_wanted, memory_order_relaxed) > 0;
}

/* Sees to packets that would wait for ever. Between two batches, with everything read judged. */
void ledger_attend(struct ledger *l, uint64_t now_ns);

/* The kernel accepted what ledger_attend() said about strays: it had some. */
void ledger_had_strays(struct ledger *l);

/* Compares what came with what became of it, for other threads to see. */
void ledger_balance(struct ledger *l);

/* Makes it come out even, with so many packets that wait: at the beginning. */
void ledger_open(struct ledger *l, uint64_t waiting);
