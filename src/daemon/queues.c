/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A queue is either bound, or taken over together with what its last worker left. A socket from the
 * service manager can be anybody's, or of a network that the service has been moved out of: then it
 * is given up, and the queue is bound anew as soon as the manager has let go of it.
 *
 * What is new goes to the manager at once: from the binding on packets wait, and they shall survive
 * us. Memory that a worker leaves things in goes there before its first packet comes.
 *
 * Queues that are ours no longer have packets in them that their senders wait for. They get their
 * verdicts here, on the main thread, one queue after the other, when all else is running.
 */

#include "daemon/queues.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "daemon/daemon.h"
#include "daemon/worker.h"
#include "io/ifname.h"
#include "io/inherit.h"
#include "io/nfqueue.h"
#include "io/queuelist.h"
#include "io/rcvbuf.h"
#include "util/cleanup.h"
#include "util/words.h"

#define LOOPBACK_INDEX 1 /* where every network namespace has it */
#define NAMES_STRLEN   400
/* Linux 5.14, which the headers may be older than. */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* --- what the service manager has ---------------------------------------------------------------
 */

void queues_read_store(struct daemon *d)
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
	      "FileDescriptorStoreMax=%zu is too few for %zu queues, which need %zu: packets and "
	      "flows do not survive the process",
	      d->store.room, d->nqueues, needed);
	d->store.room = 0;
}

/* A name can have been given to several; what is not needed is nobody else's. */
static void leave_others(struct daemon *d, enum store_kind kind, unsigned int queue)
{
	int fd;

	while ((fd = store_take(&d->store, kind, queue)) >= 0)
		close(fd);
}

static void note_unread(struct daemon *d, struct post *post)
{
	d->takeover.unread += !post->unread;
	post->unread = true;
}

/* Of a queue in Range=: the one that is there, or a new one if it can be kept. */
static int take_seat(struct daemon *d, struct post *post)
{
	bool refused = false;
	int fd, r;

	while ((fd = store_take(&d->store, STORE_SEAT, post->queue)) >= 0) {
		if (seat_adopt(&post->seat, fd, post->queue) == 0) {
			leave_others(d, STORE_SEAT, post->queue);
			return 0;
		}
		close(fd);
		refused = true;
	}
	if (refused)
		note_unread(d, post);
	if (!store_works(&d->store))
		return 0;
	r = seat_new(&post->seat, post->queue);
	if (r < 0)
		return r;
	if (refused)
		(void)store_drop(&d->store, STORE_SEAT, post->queue);
	(void)store_keep(&d->store, STORE_SEAT, post->queue, post->seat.fd);
	return 0;
}

/* Of a queue that is ours no longer. */
static void take_surplus_seat(struct daemon *d, unsigned int queue)
{
	struct post *post = &d->posts[d->nposts];
	int fd = store_take(&d->store, STORE_SEAT, queue);

	post->queue = queue;
	if (seat_adopt(&post->seat, fd, queue) == 0) {
		d->nposts++;
		return;
	}
	close(fd);
	d->takeover.unread++;
	(void)store_drop(&d->store, STORE_SEAT, queue);
}

int queues_take_seats(struct daemon *d)
{
	int queue, r;

	d->posts = calloc(d->nqueues + d->store.n, sizeof(struct post));
	if (!d->posts)
		return -ENOMEM;
	d->nposts = d->nqueues;
	for (size_t i = 0; i < d->nqueues; i++) {
		d->posts[i].queue = d->started.queue_first + (unsigned int)i;
		r = take_seat(d, &d->posts[i]);
		if (r < 0)
			return r;
	}
	while ((queue = store_any_queue(&d->store, STORE_SEAT)) >= 0)
		take_surplus_seat(d, (unsigned int)queue);
	return 0;
}

