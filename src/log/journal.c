/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The log thread.
 *
 * Producers only ever touch their ring and the bucket of a class. The thread polls the rings, with
 * pauses that grow while there is nothing to do: a wake-up would cost the packet thread a system
 * call. Sending to the journal blocks when journald does not read; that stops this thread alone. It
 * also steps behind where CPUs are short: a record more costs about as much as a packet, and what
 * is not written is counted, while a packet that waits is late.
 *
 * Ending: jlog_stop() waits for the thread up to its time and then leaves the log to it. From that
 * moment (abandoned, under the lock) the thread may touch nothing but the log itself, which it
 * frees when the journal lets go of it. So it holds the lock while it uses what others own, that
 * is, the interface names, and never while it sends.
 */

#define SD_JOURNAL_SUPPRESS_LOCATION

#include "log/journal.h"

#include "io/ifname.h"
#include "log/fields.h"
#include "log/limit.h"
#include "log/ring.h"
#include "util/clock.h"
#include "util/thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

#define RING_SIZE  16384
#define TURN_MAX   256 /* events before the losses get their turn */
#define PAUSE_MIN  (2 * NS_PER_MS)
#define PAUSE_MAX  (50 * NS_PER_MS)
#define SUMMARY_NS NS_PER_S
#define NICENESS   10

struct jlog {
	/* set by jlog_configure(), read by all */
	_Atomic int target;
	_Atomic uint32_t events;
	struct limit limit[CT_EVENT_MAX];

	/* counted by the thread, read by all */
	_Atomic uint64_t sent[CT_EVENT_MAX];
	_Atomic uint64_t failed[CT_EVENT_MAX];

	/* the thread's own: how much of the loss has been reported, and when */
	uint64_t told_suppressed[CT_EVENT_MAX];
	uint64_t told_dropped, told_failed;
	uint64_t summary_ns;
	struct fields fields;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* stop or ended */
	struct ifname *names;	/* not after abandoned */
	bool stop, ended, abandoned;

	pthread_t thread;
	bool started;
	size_t nrings;
	struct ring *rings;
};

/* ---- sending ---- */

/* One write for one line, whatever stderr is; waits where it does not take it now. */
static int write_line(const char *line, size_t len)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

	for (;;) {
		if (write(STDERR_FILENO, line, len) >= 0)
			return 0;
		if (errno == EAGAIN)
			poll(&p, 1, -1);
		else if (errno != EINTR)
			return -errno;
	}
}

/* libsystemd reports success where there is no journal at all; for us that is a loss. */
static int write_journal(const struct fields *f)
{
	if (access(JOURNAL_SOCKET, F_OK) < 0)
		return -errno;
	return sd_journal_sendv(f->iov, (int)f->n);
}

static int send_record(struct jlog *log)
{
	char line[FIELDS_LINE_MAX];

	switch (atomic_load_explicit(&log->target, memory_order_relaxed)) {
	case LOG_TARGET_JOURNAL:
		return write_journal(&log->fields);
	case LOG_TARGET_CONSOLE:
		return write_line(line, fields_to_line(&log->fields, line));
	default:
		return 0;
	}
}

/* Builds the record of an event. False: nobody waits for it any more. */
static bool build_record(struct jlog *log, const struct ct_event *ev)
{
	char iif[IF_NAMESIZE], oif[IF_NAMESIZE];
	const char *in = NULL, *out = NULL;
	bool wanted;

	pthread_mutex_lock(&log->lock);
	wanted = !log->abandoned;
	if (wanted && log->names && ev->iif)
		in = ifname_get(log->names, ev->iif, iif);
	if (wanted && log->names && ev->oif)
		out = ifname_get(log->names, ev->oif, oif);
	pthread_mutex_unlock(&log->lock);

	if (wanted)
		fields_from_event(&log->fields, ev, in, out);
	return wanted;
}

static bool send_event(struct jlog *log, const struct ct_event *ev)
{
	_Atomic uint64_t *count;

	if (!build_record(log, ev))
		return false;
	count = send_record(log) < 0 ? log->failed : log->sent;
	atomic_fetch_add_explicit(&count[ev->type], 1, memory_order_relaxed);
	return true;
}

