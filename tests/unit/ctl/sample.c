/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/ctl/sample.h"

#include <stdlib.h>
#include <string.h>

/* Totals of its own for each of n numbers in a row. */
static void fill(uint64_t *numbers, size_t n, uint64_t first)
{
	for (size_t i = 0; i < n; i++)
		numbers[i] = first + i;
}

static void fill_queue(struct ctl_queue *q, uint16_t queue, bool kernel_known)
{
	uint64_t first = UINT64_C(10000) + queue;

	*q = (struct ctl_queue){
		.queue = queue,
		.alive = true,
		.kernel_known = kernel_known,
		.full = first + 20,
		.in_kernel = 21,
		.max_packets = 8192,
		.receive_buffer = 64 << 20,
		.retries = first + 22,
		.rounds = first + 23,
		.circles = first + 24,
	};
#define X(field, name, help) q->stats.field = first++;
	DESK_TOTAL_LIST(X)
#undef X
	q->stats.waiting = 31;
	q->stats.stranded = 32;
	q->stats.off = -33;
}

struct ctl_snapshot *sample_snapshot(bool kernel_known)
{
	struct ctl_snapshot *s = calloc(1, sizeof(*s) + 2 * sizeof(s->queues[0]));

	if (!s)
		return NULL;
	s->now_ns = UINT64_C(5000250000000);
	s->started_ns = UINT64_C(2000000000000);
	s->wall = (struct timespec){.tv_sec = 1700003000, .tv_nsec = 250000000};
	s->pid = 4711;
	s->memory = 12345678;
	fill(s->count, CT_STAT_MAX, 1000);
	fill(s->info, CT_INFO_MAX, 2000);
	fill(s->reason, CT_REASON_MAX, 3000);
	fill(s->death, CT_DEATH_MAX, 4000);
	s->flows = 100001;
	s->max_flows = 262144;
	s->expects = 51;
	s->max_expects = 4096;
	s->fragments_held = 52;
	s->fragments_seen = CT_FRAGMENTS_IPV6;
	s->at_exit = true;
	s->adopted_from = "store";
	s->adopted = 53;
	s->adopted_lost = 54;
	s->drops = 55;
	s->drops_exact = true;
	s->log_target = "journal";
	s->log_level = "info";
	for (uint64_t i = 0; i < CT_EVENT_MAX; i++)
		s->log[i] = (struct jlog_stats){5000 + i, 5100 + i, 5200 + i, 5300 + i};
	s->log_events = 1u << CT_EVENT_NEW;
	s->mark = (struct ct_mark){.mask = 0x7f0000, .shift = 16, .encoding = CT_ENCODING_FLAGS};
	strcpy(s->restart_needed, "Range=, MaxFlows=");
	s->clients = 56;
	s->events_lost = 57;
	s->nqueues = 2;
	fill_queue(&s->queues[0], 0, kernel_known);
	fill_queue(&s->queues[1], UINT16_MAX, kernel_known);
	return s;
}
