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

#define CT_TRACE_WORDS 15

struct ct_trace {
	_Atomic uint32_t phase; /* enum ct_trace_phase */
	uint32_t flow;		/* slot */
	uint64_t salt;		/* of its arena */
	uint64_t saved[CT_TRACE_WORDS];
	/* the packet, and what became of it */
	uint32_t id;
	uint16_t queue;
	uint16_t status; /* of its flow, enum ct_status */
	uint8_t info;	 /* enum ct_info */
	uint8_t reason;	 /* enum ct_reason */
	bool drop;
};
