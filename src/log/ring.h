/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A bounded queue of events between one producing and one consuming thread.
 *
 * Indices only grow; their difference is the fill. Each side owns one index, publishes it with
 * release and reads the other's with acquire, and keeps a copy of what it last saw of the other,
 * so that the cache line of the other side moves only when the queue looks full or empty.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

#define RING_CACHE_LINE 64

struct ring {
	/* the producer's */
	_Alignas(RING_CACHE_LINE) _Atomic size_t head;
	size_t seen_tail;
	_Atomic uint64_t dropped[CT_EVENT_MAX];
	/* the consumer's */
	_Alignas(RING_CACHE_LINE) _Atomic size_t tail;
	size_t seen_head;
	/* nobody writes */
	_Alignas(RING_CACHE_LINE) size_t mask;
	struct ct_event *slots;
};

/*
 * Makes a ring of size events, a power of two. Its memory is touched as it fills. Returns 0,
 * -EINVAL or -ENOMEM.
 */
int ring_init(struct ring *r, size_t size);
void ring_done(struct ring *r);

/* The same for n rings in a row: NULL without memory, or if size is none. NULL is fine to free. */
struct ring *rings_new(size_t n, size_t size);
struct ring *rings_free(struct ring *rings, size_t n);

/* Consumer: leaves out what is in it, and gives the memory back until it is used again. */
void ring_forget(struct ring *r);

/* Producer: appends a copy. False: the ring is full; the loss is counted for its class. */
bool ring_push(struct ring *r, const struct ct_event *ev);

/* Consumer: the oldest event, valid until it is taken. NULL: the ring is empty. */
const struct ct_event *ring_peek(struct ring *r);

/* Consumer: takes the oldest event. False: the ring is empty. */
bool ring_pop(struct ring *r, struct ct_event *ret_ev);

/*
 * Consumer of n rings: the one with the oldest event, *ret_time_ns being the time of that. NULL:
 * all are empty.
 *
 * An event is in its ring before the packet that caused it goes on, so what follows from it
 * elsewhere has a later time. It could still be overlooked by a look that passed its ring too
 * early: hence only events from before the look are to be taken, and RING_HOLD_NS before, so that
 * threads catch up that are slow to push what they received.
 */
#define RING_HOLD_NS UINT64_C(2000000)
struct ring *ring_oldest(struct ring *rings, size_t n, uint64_t *ret_time_ns);

/* Events in it, about. Any thread. */
size_t ring_fill(const struct ring *r);

/* Events of a class that found the ring full so far. Any thread. */
uint64_t ring_dropped(const struct ring *r, enum ct_event_type type);
