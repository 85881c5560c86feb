/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How a flow ends: by a packet, by the clock, to make room, or because its master ended.
 *
 * Whatever the cause, the order is that of the kernel (semantics 2.2): out of the table, one record
 * of it as it was at the end, then what it expected is forgotten and its helper told. A flow that
 * was never confirmed leaves without a record, because nobody was told that it came.
 *
 * A helper may want another flow to end with this one. That one's stripe cannot be locked here,
 * since nobody holds two; so it is noted, and as soon as no lock is held its time is made over:
 * from then on it is not found any more, and the clock sees to the rest.
 */

#include "core/end.h"
#include "core/helper/call.h"
#include "core/stats.h"

/* Everything but the table; the slot is the caller's to free. */
static void leave(struct ct_thread *th, uint32_t index, uint64_t now_ns, enum ct_death death)
{
	struct ct_flow *f = &th->ct->arena.slots[index];

	if (!(f->status & CT_STATUS_CONFIRMED))
		atomic_fetch_sub_explicit(&th->ct->pending, 1, memory_order_relaxed);
	else
		ct_stats_died(th, death);
	f->status |= CT_STATUS_DYING;
	if (ct_arena_has_kin(&th->ct->arena, index))
		ct_helper_end(th, index, now_ns);
}

void ct_step_kill(struct ct_step *s, enum ct_death death)
{
	struct ct_event *ev;

	ct_table_remove(s->th->ct, s->bucket, s->index);
	s->dead = true;
	leave(s->th, s->index, s->in->now_ns, death);
	ev = ct_step_event(s, CT_EVENT_DESTROY);
	ev->death = (uint8_t)death;
	ct_event_flow(ev, s->th->ct, s->index, s->in->now_ns); /* as it is at the end */
}

bool ct_end_flow(struct ct_thread *th, uint32_t bucket, uint32_t index, uint64_t now_ns,
		 enum ct_death death, struct ct_event *ev)
{
	struct ct *ct = th->ct;
	struct ct_flow *f = &ct->arena.slots[index];
	bool told = f->status & CT_STATUS_CONFIRMED;

	__builtin_prefetch(&ct->buckets[bucket]); /* comes while the record is written */
	leave(th, index, now_ns, death);
	if (told) {
		*ev = (struct ct_event){
			.type = CT_EVENT_DESTROY,
			.death = (uint8_t)death,
			.hook = CT_HOOK_NONE,
			.time_ns = now_ns,
			.state_old = f->state,
			.state_new = f->state,
			.accounted = th->cfg->accounting,
		};
		ct_event_flow(ev, ct, index, now_ns);
	}
	ct_table_unlink(ct, bucket, index);
	ct_arena_free(&ct->arena, index);
	return told;
}

bool ct_end_expired(struct ct_thread *th, uint32_t index, uint64_t now_ns, struct ct_event *ev)
{
	const struct ct_flow *f = &th->ct->arena.slots[index];
	enum ct_death death = f->death ? (enum ct_death)f->death : CT_DEATH_TIMEOUT;

	if (!(f->status & CT_STATUS_CONFIRMED))
		ct_stat_inc(th, CT_STAT_UNCONFIRMED);
	return ct_end_flow(th, ct_table_bucket(th->ct, f->hash), index, now_ns, death, ev);
}

void ct_end_soon(struct ct *ct, uint32_t bucket, uint32_t index, enum ct_death death)
{
	struct ct_flow *f = &ct->arena.slots[index];

	f->death = (uint8_t)death;
	f->expires_ns = 0; /* past for every thread: their clocks differ by the time of a batch */
	ct_wheel_update(&ct_table_stripe(ct, bucket)->wheel, &ct->arena, index);
}

/* What it had to do with its master ends at once. */
static void doom(struct ct *ct, uint32_t bucket, uint32_t index)
{
	if (ct_arena_has_kin(&ct->arena, index))
		ct_helper_lose(ct, &ct->arena.slots[index], ct->arena.kin[index].master);
	ct_end_soon(ct, bucket, index, CT_DEATH_MASTER);
}

static void end_doomed(struct ct *ct, const struct ct_tuple *t, uint64_t now_ns)
{
	struct ct_stripe *stripe;
	uint32_t bucket, index;
	enum ct_dir dir;

	bucket = ct_table_bucket(ct, ct_tuple_hash(t, &ct->key));
	stripe = ct_table_stripe(ct, bucket);
	ct_lock(&stripe->lock);
	index = ct_table_find(ct, bucket, t, &dir);
	if (index && ct->arena.slots[index].expires_ns > now_ns)
		doom(ct, bucket, index);
	else
		ct_expect_cancel(ct, t);
	ct_unlock(&stripe->lock);
}

void ct_end_doomed(struct ct_thread *th, uint64_t now_ns)
{
	for (uint32_t i = 0; i < th->ndoomed; i++)
		end_doomed(th->ct, &th->doomed[i], now_ns);
	th->ndoomed = 0;
}
