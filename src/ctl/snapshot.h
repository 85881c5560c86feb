/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The daemon at one moment, as plain numbers: what status, totals and metrics are made from. Made
 * by the daemon (daemon/control.c), read by pure functions.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "core/core.h"
#include "io/nfqueue.h"
#include "log/journal.h"

struct ctl_queue {
	uint16_t queue;
	bool alive;		 /* its worker comes back in time */
	bool kernel_known;	 /* the kernel's counters could be read: full, in_kernel */
	uint64_t full;		 /* packets that found the queue full */
	uint32_t in_kernel;	 /* packets without a verdict */
	uint32_t max_packets;	 /* MaxPackets= */
	uint64_t receive_buffer; /* bytes */
	struct nfqueue_stats stats;
	uint64_t retries, rounds, circles; /* struct worker_counts */
};

struct ctl_snapshot {
	uint64_t now_ns;     /* monotonic */
	uint64_t started_ns; /* monotonic: this process */
	struct timespec wall;
	int pid;
	bool shadow;
	uint64_t memory; /* bytes of this process that are resident */

	/* of all threads together */
	uint64_t count[CT_STAT_MAX];
	uint64_t info[CT_INFO_MAX];
	uint64_t reason[CT_REASON_MAX];
	uint64_t death[CT_DEATH_MAX];

	uint32_t flows, max_flows;
	uint32_t expects, max_expects;
	uint32_t fragments_held;
	unsigned int fragments_seen; /* enum ct_fragments_seen */
	bool at_exit;		     /* flows are confirmed there */

	const char *adopted_from; /* "", "store" or "file" */
	uint32_t adopted, adopted_lost;

	uint64_t drops; /* against anybody's will */
	bool drops_exact;

	const char *log_target, *log_level;
	struct jlog_stats log[CT_EVENT_MAX];
	uint32_t log_events; /* bits 1 << enum ct_event_type: among Events= */

	struct ct_mark mark;
	bool fail_open;
	char restart_needed[512]; /* keys, "Range=, MaxFlows=", or "" */

	unsigned int clients; /* of the control service */
	uint64_t events_lost; /* by its streams */

	size_t nqueues;
	struct ctl_queue queues[];
};
