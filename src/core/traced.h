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
_Static_assert(CT_TRACE_KIN_WORDS * sizeof(uint64_t) >= sizeof(struct ct_kin) &&
		       CT_TRACE_EXPECT_WORDS * sizeof(uint64_t) >= sizeof(struct ct_expect),
	       "and what they change beside it");

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
	if (ct_arena_has_kin(&s->th->ct->arena, s->index))
		memcpy(t->kin, &s->th->ct->arena.kin[s->index], sizeof(struct ct_kin));
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

static inline void ct_trace_set_spent(struct ct_trace *t, uint32_t n)
{
	ct_trace_order();
	atomic_store_explicit(&t->nspent, n, memory_order_relaxed);
	ct_trace_order();
}

/*
 * The packet meets an expectation, which is about to go. What the trace said before is over. With
 * the lock of the expectations held, too.
 */
static inline void ct_trace_spend(struct ct_thread *th, const struct ct_expect *e)
{
	struct ct_trace *t = &th->trace;
	uint32_t n = atomic_load_explicit(&t->nspent, memory_order_relaxed);

	ct_trace_set_phase(t, CT_TRACE_NONE);
	ct_trace_order();
	if (n == CT_TRACE_SPENT_MAX)
		return;
	memcpy(t->spent[n], e, sizeof(*e));
	t->salt = th->ct->arena.id_salt;
	ct_trace_set_spent(t, n + 1);
}

/* What was met has become a flow. */
static inline void ct_trace_spent_well(struct ct_trace *t)
{
	if (atomic_load_explicit(&t->nspent, memory_order_relaxed) > 0)
		ct_trace_set_spent(t, 0);
}

/* The packet has been judged, by a flow that it has not changed. */
static inline void ct_trace_leave(struct ct_step *s)
{
	ct_trace_spent_well(&s->th->trace);
	ct_trace_drop(s);
}

static inline void ct_trace_note_datagram(struct ct_trace *t, const struct ct_step *s)
{
	t->dir = (uint8_t)s->dir;
	t->counted = s->counted && s->th->cfg->accounting;
	t->datagram_generation = s->datagram_generation;
	t->tcp_end = s->tuple.proto == CT_PROTO_TCP ? s->tcp.end : 0;
}

/* The packet has been judged; s->out has the status of its flow. */
static inline void ct_trace_close(struct ct_step *s)
{
	struct ct_trace *t = &s->th->trace;

	if (!ct_trace_is_open(s)) {
		ct_trace_leave(s);
		return;
	}
	t->id = s->in->id;
	t->queue = s->in->queue;
	t->status = s->out->status;
	t->info = (uint8_t)s->info;
	t->reason = (uint8_t)s->reason;
	t->drop = s->out->drop;
	t->datagram = s->datagram;
	if (s->datagram)
		ct_trace_note_datagram(t, s);
	ct_trace_end(s, CT_TRACE_DONE);
	ct_trace_spent_well(t);
}
