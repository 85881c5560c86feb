/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What flows went through: their last transitions and, apart from these, their last INVALID
 * packets, so that a flood of the one cannot wash out the other. And the last packets that belonged
 * to no flow.
 *
 * It is made from events, beside the engine, in memory of its own that is touched where flows are:
 * bounded for each flow. A process begins with an empty one. Whoever wants none makes none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

struct ct_history;

struct ct_history_params {
	uint32_t slots;	 /* highest slot of a flow (ct_max_flows()) */
	uint32_t depth;	 /* transitions of each flow, 1 .. CT_HISTORY_DEPTH_MAX */
	uint32_t strays; /* packets without a flow, of each queue (of queues whose numbers are
			  * equal modulo 16 together), 0 .. CT_HISTORY_STRAYS_MAX */
};

#define CT_HISTORY_DEPTH_MAX  64
#define CT_HISTORY_STRAYS_MAX (1u << 20)
#define CT_HISTORY_INVALID    2 /* INVALID packets kept of each flow */
#define CT_HISTORY_STEPS_MAX  (CT_HISTORY_DEPTH_MAX + CT_HISTORY_INVALID)

/*
 * Bytes of memory that it needs, zeroed and aligned to 64; touched on demand: for a slot in use 16
 * and 24 for each transition of the depth, 112 more if it had INVALID packets, and for each queue
 * that had packets without a flow 200 for each of these. 0: params are out of range.
 */
size_t ct_history_size(const struct ct_history_params *params);

/* Makes one in that memory, which stays the caller's. NULL: params are out of range. */
struct ct_history *ct_history_init(void *memory, const struct ct_history_params *params);

/*
 * Takes note of an event; each event of a table has to be noted. Any thread, no system call; slot
 * is that of the event's flow (ct_flow_slot()), 0 if it has none. DESTROY is not noted: the flow is
 * gone, and what is kept of it stays until its slot is used again.
 */
void ct_history_note(struct ct_history *h, uint32_t slot, const struct ct_event *ev);

/* One thing that happened to a flow; what it means is as in struct ct_event. */
struct ct_history_step {
	uint64_t time_ns;
	uint32_t detail[CT_DETAIL_MAX];
	uint32_t mark;
	uint32_t timeout_s;
	uint16_t status;
	uint8_t type, reason, info, dir, state_old, state_new, hook;
	bool begins;
};

/*
 * Copies what is kept of a flow, oldest first: the last transitions up to the depth and the last
 * CT_HISTORY_INVALID INVALID packets, each of them at its place among the others. Returns how many;
 * *ret_forgotten: how many were noted beside them, of both kinds. Any slot and id are allowed.
 */
size_t ct_history_get(struct ct_history *h, uint32_t slot, uint64_t flow,
		      struct ct_history_step ret[static CT_HISTORY_STEPS_MAX],
		      uint64_t *ret_forgotten);

/*
 * Copies the events of packets without a flow, newest first, whatever queue they are of. *at is 0
 * at the beginning. Returns how many; 0: no more. None is told twice; those that come meanwhile are
 * not told.
 */
size_t ct_history_strays(struct ct_history *h, uint64_t *at, struct ct_event *ret, size_t cap);

/* Packets without a flow that were not noted, since that would have meant to wait for others. */
uint64_t ct_history_missed(const struct ct_history *h);
