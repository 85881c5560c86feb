/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/nfqueue.h"

/*
 * Receiving costs one recvmmsg for up to SOURCE_BATCH_MAX datagrams, answering one send. poll is
 * only called when the socket is empty: a batch is never waited for, and under load there is no
 * call but these two.
 *
 * What is received lies on a desk (io/desk.c), and each verdict is noted there when it is given; a
 * successor that finds the desk and the socket goes on with the batch.
 */

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "core/stats.h"
#include "io/desk.h"
#include "io/inherit.h"
#include "io/ledger.h"
#include "io/nfqsocket.h"
#include "io/nlpacket.h"
#include "io/rcvbuf.h"
#include "io/verdict.h"
#include "util/cleanup.h"
#include "util/clock.h"

_Static_assert((int)VERDICT_DROP == NF_DROP && (int)VERDICT_ACCEPT == NF_ACCEPT &&
		       (int)VERDICT_QUEUE == NF_QUEUE && (int)VERDICT_REPEAT == NF_REPEAT &&
		       VERDICT_QUEUE_NR(7) == NF_QUEUE_NR(7),
	       "verdicts have the kernel's numbers");

struct nfqueue {
	struct source source;
	struct nfqsocket socket;
	_Atomic int fd; /* of the socket, -1: released */
	int wake_fd;
	uint16_t queue;
	uint32_t loopback;
	uint32_t max_packets;
	uint64_t receive_buffer; /* as asked for */
	bool fixed_buffer;	 /* whatever is copied */
	struct ledger ledger;
	struct desk *desk;
	struct desk *own_desk; /* NULL: it was given */
	/* datagrams received: in nslots slots, next to be read is slot at pos */
	uint32_t stride_wanted;
	bool inherits; /* what a predecessor left is in the slots */
	unsigned int nslots, slot;
	size_t pos;
	uint64_t now_ns; /* when they were received */
	uint64_t run;	 /* how many in a row, the socket never being empty */
	struct mmsghdr msgs[SOURCE_BATCH_MAX];
	struct iovec iov[SOURCE_BATCH_MAX];
	_Atomic int refused_error; /* written by the receiving thread only */
};

static struct nfqueue *from_source(struct source *s)
{
	return (struct nfqueue *)s;
}

/* --- receiving -------------------------------------------------------------------------------- */

/*
 * Ids count up by one; what is missing was dropped on the way to this socket. A predecessor may
 * have counted a packet that comes from its desk.
 */
static void note_id(struct nfqueue *q, uint32_t id)
{
	struct desk *d = q->desk;
	uint32_t gap = id - d->last_id - 1;

	if (d->seen_id && gap >= UINT32_MAX / 2)
		return;
	if (d->seen_id && gap)
		ct_counter_add(&d->total.lost, gap);
	d->last_id = id;
	d->seen_id = 1;
	ct_counter_add(&d->total.received, 1);
}

static void fill_packet(const struct nfqueue *q, const struct nlpacket *p, struct packet *out)
{
	out->id = p->id;
	out->in = (struct ct_input){
		.data = p->data,
		.caplen = p->caplen,
		.len = p->len,
		.now_ns = q->now_ns,
		.mark = p->mark,
		.iif = p->iif,
		.oif = p->oif,
		.id = p->id,
		.queue = q->queue,
		.family = p->family,
		.hook = p->hook,
		.csum_unverified = p->csum_unverified,
		.loopback = q->loopback && (p->iif == q->loopback || p->oif == q->loopback),
	};
}

/*
 * The kernel knows no packet by the id of a verdict once it has dropped the packet itself. Of a run
 * it must have dropped all to say so. Answers to other messages speak for one each, or say nothing
 * by this.
 */
static void note_refusal(struct nfqueue *q, int error, uint32_t seq)
{
	uint32_t count = seq > 0 && seq <= VERDICT_RUN_MAX ? seq : 1;

	if (error == ENOENT && seq >= VERDICT_SEQ_STRAYS)
		return;
	if (error == ENOENT) {
		ct_counter_add(&q->desk->total.gone, count);
		return;
	}
	ct_counter_add(&q->desk->total.refused, count);
	atomic_store_explicit(&q->refused_error, error, memory_order_relaxed);
}

