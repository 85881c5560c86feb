/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The process: one struct daemon owns everything, one sd-event loop runs the main thread.
 *
 * setup.c builds it (queues, table, log, workers), daemon.c runs it (signals, reload, stop),
 * monitor.c looks at it once a second (status, reports, watchdog).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "conf/conf.h"
#include "conf/settings.h"
#include "core/core.h"
#include "daemon/control.h"
#include "daemon/memory.h"
#include "daemon/monitor.h"
#include "daemon/options.h"
#include "daemon/seat.h"
#include "daemon/store.h"
#include "daemon/takeover.h"
#include "daemon/worker.h"
#include "log/journal.h"
#include "log/oplog.h"

/* Exit codes, ctmarkd(8). */
enum exit_status {
	STATUS_OK = 0,
	STATUS_FAILURE = 1,
	STATUS_USAGE = 2,
	STATUS_PERMISSION = 4,
	STATUS_CONFIG = 6,
	STATUS_NO_NFQUEUE = 77,
};

/* A queue of ours, or one that a predecessor left and we do not serve. */
struct post {
	unsigned int queue;
	struct seat seat;   /* all zero: none */
	uint32_t inherited; /* packets of its first batch */
	bool unread;	    /* what its last worker left could not be used */
};

struct daemon {
	const struct options *opts;
	struct oplog oplog;
	struct daemon_conf
		*conf; /* in force, newest first; older ones until every worker has left them */
	struct conf started; /* as at the start: what only a restart changes */
	struct conf_origins *origins, *started_origins;

	struct store store; /* of the service manager */
	struct takeover takeover;
	struct memory memory; /* of the table */
	struct ct *ct;
	struct ifname *names;
	struct jlog *log;

	struct post *posts; /* one per queue, then those that are not ours */
	size_t nposts;
	struct source **sources; /* those not yet owned by a worker */
	struct worker **workers; /* one per queue */
	size_t nqueues;
	uint64_t receive_buffer; /* bytes that the socket of each can get */
	uint64_t granted_buffer; /* bytes that it had at the start */
	int ended_fd;		 /* eventfd: a worker has ended */

	sd_event *event;
	struct monitor *monitor;
	struct control control;
};

/* Runs the daemon until it is told to stop. Returns the exit status. */
int daemon_run(const struct options *opts);

/* --check-config. Returns the exit status. */
int daemon_check_config(const struct options *opts);

/*
 * Builds everything the loop needs, with the workers not yet started. Says what failed and returns
 * the exit status; STATUS_OK if nothing did.
 */
enum exit_status daemon_setup(struct daemon *d);

/* Frees what daemon_setup() made; no worker may be running. */
void daemon_teardown(struct daemon *d);

/*
 * Loads the configuration named by the options. Says what is wrong with it and returns -errno, or 0
 * with *ret to be freed.
 */
int daemon_load_conf(const struct options *opts, const struct oplog *oplog,
		     struct daemon_conf **ret);

/*
 * Tells each setting in force, what waits for a restart beside it. Main thread. Returns 0 or
 * -ENOMEM.
 */
int daemon_settings_each(const struct daemon *d, conf_tell *tell, void *ctx);

/*
 * Writes operational messages up to this syslog priority (conf_level()) from now on, whatever
 * Level= says, until the next reload. Main thread. Returns 0, or -EINVAL if Level= could not say
 * it.
 */
int daemon_set_log_level(struct daemon *d, int level);

/* [Log] for transitions; the target as oplog resolved it. */
void daemon_jlog_config(const struct daemon *d, const struct conf *conf, struct jlog_config *ret);

/* Warns if sockets cannot hold MaxPackets= packets, so much copied of each as a configuration says.
 */
void daemon_check_buffers(const struct daemon *d, const struct conf *c);

/*
 * Reads the configuration again and puts it in force, if it is good. also is told of everything
 * that is wrong or worth a warning. Returns 0, or -EINVAL with the running one still in force.
 */
int daemon_reload(struct daemon *d, void (*also)(void *ctx, int priority, const char *text),
		  void *ctx);

/* Frees configurations that no worker looks at any more, or ever will again. */
void daemon_free_old_confs(struct daemon *d);

/* Adds up the counters of all threads. */
void daemon_sum_stats(const struct daemon *d, struct ct_stats *ret);
