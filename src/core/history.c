/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What flows went through.
 *
 * Each slot has a ring of transitions, and in another place a small ring of INVALID packets, so
 * that the memory of these is touched only where there are such. Both say whose they are, for a
 * slot is used again: the event with which a flow begins takes the slot over, and one of a flow
 * that had the slot before comes too late. That can be, because an event is noted after the flow
 * was let go, and by then another thread may have ended it. A flow that began in another process
 * takes the slot over if nobody has it.
 *
 * Two threads can note events of one flow. What they wait for is one lock out of many and the time
 * to write some forty bytes. A reader holds the same lock for as long as it takes to copy a record.
 *
 * Packets without a flow are what a flood consists of, all threads can have them, and they have
 * nothing that would deal them out. So each queue, that is to say each thread, has a ring of its
 * own, up to LANES of them; and no thread ever waits for one: a packet that finds the ring in use,
 * by a reader or by the thread of a queue with whose number it shares the ring, is not noted but
 * counted. One flood cannot wash out what another queue has seen.
 *
 * A reader wants all of them in one order, in parts, while they change. So each gets a number that
 * nobody else has and that grows with time: its time, rounded to LANES nanoseconds, plus the number
 * of its ring; where that would not be more than the last one of the ring, LANES more than this.
 */

#include "core/history.h"

#include <string.h>

#include "core/core.h"
#include "core/lock.h"

#define LOCKS 64 /* of slots */
#define LANES 16 /* rings of packets without a flow; a power of two */
#define LINE  64 /* bytes of a line of the cache */

/* A transition, or what an INVALID packet has in common with one. */
struct step {
	uint64_t time_ns;
	uint32_t mark, timeout_s;
	uint16_t status;
	uint8_t what; /* enum ct_event_type; of an INVALID packet enum ct_reason */
	uint8_t info;
	uint8_t dir : 7, begins : 1;
	uint8_t hook, state_old, state_new;
};

struct fault {
	struct step step;
	uint64_t after; /* so many transitions were noted before it */
	uint32_t detail[CT_DETAIL_MAX];
};

/* The transitions of a flow: number n, counted from 0, is at n modulo depth. */
struct past {
	uint64_t flow; /* id, 0: nobody's */
	uint64_t count;
	struct step step[];
};

struct faults {
	uint64_t flow;
	uint64_t count;
	struct fault fault[CT_HISTORY_INVALID];
};

struct stray {
	uint64_t order;
	struct ct_event event;
};

_Static_assert(sizeof(struct step) == 24 && sizeof(struct faults) == 112 &&
		       sizeof(struct stray) <= 200,
	       "records are as compact as history.h says");

struct slot_lock {
	_Alignas(LINE) struct ct_lock lock;
};

struct lane {
	_Alignas(LINE) struct ct_lock lock;
	uint64_t count; /* number n, counted from 0, is at n modulo strays */
	uint64_t last;	/* order of the newest */
	_Alignas(LINE) _Atomic uint64_t missed;
};

struct ct_history {
	struct ct_history_params params;
	uint8_t *pasts; /* of slot 1, 2 ... */
	struct faults *faults;
	struct stray *strays; /* of lane 0, 1 ... */
	struct slot_lock slot[LOCKS];
	struct lane lane[LANES];
};

/* --- memory ----------------------------------------------------------------------------------- */

static bool fit(const struct ct_history_params *p)
{
	return p->slots > 0 && p->slots <= CT_FLOWS_MAX && p->depth > 0 &&
	       p->depth <= CT_HISTORY_DEPTH_MAX && p->strays <= CT_HISTORY_STRAYS_MAX;
}

static size_t past_size(const struct ct_history_params *p)
{
	return sizeof(struct past) + p->depth * sizeof(struct step);
}

static uint64_t lines(uint64_t size)
{
	return (size + LINE - 1) / LINE * LINE;
}

static uint64_t pasts_at(void)
{
	return lines(sizeof(struct ct_history));
}

static uint64_t faults_at(const struct ct_history_params *p)
{
	return pasts_at() + lines((uint64_t)p->slots * past_size(p));
}

static uint64_t strays_at(const struct ct_history_params *p)
{
	return faults_at(p) + lines((uint64_t)p->slots * sizeof(struct faults));
}

size_t ct_history_size(const struct ct_history_params *params)
{
	uint64_t size;

	if (!fit(params))
		return 0;
	size = strays_at(params) + (uint64_t)params->strays * LANES * sizeof(struct stray);
	return size <= SIZE_MAX ? (size_t)size : 0;
}

struct ct_history *ct_history_init(void *memory, const struct ct_history_params *params)
{
	struct ct_history *h = memory;
	uint8_t *bytes = memory;

	if (ct_history_size(params) == 0)
		return NULL;
	h->params = *params;
	h->pasts = bytes + pasts_at();
	h->faults = (struct faults *)(void *)(bytes + faults_at(params));
	h->strays = (struct stray *)(void *)(bytes + strays_at(params));
	return h;
}

static struct past *past_of(const struct ct_history *h, uint32_t slot)
{
	return (struct past *)(void *)(h->pasts + (size_t)(slot - 1) * past_size(&h->params));
}