static void note_answer(struct nfqueue *q, const struct nlpacket *p)
{
	if (p->error)
		note_refusal(q, -p->error, p->seq);
	else if (p->seq == VERDICT_SEQ_STRAYS)
		ledger_had_strays(&q->ledger);
}

/* Before the packets of the batch that came with it are answered, so never together with others. */
static void accept_broken(struct nfqueue *q, uint32_t id)
{
	ct_counter_add(&q->desk->total.broken, 1);
	ledger_give(&q->ledger,
		    &(struct verdict_entry){.id = id, .verdict = VERDICT_ACCEPT, .alone = true},
		    q->now_ns);
}

/* Are all packets that were read on the desk again? */
static void all_on_desk(struct nfqueue *q)
{
	if (!q->ledger.blind && !q->socket.kept)
		q->desk->astray = DESK_ALL;
}

/* Looks at the next message of the present datagram. Returns true if *out is a packet. */
static bool next_message(struct nfqueue *q, struct packet *out)
{
	const uint8_t *datagram = q->iov[q->slot].iov_base;
	enum nlpacket_kind kind;
	struct nlpacket p;

	kind = nlpacket_next(datagram, q->msgs[q->slot].msg_len, &q->pos, &p);
	if (q->ledger.blind && !q->inherits &&
	    (kind == NLPACKET_PACKET || kind == NLPACKET_BROKEN)) {
		ledger_see_first(&q->ledger, p.id);
		all_on_desk(q);
	}
	switch (kind) {
	case NLPACKET_END:
		q->slot++;
		q->pos = 0;
		return false;
	case NLPACKET_PACKET:
		note_id(q, p.id);
		fill_packet(q, &p, out);
		outstanding_add(&q->ledger.outstanding, p.id, p.mark);
		return true;
	case NLPACKET_BROKEN:
		note_id(q, p.id);
		accept_broken(q, p.id);
		return false;
	case NLPACKET_ANSWER:
		note_answer(q, &p);
		return false;
	case NLPACKET_OTHER:
		break;
	}
	ct_counter_add(&q->desk->total.unreadable, 1);
	ledger_strand(&q->ledger, q->now_ns); /* there may have been a packet in it */
	return false;
}

static unsigned int take_packets(struct nfqueue *q, struct packet *batch)
{
	unsigned int n = 0;

	while (n < SOURCE_BATCH_MAX && q->slot < q->nslots)
		n += next_message(q, &batch[n]);
	return n;
}

static void set_slots(struct nfqueue *q, unsigned int n)
{
	q->nslots = n;
	q->slot = 0;
	q->pos = 0;
	q->now_ns = clock_now_ns();
}

/* Messages are received into the slots where they are now. */
static void point_to_slots(struct nfqueue *q)
{
	for (unsigned int i = 0; i < SOURCE_BATCH_MAX; i++) {
		q->iov[i] = (struct iovec){desk_slot(q->desk, i), q->desk->stride};
		q->msgs[i].msg_hdr = (struct msghdr){.msg_iov = &q->iov[i], .msg_iovlen = 1};
	}
}

/* Slots as far apart as longer messages take; all are empty. */
static void stretch(struct nfqueue *q, uint32_t stride)
{
	desk_stretch(q->desk, stride);
	point_to_slots(q);
}

/* The last batch has been answered, but for what is held and what waits to be sent. */
static void clear_slots(struct nfqueue *q)
{
	desk_turn(q->desk, q->nslots, q->ledger.verdicts.count == 0);
	q->nslots = 0;
	q->slot = 0;
	if (q->desk->stride != q->stride_wanted)
		stretch(q, q->stride_wanted);
}

