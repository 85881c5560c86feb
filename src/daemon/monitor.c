/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/monitor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "ctl/snapshot.h"
#include "daemon/accounts.h"
#include "daemon/cgroup.h"
#include "daemon/crowd.h"
#include "daemon/daemon.h"
#include "daemon/status.h"
#include "daemon/strain.h"
#include "daemon/trouble.h"
#include "daemon/worker.h"
#include "io/nfqueue.h"
#include "io/queuelist.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define LOSS_INTERVAL_NS (10 * NS_PER_S)
/* A healthy worker moves every WORKER_WAIT_MS. */
#define STALL_NS (NS_PER_MS * WORKER_WAIT_MS * 20)

/* What the daemon takes beside its table, mostly rings of records; generous. */
#define MEMORY_BASE	   (UINT64_C(16) << 20)
#define MEMORY_PER_QUEUE   (UINT64_C(8) << 20)
#define MEMORY_INTERVAL_NS (60 * NS_PER_S)

/* What is remembered of one queue between two looks. */
struct queue_watch {
	uint32_t full_seen; /* the kernel's counter, which wraps around */
	uint64_t full;	    /* packets that found the queue full */
	struct limiter told[TROUBLE_MAX];
	struct difference off;
	struct surplus surplus;
	uint64_t miscount; /* packets, all that were told */
	uint32_t in_kernel;
	struct pulse pulse;
};

struct monitor {
	uint64_t last_ns;
	uint64_t packets; /* at last_ns */
	double pps;
	struct crowd crowd;
	struct strain strain;
	uint64_t memory_told;	 /* limit of memory that was told of, 0: none */
	uint64_t memory_next_ns; /* when to look at it again */
	struct absence unconfirmed;
	bool told_exit;		     /* that auto has become exit */
	unsigned int fragments_told; /* enum ct_fragments_seen */
	struct difference held;	     /* of all queues, from what the engine holds */
	bool blind;		     /* the kernel's counters may not be read */
	bool was_closed;	     /* FailOpen= has been no: what found no room was dropped */
	size_t nqueues;
	struct queue_watch queues[];
};

uint64_t limiter_due(struct limiter *l, uint64_t total, uint64_t now_ns, uint64_t interval_ns)
{
	uint64_t growth = total - l->told;

	if (growth == 0 || now_ns < l->next_ns)
		return 0;
	l->told = total;
	l->next_ns = now_ns + interval_ns;
	return growth;
}

uint64_t absence_due(struct absence *a, uint64_t missing, uint64_t arrived, uint64_t now_ns)
{
	uint64_t growth = missing - a->missing;

	if (a->next_ns == 0 || arrived != a->arrived) {
		*a = (struct absence){missing, arrived, now_ns + ABSENCE_NS};
		return 0;
	}
	if (now_ns < a->next_ns || growth < ABSENCE_MIN)
		return 0;
	*a = (struct absence){missing, arrived, now_ns + ABSENCE_INTERVAL_NS};
	return growth;
}

bool pulse_stalled(struct pulse *p, uint64_t beats, uint64_t now_ns, uint64_t limit_ns)
{
	bool slept = now_ns - p->seen_ns > PULSE_GAP_NS;

	if (beats != p->beats || p->since_ns == 0 || slept) {
		*p = (struct pulse){.beats = beats, .since_ns = now_ns, .seen_ns = now_ns};
		return false;
	}
	p->seen_ns = now_ns;
	return now_ns - p->since_ns >= limit_ns;
}

struct monitor *monitor_new(size_t nqueues)
{
	struct monitor *m = calloc(1, sizeof(*m) + nqueues * sizeof(m->queues[0]));

	if (m)
		m->nqueues = nqueues;
	return m;
}

struct monitor *monitor_free(struct monitor *m)
{
	free(m);
	return NULL;
}

uint64_t monitor_drops(const struct daemon *d, bool *ret_exact)
{
	struct ct_stats sum = {};
	struct nfqueue_stats q;
	uint64_t drops, gone = 0;

	daemon_sum_stats(d, &sum);
	drops = d->opts->shadow
			? 0
			: sum.count[CT_STAT_TABLE_FULL] + sum.reason[CT_REASON_FRAGMENT_LIMIT] +
				  sum.reason[CT_REASON_EXPECT_REFUSED];
	for (size_t i = 0; i < d->nqueues; i++) {
		nfqueue_get_stats(worker_source(d->workers[i]), &q);
		drops += q.lost + q.gone + q.fatal + d->monitor->queues[i].full;
		gone += q.gone; /* or more */
	}
	*ret_exact = !(d->monitor->blind && d->monitor->was_closed) && gone == 0;
	return drops;
}

