/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Room in a full table.
 *
 * A flow that both sides have taken part in for a while (ASSURED) is worth more than any that has
 * yet to show it. So a first packet that finds the table full looks through its own and the next
 * few buckets and ends, in the first of them that has any, every flow that is not ASSURED. Since
 * the hash is keyed, these are strangers chosen by chance: whoever floods the table with new flows
 * mostly makes his own go. If there is nothing to end, the packet is dropped, and the clock is
 * asked to walk through the whole table, where it also takes connections that are closing.
 *
 * What waits for its confirmation goes first, if there is any: its packet may have been dropped
 * long ago, and if it was not, the exit hook makes the flow again. So does what has expired, in the
 * bucket that is looked at. But it is not searched for everywhere before another flow has to go: in
 * a flood each packet comes by here, and each flow that it looks at is a miss of the cache.
 *
 * The kernel looks at eight buckets with one link per direction, so at about sixteen links when
 * its table is full. What counts for the odds of a new flow is the number of links, not that of
 * buckets: so a packet looks at as many buckets as hold sixteen flows on average when the table is
 * full, however many buckets there are for a flow.
 */

#include "core/proto.h"
#include "core/room.h"
#include "core/stats.h"

#define REACH	  16  /* flows of a full table that a packet looks at */
#define KILLS_MAX 4   /* flows ended at once by one packet; more of a bucket follow by the clock */
#define WALK	  512 /* buckets that one call of the clock looks at */

/* --- by a packet -------------------------------------------------------------------------- */

enum victim { VICTIM_NO, VICTIM_FREE, VICTIM_EARLY };

static enum victim victim(const struct ct_flow *f, uint64_t now_ns)
{
	if (!(f->status & CT_STATUS_CONFIRMED) || f->expires_ns <= now_ns)
		return VICTIM_FREE;
	return f->status & CT_STATUS_ASSURED ? VICTIM_NO : VICTIM_EARLY;
}

static void end_victim(struct ct_step *s, uint32_t bucket, uint32_t index, enum victim kind)
{
	struct ct *ct = s->th->ct;
	struct ct_event *ev = &s->out->events[s->out->nevents];
	bool told;

	ct_wheel_remove(&ct_table_stripe(ct, bucket)->wheel, &ct->arena, index);
	if (kind == VICTIM_EARLY) {
		ct_stat_inc(s->th, CT_STAT_EARLY_DROPS);
		told = ct_end_flow(s->th, bucket, index, s->in->now_ns, CT_DEATH_EARLY_DROP, ev);
	} else {
		told = ct_end_expired(s->th, index, s->in->now_ns, ev);
	}
	s->out->nevents += told;
}

/* Ends the victims of one kind in a bucket whose lock is held; returns how many went at once. */
static unsigned int clear_bucket(struct ct_step *s, uint32_t bucket, enum victim kind)
{
	struct ct *ct = s->th->ct;
	unsigned int ended = 0;
	uint32_t next;

	for (uint32_t i = ct_table_first(ct, bucket); i; i = next) {
		next = ct->arena.slots[i].next;
		if (victim(&ct->arena.slots[i], s->in->now_ns) != kind)
			continue;
		if (ended < KILLS_MAX) {
			end_victim(s, bucket, i, kind);
			ended++;
		} else if (kind == VICTIM_EARLY) {
			ct_stat_inc(s->th, CT_STAT_EARLY_DROPS);
			ct_end_soon(ct, bucket, i, CT_DEATH_EARLY_DROP);
		}
	}
	return ended;
}

/*
 * A bucket of another stripe: only if nobody is at it, for a second lock must not be waited for,
 * and not at all if there is nothing in it, as in most.
 */
static unsigned int clear_any(struct ct_step *s, uint32_t bucket, bool early)
{
	struct ct_stripe *stripe = ct_table_stripe(s->th->ct, bucket);
	bool own = stripe == ct_table_stripe(s->th->ct, s->bucket);
	unsigned int ended;

	if (!ct_table_first(s->th->ct, bucket) || (!own && !ct_trylock(&stripe->lock)))
		return 0;
	ended = clear_bucket(s, bucket, VICTIM_FREE);
	if (ended == 0 && early)
		ended = clear_bucket(s, bucket, VICTIM_EARLY);
	if (!own)
		ct_unlock(&stripe->lock);
	return ended;
}

