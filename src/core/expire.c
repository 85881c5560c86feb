/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Ending flows by the clock.
 *
 * It is the packet threads that do it, between two batches, each for its share of the stripes. A
 * thread beside them would have to hold the locks that packets need, and a thread that the
 * scheduler stops while it holds one makes packets wait for milliseconds.
 *
 * The caller comes by a few times a second and says how many ends it can take; what it looks at is
 * bounded likewise, so that a million flows that expire together are spread over many batches. One
 * stripe is locked at a time, for a short slice. A call that is cut short goes on at the stripe
 * where it stopped: no stripe waits longer than the others.
 */

#include "core/end.h"
#include "core/room.h"

/* Flows looked at in one hold of a lock. */
#define SLICE 16
/* Flows looked at for each that may end, in a call that is bounded. */
#define LOOKS 2

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

/* Stripes are dealt out in turn: how many this thread has, and which is the i-th of them. */
static uint32_t own_stripes(const struct ct_thread *th)
{
	uint32_t shares = th->shares ? th->shares : 1;

	return th->share < CT_STRIPES ? (CT_STRIPES - th->share + shares - 1) / shares : 0;
}

static struct ct_stripe *own_stripe(const struct ct_thread *th, uint32_t i)
{
	return &th->ct->stripe[th->share + i * (th->shares ? th->shares : 1)];
}

size_t ct_expire(struct ct_thread *th, uint64_t now_ns, struct ct_event *events, size_t cap,
		 bool *ret_more)
{
	uint32_t looks = ret_more ? (uint32_t)cap * LOOKS : UINT32_MAX, own = own_stripes(th);
	uint32_t through = 0;
	bool crowded = false;
	size_t n = 0;

	while (through < own && n < cap && looks > 0) {
		bool stripe_through;

		n += expire_slice(th, own_stripe(th, th->next_stripe), now_ns, events + n, cap - n,
				  &looks, &stripe_through);
		if (stripe_through) {
			th->next_stripe = (th->next_stripe + 1) % own;
			through++;
		}
	}
	if (th->share == 0)
		n += ct_room_clear(th, now_ns, events + n, cap - n, &crowded);
	if (th->share == 0 && through == own)
		ct_expect_expire(th->ct, now_ns);
	if (ret_more)
		*ret_more = through < own || crowded;
	return n;
}
