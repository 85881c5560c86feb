/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/core.h"

/* One thread writes, others may read: a relaxed load and store, no locked instruction. */
static inline void ct_counter_add(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static inline void ct_stat_inc(struct ct_thread *th, enum ct_stat stat)
{
	ct_counter_add(&th->stats.count[stat], 1);
}

/* Counts a judged packet by its ctinfo, and by its reason if it has one. */
static inline void ct_stats_judged(struct ct_thread *th, const struct ct_result *out)
{
	ct_counter_add(&th->stats.info[out->info], 1);
	if (out->reason != CT_REASON_NONE)
		ct_counter_add(&th->stats.reason[out->reason], 1);
}

/* Counts a confirmed flow that ends. */
static inline void ct_stats_died(struct ct_thread *th, enum ct_death death)
{
	ct_stat_inc(th, CT_STAT_DESTROYED);
	ct_counter_add(&th->stats.death[death], 1);
}