static struct faults *faults_of(const struct ct_history *h, uint32_t slot)
{
	return &h->faults[slot - 1];
}

static struct ct_lock *lock_of(struct ct_history *h, uint32_t slot)
{
	return &h->slot[slot % LOCKS].lock;
}

static struct stray *stray_of(const struct ct_history *h, unsigned int lane, uint64_t number)
{
	return &h->strays[(size_t)lane * h->params.strays + number % h->params.strays];
}

/* --- noting, of a flow ------------------------------------------------------------------------ */

static void fill(struct step *s, const struct ct_event *ev, uint8_t what)
{
	*s = (struct step){
		.time_ns = ev->time_ns,
		.mark = ev->mark,
		.timeout_s = (uint32_t)(ev->timeout_ns / CT_NS_PER_S),
		.status = ev->status,
		.what = what,
		.info = ev->info,
		.dir = ev->dir & 1,
		.begins = ev->begins,
		.hook = ev->hook,
		.state_old = ev->state_old,
		.state_new = ev->state_new,
	};
}

/* Is the slot the flow's of this event? If it is free, or the flow begins, it is from now on. */
static bool claim(struct past *p, const struct ct_event *ev)
{
	if (p->flow == ev->flow)
		return true;
	if (p->flow && !ev->begins)
		return false;
	p->flow = ev->flow;
	p->count = 0;
	return true;
}

static void note_fault(struct faults *f, const struct ct_event *ev, uint64_t after)
{
	struct fault *at;

	if (f->flow != ev->flow) {
		f->flow = ev->flow;
		f->count = 0;
	}
	at = &f->fault[f->count++ % CT_HISTORY_INVALID];
	fill(&at->step, ev, ev->reason);
	at->after = after;
	memcpy(at->detail, ev->detail, sizeof(at->detail));
}

static void note_of_flow(struct ct_history *h, uint32_t slot, const struct ct_event *ev)
{
	struct past *p = past_of(h, slot);
	struct ct_lock *lock = lock_of(h, slot);

	ct_lock(lock);
	if (claim(p, ev)) {
		if (ev->type == CT_EVENT_INVALID)
			note_fault(faults_of(h, slot), ev, p->count);
		else
			fill(&p->step[p->count++ % h->params.depth], ev, ev->type);
	}
	ct_unlock(lock);
}

/* --- noting, without a flow ------------------------------------------------------------------- */

static uint64_t next_order(const struct lane *l, unsigned int number, uint64_t time_ns)
{
	uint64_t order = (time_ns & ~(uint64_t)(LANES - 1)) + LANES + number;

	return order > l->last ? order : l->last + LANES;
}

static void note_stray(struct ct_history *h, const struct ct_event *ev)
{
	unsigned int number = ev->queue % LANES;
	struct lane *l = &h->lane[number];
	struct stray *s;

	if (h->params.strays == 0)
		return;
	if (!ct_trylock(&l->lock)) {
		atomic_fetch_add_explicit(&l->missed, 1, memory_order_relaxed);
		return;
	}
	s = stray_of(h, number, l->count++);
	s->order = l->last = next_order(l, number, ev->time_ns);
	s->event = *ev;
	ct_unlock(&l->lock);
}

void ct_history_note(struct ct_history *h, uint32_t slot, const struct ct_event *ev)
{
	if (ev->type == CT_EVENT_DESTROY || slot > h->params.slots)
		return;
	if (slot == 0 || ev->flow == 0)
		note_stray(h, ev);
	else
		note_of_flow(h, slot, ev);
}

/* --- reading, of a flow ----------------------------------------------------------------------- */

/* What there is of a flow, the oldest first. */
struct kept {
	uint64_t nsteps, nfaults; /* ever noted */
	unsigned int kept_steps, kept_faults;
	struct step step[CT_HISTORY_DEPTH_MAX];
	struct fault fault[CT_HISTORY_INVALID];
};

static unsigned int at_most(uint64_t n, uint32_t most)
{
	return n < most ? (unsigned int)n : most;
}

/* Lock held. */
static void copy(const struct ct_history *h, uint32_t slot, uint64_t flow, struct kept *k)
{
	const struct past *p = past_of(h, slot);
	const struct faults *f = faults_of(h, slot);

	if (p->flow != flow)
		return;
	k->nsteps = p->count;
	k->kept_steps = at_most(p->count, h->params.depth);
	for (unsigned int i = 0; i < k->kept_steps; i++)
		k->step[i] = p->step[(p->count - k->kept_steps + i) % h->params.depth];
	if (f->flow != flow)
		return;
	k->nfaults = f->count;
	k->kept_faults = at_most(f->count, CT_HISTORY_INVALID);
	for (unsigned int i = 0; i < k->kept_faults; i++)
		k->fault[i] = f->fault[(f->count - k->kept_faults + i) % CT_HISTORY_INVALID];
}

