/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "core/stats.h"

static void add(_Atomic uint64_t *sum, const _Atomic uint64_t *one, size_t n)
{
	for (size_t i = 0; i < n; i++)
		atomic_store_explicit(&sum[i],
				      atomic_load_explicit(&sum[i], memory_order_relaxed) +
					      atomic_load_explicit(&one[i], memory_order_relaxed),
				      memory_order_relaxed);
}

void ct_stats_add(struct ct_stats *sum, const struct ct_stats *one)
{
	add(sum->count, one->count, CT_STAT_MAX);
	add(sum->info, one->info, CT_INFO_MAX);
	add(sum->reason, one->reason, CT_REASON_MAX);
	add(sum->death, one->death, CT_DEATH_MAX);
}
