/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "config.h"
#include "daemon/queues.h"
#include "daemon/status.h"
#include "daemon/worker.h"
#include "daemon/zones.h"
#include "io/ifname.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MONITOR_USEC	 (1000 * UINT64_C(1000))
#define MEMORY_USEC	 (200 * UINT64_C(1000))
#define MEMORY_BUSY_USEC (20 * UINT64_C(1000))
#define SLACK_USEC	 (10 * UINT64_C(1000))
#define JOIN_MS		 5000
#define LOG_STOP_MS	 3000
#define RESTART_KEYS_MAX 512

static const int handled_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

static enum log_target log_target(const struct conf *c)
{
	switch ((enum conf_target)c->log_target) {
	case CONF_TARGET_JOURNAL:
		return LOG_TARGET_JOURNAL;
	case CONF_TARGET_CONSOLE:
		return LOG_TARGET_CONSOLE;
	case CONF_TARGET_NONE:
		return LOG_TARGET_NONE;
	case CONF_TARGET_AUTO:
		break;
	}
	return LOG_TARGET_AUTO;
}

void daemon_sum_stats(const struct daemon *d, struct ct_stats *ret)
{
	for (size_t i = 0; i < d->nqueues; i++)
		ct_stats_add(ret, worker_stats(d->workers[i]));
	if (d->control.thread)
		ct_stats_add(ret, &d->control.thread->stats);
}

/* --- reload -------------------------------------------------------------------------------------
 */

static bool in_use(const struct daemon *d, const struct daemon_conf *conf)
{
	for (size_t i = 0; i < d->nqueues; i++)
		if (worker_conf(d->workers[i]) == conf)
			return true;
	return false;
}

static void free_confs(struct daemon_conf *c)
{
	while (c) {
		struct daemon_conf *older = c->older;

		zones_free(c->zones);
		conf_origins_free(c->origins);
		free(c);
		c = older;
	}
}

/*
 * A worker may have been given any configuration that is newer than the one it has adopted, and be
 * about to look at it. It never goes back, so what is older than all that are in use is free.
 */
void daemon_free_old_confs(struct daemon *d)
{
	struct daemon_conf *oldest = NULL;

	for (struct daemon_conf *c = d->conf; c; c = c->older)
		if (in_use(d, c))
			oldest = c;
	if (oldest)
		free_confs(TAKE_PTR(oldest->older));
}

/* To those who judge packets; what else a configuration says is not looked at. */
static void publish(struct daemon *d, struct daemon_conf *c)
{
	c->older = d->conf;
	d->conf = c;
	for (size_t i = 0; i < d->nqueues; i++)
		worker_set_conf(d->workers[i], c);
}

