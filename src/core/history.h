/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What flows went through: their last transitions and, apart from these, their last INVALID
 * packets, so that a flood of the one cannot wash out the other. And the last packets that belonged
 * to no flow.
 *
 * It is made from events, beside the engine, in memory of its own that is touched where flows are:
 * bounded for each flow, and nothing at all with a depth of 0. A process begins with an empty one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

struct ct_history;

struct ct_history_params {
	uint32_t slots;	 /* highest slot of a flow (ct_max_flows()) */
	uint32_t depth;	 /* transitions of each flow, 1 .. CT_HISTORY_DEPTH_MAX */
	uint32_t strays; /* packets without a flow, 0 .. */
};

#define CT_HISTORY_DEPTH_MAX 64
#define CT_HISTORY_INVALID   2 /* INVALID packets kept of each flow */
#define CT_HISTORY_STEPS_MAX (CT_HISTORY_DEPTH_MAX + CT_HISTORY_INVALID)

/* Bytes that it needs: zeroed, touched on demand. */
size_t ct_history_size(const struct ct_history_params *params);

/* Makes one in that memory, which stays the caller's. */
struct ct_history *ct_history_init(void *memory, const struct ct_history_params *params);

/*
 * Takes note of an event. Any thread, no system call; slot is that of the event's flow, 0 if it has
 * none. DESTROY is not noted: the flow is gone.
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
};

/*
 * Copies what is kept of a flow, oldest first. Returns how many; *ret_forgotten: how many there
 * were beside them.
 */
size_t ct_history_get(struct ct_history *h, uint32_t slot, uint64_t flow,
		      struct ct_history_step ret[static CT_HISTORY_STEPS_MAX],
		      uint64_t *ret_forgotten);

/* Copies the events of packets without a flow, newest first. *at is 0 at the beginning. Returns how
 * many; 0: no more. */
size_t ct_history_strays(struct ct_history *h, uint64_t *at, struct ct_event *ret, size_t cap);