uint64_t monitor_unjudged(const struct daemon *d)
{
	struct ct_stats sum = {};
	struct worker_counts w;
	struct nfqueue_stats q;
	uint64_t n;

	daemon_sum_stats(d, &sum);
	n = sum.count[CT_STAT_EXIT] + sum.count[CT_STAT_REPEATED] + sum.count[CT_STAT_FOREIGN];
	for (size_t i = 0; i < d->nqueues; i++) {
		worker_get_counts(d->workers[i], &w);
		nfqueue_get_stats(worker_source(d->workers[i]), &q);
		n += w.rounds + q.broken + q.overdue + q.strays;
	}
	return n;
}

/* --- queues -------------------------------------------------------------------------------------
 */

/* Root may read the list, an unprivileged user with CAP_NET_ADMIN may not. */
bool monitor_read_kernel(struct daemon *d)
{
	_cleanup_fclose_ FILE *list = fopen(QUEUELIST_PATH, "re");
	unsigned int first = d->started.queue_first;
	struct monitor *m = d->monitor;
	struct queuelist_entry e;

	m->blind = !list;
	while (list && queuelist_next(list, &e) > 0) {
		struct queue_watch *watch;

		if (e.queue < first || e.queue - first >= m->nqueues)
			continue;
		watch = &m->queues[e.queue - first];
		watch->full += (uint32_t)(e.full - watch->full_seen);
		watch->full_seen = e.full;
		watch->in_kernel = e.waiting;
	}
	return list;
}

void monitor_get_queue(const struct daemon *d, size_t index, struct ctl_queue *ret)
{
	const struct queue_watch *watch = &d->monitor->queues[index];

	ret->alive = !watch->pulse.stalled;
	ret->kernel_known = !d->monitor->blind;
	ret->full = watch->full;
	ret->in_kernel = watch->in_kernel;
}

/* Collects the counters of a queue. */
static void count_troubles(const struct daemon *d, const struct queue_watch *watch,
			   const struct worker *w, uint64_t totals[static TROUBLE_MAX],
			   int *ret_refused_error)
{
	struct nfqueue_stats s;
	struct worker_counts c;

	nfqueue_get_stats(worker_source(w), &s);
	worker_get_counts(w, &c);
	totals[TROUBLE_FULL] = watch->full;
	totals[TROUBLE_CROWDS] = s.crowds;
	totals[TROUBLE_CROWDS_OPEN] = s.crowds;
	totals[TROUBLE_LOST] = s.lost;
	totals[TROUBLE_LOST_OPEN] = s.passed;
	totals[TROUBLE_GONE] = s.gone;
	totals[TROUBLE_UNSENT] = s.unsent;
	totals[TROUBLE_BROKEN] = s.broken;
	totals[TROUBLE_UNREADABLE] = s.unreadable;
	totals[TROUBLE_REFUSED] = s.refused;
	totals[TROUBLE_OVERDUE] = s.overdue;
	totals[TROUBLE_STRAYS] = s.strays;
	totals[TROUBLE_MISCOUNT] = watch->miscount;
	totals[TROUBLE_RETRIES] = c.retries;
	totals[TROUBLE_CIRCLES] = c.circles;
	*ret_refused_error = s.refused_error;
}

/* Compares the figures of a queue with each other, and with the kernel's if they are known. */
static void audit_queue(const struct daemon *d, struct queue_watch *watch, struct worker *w)
{
	const struct source *source = worker_source(w);
	struct nfqueue_stats s;
	uint32_t surplus;

	nfqueue_get_stats(source, &s);
	watch->miscount += (uint64_t)llabs(difference_due(&watch->off, s.off));
	if (d->monitor->blind)
		return;
	surplus =
		surplus_due(&watch->surplus, watch->in_kernel, s.waiting, nfqueue_is_empty(source));
	if (surplus > 0)
		worker_settle(w, surplus);
}

