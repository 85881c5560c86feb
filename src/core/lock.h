/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The lock of one stripe of the table, and of the list of free slots.
 *
 * Held for the time of one look-up and state transition, or of one slice of expiry. With both
 * directions of a flow in one worker a stripe is rarely contended, so an uncontended lock must be
 * cheap: one atomic exchange. Whoever finds it taken waits by reading, and if the holder was
 * preempted gives the CPU away instead of burning its slice.
 */

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#define CT_LOCK_SPINS 128

struct ct_lock {
	atomic_bool held;
};

static inline void ct_lock_wait(const struct ct_lock *l)
{
	for (unsigned int spins = 0; atomic_load_explicit(&l->held, memory_order_relaxed); spins++)
		if (spins > CT_LOCK_SPINS)
			sched_yield();
}

static inline void ct_lock(struct ct_lock *l)
{
	while (atomic_exchange_explicit(&l->held, true, memory_order_acquire))
		ct_lock_wait(l);
}

static inline bool ct_trylock(struct ct_lock *l)
{
	return !atomic_load_explicit(&l->held, memory_order_relaxed) &&
	       !atomic_exchange_explicit(&l->held, true, memory_order_acquire);
}

/* The line of a lock will be needed soon: the one that another thread may have now. */
static inline void ct_lock_prefetch(const struct ct_lock *l)
{
	__builtin_prefetch(l, 1);
}

static inline void ct_unlock(struct ct_lock *l)
{
	atomic_store_explicit(&l->held, false, memory_order_release);
}
