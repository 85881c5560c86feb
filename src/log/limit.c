/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "log/limit.h"

#include "util/clock.h"

void limit_configure(struct limit *l, uint32_t rate, uint32_t burst)
{
	/* rounded up: never more than rate */
	uint64_t interval = rate ? (NS_PER_S + rate - 1) / rate : 0;
	uint64_t tolerance = burst > 1 ? (burst - 1) * interval : 0;

	atomic_store_explicit(&l->tolerance_ns, tolerance, memory_order_relaxed);
	atomic_store_explicit(&l->interval_ns, interval, memory_order_relaxed);
}

void limit_init(struct limit *l, uint32_t rate, uint32_t burst)
{
	atomic_init(&l->full_ns, 0);
	atomic_init(&l->suppressed, 0);
	limit_configure(l, rate, burst);
}

/* The bucket after taking a token at now, or full itself if there is none to take. */
static uint64_t after_take(uint64_t full, uint64_t now, uint64_t interval, uint64_t tolerance)
{
	uint64_t empty = now + tolerance + interval;

	if (full <= now)
		return now + interval;
	if (full - now <= tolerance)
		return full + interval;
	/* further ahead than any bucket can be: the clock was set back */
	return full > empty && full - empty > NS_PER_S ? empty : full;
}

bool limit_take(struct limit *l, uint64_t now_ns)
{
	uint64_t interval = atomic_load_explicit(&l->interval_ns, memory_order_relaxed);
	uint64_t tolerance = atomic_load_explicit(&l->tolerance_ns, memory_order_relaxed);
	uint64_t full = atomic_load_explicit(&l->full_ns, memory_order_relaxed);
	uint64_t next;

	if (!interval)
		return true;
	do {
		next = after_take(full, now_ns, interval, tolerance);
	} while (next != full && !atomic_compare_exchange_weak_explicit(&l->full_ns, &full, next,
									memory_order_relaxed,
									memory_order_relaxed));
	if (next > full)
		return true;
	atomic_fetch_add_explicit(&l->suppressed, 1, memory_order_relaxed);
	return false;
}

uint64_t limit_suppressed(const struct limit *l)
{
	return atomic_load_explicit(&l->suppressed, memory_order_relaxed);
}
