/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The daemon at one moment: everything that is told of it is told from this. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/helper/expect.h"
#include "ctl/server.h"
#include "ctl/snapshot.h"
#include "daemon/control.h"
#include "daemon/daemon.h"
#include "io/nfqueue.h"
#include "io/rcvbuf.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* Bytes of this process that are resident. */
static uint64_t memory(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "re");
	unsigned long all, resident;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel wrote it */
	if (!f || fscanf(f, "%lu %lu", &all, &resident) != 2)
		return 0;
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void add_totals(const struct daemon *d, struct ctl_snapshot *s)
{
	struct ct_stats sum = {};

	daemon_sum_stats(d, &sum);
	for (size_t i = 0; i < CT_STAT_MAX; i++)
		s->count[i] = sum.count[i];
	for (size_t i = 0; i < CT_INFO_MAX; i++)
		s->info[i] = sum.info[i];
	for (size_t i = 0; i < CT_REASON_MAX; i++)
		s->reason[i] = sum.reason[i];
	for (size_t i = 0; i < CT_DEATH_MAX; i++)
		s->death[i] = sum.death[i];
}

static void add_table(const struct daemon *d, struct ctl_snapshot *s)
{
	static const char *const from[TAKEOVER_SOURCE_MAX] = {
#define X(name, str, text) [TAKEOVER_##name] = str,
		TAKEOVER_LIST(X)
#undef X
	};
	const struct ct_adopted *t = &d->takeover.table;

	s->flows = ct_count(d->ct);
	s->max_flows = ct_max_flows(d->ct);
	s->expects = ct_expect_count(d->ct);
	s->max_expects = d->started.max_expect;
	s->fragments_held = ct_fragments_held(d->ct);
	s->fragments_seen = ct_fragments_seen(d->ct);
	s->at_exit = ct_confirms_at_exit(d->ct, &d->conf->conf.track);
	s->adopted_from = from[d->takeover.source];
	s->adopted = t->flows;
	s->adopted_lost = t->damaged + t->displaced + t->unconfirmed;
}

static const char *target_name(const struct daemon *d)
{
	switch (d->oplog.target) {
	case LOG_TARGET_JOURNAL:
		return "journal";
	case LOG_TARGET_CONSOLE:
		return "console";
	default:
		return "none";
	}
}

static void add_log(const struct daemon *d, struct ctl_snapshot *s)
{
	s->log_target = target_name(d);
	s->log_level = conf_level_name(d->oplog.level);
	s->log_events = d->conf->conf.log_events;
	for (enum ct_event_type type = 0; type < CT_EVENT_MAX; type++)
		jlog_get_stats(d->log, type, &s->log[type]);
}

static void add_queue(struct daemon *d, size_t i, struct ctl_queue *ret)
{
	const struct worker *w = d->workers[i];
	struct worker_counts counts;

	worker_get_counts(w, &counts);
	*ret = (struct ctl_queue){
		.queue = (uint16_t)worker_queue(w),
		.max_packets = d->conf->conf.queue_max_packets,
		.receive_buffer = rcvbuf_get(nfqueue_fd(worker_source(w))),
		.retries = counts.retries,
		.rounds = counts.rounds,
		.circles = counts.circles,
	};
	monitor_get_queue(d, i, ret);
	nfqueue_get_stats(worker_source(w), &ret->stats);
}

static void add_service(const struct daemon *d, struct ctl_snapshot *s)
{
	if (!d->control.server)
		return;
	s->clients = ctl_server_clients(d->control.server);
	s->events_lost = ctl_server_lost(d->control.server);
}

struct ctl_snapshot *control_snapshot(struct daemon *d)
{
	struct ctl_snapshot *s = calloc(1, sizeof(*s) + d->nqueues * sizeof(s->queues[0]));

	if (!s)
		return NULL;
	(void)monitor_read_kernel(d);
	s->now_ns = clock_now_ns();
	s->started_ns = d->takeover.began_ns;
	clock_gettime(CLOCK_REALTIME, &s->wall);
	s->pid = getpid();
	s->shadow = d->opts->shadow;
	s->memory = memory();
	add_totals(d, s);
	add_table(d, s);
	s->drops = monitor_drops(d, &s->drops_exact);
	add_log(d, s);
	s->mark = d->conf->conf.track.mark;
	s->fail_open = d->conf->conf.queue_fail_open;
	(void)conf_restart_keys(&d->started, &d->conf->conf, s->restart_needed,
				sizeof(s->restart_needed));
	add_service(d, s);
	s->nqueues = d->nqueues;
	for (size_t i = 0; i < d->nqueues; i++)
		add_queue(d, i, &s->queues[i]);
	return s;
}