/* Without CPUAffinity= they are those of the main thread. */
static void move_workers(struct daemon *d, const struct conf *c)
{
	for (size_t i = 0; i < d->nqueues; i++) {
		cpu_set_t cpus = daemon_cpus_for(c, i);
		int r = 0;

		if (CPU_COUNT(&cpus) == 0 && sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
			r = -errno;
		if (r == 0)
			r = worker_set_cpus(d->workers[i], &cpus);
		if (r < 0)
			oplog(&d->oplog, LOG_WARNING, -r, NULL,
			      "The worker of queue %u stays on its CPUs",
			      worker_queue(d->workers[i]));
	}
}

/* Keys of [Queue] that the workers do not see to themselves. */
static void follow_queue_keys(struct daemon *d, const struct conf *c)
{
	const struct conf *old = &d->conf->conf;

	if (conf_copy_range(c) != conf_copy_range(old) ||
	    c->queue_max_packets != old->queue_max_packets ||
	    c->queue_receive_buffer != old->queue_receive_buffer)
		daemon_check_buffers(d, c);
	if (!CPU_EQUAL(&c->cpu_affinity, &old->cpu_affinity))
		move_workers(d, c);
}

static void put_in_force(struct daemon *d, struct daemon_conf *c)
{
	struct jlog_config jc;

	oplog_init(&d->oplog, log_target(&c->conf), c->conf.log_level);
	daemon_jlog_config(d, &c->conf, &jc);
	jlog_configure(d->log, &jc);
	conf_origins_free(d->origins);
	d->origins = TAKE_PTR(c->origins);
	publish(d, c);
	control_configure(d);
}

/* A new Range= waits for a restart; until then verdicts must keep clear of the old one. */
static bool hands_to_own_queue(const struct daemon *d, const struct conf *c)
{
	for (size_t i = 0; i < CT_CLASS_MAX; i++) {
		if (!conf_serves(&d->started, &c->verdict[i]))
			continue;
		oplog(&d->oplog, LOG_ERR, 0, NULL,
		      "[Verdict] queue:%u: is a queue of our own until a restart changes Range=",
		      c->verdict[i].queue);
		return true;
	}
	return false;
}

/* Returns NULL if it is bad; what is wrong with it was said. */
static struct daemon_conf *load_again(struct daemon *d)
{
	struct daemon_conf *c = NULL;
	int r;

	if (daemon_load_conf(d->opts, &d->oplog, &c) < 0)
		return NULL;
	r = zones_read(&c->zones, &c->conf);
	if (r < 0)
		oplog(&d->oplog, LOG_ERR, -r, NULL, "Cannot find the interfaces of the zones");
	if (r < 0 || hands_to_own_queue(d, &c->conf) ||
	    daemon_check_cpus(d, &c->conf) != STATUS_OK) {
		free_confs(c);
		return NULL;
	}
	return c;
}

static int reload(struct daemon *d, void (*also)(void *ctx, int priority, const char *text),
		  void *ctx)
{
	struct daemon_conf *c;
	char keys[RESTART_KEYS_MAX];

	d->oplog.also = also;
	d->oplog.also_ctx = ctx;
	c = load_again(d);
	if (c) {
		follow_queue_keys(d, &c->conf);
		if (strcmp(c->conf.state_file, d->conf->conf.state_file) != 0)
			takeover_set_file(d, c->conf.state_file);
	}
	d->oplog.also = NULL;
	if (!c) {
		oplog(&d->oplog, LOG_ERR, 0, MSGID_CONFIG_REJECTED,
		      "The new configuration is bad; the running one stays in force");
		return -EINVAL;
	}
	if (conf_restart_keys(&d->started, &c->conf, keys, sizeof(keys)) > 0)
		oplog(&d->oplog, LOG_WARNING, 0, MSGID_CONFIG_WARNING,
		      "Changed, but a restart is needed for: %s", keys);
	put_in_force(d, c);
	oplog(&d->oplog, LOG_INFO, 0, MSGID_CONFIG_RELOADED, "Configuration reloaded");
	return 0;
}

int daemon_reload(struct daemon *d, void (*also)(void *ctx, int priority, const char *text),
		  void *ctx)
{
	int r;

	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_now_ns() / 1000);
	r = reload(d, also, ctx);
	(void)sd_notify(0, "READY=1");
	return r;
}

static int on_sighup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	(void)daemon_reload(userdata, NULL, NULL);
	return 0;
}

static int on_sigusr1(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	monitor_tell_accounts(userdata);
	return 0;
}

/* --- events of the loop -------------------------------------------------------------------------
 */

static int on_stop_signal(sd_event_source *source, const struct signalfd_siginfo *si,
			  void *userdata)
{
	struct daemon *d = userdata;

	return sd_event_exit(d->event, STATUS_OK);
}

/* A worker ends by itself only if its queue broke. */
static int on_worker_ended(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct daemon *d = userdata;

	return sd_event_exit(d->event, STATUS_FAILURE);
}

/* A zone has got another interface, or lost one: the same configuration with other indices. */
static int follow_zones(struct daemon *d)
{
	struct zones *zones = NULL;
	struct daemon_conf *c;
	int r;

	r = zones_read(&zones, &d->conf->conf);
	if (r < 0 || zones_equal(zones, d->conf->zones)) {
		zones_free(zones);
		return r;
	}
	c = malloc(sizeof(*c));
	if (!c) {
		zones_free(zones);
		return -ENOMEM;
	}
	*c = *d->conf;
	c->zones = zones;
	publish(d, c);
	return 0;
}

static int on_interfaces(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct daemon *d = userdata;
	int r = ifname_catch_up(d->names);

	if (r < 0) {
		oplog(&d->oplog, LOG_WARNING, -r, NULL,
		      "Interface changes cannot be followed; interfaces appear as numbers, and "
		      "new ones are in no zone");
		return sd_event_source_set_enabled(source, SD_EVENT_OFF);
	}
	r = follow_zones(d);
	if (r < 0)
		oplog(&d->oplog, LOG_WARNING, -r, NULL, "Cannot find the interfaces of the zones");
	return 0;
}