/* --- opening ------------------------------------------------------------------------------------
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

	d->granted_buffer = granted;
	d->receive_buffer = grows ? RCVBUF_MAX : granted;
	daemon_check_buffers(d, c);
}

static struct nfqueue_params params_of(const struct daemon *d, const struct post *post)
{
	const struct conf *c = &d->started;

	return (struct nfqueue_params){
		.queue = (uint16_t)post->queue,
		.fd = -1,
		.desk = post->seat.desk,
		.fail_open = c->queue_fail_open,
		.max_packets = c->queue_max_packets,
		.copy_range = conf_copy_range(c),
		.receive_buffer = c->queue_receive_buffer,
		.loopback = ifname_is_loopback(d->names, LOOPBACK_INDEX) ? LOOPBACK_INDEX : 0,
	};
}

/* Is a socket of our network namespace, as far as the kernel tells? */
static bool is_of_our_network(int fd)
{
	_cleanup_close_ int own = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t a = 0, b = 0;
	socklen_t len = sizeof(a);

	if (own < 0 || getsockopt(own, SOL_SOCKET, SO_NETNS_COOKIE, &a, &len) < 0)
		return true;
	len = sizeof(b);
	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &b, &len) < 0 || a == b;
}

/* Goes on with a queue that a predecessor left. Returns 0 or -errno; the descriptor is used up. */
static int open_left(struct daemon *d, const struct post *post, int fd, struct source **ret,
		     struct nfqueue_grant *grant)
{
	struct nfqueue_params params = params_of(d, post);
	int r = -EXDEV;

	params.fd = fd;
	if (is_of_our_network(fd))
		r = nfqueue_open(ret, &params, grant);
	if (r < 0)
		close(fd);
	if (r == 0 && grant->adopted)
		return 0;
	d->takeover.gap = true;
	if (r == -EXDEV)
		oplog(&d->oplog, LOG_WARNING, 0, MSGID_STORE_ERROR,
		      "The socket that was left for queue %u is of another network namespace; "
		      "what waits there is dropped",
		      post->queue);
	else
		oplog(&d->oplog, LOG_WARNING, -r, MSGID_STORE_ERROR,
		      "The socket that was left for queue %u cannot be used", post->queue);
	return r;
}

static void note_left(struct daemon *d, struct post *post, const struct nfqueue_grant *grant)
{
	struct takeover *t = &d->takeover;

	post->inherited = grant->inherited;
	if (grant->has_fatal)
		oplog(&d->oplog, LOG_ERR, 0, MSGID_FATAL_PACKET,
		      "Queue %u: packet %" PRIu32
		      " was at hand when %u processes in a row died; it "
		      "is dropped unjudged",
		      post->queue, grant->fatal, INHERIT_DEATHS_MAX);
	if (!grant->adopted)
		return;
	t->queues++;
	t->inherited += grant->inherited;
	t->resent += grant->resent;
	if (grant->damaged)
		note_unread(d, post);
}

/* Goes on with what there is of a queue, or begins. */
static int open_any(struct daemon *d, const struct post *post, struct source **ret,
		    struct nfqueue_grant *grant)
{
	struct nfqueue_params params = params_of(d, post);
	bool bad = false;
	int fd;

	while ((fd = store_take(&d->store, STORE_QUEUE, post->queue)) >= 0) {
		if (open_left(d, post, fd, ret, grant) == 0) {
			leave_others(d, STORE_QUEUE, post->queue);
			return 0;
		}
		bad = true;
	}
	/* the queue may be bound by what is given up, until it is */
	if (bad) {
		(void)store_drop(&d->store, STORE_QUEUE, post->queue);
		(void)store_settle(&d->store);
	}
	return nfqueue_open(ret, &params, grant);
}

/* What is not in the store yet goes there. */
static int open_queue(struct daemon *d, struct post *post, struct source **ret,
		      struct nfqueue_grant *grant)
{
	int r = open_any(d, post, ret, grant);

