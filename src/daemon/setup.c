/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include "daemon/queues.h"
#include "daemon/worker.h"
#include "daemon/zones.h"
#include "io/ifname.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* --- configuration ------------------------------------------------------------------------------
 */

static void report_conf(void *ctx, int priority, const char *text)
{
	const struct oplog *oplog_ = ctx;

	oplog(oplog_, priority, 0, priority <= LOG_ERR ? NULL : MSGID_CONFIG_WARNING, "%s", text);
}

int daemon_load_conf(const struct options *opts, const struct oplog *log, struct daemon_conf **ret)
{
	struct daemon_conf *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return oplog(log, LOG_ERR, ENOMEM, NULL, "Cannot load the configuration");
	r = conf_load(&c->conf, &c->origins, "", opts->config, report_conf, (void *)log);
	if (r < 0) {
		free(c);
		return r;
	}
	/*
	 * Every verdict is ACCEPT then, at once, so every first packet leaves its flow; and there
	 * is no mark that would tell an exit hook what a packet is.
	 */
	if (opts->shadow) {
		c->conf.track.confirm = CT_CONFIRM_ENTRY;
		c->conf.track.no_confirm_classes = 0;
		c->conf.track.hold_fragments = false;
	}
	*ret = c;
	return 0;
}

/* --- table --------------------------------------------------------------------------------------
 */

/* Packets that are held take room in their queue, which must never be full of them. */
static uint32_t max_held(const struct conf *c)
{
	uint32_t quarter = c->queue_max_packets / 4;

	return c->max_fragments < quarter ? c->max_fragments : quarter;
}

static int make_table(struct daemon *d)
{
	uint8_t key[16];
	struct ct_params params = {
		.max_flows = d->started.max_flows,
		.max_expect = d->started.max_expect,
		.max_fragmented = d->started.max_fragments,
		.max_held = max_held(&d->started),
		.key = key,
	};

	if (getrandom(key, sizeof(key), 0) < 0 ||
	    getrandom(&params.id_salt, sizeof(params.id_salt), 0) < 0)
		return -errno;
	return takeover_table(d, &params);
}

/* --- log and workers ----------------------------------------------------------------------------
 */

void daemon_jlog_config(const struct daemon *d, const struct conf *conf, struct jlog_config *ret)
{
	*ret = (struct jlog_config){
		.target = conf->log_target == CONF_TARGET_NONE ? LOG_TARGET_NONE : d->oplog.target,
		.events = conf->log_events,
		.rate = conf->log_rate,
		.burst = conf->log_burst,
	};
}

static int make_log(struct daemon *d)
{
	struct jlog_config config;

	daemon_jlog_config(d, &d->conf->conf, &config);
	/* see QUEUES_RING, CONTROL_RING */
	return jlog_new(&d->log, &config, d->nqueues + 2, d->names);
}

/* The CPU for a worker: those of CPUAffinity= in turn. */
static int cpu_for(const struct conf *c, size_t index)
{
	int nth;

	if (!c->cpu_affinity_set)
		return -1;
	nth = (int)(index % (size_t)CPU_COUNT(&c->cpu_affinity));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &c->cpu_affinity) && nth-- == 0)
			return cpu;
	return -1;
}

/*
 * What only this machine can know of CPUAffinity=. Where its CPUs do not fit into a cpu_set_t they
 * cannot be told, and starting the threads decides.
 */
static enum exit_status check_cpus(const struct daemon *d)
{
	cpu_set_t allowed;

	if (!d->started.cpu_affinity_set || sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return STATUS_OK;
	for (size_t i = 0; i < d->nqueues; i++) {
		int cpu = cpu_for(&d->started, i);

		if (CPU_ISSET(cpu, &allowed))
			continue;
		oplog(&d->oplog, LOG_ERR, 0, NULL,
		      "[Queue] CPUAffinity=%d: the CPU for queue %zu does not exist or may not "
		      "be used",
		      cpu, d->started.queue_first + i);
		return STATUS_CONFIG;
	}
	return STATUS_OK;
}

static int make_workers(struct daemon *d)
{
	for (size_t i = 0; i < d->nqueues; i++) {
		struct worker_params params = {
			.source = d->sources[i],
			.ct = d->ct,
			.conf = d->conf,
			.log = d->log,
			.stream = d->control.stream,
			.history = d->control.history,
			.index = i,
			.queue = d->started.queue_first + (unsigned int)i,
			.cpu = cpu_for(&d->started, i),
			.shadow = d->opts->shadow,
			.peers = d->workers,
			.npeers = d->nqueues,
			.ended_fd = d->ended_fd,
			.memory = d->posts[i].seat.worker,
			.inherited = d->posts[i].inherited,
			.kept = store_works(&d->store),
		};
		int r = worker_new(&d->workers[i], &params);

		if (r < 0)
			return r;
		d->sources[i] = NULL;
	}
	return 0;
}

static int make_vessels(struct daemon *d)
{
	d->nqueues = (size_t)(d->started.queue_last - d->started.queue_first) + 1;
	d->sources = calloc(d->nqueues, sizeof(struct source *));
	d->workers = calloc(d->nqueues, sizeof(struct worker *));
	d->monitor = monitor_new(d->nqueues);
	d->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!d->sources || !d->workers || !d->monitor)
		return -ENOMEM;
	return d->ended_fd < 0 ? -errno : 0;
}

static enum exit_status failure(const struct daemon *d, int error, const char *what)
{
	oplog(&d->oplog, LOG_ERR, -error, NULL, "Cannot %s", what);
	return STATUS_FAILURE;
}

enum exit_status daemon_setup(struct daemon *d)
{
	enum exit_status status;
	int r;

	r = make_vessels(d);
	if (r < 0)
		return failure(d, r, "allocate memory");
	d->takeover.began_ns = clock_now_ns();
	d->takeover.path = state_path(d->started.state_file);
	queues_read_store(d);
	status = check_cpus(d);
	if (status != STATUS_OK)
		return status;
	r = ifname_new(&d->names);
	if (r < 0)
		return failure(d, r, "read the names of the interfaces");
	r = zones_read(&d->conf->zones, &d->started);
	if (r < 0)
		return failure(d, r, "find the interfaces of the zones");
	r = queues_take_seats(d);
	if (r < 0)
		return failure(d, r, "make the memory of the workers");
	r = make_table(d);
	if (r < 0)
		return failure(d, r, "make the flow table");
	r = make_log(d);
	if (r < 0)
		return failure(d, r, "make the log");
	r = control_setup(d);
	if (r < 0)
		return failure(d, r, "prepare the control service");
	/* Last: packets wait from here on. */
	status = queues_open(d);
	if (status != STATUS_OK)
		return status;
	takeover_bridge(d);
	r = make_workers(d);
	if (r < 0)
		return failure(d, r, "make the workers");
	monitor_begin(d->monitor, d);
	return STATUS_OK;
}

void daemon_teardown(struct daemon *d)
{
	for (size_t i = 0; d->workers && i < d->nqueues; i++)
		worker_free(d->workers[i]);
	for (size_t i = 0; d->sources && i < d->nqueues; i++)
		if (d->sources[i])
			d->sources[i]->ops->close(d->sources[i]);
	control_done(&d->control);
	for (size_t i = 0; i < d->nposts; i++)
		seat_free(&d->posts[i].seat);
	free(d->posts);
	free(d->workers);
	free(d->sources);
	monitor_free(d->monitor);
	ct_free(d->ct);
	memory_unmap(&d->memory);
	takeover_free(&d->takeover);
	store_done(&d->store);
	cleanup_close(&d->ended_fd);
	ifname_free(d->names);
}
