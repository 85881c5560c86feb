/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fragments that wait in the kernel for the first of their datagram.
 *
 * With several queues the first one may come to another worker than those that wait for it, and a
 * verdict can only be given through the socket that a packet came from. So a packet has two lives
 * here: in the wait for its datagram, until any thread decides that; then in a list of its queue,
 * until the worker of that takes it. Its record is made then, too, and counted by that worker: it
 * stays true that each counter has one writer, and that a packet is counted when it is answered.
 *
 * Whoever decides packets of other queues remembers which, so that it can wake their workers once
 * per batch instead of once per packet. The clock needs no thread of its own: every worker comes by
 * at least once a second, and ends what is over in all queues.
 */

#include "core/held.h"
#include "core/stats.h"
#include "core/step.h"

/* Datagrams that one look at the clock ends. */
#define EXPIRE_MAX 256

/* --- deciding ------------------------------------------------------------------------------- */

static bool says_where(enum ct_reason reason)
{
	switch (reason) {
	case CT_REASON_IP_FRAGMENT:
	case CT_REASON_FRAGMENT_DUPLICATE:
	case CT_REASON_FRAGMENT_OVERLAP:
	case CT_REASON_FRAGMENT_LENGTH:
	case CT_REASON_FRAGMENT_ECN:
	case CT_REASON_FRAGMENT_TIMEOUT:
	case CT_REASON_FRAGMENT_LIMIT:
		return true;
	default:
		return false;
	}
}

/* The packet behind prev has its class: it goes to the worker of its queue. */
static void decide_one(struct ct_thread *th, uint32_t index, uint32_t prev, uint32_t held,
		       const struct ct_fragment_class *class)
{
	struct ct_fragments *f = &th->ct->fragments;
	struct ct_held *h = &f->held[held];

	h->class = *class;
	if (class->reason == CT_REASON_IP_FRAGMENT) {
		h->class.detail[0] = h->offset;
		h->class.detail[1] = h->ident;
	} else if (says_where((enum ct_reason) class->reason)) {
		h->class.detail[0] = h->offset;
		h->class.detail[1] = h->end;
		h->class.detail[2] = h->ident;
	}
	ct_held_unlink(f, index, prev, held);
	ct_held_due(f, held);
	th->wake[h->queue % 256 / 64] |= UINT64_C(1) << h->queue % 64;
}

void ct_held_decide(struct ct_thread *th, uint32_t index, const struct ct_fragment_class *class)
{
	const struct ct_datagram *d = &th->ct->fragments.datagrams[index];

	while (d->held_first)
		decide_one(th, index, 0, d->held_first, class);
}

void ct_held_drop(struct ct_thread *th, uint32_t index, enum ct_reason reason)
{
	ct_held_decide(th, index,
		       &(struct ct_fragment_class){
			       .info = CT_INFO_INVALID, .reason = (uint8_t)reason, .drop = true});
}

void ct_held_kill(struct ct_thread *th, uint32_t index, enum ct_reason reason)
{
	struct ct_datagram *d = &th->ct->fragments.datagrams[index];

	d->class.reason = (uint8_t)reason;
	ct_datagram_set_state(d, CT_DATAGRAM_DEAD);
	ct_held_drop(th, index, reason);
}

void ct_held_forget(struct ct_thread *th, uint32_t index, enum ct_reason reason)
{
	ct_held_drop(th, index, reason);
	ct_datagram_remove(&th->ct->fragments, index);
}

bool ct_held_over(const struct ct_thread *th, const struct ct_datagram *d, uint64_t now_ns)
{
	return now_ns > d->created_ns && now_ns - d->created_ns >= th->cfg->fragment_ns;
}

static void expire(struct ct_thread *th, uint64_t now_ns)
{
	struct ct_fragments *f = &th->ct->fragments;
	const uint32_t *oldest = &f->oldest[CT_DATAGRAMS_BY_AGE];

	for (unsigned int i = 0; i < EXPIRE_MAX && *oldest; i++) {
		if (!ct_held_over(th, &f->datagrams[*oldest], now_ns))
			return;
		ct_held_forget(th, *oldest, CT_REASON_FRAGMENT_TIMEOUT);
	}
}

/* --- handing out ---------------------------------------------------------------------------- */

static void make_event(struct ct_event *ev, const struct ct_held *h, uint64_t now_ns, uint32_t mark)
{
	*ev = (struct ct_event){
		.type = CT_EVENT_INVALID,
		.reason = h->class.reason,
		.drop = h->class.drop,
		.info = h->class.info,
		.time_ns = now_ns,
		.mark = mark,
		.iif = h->iif,
		.oif = h->oif,
		.queue = h->queue,
		.hook = h->hook,
		.has_tuple = true,
		.family = h->family,
		.l4proto = h->proto,
		.orig = {.src = h->src,
			 .dst = h->dst,
			 .family = h->family,
			 .proto = h->proto,
			 .zone = h->zone},
	};
	memcpy(ev->detail, h->class.detail, sizeof(ev->detail));
}