	if (r < 0)
		return r;
	if (!grant->adopted) {
		(void)store_drop(&d->store, STORE_QUEUE, post->queue);
		(void)store_keep(&d->store, STORE_QUEUE, post->queue, nfqueue_fd(*ret));
	}
	note_left(d, post, grant);
	return 0;
}

enum exit_status queues_open(struct daemon *d)
{
	struct nfqueue_grant grant = {};

	for (size_t i = 0; i < d->nqueues; i++) {
		struct post *post = &d->posts[i];
		struct nfqueue_params params = params_of(d, post);
		int r;

		grant = (struct nfqueue_grant){};
		r = open_queue(d, post, &d->sources[i], &grant);
		if (r < 0)
			return say_open_error(d, post->queue, r);
		say_grant(d, &params, &grant);
	}
	note_buffers(d, grant.receive_buffer);
	if (d->store.failed)
		oplog(&d->oplog, LOG_WARNING, 0, MSGID_STORE_ERROR,
		      "The service manager did not take what it should keep: packets and flows do "
		      "not survive the process");
	return STATUS_OK;
}

/* --- giving up ----------------------------------------------------------------------------------
 */

static struct post *surplus_post(struct daemon *d, unsigned int queue)
{
	for (size_t i = d->nqueues; i < d->nposts; i++)
		if (d->posts[i].queue == queue)
			return &d->posts[i];
	return NULL;
}

/* Judges and answers what waits in a queue, and closes our end of it. */
static void empty(struct daemon *d, struct post *post, int fd)
{
	struct worker_params params = {
		.ct = d->ct,
		.conf = d->conf,
		.log = d->log,
		.stream = d->control.stream,
		.history = d->control.history,
		.index = QUEUES_RING(d),
		.queue = post->queue,
		.cpu = -1,
		.shadow = d->opts->shadow,
		.peers = d->workers,
		.npeers = d->nqueues,
		.ended_fd = -1,
		.memory = post->seat.worker,
		.surplus = true,
	};
	struct nfqueue_grant grant = {};
	struct worker *w;
	int r;

	if (open_left(d, post, fd, &params.source, &grant) < 0)
		return;
	params.inherited = grant.inherited;
	r = worker_new(&w, &params);
	if (r < 0) {
		params.source->ops->close(params.source);
	} else {
		r = worker_finish(w);
		worker_free(w);
	}
	if (r < 0)
		oplog(&d->oplog, LOG_WARNING, -r, MSGID_QUEUE_ERROR,
		      "Queue %u could not be emptied before it was given up", post->queue);
}

static void give_up(struct daemon *d, unsigned int queue, struct words *names)
{
	struct post bare = {.queue = queue}, *post = surplus_post(d, queue);
	int fd;

	while ((fd = store_take(&d->store, STORE_QUEUE, queue)) >= 0)
		empty(d, post ? post : &bare, fd);
	(void)store_drop(&d->store, STORE_QUEUE, queue);
	(void)sd_notify(0, "WATCHDOG=1"); /* each may take half a second */
	words_add(names, "%s%u", names->len > 0 ? ", " : "", queue);
}

void queues_give_up(struct daemon *d)
{
	char buf[NAMES_STRLEN] = "";
	struct words names = {buf, sizeof(buf), 0};
	int queue;

	while ((queue = store_any_queue(&d->store, STORE_QUEUE)) >= 0)
		give_up(d, (unsigned int)queue, &names);
	for (; d->nposts > d->nqueues; d->nposts--) {
		(void)store_drop(&d->store, STORE_SEAT, d->posts[d->nposts - 1].queue);
		seat_free(&d->posts[d->nposts - 1].seat);
	}
	if (*buf)
		oplog(&d->oplog, LOG_NOTICE, 0, MSGID_QUEUE_GIVEN_UP,
		      "Not in Range= any more, emptied and given up: queue%s %s",
		      strchr(buf, ',') ? "s" : "", buf);
}