/* A queue that has been full is read in full batches until what waited in it has come. */
static void note_run(struct nfqueue *q, unsigned int n)
{
	q->run += n;
	if (q->run >= q->max_packets) {
		ct_counter_add(&q->desk->total.crowds, 1);
		q->run = 0;
	}
	if (n < SOURCE_BATCH_MAX)
		q->run = 0;
}

/* What a predecessor left is done with: ids go on somewhere else if it did not leave all. */
static void leave_behind(struct nfqueue *q)
{
	if (q->inherits && q->ledger.blind)
		q->desk->seen_id = 0;
	q->inherits = false;
}

/* Fills the slots without waiting. Returns the number of datagrams or -errno. */
static int refill(struct nfqueue *q)
{
	int n;

	clear_slots(q);
	leave_behind(q);
	if (q->socket.kept) {
		set_slots(q, nfqsocket_unkeep(&q->socket, q->msgs, SOURCE_BATCH_MAX));
		all_on_desk(q);
		return (int)q->nslots;
	}
	n = recvmmsg(q->fd, q->msgs, SOURCE_BATCH_MAX, MSG_DONTWAIT, NULL);
	/* ENOBUFS only says that packets were lost; the gap in their ids says how many. */
	if (n < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -errno;
	set_slots(q, (unsigned int)n);
	note_run(q, (unsigned int)n);
	return n;
}

/* Waits for packets. Returns > 0 if there may be some, 0 after a timeout or a wake, or -errno. */
static int wait_readable(struct nfqueue *q, int timeout_ms)
{
	struct pollfd fds[] = {{.fd = q->fd, .events = POLLIN},
			       {.fd = q->wake_fd, .events = POLLIN}};
	eventfd_t count;

	if (timeout_ms == 0)
		return 0;
	if (poll(fds, ARRAY_SIZE(fds), timeout_ms) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[1].revents)
		eventfd_read(q->wake_fd, &count);
	return fds[0].revents != 0;
}

/*
 * Provides datagrams to read. Returns > 0 if there are some, 0 after a timeout or a wake, or
 * -errno.
 */
static int provide(struct nfqueue *q, int timeout_ms)
{
	int r;

	if (q->slot < q->nslots)
		return 1;
	r = refill(q);
	if (r != 0)
		return r;
	r = wait_readable(q, timeout_ms);
	return r > 0 ? refill(q) : r;
}

/* Nothing can be said about all up to an id while some of it is still to be judged. */
static void attend(struct nfqueue *q)
{
	if (q->slot < q->nslots || q->socket.kept)
		return;
	ledger_attend(&q->ledger, clock_now_ns());
	all_on_desk(q);
}

/*
 * Datagrams without a packet, such as answers of the kernel, are no reason to return while there
 * are more. Verdicts given from here need not wait for those of a caller who has none.
 */
static int op_receive(struct source *s, struct packet batch[static SOURCE_BATCH_MAX],
		      int timeout_ms)
{
	struct nfqueue *q = from_source(s);
	unsigned int n;
	int r;

	outstanding_turn(&q->ledger.outstanding);
	if (ledger_needs_attention(&q->ledger))
		attend(q);
	for (;;) {
		r = provide(q, timeout_ms);
		if (r <= 0)
			return r;
		n = take_packets(q, batch);
		if (n > 0) {
			q->desk->handed = 1;
			return (int)n;
		}
		(void)ledger_send(&q->ledger);
		timeout_ms = 0;
	}
}

static void op_verdict(struct source *s, const struct packet *p, uint32_t verdict, bool set_mark,
		       uint32_t mark)
{
	struct nfqueue *q = from_source(s);
	struct verdict_entry e = {.id = p->id, .verdict = verdict, .set_mark = set_mark};

	/* The mark that a held packet came with is not in p. */
	e.alone = !outstanding_answer(&q->ledger.outstanding, p->id, &e.mark) ||
		  q->ledger.blind; /* what is unknown may be older, and is not to be answered */
	if (set_mark)
		e.mark = mark;
	ledger_give(&q->ledger, &e, q->now_ns);
}

static int op_flush(struct source *s)
{
	struct nfqueue *q = from_source(s);
	int r;

	q->desk->handed = 0; /* all has been judged */
	r = ledger_send(&q->ledger);
	ledger_balance(&q->ledger);
	return r;
}

static void op_wake(struct source *s)
{
	eventfd_write(from_source(s)->wake_fd, 1);
}

static void op_release(struct source *s)
{
	struct nfqueue *q = from_source(s);

	q->fd = -1;
	nfqsocket_close(&q->socket);
}

static void op_close(struct source *s)
{
	struct nfqueue *q = from_source(s);

	if (!s)
		return;
	op_release(s);
	cleanup_close(&q->wake_fd);
	verdict_buf_done(&q->ledger.verdicts);
	desk_free(q->own_desk);
	free(q);
}

void nfqueue_get_stats(const struct source *s, struct nfqueue_stats *ret)
{
	const struct nfqueue *q = (const struct nfqueue *)s;

	*ret = (struct nfqueue_stats){
#define X(name, ...) .name = atomic_load_explicit(&q->desk->total.name, memory_order_relaxed),
		DESK_TOTAL_LIST(X)
#undef X
			.refused_error =
			atomic_load_explicit(&q->refused_error, memory_order_relaxed),
		.waiting = atomic_load_explicit(&q->ledger.waiting, memory_order_relaxed),
		.stranded = atomic_load_explicit(&q->ledger.stranded_then, memory_order_relaxed),
		.off = atomic_load_explicit(&q->ledger.off, memory_order_relaxed),
	};
}

int nfqueue_fd(const struct source *s)
{
	return ((const struct nfqueue *)s)->fd;
}

bool nfqueue_is_empty(const struct source *s)
{
	uint32_t info[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(info);

	return getsockopt(nfqueue_fd(s), SOL_SOCKET, SO_MEMINFO, info, &len) == 0 &&
	       info[SK_MEMINFO_RMEM_ALLOC] == 0;
}

void nfqueue_settle(struct source *s, uint32_t n)
{
	atomic_store_explicit(&from_source(s)->ledger.strays_wanted, n, memory_order_relaxed);
}

/* --- the copied part, in operation ------------------------------------------------------------ */

/* The memory of the socket only grows, for the same reason as slots do. */
static void follow_copy_range(struct nfqueue *q, uint32_t range)
{
	uint64_t needed = rcvbuf_needed(q->max_packets, range);

	if (q->fixed_buffer || needed <= q->receive_buffer)
		return;
	q->receive_buffer = needed;
	(void)rcvbuf_set(q->fd, needed, &(uint64_t){0});
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/*
 * Without an answer, for which packets would have to wait; an error shows up among those to
 * verdicts. Slots only grow: datagrams of the old size may still be on their way.
 */
static int op_set_copy_range(struct source *s, uint32_t range)
{
	struct nfqueue *q = from_source(s);

	if (q->slot < q->nslots)
		return -EAGAIN;
	q->stride_wanted = larger(q->stride_wanted, desk_stride(range));
	follow_copy_range(q, range);
	return nfqsocket_set_copy_range(&q->socket, range);
}

/* --- opening ---------------------------------------------------------------------------------- */

static const struct source_ops nfqueue_ops = {
	.receive = op_receive,
	.verdict = op_verdict,
	.flush = op_flush,
	.set_copy_range = op_set_copy_range,
	.wake = op_wake,
	.release = op_release,
	.close = op_close,
};

/* Finds a desk. Returns 0 or -ENOMEM; *ret_fresh: nothing on it is a predecessor's. */
static int take_desk(struct nfqueue *q, const struct nfqueue_params *params, bool *ret_fresh)
{
	bool valid = params->desk && desk_valid(params->desk, q->queue);

	q->desk = params->desk;
	if (!q->desk)
		q->desk = q->own_desk = desk_new(q->queue);
	else if (!valid)
		desk_init(q->desk, q->queue);
	if (!q->desk)
		return -ENOMEM;
	*ret_fresh = !valid || !q->desk->served;
	q->socket.desk = q->desk;
	q->ledger.desk = q->desk;
	return 0;
}

/* Puts the predecessor's datagrams before those that come. */
static void lay_out(struct nfqueue *q)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < SOURCE_BATCH_MAX; i++) {
		q->msgs[i].msg_len = desk_slot_len(q->desk, i);
		if (q->msgs[i].msg_len > 0)
			n = i + 1;
	}
	set_slots(q, n);
	q->inherits = n > 0;
}

/* In a queue of its own nobody waits that a predecessor knew. */
static void forget(struct desk *d)
{
	desk_turn(d, SOURCE_BATCH_MAX, true);
	d->seen_id = 0;
}

static int take_over(struct nfqueue *q, enum desk_astray astray, struct nfqueue_grant *grant)
{
	struct inheritance inh = {};
	int r;

	if (!grant->adopted) {
		forget(q->desk);
	} else {
		r = inherit(q->desk, q->fd, astray, &inh);
		if (r < 0)
			return r;
		grant->damaged = astray != DESK_ALL;
		grant->resent = inh.resent;
		grant->inherited = inh.packets;
		grant->orphans = inh.orphans || inh.blind;
		grant->has_fatal = inh.has_fatal;
		grant->fatal = inh.fatal;
		q->ledger.blind = inh.blind;
	}
	ledger_open(&q->ledger, inh.counted);
	lay_out(q);
	q->ledger.blind_ns = q->now_ns;
	q->desk->astray = q->ledger.blind || q->socket.keeps_packets ? DESK_SOME : DESK_ALL;
	q->desk->served = 1;
	return 0;
}

/* Slots stay where the predecessor's datagrams lie; longer ones than ours may wait to be read. */
static void set_stride(struct nfqueue *q, bool fresh, const struct nfqueue_params *params)
{
	uint32_t least = desk_stride(params->copy_range);

	if (fresh)
		stretch(q, params->fd < 0 ? least : DESK_STRIDE_MAX);
	else
		point_to_slots(q);
	q->stride_wanted = larger(q->desk->stride, least);
}

static int open_queue(struct nfqueue *q, const struct nfqueue_params *params,
		      struct nfqueue_grant *ret)
{
	struct nfqueue_grant grant = {};
	enum desk_astray astray;
	bool fresh;
	int r;

	r = take_desk(q, params, &fresh);
	if (r < 0)
		return r;
	/* A batch and the broken packets among it; more makes an early send. */
	r = verdict_buf_init(&q->ledger.verdicts, q->queue, 2 * SOURCE_BATCH_MAX);
	if (r < 0)
		return r;
	q->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->wake_fd < 0)
		return -errno;
	astray = fresh ? DESK_NONE : (enum desk_astray)q->desk->astray;
	set_stride(q, fresh, params);
	r = nfqsocket_open(&q->socket, params, q->receive_buffer, &grant);
	if (r < 0)
		return r;
	q->fd = q->socket.fd;
	q->ledger.fd = q->socket.fd;
	r = take_over(q, astray, &grant);
	if (r < 0)
		return r;
	cleanup_close(&params->fd); /* the socket has a duplicate */
	*ret = grant;
	return 0;
}

int nfqueue_open(struct source **ret, const struct nfqueue_params *params,
		 struct nfqueue_grant *ret_grant)
{
	struct nfqueue *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return -ENOMEM;
	q->source.ops = &nfqueue_ops;
	q->queue = params->queue;
	q->loopback = params->loopback;
	q->max_packets = params->max_packets;
	q->fixed_buffer = params->receive_buffer > 0;
	q->receive_buffer = q->fixed_buffer
				    ? params->receive_buffer
				    : rcvbuf_needed(params->max_packets, params->copy_range);
	q->fd = -1;
	q->wake_fd = -1;
	q->socket.fd = -1;
	q->socket.queue = q->queue;
	r = open_queue(q, params, ret_grant);
	if (r < 0) {
		op_close(&q->source);
		return r;
	}
	*ret = &q->source;
	return 0;
}