static int rearm(sd_event_source *timer, uint64_t usec)
{
	int r = sd_event_source_set_time_relative(timer, usec);

	return r < 0 ? r : sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static int on_monitor(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct daemon *d = userdata;

	daemon_free_old_confs(d);
	monitor_tick(d->monitor, d, clock_now_ns());
	return rearm(source, MONITOR_USEC);
}

/* The faster the table fills, the more often. */
static int on_memory(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct daemon *d = userdata;
	bool busy = memory_settle(&d->memory, ct_arena_reach(d->ct));

	return rearm(source, busy ? MEMORY_BUSY_USEC : MEMORY_USEC);
}

static int add_events(struct daemon *d)
{
	int r;

	r = sd_event_new(&d->event);
	if (r >= 0)
		r = sd_event_add_signal(d->event, NULL, SIGTERM, on_stop_signal, d);
	if (r >= 0)
		r = sd_event_add_signal(d->event, NULL, SIGINT, on_stop_signal, d);
	if (r >= 0)
		r = sd_event_add_signal(d->event, NULL, SIGHUP, on_sighup, d);
	if (r >= 0)
		r = sd_event_add_signal(d->event, NULL, SIGUSR1, on_sigusr1, d);
	if (r >= 0)
		r = sd_event_add_io(d->event, NULL, d->ended_fd, EPOLLIN, on_worker_ended, d);
	if (r >= 0)
		r = sd_event_add_io(d->event, NULL, ifname_fd(d->names), EPOLLIN, on_interfaces, d);
	if (r >= 0)
		r = sd_event_add_time_relative(d->event, NULL, CLOCK_MONOTONIC, MONITOR_USEC,
					       SLACK_USEC, on_monitor, d);
	if (r >= 0)
		r = sd_event_add_time_relative(d->event, NULL, CLOCK_MONOTONIC, MEMORY_USEC,
					       SLACK_USEC, on_memory, d);
	return r < 0 ? r : 0;
}

/* --- start and stop -----------------------------------------------------------------------------
 */

static int start(struct daemon *d)
{
	int r;

	r = add_events(d);
	if (r == 0)
		r = jlog_start(d->log);
	if (r < 0)
		return oplog(&d->oplog, LOG_ERR, -r, NULL, "Cannot start");
	for (size_t i = 0; i < d->nqueues; i++) {
		r = worker_start(d->workers[i]);
		if (r < 0)
			return oplog(&d->oplog, LOG_ERR, -r, NULL,
				     "Cannot start the worker of queue %u",
				     worker_queue(d->workers[i]));
	}
	return 0;
}

static void say_started(struct daemon *d)
{
	const struct conf *c = &d->conf->conf;
	char queues[STATUS_QUEUES_STRLEN], flows[STATUS_NUMBER_STRLEN], old[STATUS_NUMBER_STRLEN];
	bool adopted = d->takeover.table.flows > 0;
	bool counted = monitor_read_kernel(d) || c->queue_fail_open;

	status_number(d->takeover.table.flows, old);
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s, starting%s%s%s",
			 status_queues(c->queue_first, c->queue_last, queues),
			 adopted ? " with " : "", adopted ? old : "",
			 adopted ? " flows taken over" : "");
	oplog(&d->oplog, LOG_INFO, 0, MSGID_STARTED,
	      "Started version " PACKAGE_VERSION " on %s: mark mask 0x%" PRIx32
	      ", at most %s flows%s%s%s%s%s",
	      queues, c->track.mark.mask, status_number(ct_max_flows(d->ct), flows),
	      adopted ? ", " : "", adopted ? old : "", adopted ? " taken over" : "",
	      d->opts->shadow ? ", shadow: nothing is marked or dropped" : "",
	      counted ? "" : "; what a full queue drops is counted for root only");
}

static void say_stopped(const struct daemon *d)
{
	char packets[STATUS_NUMBER_STRLEN], seen[STATUS_NUMBER_STRLEN];
	char flows[STATUS_NUMBER_STRLEN], drops[STATUS_DROPS_STRLEN];
	char unjudged[STATUS_NUMBER_STRLEN];
	struct ct_stats sum = {};
	bool exact;
	uint64_t n = monitor_drops(d, &exact), alive = ct_count(d->ct);

	/* those created would leave out what came from a state file */
	daemon_sum_stats(d, &sum);
	/* systemctl status goes on showing it */
	(void)sd_notifyf(0, "STATUS=stopped with %s flows", status_number(alive, flows));
	oplog(&d->oplog, LOG_INFO, 0, MSGID_STOPPED,
	      "Stopped: %s packets judged, %s left as they were, %s flows seen, %s of them alive, "
	      "%s",
	      status_number(sum.count[CT_STAT_PACKETS], packets),
	      status_number(monitor_unjudged(d), unjudged),
	      status_number(sum.count[CT_STAT_DESTROYED] + alive, seen),
	      status_number(alive, flows), status_drops(n, exact, drops));
}

