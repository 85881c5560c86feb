/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What a thread leaves behind if it dies in the middle of a packet, where its struct ct_thread lies
 * in memory that outlives it (trace.c).
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum ct_trace_phase {
	CT_TRACE_NONE, /* no flow is under change */
	CT_TRACE_BUSY, /* one is: saved has what it was before */
	CT_TRACE_DONE, /* the packet has been judged, and its flow changed */
};

/* Of what a flow is owed. */
enum ct_debt_state {
	CT_DEBT_NONE,
	CT_DEBT_NOTING, /* a datagram is under change, and says whether there is a debt */
	CT_DEBT_OPEN,	/* there is */
	CT_DEBT_PAYING, /* the flow is under change: before has what it had */
};

/* Bytes of a datagram that have been noted there, and that its flow does not have yet. */
struct ct_debt {
	_Atomic uint32_t state; /* enum ct_debt_state */
	uint32_t datagram;	/* slot */
	uint32_t start, end;	/* the piece that is being noted; start = end: more than one */
	uint64_t flow;		/* id */
	uint64_t bytes;		/* for it */
	uint64_t before;
	uint32_t tcp_end; /* its sender has sent up to here */
	uint8_t dir;	  /* enum ct_dir */
};

#define CT_TRACE_WORDS	      15
#define CT_TRACE_KIN_WORDS    6
#define CT_TRACE_EXPECT_WORDS 10
#define CT_TRACE_SPENT_MAX    2

struct ct_trace {
	_Atomic uint32_t phase; /* enum ct_trace_phase */
	uint32_t flow;		/* slot */
	uint64_t salt;		/* of its arena */
	uint64_t saved[CT_TRACE_WORDS];
	uint64_t kin[CT_TRACE_KIN_WORDS]; /* what its helper remembered, if it has one */
	/* expectations that the packet has met, which are no more */
	uint64_t spent[CT_TRACE_SPENT_MAX][CT_TRACE_EXPECT_WORDS];
	_Atomic uint32_t nspent;
	/* the packet, and what became of it */
	uint32_t id;
	uint16_t queue;
	uint16_t status; /* of its flow, enum ct_status */
	uint8_t info;	 /* enum ct_info */
	uint8_t reason;	 /* enum ct_reason */
	bool drop;
	/* the datagram whose first fragment it is, 0: none; it may not know its class yet */
	uint8_t dir;
	bool counted; /* its bytes count */
	uint32_t datagram, datagram_generation;
	uint32_t tcp_end;
	struct ct_debt debt;
};
