/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "log/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int ring_init(struct ring *r, size_t size)
{
	struct ct_event *slots;

	if (size == 0 || (size & (size - 1)))
		return -EINVAL;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return -ENOMEM;

	memset(r, 0, sizeof(*r));
	r->mask = size - 1;
	r->slots = slots;
	return 0;
}

void ring_done(struct ring *r)
{
	free(r->slots);
	r->slots = NULL;
}

bool ring_push(struct ring *r, const struct ct_event *ev)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	if (head - r->seen_tail > r->mask) {
		r->seen_tail = atomic_load_explicit(&r->tail, memory_order_acquire);
		if (head - r->seen_tail > r->mask) {
			atomic_fetch_add_explicit(&r->dropped[ev->type], 1, memory_order_relaxed);
			return false;
		}
	}
	r->slots[head & r->mask] = *ev;
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return true;
}

const struct ct_event *ring_peek(struct ring *r)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	if (tail == r->seen_head) {
		r->seen_head = atomic_load_explicit(&r->head, memory_order_acquire);
		if (tail == r->seen_head)
			return NULL;
	}
	return &r->slots[tail & r->mask];
}

bool ring_pop(struct ring *r, struct ct_event *ret_ev)
{
	const struct ct_event *ev = ring_peek(r);

	if (!ev)
		return false;
	*ret_ev = *ev;
	/* only this thread writes it */
	atomic_store_explicit(&r->tail, atomic_load_explicit(&r->tail, memory_order_relaxed) + 1,
			      memory_order_release);
	return true;
}

uint64_t ring_dropped(const struct ring *r, enum ct_event_type type)
{
	return atomic_load_explicit(&r->dropped[type], memory_order_relaxed);
}