/* Packets that queues know to wait, but for those whose verdict got lost, are held. */
static int64_t held_off(const struct daemon *d)
{
	int64_t off = -(int64_t)ct_fragments_held(d->ct);
	struct nfqueue_stats s;

	for (size_t i = 0; i < d->nqueues; i++) {
		nfqueue_get_stats(worker_source(d->workers[i]), &s);
		off += (int64_t)(s.waiting - s.stranded);
	}
	return off;
}

static void say_held_off(const struct daemon *d, int64_t off)
{
	if (off != 0)
		oplog(&d->oplog, LOG_ERR, 0, MSGID_ACCOUNTING,
		      "The queues hold %" PRId64 " packets %s than there are fragments that wait",
		      off > 0 ? off : -off, off > 0 ? "more" : "less");
}

static void audit(struct monitor *m, struct daemon *d)
{
	for (size_t i = 0; i < m->nqueues; i++)
		audit_queue(d, &m->queues[i], d->workers[i]);
	say_held_off(d, difference_due(&m->held, held_off(d)));
}

void monitor_tell_accounts(const struct daemon *d)
{
	char line[ACCOUNTS_LINE_STRLEN];
	struct nfqueue_stats s;

	for (size_t i = 0; i < d->nqueues; i++) {
		nfqueue_get_stats(worker_source(d->workers[i]), &s);
		oplog(&d->oplog, LOG_INFO, 0, MSGID_ACCOUNTS, "%s",
		      accounts_line(worker_queue(d->workers[i]), &s, line));
	}
}

void monitor_close_accounts(const struct daemon *d)
{
	struct nfqueue_stats s;

	for (size_t i = 0; i < d->nqueues; i++) {
		nfqueue_get_stats(worker_source(d->workers[i]), &s);
		if (s.off != 0)
			oplog(&d->oplog, LOG_ERR, 0, MSGID_ACCOUNTING,
			      "Queue %u: at the end %" PRId64 " packets %s",
			      worker_queue(d->workers[i]), s.off > 0 ? s.off : -s.off,
			      s.off > 0 ? "are neither answered nor known to wait"
					: "were answered without having come");
	}
	say_held_off(d, held_off(d));
}

/* A guess is not told where the kernel's own counter can be read, and else in one form of two. */
static bool is_idle_guess(const struct daemon *d, enum trouble trouble)
{
	bool open = d->conf->conf.queue_fail_open;

	return (trouble == TROUBLE_CROWDS && (open || !d->monitor->blind)) ||
	       (trouble == TROUBLE_CROWDS_OPEN && (!open || !d->monitor->blind));
}

static void watch_queue(struct daemon *d, struct queue_watch *watch, const struct worker *w,
			uint64_t now_ns)
{
#define X(name, priority, id, text) {priority, id, text},
	static const struct {
		int priority;
		const char *id, *text;
	} troubles[TROUBLE_MAX] = {TROUBLE_LIST(X)};
#undef X
	uint64_t totals[TROUBLE_MAX] = {};
	int refused_error;

	count_troubles(d, watch, w, totals, &refused_error);
	for (enum trouble i = 0; i < TROUBLE_MAX; i++) {
		uint64_t n = limiter_due(&watch->told[i], totals[i], now_ns, LOSS_INTERVAL_NS);

		if (n > 0 && !is_idle_guess(d, i))
			oplog(&d->oplog, troubles[i].priority,
			      i == TROUBLE_REFUSED ? refused_error : 0, troubles[i].id,
			      "Queue %u: %" PRIu64 " %s", worker_queue(w), n, troubles[i].text);
	}
}

void monitor_begin(struct monitor *m, struct daemon *d)
{
	struct ct_stats sum = {};
	int refused_error;

	daemon_sum_stats(d, &sum);
	m->crowd.full.told = sum.count[CT_STAT_TABLE_FULL];
	m->crowd.early.told = sum.count[CT_STAT_EARLY_DROPS];
	strain_begin(&m->strain, &sum);
	m->was_closed = !d->conf->conf.queue_fail_open;
	(void)monitor_read_kernel(d);
	for (size_t i = 0; i < m->nqueues; i++) {
		uint64_t totals[TROUBLE_MAX] = {};

		count_troubles(d, &m->queues[i], d->workers[i], totals, &refused_error);
		for (enum trouble t = 0; t < TROUBLE_MAX; t++)
			m->queues[i].told[t].told = totals[t];
	}
}

/* --- table --------------------------------------------------------------------------------------
 */

