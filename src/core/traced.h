/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A packet is at work on a flow (trace.c). All of it with the lock of the flow's stripe held.
 * Private to src/core.
 */

#include "core/step.h"

/* The part of a flow that packets change, its places in lists left out. */
#define CT_TRACE_FROM offsetof(struct ct_flow, generation)

_Static_assert(CT_TRACE_FROM + CT_TRACE_WORDS * sizeof(uint64_t) ==
		       offsetof(struct ct_flow, timer_prev),
	       "a trace saves what packets change");

/*
 * What follows is written for a process that reads it after this one was killed between any two
 * instructions: so the compiler must keep the order, of these and of what is written of the flow.
 */
static inline void ct_trace_order(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

static inline void ct_trace_set_phase(struct ct_trace *t, enum ct_trace_phase phase)
{
	atomic_store_explicit(&t->phase, phase, memory_order_relaxed);
}

/* The packet is about to change its flow, in slot s->index. What the trace said before is over. */
static inline void ct_trace_open(struct ct_step *s)
{
	struct ct_trace *t = &s->th->trace;

	memcpy(t->saved, (const uint8_t *)s->flow + CT_TRACE_FROM, sizeof(t->saved));
	t->flow = s->index;
	t->salt = s->th->ct->arena.id_salt;
	ct_trace_order();
	ct_trace_set_phase(t, CT_TRACE_BUSY);
	ct_trace_order();
	if (s->flow->life == CT_LIFE_WHOLE)
		ct_flow_mark(s->flow, CT_LIFE_CHANGING);
	ct_trace_order();
}

static inline void ct_trace_end(struct ct_step *s, enum ct_trace_phase phase)
{
	ct_trace_order();
	if (s->flow && s->flow->life == CT_LIFE_CHANGING)
		ct_flow_mark(s->flow, CT_LIFE_WHOLE);
	ct_trace_order();
	ct_trace_set_phase(&s->th->trace, phase);
	ct_trace_order();
}

static inline bool ct_trace_is_open(const struct ct_step *s)
{
	return atomic_load_explicit(&s->th->trace.phase, memory_order_relaxed) == CT_TRACE_BUSY;
}

/* The flow is about to leave its slot for good, or has nothing more to fear. */
static inline void ct_trace_drop(struct ct_step *s)
{
	if (ct_trace_is_open(s))
		ct_trace_end(s, CT_TRACE_NONE);
}

/* The packet has been judged; s->out has the status of its flow. */
static inline void ct_trace_close(struct ct_step *s)
{
	struct ct_trace *t = &s->th->trace;

	if (!ct_trace_is_open(s))
		return;
	t->id = s->in->id;
	t->queue = s->in->queue;
	t->status = s->out->status;
	t->info = (uint8_t)s->info;
	t->reason = (uint8_t)s->reason;
	t->drop = s->out->drop;
	ct_trace_end(s, CT_TRACE_DONE);
}
