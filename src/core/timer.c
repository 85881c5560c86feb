/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The expiry wheel.
 *
 * Nearly every packet moves its flow's deadline further away. That must cost nothing, so the wheel
 * is lazy: it keeps the place a flow got first, looks at it when that tick comes, and puts it back
 * if its deadline has moved on. Only a deadline that comes nearer (a connection that closes) makes
 * it change lists at once. Deadlines beyond the wheel's horizon of about 4.5 minutes are parked in
 * the furthest slot and looked at once a turn.
 *
 * A flow is due in the tick after the one its deadline falls in, so it is never ended early, and
 * at most one tick late plus the caller's period.
 */

#include "core/timer.h"

#define SLOT_MASK (CT_WHEEL_SLOTS - 1)

void ct_wheel_start(struct ct_wheel *w, uint64_t now_ns)
{
	w->done = now_ns >> CT_TICK_SHIFT;
}

static uint64_t due_tick(const struct ct_wheel *w, const struct ct_flow *f)
{
	uint64_t tick = (f->expires_ns >> CT_TICK_SHIFT) + 1;

	if (tick <= w->done)
		return w->done + 1;
	if (tick > w->done + SLOT_MASK)
		return w->done + SLOT_MASK;
	return tick;
}

static void link_flow(struct ct_wheel *w, struct ct_arena *a, uint32_t index, uint64_t tick)
{
	uint32_t *head = &w->slot[tick & SLOT_MASK];
	struct ct_flow *f = &a->slots[index];

	f->timer_tick = (uint16_t)tick;
	f->timer_prev = 0;
	f->timer_next = *head;
	if (*head)
		a->slots[*head].timer_prev = index;
	*head = index;
}

void ct_wheel_add(struct ct_wheel *w, struct ct_arena *a, uint32_t index)
{
	link_flow(w, a, index, due_tick(w, &a->slots[index]));
}

void ct_wheel_remove(struct ct_wheel *w, struct ct_arena *a, uint32_t index)
{
	struct ct_flow *f = &a->slots[index];

	if (f->timer_prev)
		a->slots[f->timer_prev].timer_next = f->timer_next;
	else
		w->slot[f->timer_tick & SLOT_MASK] = f->timer_next;
	if (f->timer_next)
		a->slots[f->timer_next].timer_prev = f->timer_prev;
}

void ct_wheel_update(struct ct_wheel *w, struct ct_arena *a, uint32_t index)
{
	uint64_t tick = due_tick(w, &a->slots[index]);

	/* both lie within one turn of w->done, so the difference of their low bits is exact */
	if ((int16_t)((uint16_t)tick - a->slots[index].timer_tick) >= 0)
		return;
	ct_wheel_remove(w, a, index);
	link_flow(w, a, index, tick);
}

/* After a long pause every slot is due once, not once per turn that was missed. */
static void skip_missed_turns(struct ct_wheel *w, uint64_t now_tick)
{
	if (now_tick > w->done + CT_WHEEL_SLOTS)
		w->done = now_tick - CT_WHEEL_SLOTS;
}

uint32_t ct_wheel_expired(struct ct_wheel *w, struct ct_arena *a, uint64_t now_ns, uint32_t *budget)
{
	uint64_t now_tick = now_ns >> CT_TICK_SHIFT;

	skip_missed_turns(w, now_tick);
	while (w->done < now_tick) {
		uint32_t index = w->slot[(w->done + 1) & SLOT_MASK];

		if (!index) {
			w->done++;
			continue;
		}
		if (*budget == 0)
			return 0;
		--*budget;
		ct_wheel_remove(w, a, index);
		ct_arena_prefetch(a, w->slot[(w->done + 1) & SLOT_MASK]);
		if (a->slots[index].expires_ns <= now_ns)
			return index;
		ct_wheel_add(w, a, index);
	}
	return 0;
}
