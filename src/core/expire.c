/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Ending flows by the clock.
 *
 * The caller comes by a few times a second and says how many it can take; one stripe is locked at
 * a time, and never for more than a short slice, so a million flows that expire together do not
 * hold a packet up.
 */

#include "core/stats.h"
#include "core/step.h"

/* Flows looked at in one hold of a lock. */
#define SLICE 64

static void describe_end(struct ct_event *ev, const struct ct_thread *th, uint32_t index,
			 uint64_t now_ns)
{
	struct ct_flow *f = &th->ct->arena.slots[index];

	f->status |= CT_STATUS_DYING;
	*ev = (struct ct_event){
		.type = CT_EVENT_DESTROY,
		.death = CT_DEATH_TIMEOUT,
		.hook = CT_HOOK_NONE,
		.time_ns = now_ns,
		.state_old = f->state,
		.state_new = f->state,
		.accounted = th->cfg->accounting,
	};
	ct_event_flow(ev, th->ct, index, now_ns);
}

/* One slice of one stripe. Returns the events written; *ret_more: the stripe is not through. */
static size_t expire_slice(struct ct_thread *th, struct ct_stripe *stripe, uint64_t now_ns,
			   struct ct_event *events, size_t cap, bool *ret_more)
{
	uint32_t budget = SLICE;
	size_t n = 0;

	ct_lock(&stripe->lock);
	while (n < cap) {
		struct ct_arena *a = &th->ct->arena;
		uint32_t index = ct_wheel_expired(&stripe->wheel, a, now_ns, &budget);

		if (!index)
			break;
		ct_table_unlink(th->ct, ct_table_bucket(th->ct, &a->slots[index].orig), index);
		describe_end(&events[n++], th, index, now_ns);
		ct_arena_free(a, index);
		ct_stat_inc(th, CT_STAT_DESTROYED);
	}
	ct_unlock(&stripe->lock);
	*ret_more = budget == 0;
	return n;
}

size_t ct_expire(struct ct_thread *th, uint64_t now_ns, struct ct_event *events, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < CT_STRIPES && n < cap; i++) {
		bool more;

		do
			n += expire_slice(th, &th->ct->stripe[i], now_ns, events + n, cap - n,
					  &more);
		while (more && n < cap);
	}
	return n;
}