/* Who fills it is looked up only when there is something to be told. */
static void tell_crowd(struct daemon *d, const struct crowd_look *look,
		       const uint64_t due[static CROWD_MAX])
{
#define X(name, msgid) MSGID_##msgid,
	static const char *const ids[CROWD_MAX] = {CROWD_LIST(X)};
#undef X
	char line[CROWD_LINE_STRLEN], talkers[CROWD_TALKERS_STRLEN], target[CROWD_TARGET_STRLEN];
	struct ct_talkers who;

	ct_talkers(d->ct, look->now_ns, &who);
	for (enum crowd_kind i = 0; i < CROWD_MAX; i++)
		if (due[i] > 0)
			oplog_with(&d->oplog, LOG_WARNING, ids[i],
				   (struct oplog_field[]){
					   {FIELD_TALKERS, crowd_talkers(&who, talkers)},
					   {FIELD_TARGET, crowd_target(&who, target)},
				   },
				   2, "%s",
				   crowd_line(i, due[i], look, d->opts->shadow, &who, line));
}

static void watch_table(struct monitor *m, struct daemon *d, const struct ct_stats *sum,
			uint64_t now_ns)
{
	const struct crowd_look look = {
		.flows = ct_count(d->ct),
		.max = ct_max_flows(d->ct),
		.full = sum->count[CT_STAT_TABLE_FULL],
		.early = sum->count[CT_STAT_EARLY_DROPS],
		.now_ns = now_ns,
	};
	uint64_t due[CROWD_MAX];

	if (crowd_due(&m->crowd, &look, due))
		tell_crowd(d, &look, due);
}

/*
 * Table and history take memory as flows come, and there is no error to be had from a page that may
 * not be taken: the kernel kills, or holds up, whoever touches it. So this is told before it
 * happens.
 */
static void watch_memory(struct monitor *m, const struct daemon *d, uint64_t now_ns)
{
	uint64_t flows = d->memory.arena_size + d->memory.index_size + d->control.history_size;
	uint64_t limit, needed = flows + MEMORY_BASE + m->nqueues * MEMORY_PER_QUEUE;
	char bytes[2][STATUS_NUMBER_STRLEN];

	if (now_ns < m->memory_next_ns)
		return;
	m->memory_next_ns = now_ns + MEMORY_INTERVAL_NS;
	limit = cgroup_memory_limit(CGROUP_PROC, CGROUP_ROOT);
	if (limit >= needed || limit == m->memory_told)
		return;
	m->memory_told = limit;
	oplog(&d->oplog, LOG_WARNING, 0, MSGID_MEMORY_LIMIT,
	      "MemoryMax= or MemoryHigh= is %s bytes, but with MaxFlows= flows the daemon takes "
	      "%s: when the table fills, the kernel will kill it or hold it up",
	      status_number(limit, bytes[0]), status_number(needed, bytes[1]));
}

static void watch_strain(struct monitor *m, const struct daemon *d, const struct ct_stats *sum,
			 uint64_t now_ns)
{
#define X(name, msgid) MSGID_##msgid,
	static const char *const ids[STRAIN_MAX] = {STRAIN_LIST(X)};
#undef X
	char line[STRAIN_LINE_STRLEN];
	struct strain_due due;

	if (!strain_due(&m->strain, sum, now_ns, &due))
		return;
	for (enum strain_kind i = 0; i < STRAIN_MAX; i++) {
		const struct oplog_field reason = {FIELD_REASON, ct_reason_name(due.reason)};

		if (due.n[i] > 0)
			oplog_with(&d->oplog, LOG_WARNING, ids[i], &reason, i == STRAIN_FLOOD, "%s",
				   strain_line(i, &due, d->opts->shadow, line));
	}
}

/* Where flows are confirmed, and whether any ever is. */
static bool watch_confirmation(struct monitor *m, struct daemon *d, const struct ct_stats *sum,
			       uint64_t now_ns)
{
	const struct ct_config *cfg = &d->conf->conf.track;
	bool at_exit = ct_confirms_at_exit(d->ct, cfg);
	uint64_t n = absence_due(&m->unconfirmed, sum->count[CT_STAT_UNCONFIRMED],
				 sum->count[CT_STAT_CREATED], now_ns);

	if (at_exit && cfg->confirm == CT_CONFIRM_AUTO && !m->told_exit) {
		m->told_exit = true;
		oplog(&d->oplog, LOG_NOTICE, 0, MSGID_CONFIRM_EXIT,
		      "Packets come from an exit hook: from now on new flows are confirmed there");
	}
	if (at_exit && n > 0)
		oplog(&d->oplog, LOG_WARNING, 0, MSGID_EXIT_MISSING,
		      "%" PRIu64 " first packets did not come to an exit hook, and no other did: "
		      "no flow is confirmed; are POSTROUTING and INPUT queued?",
		      n);
	return at_exit;
}

