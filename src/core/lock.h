/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The lock of one stripe of the table.
 *
 * Held for well under a microsecond and, with both directions of a flow in one worker, never
 * contended: a spinning lock costs one atomic exchange. If its holder was preempted the waiter
 * gives the CPU away instead of burning its slice.
 */

#include <sched.h>
#include <stdatomic.h>

struct ct_lock {
	atomic_flag held;
};

static inline void ct_lock(struct ct_lock *l)
{
	for (unsigned int spins = 0;
	     atomic_flag_test_and_set_explicit(&l->held, memory_order_acquire); spins++)
		if (spins > 128)
			sched_yield();
}

static inline void ct_unlock(struct ct_lock *l)
{
	atomic_flag_clear_explicit(&l->held, memory_order_release);
}