/*
 * Ends the workers, each after it has answered what waits in its queue. Returns true if all came
 * back; sets *status if one ended with an error.
 */
static bool stop_workers(struct daemon *d, enum exit_status *status)
{
	bool all = true;
	int error = 0;

	for (size_t i = 0; i < d->nqueues; i++)
		worker_stop(d->workers[i]);
	for (size_t i = 0; i < d->nqueues; i++) {
		unsigned int queue = worker_queue(d->workers[i]);

		if (!worker_join(d->workers[i], JOIN_MS, &error)) {
			oplog(&d->oplog, LOG_ERR, 0, MSGID_WORKER_STALLED,
			      "The worker of queue %u does not come back", queue);
			all = false;
		} else if (error < 0) {
			oplog(&d->oplog, LOG_ERR, -error, MSGID_QUEUE_ERROR, "Queue %u broke",
			      queue);
			*status = STATUS_FAILURE;
		}
	}
	return all;
}

/* Returns true if nothing runs any more, so that everything may be freed. */
static bool stop(struct daemon *d, bool started, enum exit_status *status)
{
	bool all;

	(void)sd_notify(0, "STOPPING=1");
	(void)monitor_read_kernel(d);
	all = control_stop(d);
	all = stop_workers(d, status) && all;
	if (all)
		monitor_close_accounts(d);
	if (all && started)
		takeover_leave(d);
	if (all && !jlog_stop(TAKE_PTR(d->log), LOG_STOP_MS))
		oplog(&d->oplog, LOG_WARNING, 0, MSGID_LOG_DROPPED,
		      "Some transitions could not be written any more");
	return all;
}

/* Returns the exit status; *ret_quiet is false if a thread may still be running. */
static enum exit_status run(struct daemon *d, bool *ret_quiet)
{
	enum exit_status status = STATUS_FAILURE;
	bool started = start(d) == 0;
	int r;

	if (started) {
		control_start(d);
		takeover_done(d);
		say_started(d);
		queues_give_up(d);
		r = sd_event_loop(d->event);
		status = r < 0 ? STATUS_FAILURE : (enum exit_status)r;
		if (r < 0)
			oplog(&d->oplog, LOG_ERR, -r, NULL, "The event loop failed");
	}
	*ret_quiet = stop(d, started, &status);
	if (started)
		say_stopped(d); /* behind the last transition */
	return status;
}

/* Before the first thread: what the loop reads from a signalfd must reach no thread. */
static void prepare_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(handled_signals); i++)
		sigaddset(&set, handled_signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN); /* a closed stderr is no reason to let packets wait */
	(void)signal(SIGXFSZ, SIG_IGN); /* nor is a state file that has grown too large */
}

int daemon_run(const struct options *opts)
{
	_cleanup_free_ struct daemon *d = calloc(1, sizeof(*d));
	enum exit_status status;
	bool quiet = true;

	if (!d)
		return STATUS_FAILURE;
	d->opts = opts;
	d->memory.arena_fd = -1;
	d->takeover.file.fd = -1;
	d->control.socket.fd = -1;
	d->ended_fd = -1;
	oplog_init(&d->oplog, LOG_TARGET_AUTO, LOG_INFO);
	if (daemon_load_conf(opts, &d->oplog, &d->conf) < 0) {
		takeover_rescue(d);
		store_done(&d->store);
		return STATUS_CONFIG;
	}
	d->started = d->conf->conf;
	d->started_origins = TAKE_PTR(d->conf->origins);
	oplog_init(&d->oplog, log_target(&d->started), d->started.log_level);
	prepare_signals();
	status = daemon_setup(d);
	if (status == STATUS_OK)
		status = run(d, &quiet);
	else if (status != STATUS_FAILURE)
		takeover_rescue(d);
	if (!quiet) {
		(void)TAKE_PTR(d); /* a thread still looks at it */
		return status;
	}
	sd_event_unref(d->event);
	if (d->log)
		(void)jlog_stop(d->log, 0);
	daemon_teardown(d);
	free_confs(d->conf);
	conf_origins_free(d->origins);
	conf_origins_free(d->started_origins);
	return status;
}

int daemon_check_config(const struct options *opts)
{
	struct daemon_conf *c = NULL;
	struct oplog log;

	oplog_init(&log, LOG_TARGET_CONSOLE, LOG_INFO);
	if (daemon_load_conf(opts, &log, &c) < 0)
		return STATUS_CONFIG;
	free_confs(c);
	puts("The configuration is good.");
	return STATUS_OK;
}
