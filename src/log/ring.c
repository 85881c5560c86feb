/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "log/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static size_t bytes(size_t size)
{
	return size * sizeof(struct ct_event);
}

int ring_init(struct ring *r, size_t size)
{
	struct ct_event *slots;

	if (size == 0 || (size & (size - 1)))
		return -EINVAL;
	slots = mmap(NULL, bytes(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (slots == MAP_FAILED)
		return -ENOMEM;

	memset(r, 0, sizeof(*r));
	r->mask = size - 1;
	r->slots = slots;
	return 0;
}

void ring_done(struct ring *r)
{
	if (r->slots)
		munmap(r->slots, bytes(r->mask + 1));
	r->slots = NULL;
}

struct ring *rings_new(size_t n, size_t size)
{
	struct ring *rings = aligned_alloc(RING_CACHE_LINE, n * sizeof(*rings));

	for (size_t i = 0; rings && i < n; i++)
		if (ring_init(&rings[i], size) < 0)
			rings = rings_free(rings, i);
	return rings;
}

struct ring *rings_free(struct ring *rings, size_t n)
{
	for (size_t i = 0; rings && i < n; i++)
		ring_done(&rings[i]);
	free(rings);
	return NULL;
}

void ring_forget(struct ring *r)
{
	r->seen_head = atomic_load_explicit(&r->head, memory_order_acquire);
	atomic_store_explicit(&r->tail, r->seen_head, memory_order_release);
	(void)madvise(r->slots, bytes(r->mask + 1), MADV_DONTNEED);
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

struct ring *ring_oldest(struct ring *rings, size_t n, uint64_t *ret_time_ns)
{
	const struct ct_event *ev;
	struct ring *ret = NULL;

	for (size_t i = 0; i < n; i++) {
		ev = ring_peek(&rings[i]);
		if (!ev || (ret && ev->time_ns >= *ret_time_ns))
			continue;
		ret = &rings[i];
		*ret_time_ns = ev->time_ns;
	}
	return ret;
}

size_t ring_fill(const struct ring *r)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	return atomic_load_explicit(&r->head, memory_order_relaxed) - tail;
}

uint64_t ring_dropped(const struct ring *r, enum ct_event_type type)
{
	return atomic_load_explicit(&r->dropped[type], memory_order_relaxed);
}