/* ---- telling what is missing ---- */

static void tell_suppressed(struct jlog *log, enum ct_event_type type)
{
	uint64_t total = limit_suppressed(&log->limit[type]);

	if (total == log->told_suppressed[type])
		return;
	fields_from_suppressed(&log->fields, type, total - log->told_suppressed[type]);
	if (send_record(log) >= 0)
		log->told_suppressed[type] = total;
}

static void tell_dropped(struct jlog *log)
{
	uint64_t dropped = 0, failed = 0;

	for (int type = 0; type < CT_EVENT_MAX; type++) {
		for (size_t i = 0; i < log->nrings; i++)
			dropped += ring_dropped(&log->rings[i], type);
		failed += atomic_load_explicit(&log->failed[type], memory_order_relaxed);
	}
	if (dropped == log->told_dropped && failed == log->told_failed)
		return;
	fields_from_dropped(&log->fields, dropped - log->told_dropped, failed - log->told_failed);
	if (send_record(log) < 0)
		return;
	log->told_dropped = dropped;
	log->told_failed = failed;
}

/* A summary that does not get through is sent again, with the new total, a second later. */
static void tell_losses(struct jlog *log)
{
	for (int type = 0; type < CT_EVENT_MAX; type++)
		tell_suppressed(log, type);
	tell_dropped(log);
}

/* ---- the thread ---- */

static bool is_abandoned(struct jlog *log)
{
	bool abandoned;

	pthread_mutex_lock(&log->lock);
	abandoned = log->abandoned;
	pthread_mutex_unlock(&log->lock);
	return abandoned;
}

/* Takes the next event in the order of time, over all rings (ring_oldest()). */
static bool take_oldest(struct jlog *log, bool all, struct ct_event *ret)
{
	uint64_t before = clock_now_ns() - RING_HOLD_NS, time_ns = 0;
	struct ring *ring = ring_oldest(log->rings, log->nrings, &time_ns);

	return ring && (all || time_ns < before) && ring_pop(ring, ret);
}

/*
 * Sends some events; with all even those just made. Returns how many, or -1 if nobody waits for
 * them any more.
 */
static int send_turn(struct jlog *log, bool all)
{
	struct ct_event ev;
	int n = 0;

	for (; n < TURN_MAX && take_oldest(log, all, &ev); n++)
		if (!send_event(log, &ev))
			return -1;
	return n;
}

/* Waits, but not longer than until jlog_stop() is called. Returns whether it was. */
static bool pause_unless_stopped(struct jlog *log, uint64_t pause_ns)
{
	struct timespec until = clock_to_timespec(clock_now_ns() + pause_ns);
	bool stop;

	pthread_mutex_lock(&log->lock);
	if (!log->stop && pause_ns)
		pthread_cond_timedwait(&log->changed, &log->lock, &until);
	stop = log->stop;
	pthread_mutex_unlock(&log->lock);
	return stop;
}

static void send_until_stopped(struct jlog *log)
{
	uint64_t pause = PAUSE_MIN;
	bool stop = false;

	for (;;) {
		int n = send_turn(log, stop);

		if (n < 0 || (n == 0 && stop))
			break;
		if (clock_now_ns() - log->summary_ns >= SUMMARY_NS) {
			tell_losses(log);
			log->summary_ns = clock_now_ns();
		}
		pause = n ? PAUSE_MIN : pause * 2 < PAUSE_MAX ? pause * 2 : PAUSE_MAX;
		stop = pause_unless_stopped(log, n ? 0 : pause);
	}
	if (!is_abandoned(log))
		tell_losses(log);
}

static struct jlog *jlog_free(struct jlog *log)
{
	rings_free(log->rings, log->nrings);
	pthread_cond_destroy(&log->changed);
	pthread_mutex_destroy(&log->lock);
	free(log);
	return NULL;
}