/* Buckets that hold so many flows; a table with fewer is looked at once. */
static uint32_t reach(const struct ct *ct)
{
	uint64_t all = (uint64_t)ct->bucket_mask + 1, max = ct_max_flows(ct);
	uint64_t n = (REACH * all + max - 1) / max;

	return (uint32_t)(n < all ? n : all);
}

/* early: also what is only not ASSURED. */
static bool clear_near(struct ct_step *s, bool early)
{
	uint32_t n = reach(s->th->ct);

	for (uint32_t i = 0; i < n; i++)
		if (clear_any(s, (s->bucket + i) & s->th->ct->bucket_mask, early) > 0)
			return true;
	return false;
}

bool ct_room_make(struct ct_step *s)
{
	struct ct *ct = s->th->ct;
	bool waiting = atomic_load_explicit(&ct->pending, memory_order_relaxed) > 0;

	if ((waiting && clear_near(s, false)) || clear_near(s, true))
		return true;
	atomic_store_explicit(&ct->crowded, true, memory_order_relaxed);
	return false;
}

/* --- by the clock ---------------------------------------------------------------------------- */

static bool nearly_full(const struct ct *ct)
{
	return ct_count(ct) >= (uint64_t)ct_max_flows(ct) * 95 / 100;
}

/*
 * The n-th bucket of a walk. Each comes once, in an order that jumps about: a walk that stops as
 * soon as there is room would leave a stretch without anything that may go, and packets whose
 * buckets are in the middle of it would be dropped until the flood has filled it again.
 */
static uint32_t scattered(const struct ct *ct, uint32_t n)
{
	return n * 0x9e3779b1u & ct->bucket_mask; /* odd, and the buckets are a power of two */
}

static bool may_go(const struct ct_flow *f, uint64_t now_ns)
{
	const struct ct_proto *proto = ct_proto_get(f->orig.proto);

	if (!(f->status & CT_STATUS_CONFIRMED) || f->expires_ns <= now_ns)
		return false; /* their time comes anyway */
	return !(f->status & CT_STATUS_ASSURED) || (proto->closing && proto->closing(f->state));
}

static size_t clear_early(struct ct_thread *th, uint32_t bucket, uint64_t now_ns,
			  struct ct_event *events, size_t cap)
{
	struct ct *ct = th->ct;
	struct ct_stripe *stripe = ct_table_stripe(ct, bucket);
	size_t n = 0;
	uint32_t next;

	ct_lock(&stripe->lock);
	for (uint32_t i = ct_table_first(ct, bucket); i && n < cap && nearly_full(ct); i = next) {
		next = ct->arena.slots[i].next;
		if (!may_go(&ct->arena.slots[i], now_ns))
			continue;
		ct_wheel_remove(&stripe->wheel, &ct->arena, i);
		ct_stat_inc(th, CT_STAT_EARLY_DROPS);
		n += ct_end_flow(th, bucket, i, now_ns, CT_DEATH_EARLY_DROP, &events[n]);
	}
	ct_unlock(&stripe->lock);
	ct_end_doomed(th, now_ns);
	return n;
}

size_t ct_room_clear(struct ct_thread *th, uint64_t now_ns, struct ct_event *events, size_t cap,
		     bool *ret_more)
{
	struct ct *ct = th->ct;
	size_t n = 0;

	*ret_more = false;
	if (!atomic_load_explicit(&ct->crowded, memory_order_relaxed))
		return 0;
	for (unsigned int looks = WALK; looks > 0 && n < cap && nearly_full(ct); looks--) {
		n += clear_early(th, scattered(ct, th->next_bucket), now_ns, events + n, cap - n);
		if (n == cap)
			break; /* there may be more in this one */
		if (th->next_bucket++ == ct->bucket_mask) {
			th->next_bucket = 0;
			atomic_store_explicit(&ct->crowded, false, memory_order_relaxed);
			return n;
		}
	}
	*ret_more = nearly_full(ct);
	if (!*ret_more)
		atomic_store_explicit(&ct->crowded, false, memory_order_relaxed);
	return n;
}
