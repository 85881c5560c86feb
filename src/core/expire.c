/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Ending flows by the clock.
 *
 * The caller comes by a few times a second and says how many it can take. One stripe is locked at
 * a time, and never for longer than a short slice, so a million flows that expire together do not
 * hold a packet up. A call that is cut short goes on at the stripe where it stopped: no stripe
 * waits longer than the others.
 */

#include "core/end.h"
#include "core/room.h"

/* Flows looked at in one hold of a lock, and in one call that is bounded. */
#define SLICE 64
#define LOOKS 4096

/*
 * One slice of one stripe. Returns the events written and takes the flows it looked at from *looks;
 * *ret_through: nothing of the stripe is due any more.
 */
static size_t expire_slice(struct ct_thread *th, struct ct_stripe *stripe, uint64_t now_ns,
			   struct ct_event *events, size_t cap, uint32_t *looks, bool *ret_through)
{
	uint32_t slice = *looks < SLICE ? *looks : SLICE, budget = slice;
	size_t n = 0;

	*ret_through = false;
	ct_lock(&stripe->lock);
	while (n < cap && th->ndoomed + CT_DOOMED_EACH <= CT_DOOMED_MAX) {
		uint32_t index = ct_wheel_expired(&stripe->wheel, &th->ct->arena, now_ns, &budget);

		if (!index) {
			*ret_through = budget > 0;
			break;
		}
		n += ct_end_expired(th, index, now_ns, &events[n]);
	}
	ct_unlock(&stripe->lock);
	ct_end_doomed(th, now_ns);
	*looks -= slice - budget;
	return n;
}

size_t ct_expire(struct ct_thread *th, uint64_t now_ns, struct ct_event *events, size_t cap,
		 bool *ret_more)
{
	uint32_t looks = ret_more ? LOOKS : UINT32_MAX;
	unsigned int through = 0;
	bool crowded;
	size_t n = 0;

	ct_expect_expire(th->ct, now_ns);
	while (through < CT_STRIPES && n < cap && looks > 0) {
		bool stripe_through;

		n += expire_slice(th, &th->ct->stripe[th->next_stripe], now_ns, events + n, cap - n,
				  &looks, &stripe_through);
		if (stripe_through) {
			th->next_stripe = (th->next_stripe + 1) % CT_STRIPES;
			through++;
		}
	}
	n += ct_room_clear(th, now_ns, events + n, cap - n, &crowded);
	if (ret_more)
		*ret_more = through < CT_STRIPES || crowded;
	return n;
}