static void *jlog_thread(void *arg)
{
	struct jlog *log = arg;
	bool mine;

	(void)setpriority(PRIO_PROCESS, 0, NICENESS); /* of this thread, in Linux */
	send_until_stopped(log);

	pthread_mutex_lock(&log->lock);
	mine = log->abandoned;
	log->ended = true;
	pthread_cond_broadcast(&log->changed);
	pthread_mutex_unlock(&log->lock);
	if (mine)
		jlog_free(log);
	return NULL;
}

/* ---- interface ---- */

void jlog_configure(struct jlog *log, const struct jlog_config *cfg)
{
	bool silent = cfg->target == LOG_TARGET_NONE;

	for (int type = 0; type < CT_EVENT_MAX; type++)
		limit_configure(&log->limit[type], cfg->rate, cfg->burst);
	atomic_store_explicit(&log->target, cfg->target, memory_order_relaxed);
	atomic_store_explicit(&log->events, silent ? 0 : cfg->events, memory_order_relaxed);
}

static int init_sync(struct jlog *log)
{
	pthread_condattr_t attr;
	int err;

	err = pthread_condattr_init(&attr);
	if (err)
		return -err;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	err = pthread_cond_init(&log->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (err)
		return -err;
	return -pthread_mutex_init(&log->lock, NULL);
}

int jlog_new(struct jlog **ret, const struct jlog_config *cfg, size_t nrings, struct ifname *names)
{
	struct jlog *log = aligned_alloc(_Alignof(struct jlog), sizeof(*log));
	int r;

	if (!log)
		return -ENOMEM;
	memset(log, 0, sizeof(*log));
	r = init_sync(log);
	if (r < 0) {
		free(log);
		return r;
	}

	log->names = names;
	log->summary_ns = clock_now_ns();
	for (int type = 0; type < CT_EVENT_MAX; type++)
		limit_init(&log->limit[type], cfg->rate, cfg->burst);
	jlog_configure(log, cfg);
	log->nrings = nrings;
	log->rings = rings_new(nrings, RING_SIZE);
	if (!log->rings) {
		jlog_free(log);
		return -ENOMEM;
	}
	*ret = log;
	return 0;
}

int jlog_start(struct jlog *log)
{
	int r = thread_start(&log->thread, NULL, jlog_thread, log);

	if (r < 0)
		return r;
	pthread_setname_np(log->thread, "log");
	log->started = true;
	return 0;
}

void jlog_push(struct jlog *log, size_t ring, const struct ct_event *ev)
{
	uint32_t events = atomic_load_explicit(&log->events, memory_order_relaxed);

	if (ev->type < CT_EVENT_MAX && events & (1U << ev->type) &&
	    limit_take(&log->limit[ev->type], ev->time_ns))
		ring_push(&log->rings[ring], ev);
}

void jlog_get_stats(const struct jlog *log, enum ct_event_type type, struct jlog_stats *ret)
{
	*ret = (struct jlog_stats){
		.sent = atomic_load_explicit(&log->sent[type], memory_order_relaxed),
		.failed = atomic_load_explicit(&log->failed[type], memory_order_relaxed),
		.suppressed = limit_suppressed(&log->limit[type]),
	};
	for (size_t i = 0; i < log->nrings; i++)
		ret->dropped += ring_dropped(&log->rings[i], type);
}

/* Waits for the thread; leaves the log to it if that takes too long. Returns whether it ended. */
static bool wait_ended(struct jlog *log, int timeout_ms)
{
	struct timespec until =
		clock_to_timespec(clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS);
	bool ended;
	int err = 0;

	pthread_mutex_lock(&log->lock);
	log->stop = true;
	pthread_cond_broadcast(&log->changed);
	while (!log->ended && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&log->changed, &log->lock, &until);
	ended = log->ended;
	log->abandoned = !ended;
	pthread_mutex_unlock(&log->lock);
	return ended;
}

bool jlog_stop(struct jlog *log, int timeout_ms)
{
	pthread_t thread = log->thread;

	if (log->started && !wait_ended(log, timeout_ms)) {
		pthread_detach(thread);
		return false;
	}
	if (log->started)
		pthread_join(thread, NULL);
	jlog_free(log);
	return true;
}