static struct ct_history_step tell(const struct step *s)
{
	return (struct ct_history_step){
		.time_ns = s->time_ns,
		.mark = s->mark,
		.timeout_s = s->timeout_s,
		.status = s->status,
		.type = s->what,
		.info = s->info,
		.dir = s->dir,
		.begins = s->begins,
		.hook = s->hook,
		.state_old = s->state_old,
		.state_new = s->state_new,
	};
}

static struct ct_history_step tell_fault(const struct fault *f)
{
	struct ct_history_step ret = tell(&f->step);

	ret.type = CT_EVENT_INVALID;
	ret.reason = f->step.what;
	memcpy(ret.detail, f->detail, sizeof(ret.detail));
	return ret;
}

/* In the order in which they were noted. */
static size_t merge(const struct kept *k, struct ct_history_step *ret)
{
	uint64_t number = k->nsteps - k->kept_steps;
	unsigned int fault = 0;
	size_t n = 0;

	for (unsigned int i = 0; i < k->kept_steps; i++, number++) {
		while (fault < k->kept_faults && k->fault[fault].after <= number)
			ret[n++] = tell_fault(&k->fault[fault++]);
		ret[n++] = tell(&k->step[i]);
	}
	while (fault < k->kept_faults)
		ret[n++] = tell_fault(&k->fault[fault++]);
	return n;
}

/* Two threads may have noted in another order than they judged. */
static void sort_by_time(struct ct_history_step *step, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct ct_history_step s = step[i];
		size_t at = i;

		for (; at > 0 && step[at - 1].time_ns > s.time_ns; at--)
			step[at] = step[at - 1];
		step[at] = s;
	}
}

size_t ct_history_get(struct ct_history *h, uint32_t slot, uint64_t flow,
		      struct ct_history_step ret[static CT_HISTORY_STEPS_MAX],
		      uint64_t *ret_forgotten)
{
	struct kept k;
	size_t n;

	*ret_forgotten = 0;
	if (slot == 0 || slot > h->params.slots || flow == 0)
		return 0;
	memset(&k, 0, sizeof(k));
	__builtin_prefetch(past_of(h, slot));
	ct_lock(lock_of(h, slot));
	copy(h, slot, flow, &k);
	ct_unlock(lock_of(h, slot));
	n = merge(&k, ret);
	sort_by_time(ret, n);
	*ret_forgotten = k.nsteps + k.nfaults - n;
	return n;
}

/* --- reading, without a flow ------------------------------------------------------------------ */

/* The next one of a lane that a reader would take. */
struct spot {
	uint64_t number, order; /* order 0: there is none */
};

/* Lock held. */
static bool is_kept(const struct ct_history *h, const struct lane *l, uint64_t number)
{
	return number < l->count && l->count - number <= h->params.strays;
}

/* Lock held. */
static struct spot look(const struct ct_history *h, unsigned int lane, uint64_t number)
{
	struct spot s = {.number = number};

	if (is_kept(h, &h->lane[lane], number))
		s.order = stray_of(h, lane, number)->order;
	return s;
}

/* The newest of a lane whose order is below before, 0: the newest. */
static struct spot find(struct ct_history *h, unsigned int lane, uint64_t before)
{
	struct lane *l = &h->lane[lane];
	uint64_t low, high; /* it is in [low, high) or not there */
	struct spot ret;

	ct_lock(&l->lock);
	high = l->count;
	low = high - at_most(high, h->params.strays);
	if (before == 0 && low < high)
		low = high - 1;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (stray_of(h, lane, middle)->order < before)
			low = middle;
		else
			high = middle;
	}
	ret = look(h, lane, low);
	ct_unlock(&l->lock);
	if (before && ret.order >= before)
		ret.order = 0;
	return ret;
}

/* Copies the one at a spot, which moves on. False: it has been forgotten meanwhile. */
static bool take(struct ct_history *h, unsigned int lane, struct spot *spot, struct ct_event *ret)
{
	struct lane *l = &h->lane[lane];
	bool kept;

	ct_lock(&l->lock);
	kept = is_kept(h, l, spot->number);
	if (kept)
		*ret = stray_of(h, lane, spot->number)->event;
	*spot = look(h, lane, spot->number - 1);
	ct_unlock(&l->lock);
	return kept;
}

static unsigned int newest(const struct spot spot[static LANES])
{
	unsigned int ret = 0;

	for (unsigned int i = 1; i < LANES; i++)
		if (spot[i].order > spot[ret].order)
			ret = i;
	return ret;
}

size_t ct_history_strays(struct ct_history *h, uint64_t *at, struct ct_event *ret, size_t cap)
{
	struct spot spot[LANES];
	size_t n = 0;

	if (h->params.strays == 0)
		return 0;
	for (unsigned int i = 0; i < LANES; i++)
		spot[i] = find(h, i, *at);
	while (n < cap) {
		unsigned int lane = newest(spot);
		uint64_t order = spot[lane].order;

		if (order == 0)
			break;
		n += take(h, lane, &spot[lane], &ret[n]);
		*at = order;
	}
	return n;
}

uint64_t ct_history_missed(const struct ct_history *h)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < LANES; i++)
		sum += atomic_load_explicit(&h->lane[i].missed, memory_order_relaxed);
	return sum;
}