/* --- fragments ----------------------------------------------------------------------------------
 */

static int fragments_seen(const struct daemon *d)
{
	return d->started.max_fragments > 0 ? (int)ct_fragments_seen(d->ct) : -1;
}

/* What no option of the kernel tells: it is learnt from the first fragment of each family. */
static void watch_fragments(struct monitor *m, struct daemon *d)
{
	static const struct {
		unsigned int bit;
		const char *family;
	} families[] = {{CT_FRAGMENTS_IPV4, "IPv4"}, {CT_FRAGMENTS_IPV6, "IPv6"}};
	unsigned int seen = ct_fragments_seen(d->ct) & ~m->fragments_told;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (seen & families[i].bit)
			oplog(&d->oplog, LOG_INFO, 0, MSGID_FRAGMENTS,
			      "%s fragments arrive unassembled: each gets the class of the first "
			      "one of its datagram",
			      families[i].family);
	m->fragments_told |= seen;
}

/* --- workers ------------------------------------------------------------------------------------
 */

/* Returns true if all workers are well. */
static bool watch_workers(struct monitor *m, struct daemon *d, uint64_t now_ns)
{
	bool well = true, trigger = false;

	for (size_t i = 0; i < m->nqueues; i++) {
		struct pulse *p = &m->queues[i].pulse;

		if (!pulse_stalled(p, worker_beats(d->workers[i]), now_ns, STALL_NS))
			continue;
		well = false;
		if (p->stalled)
			continue;
		p->stalled = trigger = true;
		oplog(&d->oplog, LOG_ERR, 0, MSGID_WORKER_STALLED,
		      "The worker of queue %u has not come back for %" PRIu64 " s; the service "
		      "manager is asked for a restart",
		      worker_queue(d->workers[i]), (now_ns - p->since_ns) / NS_PER_S);
	}
	if (trigger) /* packets wait: the watchdog's own time would only be added to theirs */
		(void)sd_notify(0, "WATCHDOG=trigger");
	return well;
}

static void measure_rate(struct monitor *m, uint64_t packets, uint64_t now_ns)
{
	if (m->last_ns && now_ns > m->last_ns)
		m->pps = (double)(packets - m->packets) * 1e9 / (double)(now_ns - m->last_ns);
	m->packets = packets;
	m->last_ns = now_ns;
}

void monitor_tick(struct monitor *m, struct daemon *d, uint64_t now_ns)
{
	struct ct_stats sum = {};
	char line[STATUS_LINE_STRLEN];
	bool exact;
	uint64_t drops;
	bool at_exit;

	daemon_sum_stats(d, &sum);
	measure_rate(m, sum.count[CT_STAT_PACKETS] + monitor_unjudged(d), now_ns);
	(void)monitor_read_kernel(d);
	m->was_closed |= !d->conf->conf.queue_fail_open;
	audit(m, d);
	for (size_t i = 0; i < m->nqueues; i++)
		watch_queue(d, &m->queues[i], d->workers[i], now_ns);
	watch_table(m, d, &sum, now_ns);
	watch_strain(m, d, &sum, now_ns);
	watch_memory(m, d, now_ns);
	at_exit = watch_confirmation(m, d, &sum, now_ns);
	watch_fragments(m, d);
	if (watch_workers(m, d, now_ns))
		(void)sd_notify(0, "WATCHDOG=1");
	drops = monitor_drops(d, &exact);
	(void)sd_notifyf(0, "STATUS=%s",
			 status_line(&(struct status){.queue_first = d->started.queue_first,
						      .queue_last = d->started.queue_last,
						      .at_exit = at_exit,
						      .flows = ct_count(d->ct),
						      .pps = m->pps,
						      .invalid = strain_invalid(&sum),
						      .fragments = fragments_seen(d),
						      .drops = drops,
						      .drops_exact = exact},
				     line));
}