/* The packet is judged now, by the thread that answers it. */
static void hand_out(struct ct_thread *th, const struct ct_held *h, uint64_t now_ns,
		     struct ct_fragment_due *out)
{
	const struct ct_fragment_class *class = &h->class;
	uint16_t status = class->info == CT_INFO_INVALID ? 0 : class->status;

	out->id = h->id;
	out->mark = ct_mark_encode(&th->cfg->mark, h->mark, (enum ct_info) class->info, status);
	out->set_mark = out->mark != h->mark;
	out->info = class->info;
	out->drop = class->drop;
	out->has_event =
		ct_is_told((enum ct_info) class->info, (enum ct_reason) class->reason, class->drop);
	if (out->has_event)
		make_event(&out->event, h, now_ns, out->mark);
	ct_stat_inc(th, CT_STAT_PACKETS);
	ct_counter_add(&th->stats.info[class->info], 1);
	if (class->reason != CT_REASON_NONE)
		ct_counter_add(&th->stats.reason[class->reason], 1);
	if (says_where((enum ct_reason) class->reason) && class->drop)
		ct_stat_inc(th, CT_STAT_FRAGMENTS_DROPPED);
	else if (class->reason != CT_REASON_IP_FRAGMENT)
		ct_stat_inc(th, CT_STAT_FRAGMENTS);
}

static size_t take(struct ct_thread *th, uint16_t queue, uint64_t now_ns,
		   struct ct_fragment_due *out, size_t cap)
{
	struct ct_fragments *f = &th->ct->fragments;
	size_t n = 0;

	while (n < cap) {
		uint32_t held = ct_held_take(f, queue);

		if (!held)
			break;
		hand_out(th, &f->held[held], now_ns, &out[n++]);
		ct_held_free(f, held);
	}
	return n;
}

/* Ends the wait of a queue's packets for one datagram. */
static void let_go(struct ct_thread *th, uint32_t index, uint16_t queue)
{
	static const struct ct_fragment_class unknown = {.info = CT_INFO_INVALID,
							 .reason = CT_REASON_IP_FRAGMENT};
	struct ct_fragments *f = &th->ct->fragments;
	uint32_t prev = 0, held = f->datagrams[index].held_first;

	while (held) {
		uint32_t next = f->held[held].next;

		if (f->held[held].queue == queue)
			decide_one(th, index, prev, held, &unknown);
		else
			prev = held;
		held = next;
	}
}

static void let_all_go(struct ct_thread *th, uint16_t queue)
{
	const struct ct_fragments *f = &th->ct->fragments;
	uint32_t index = f->oldest[CT_DATAGRAMS_HOLDING];

	while (index) {
		uint32_t next = f->datagrams[index].next_in[CT_DATAGRAMS_HOLDING];

		let_go(th, index, queue);
		index = next;
	}
}

bool ct_fragments_any(const struct ct *ct)
{
	return atomic_load_explicit(&ct->fragments.used, memory_order_relaxed) ||
	       atomic_load_explicit(&ct->fragments.nheld, memory_order_relaxed);
}

uint32_t ct_fragments_held(const struct ct *ct)
{
	return atomic_load_explicit(&ct->fragments.nheld, memory_order_relaxed);
}

/* Takes what is decided of a queue, after deciding all of it or what is over in any. */
static size_t decide_and_take(struct ct_thread *th, uint16_t queue, uint64_t now_ns, bool all,
			      struct ct_fragment_due *out, size_t cap)
{
	struct ct_fragments *f = &th->ct->fragments;
	size_t n;

	if (!ct_fragments_any(th->ct))
		return 0;
	ct_lock(&f->lock);
	if (all)
		let_all_go(th, queue);
	else
		expire(th, now_ns);
	n = take(th, queue, now_ns, out, cap);
	ct_unlock(&f->lock);
	return n;
}

size_t ct_fragments_due(struct ct_thread *th, uint16_t queue, uint64_t now_ns,
			struct ct_fragment_due *out, size_t cap)
{
	return decide_and_take(th, queue, now_ns, false, out, cap);
}

size_t ct_fragments_release(struct ct_thread *th, uint16_t queue, uint64_t now_ns,
			    struct ct_fragment_due *out, size_t cap)
{
	return decide_and_take(th, queue, now_ns, true, out, cap);
}

bool ct_fragments_wakes(struct ct_thread *th, uint16_t queue)
{
	uint64_t *word = &th->wake[queue % 256 / 64], bit = UINT64_C(1) << queue % 64;
	bool set = *word & bit;

	*word &= ~bit;
	return set;
}

unsigned int ct_fragments_seen(const struct ct *ct)
{
	return atomic_load_explicit(&ct->fragments.seen, memory_order_relaxed);
}
