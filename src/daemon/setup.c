/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include "daemon/worker.h"
#include "daemon/zones.h"
#include "io/ifname.h"
#include "io/nfqueue.h"
#include "io/queuelist.h"
#include "io/rcvbuf.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define LOOPBACK_INDEX 1 /* where every network namespace has it */

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
	r = conf_load(&c->conf, "", opts->config, report_conf, (void *)log);
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

/* --- queues -------------------------------------------------------------------------------------
 */

static bool holder(unsigned int queue, uint32_t *ret_portid)
{
	return queuelist_holder(QUEUELIST_PATH, (uint16_t)queue, ret_portid) == 0;
}

static enum exit_status say_busy(const struct daemon *d, unsigned int queue)
{
	uint32_t portid;

	if (holder(queue, &portid))
		oplog(&d->oplog, LOG_ERR, 0, MSGID_QUEUE_BUSY,
		      "Queue %u is held by another process, netlink port id %" PRIu32, queue,
		      portid);
	else
		oplog(&d->oplog, LOG_ERR, 0, MSGID_QUEUE_BUSY,
		      "Queue %u is held by another process; root finds its netlink port id in "
		      "/proc/net/netfilter/nfnetlink_queue",
		      queue);
	return STATUS_PERMISSION;
}

static enum exit_status say_open_error(const struct daemon *d, unsigned int queue, int error)
{
	switch (-error) {
	case EBUSY:
		return say_busy(d, queue);
	case EPERM:
		/* to an administrator of a user namespace the kernel looks alike in both cases */
		if (holder(queue, &(uint32_t){0}))
			return say_busy(d, queue);
		oplog(&d->oplog, LOG_ERR, 0, MSGID_QUEUE_ERROR,
		      "Cannot bind queue %u: it takes CAP_NET_ADMIN", queue);
		return STATUS_PERMISSION;
	case EPROTONOSUPPORT:
		oplog(&d->oplog, LOG_ERR, 0, MSGID_QUEUE_ERROR,
		      "This kernel has no NFQUEUE (CONFIG_NETFILTER_NETLINK_QUEUE)");
		return STATUS_NO_NFQUEUE;
	default:
		oplog(&d->oplog, LOG_ERR, -error, MSGID_QUEUE_ERROR, "Cannot bind queue %u", queue);
		return STATUS_FAILURE;
	}
}

static void say_grant(const struct daemon *d, const struct nfqueue_params *asked,
		      const struct nfqueue_grant *grant)
{
	if (!grant->gso)
		oplog(&d->oplog, LOG_WARNING, 0, MSGID_QUEUE_ERROR,
		      "Queue %u: the kernel does not hand over large packets unsplit; expect a "
		      "fraction of the TCP throughput",
		      asked->queue);
	if (asked->fail_open && !grant->fail_open)
		oplog(&d->oplog, LOG_WARNING, 0, MSGID_QUEUE_ERROR,
		      "Queue %u: the kernel does not know FailOpen=; a full queue drops",
		      asked->queue);
}

void daemon_check_buffers(const struct daemon *d, const struct conf *c)
{
	uint64_t wanted = d->started.queue_receive_buffer;
	uint32_t max = d->started.queue_max_packets, range = conf_copy_range(c);
	uint64_t needed = rcvbuf_needed(max, range);
	char value[24] = "auto";

	if (d->receive_buffer >= needed)
		return;
	if (wanted != CONF_BUFFER_AUTO)
		snprintf(value, sizeof(value), "%" PRIu64, wanted);
	oplog(&d->oplog, LOG_WARNING, 0, MSGID_SOCKET_BUFFER,
	      "ReceiveBuffer=%s: each queue gets %" PRIu64 " bytes, which may hold no more than "
	      "%" PRIu64 " of MaxPackets=%" PRIu32 " packets with %" PRIu32 " bytes copied; all "
	      "take %" PRIu64,
	      value, d->receive_buffer, rcvbuf_holds(d->receive_buffer, range), max, range, needed);
}

/* A socket that got all it asked for can get more. */
static void note_buffers(struct daemon *d, uint64_t granted)
{
	const struct conf *c = &d->started;
	uint64_t needed = rcvbuf_needed(c->queue_max_packets, conf_copy_range(c));
	bool grows = c->queue_receive_buffer == CONF_BUFFER_AUTO &&
		     (granted >= needed || granted >= RCVBUF_MAX);

	d->receive_buffer = grows ? RCVBUF_MAX : granted;
	daemon_check_buffers(d, c);
}

static enum exit_status open_queues(struct daemon *d)
{
	const struct conf *c = &d->started;
	struct nfqueue_params params = {
		.fd = -1,
		.fail_open = c->queue_fail_open,
		.max_packets = c->queue_max_packets,
		.copy_range = conf_copy_range(c),
		.receive_buffer = c->queue_receive_buffer,
		.loopback = ifname_is_loopback(d->names, LOOPBACK_INDEX) ? LOOPBACK_INDEX : 0,
	};
	struct nfqueue_grant grant = {};
	int r;

	for (size_t i = 0; i < d->nqueues; i++) {
		params.queue = (uint16_t)(c->queue_first + i);
		r = nfqueue_open(&d->sources[i], &params, &grant);
		if (r < 0)
			return say_open_error(d, params.queue, r);
		say_grant(d, &params, &grant);
	}
	note_buffers(d, grant.receive_buffer);
	return STATUS_OK;
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

/* --- what a predecessor left --------------------------------------------------------------------
 */

static void open_store(struct daemon *d)
{
	size_t needed = STORE_NEED(d->nqueues);
	char strange[STORE_STRANGE_STRLEN];
	int r = store_init(&d->store, strange);

	if (r < 0)
		oplog(&d->oplog, LOG_WARNING, -r, MSGID_STORE_ERROR,
		      "What the service manager keeps for us cannot be read");
	if (*strange)
		oplog(&d->oplog, LOG_WARNING, 0, MSGID_STORE_ERROR,
		      "The service manager passed descriptors with names that are not ours: %s",
		      strange);
	if (d->store.room == 0 || d->store.room >= needed)
		return;
	oplog(&d->oplog, LOG_WARNING, 0, MSGID_STORE_ERROR,
	      "The service manager keeps %zu descriptors, %zu are needed for %zu queues "
	      "(FileDescriptorStoreMax=): packets and flows do not survive the process",
	      d->store.room, needed, d->nqueues);
	d->store.room = 0;
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
	return jlog_new(&d->log, &config, d->nqueues, d->names); /* a ring for each worker */
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
			.index = i,
			.queue = d->started.queue_first + (unsigned int)i,
			.cpu = cpu_for(&d->started, i),
			.shadow = d->opts->shadow,
			.peers = d->workers,
			.npeers = d->nqueues,
			.ended_fd = d->ended_fd,
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
	open_store(d);
	status = check_cpus(d);
	if (status != STATUS_OK)
		return status;
	r = ifname_new(&d->names);
	if (r < 0)
		return failure(d, r, "read the names of the interfaces");
	r = zones_read(&d->conf->zones, &d->started);
	if (r < 0)
		return failure(d, r, "find the interfaces of the zones");
	r = make_table(d);
	if (r < 0)
		return failure(d, r, "make the flow table");
	r = make_log(d);
	if (r < 0)
		return failure(d, r, "make the log");
	/* Last: packets wait from here on. */
	status = open_queues(d);
	if (status != STATUS_OK)
		return status;
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
