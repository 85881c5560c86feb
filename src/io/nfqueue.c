/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/nfqueue.h"

/*
 * Receiving costs one recvmmsg for up to SOURCE_BATCH_MAX datagrams, answering one send. poll is
 * only called when the socket is empty: a batch is never waited for, and under load there is no
 * call but these two. The kernel's answers to our own messages arrive on the same socket, between
 * packets: while one is waited for (configuration), the packets met on the way are kept and
 * delivered first.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "core/stats.h"
#include "io/nlpacket.h"
#include "io/outstanding.h"
#include "io/rcvbuf.h"
#include "io/verdict.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* What a packet message can carry beside the payload, with room for attributes to come. */
#define SLOT_OVERHEAD 512
#define PAYLOAD_MAX   65531 /* nla_len has 16 bits */
#define COMMAND_MAX   64    /* a configuration message: headers and two attributes */
#define ANSWER_MS     5000

_Static_assert((int)VERDICT_DROP == NF_DROP && (int)VERDICT_ACCEPT == NF_ACCEPT &&
		       (int)VERDICT_QUEUE == NF_QUEUE && (int)VERDICT_REPEAT == NF_REPEAT &&
		       VERDICT_QUEUE_NR(7) == NF_QUEUE_NR(7),
	       "verdicts have the kernel's numbers");

/* A datagram met while waiting for an answer. */
struct kept {
	struct kept *next;
	size_t len;
	uint8_t data[];
};

struct nfqueue {
	struct source source;
	struct mnl_socket *socket;
	int fd; /* of the socket */
	int wake_fd;
	uint16_t queue;
	uint32_t loopback;
	uint32_t max_packets;
	uint64_t receive_buffer; /* as asked for */
	bool fixed_buffer;	 /* whatever is copied */
	uint32_t seq;		 /* of our configuration messages, beyond those of verdicts */
	struct verdict_buf verdicts;
	struct outstanding outstanding;
	/* datagrams received: nslots of them, next to be read is slot at pos */
	uint8_t *slots;
	size_t slot_size;
	unsigned int nslots, slot;
	size_t pos;
	uint64_t now_ns; /* when they were received */
	uint64_t run;	 /* how many in a row, the socket never being empty */
	struct mmsghdr msgs[SOURCE_BATCH_MAX];
	struct iovec iov[SOURCE_BATCH_MAX];
	struct kept *kept, **kept_tail;
	uint32_t last_id;
	bool seen_id; /* last_id is one */
	/* written by the receiving thread only */
	_Atomic uint64_t lost, broken, unreadable, refused, gone, crowds, unsent;
	_Atomic int refused_error;
};

static struct nfqueue *from_source(struct source *s)
{
	return (struct nfqueue *)s;
}

/* --- receiving -------------------------------------------------------------------------------- */

static void give_verdict(struct nfqueue *q, const struct verdict_entry *e)
{
	if (verdict_buf_put(&q->verdicts, e))
		return;
	if (verdict_buf_send(&q->verdicts, q->fd) == 0 && verdict_buf_put(&q->verdicts, e))
		return;
	ct_counter_add(&q->unsent, 1);
	outstanding_strand(&q->outstanding);
}

/* Ids count up by one; what is missing was dropped on the way to this socket. */
static void note_id(struct nfqueue *q, uint32_t id)
{
	uint32_t gap = id - q->last_id - 1;

	if (gap && q->seen_id && gap < UINT32_MAX / 2)
		ct_counter_add(&q->lost, gap);
	q->last_id = id;
	q->seen_id = true;
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
 * it must have dropped all to say so. Answers to other messages speak for one each.
 */
static void note_refusal(struct nfqueue *q, int error, uint32_t seq)
{
	uint32_t count = seq > 0 && seq <= VERDICT_RUN_MAX ? seq : 1;

	if (error == ENOENT) {
		ct_counter_add(&q->gone, count);
		return;
	}
	ct_counter_add(&q->refused, count);
	atomic_store_explicit(&q->refused_error, error, memory_order_relaxed);
}

/* Before the packets of the batch that came with it are answered, so never together with others. */
static void accept_broken(struct nfqueue *q, uint32_t id)
{
	ct_counter_add(&q->broken, 1);
	give_verdict(q, &(struct verdict_entry){
				.id = id,
				.verdict = VERDICT_ACCEPT,
				.alone = true,
			});
}

/* Looks at the next message of the present datagram. Returns true if *out is a packet. */
static bool next_message(struct nfqueue *q, struct packet *out)
{
	struct nlpacket p;

	switch (nlpacket_next(q->iov[q->slot].iov_base, q->msgs[q->slot].msg_len, &q->pos, &p)) {
	case NLPACKET_END:
		q->slot++;
		q->pos = 0;
		return false;
	case NLPACKET_PACKET:
		note_id(q, p.id);
		fill_packet(q, &p, out);
		outstanding_add(&q->outstanding, p.id, p.mark);
		return true;
	case NLPACKET_BROKEN:
		note_id(q, p.id);
		accept_broken(q, p.id);
		return false;
	case NLPACKET_ANSWER:
		if (p.error)
			note_refusal(q, -p.error, p.seq);
		return false;
	case NLPACKET_OTHER:
		break;
	}
	ct_counter_add(&q->unreadable, 1);
	outstanding_strand(&q->outstanding); /* there may have been a packet in it */
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

/* Moves kept datagrams to the slots. Returns how many. */
static unsigned int unkeep(struct nfqueue *q)
{
	unsigned int n = 0;

	while (q->kept && n < SOURCE_BATCH_MAX) {
		struct kept *k = q->kept;

		q->kept = k->next;
		memcpy(q->iov[n].iov_base, k->data, k->len);
		q->msgs[n].msg_len = (unsigned int)k->len;
		free(k);
		n++;
	}
	if (!q->kept)
		q->kept_tail = &q->kept;
	return n;
}

/* A queue that has been full is read in full batches until what waited in it has come. */
static void note_run(struct nfqueue *q, unsigned int n)
{
	q->run += n;
	if (q->run >= q->max_packets) {
		ct_counter_add(&q->crowds, 1);
		q->run = 0;
	}
	if (n < SOURCE_BATCH_MAX)
		q->run = 0;
}

/* Fills the slots without waiting. Returns the number of datagrams or -errno. */
static int refill(struct nfqueue *q)
{
	int n;

	if (q->kept) {
		set_slots(q, unkeep(q));
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

	outstanding_turn(&q->outstanding);
	for (;;) {
		r = provide(q, timeout_ms);
		if (r <= 0)
			return r;
		n = take_packets(q, batch);
		if (n > 0)
			return (int)n;
		(void)verdict_buf_send(&q->verdicts, q->fd);
		timeout_ms = 0;
	}
}

static void op_verdict(struct source *s, const struct packet *p, uint32_t verdict, bool set_mark,
		       uint32_t mark)
{
	struct nfqueue *q = from_source(s);
	struct verdict_entry e = {.id = p->id, .verdict = verdict, .set_mark = set_mark};

	/* The mark that a held packet came with is not in p. */
	e.alone = !outstanding_answer(&q->outstanding, p->id, &e.mark);
	if (set_mark)
		e.mark = mark;
	give_verdict(q, &e);
}

static int op_flush(struct source *s)
{
	struct nfqueue *q = from_source(s);

	return verdict_buf_send(&q->verdicts, q->fd);
}

static void op_wake(struct source *s)
{
	eventfd_write(from_source(s)->wake_fd, 1);
}

static void op_release(struct source *s)
{
	struct nfqueue *q = from_source(s);

	if (q->socket)
		mnl_socket_close(q->socket);
	q->socket = NULL;
	q->fd = -1;
}

static void op_close(struct source *s)
{
	struct nfqueue *q = from_source(s);

	if (!s)
		return;
	while (q->kept)
		unkeep(q);
	op_release(s);
	cleanup_close(&q->wake_fd);
	verdict_buf_done(&q->verdicts);
	free(q->slots);
	free(q);
}

void nfqueue_get_stats(const struct source *s, struct nfqueue_stats *ret)
{
	const struct nfqueue *q = (const struct nfqueue *)s;

	*ret = (struct nfqueue_stats){
		.lost = atomic_load_explicit(&q->lost, memory_order_relaxed),
		.broken = atomic_load_explicit(&q->broken, memory_order_relaxed),
		.unreadable = atomic_load_explicit(&q->unreadable, memory_order_relaxed),
		.refused = atomic_load_explicit(&q->refused, memory_order_relaxed),
		.refused_error = atomic_load_explicit(&q->refused_error, memory_order_relaxed),
		.gone = atomic_load_explicit(&q->gone, memory_order_relaxed),
		.crowds = atomic_load_explicit(&q->crowds, memory_order_relaxed),
		.unsent = atomic_load_explicit(&q->unsent, memory_order_relaxed),
	};
}

/* --- configuration ---------------------------------------------------------------------------- */

static int keep(struct nfqueue *q, const uint8_t *data, size_t len)
{
	struct kept *k = malloc(sizeof(*k) + len);

	if (!k)
		return -ENOMEM;
	k->next = NULL;
	k->len = len;
	memcpy(k->data, data, len);
	*q->kept_tail = k;
	q->kept_tail = &k->next;
	return 0;
}

/*
 * Reads one datagram. Returns 1 with *ret_error if it is the answer to our message seq, 0 if it is
 * something else (kept), or -errno.
 */
static int read_answer(struct nfqueue *q, int *ret_error)
{
	struct nlpacket p;
	size_t pos = 0;
	ssize_t len;

	len = recv(q->fd, q->slots, q->slot_size, MSG_DONTWAIT);
	if (len < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -errno;
	if (nlpacket_next(q->slots, (size_t)len, &pos, &p) != NLPACKET_ANSWER)
		return keep(q, q->slots, (size_t)len);
	if (p.seq != q->seq)
		return 0;
	*ret_error = p.error;
	return 1;
}

/* Sends one configuration message and waits for the kernel's answer. Returns it: 0 or -errno. */
static int command(struct nfqueue *q, struct nlmsghdr *nlh)
{
	uint64_t deadline = clock_now_ns() + ANSWER_MS * NS_PER_MS;
	struct pollfd pfd = {.fd = q->fd, .events = POLLIN};
	int r, error = 0;

	nlh->nlmsg_flags |= NLM_F_ACK;
	nlh->nlmsg_seq = ++q->seq;
	if (mnl_socket_sendto(q->socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		if (poll(&pfd, 1, 100) < 0 && errno != EINTR)
			return -errno;
		r = read_answer(q, &error);
		if (r != 0)
			return r < 0 ? r : error;
	} while (clock_now_ns() < deadline);
	return -ETIMEDOUT;
}

static int command_bind(struct nfqueue *q)
{
	_Alignas(struct nlmsghdr) char buf[COMMAND_MAX] = {};
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, q->queue);

	nfq_nlmsg_cfg_put_cmd(nlh, 0, NFQNL_CFG_CMD_BIND);
	return command(q, nlh);
}

static int command_max_packets(struct nfqueue *q, uint32_t max_packets)
{
	_Alignas(struct nlmsghdr) char buf[COMMAND_MAX] = {};
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, q->queue);

	nfq_nlmsg_cfg_put_qmaxlen(nlh, max_packets);
	return command(q, nlh);
}

/* One flag per message: a flag the kernel does not know fails the whole message. */
static int command_flag(struct nfqueue *q, uint32_t flag)
{
	_Alignas(struct nlmsghdr) char buf[COMMAND_MAX] = {};
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, q->queue);

	mnl_attr_put_u32(nlh, NFQA_CFG_FLAGS, htonl(flag));
	mnl_attr_put_u32(nlh, NFQA_CFG_MASK, htonl(flag));
	return command(q, nlh);
}

static struct nlmsghdr *put_copy(char *buf, const struct nfqueue *q, uint32_t range)
{
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, q->queue);

	nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, (int)range);
	return nlh;
}

static int command_copy(struct nfqueue *q, uint32_t range)
{
	_Alignas(struct nlmsghdr) char buf[COMMAND_MAX] = {};

	return command(q, put_copy(buf, q, range));
}

static uint32_t copy_range_max(uint32_t range)
{
	return range < PAYLOAD_MAX ? range : PAYLOAD_MAX;
}

static int open_socket(struct nfqueue *q)
{
	int on = 1;

	q->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!q->socket)
		return errno == EAFNOSUPPORT ? -EPROTONOSUPPORT : -errno;
	q->fd = mnl_socket_get_fd(q->socket);
	if (mnl_socket_bind(q->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	/* An overrun must not become an error of the next recv: gaps in the ids tell of it. */
	if (mnl_socket_setsockopt(q->socket, NETLINK_NO_ENOBUFS, &on, sizeof(on)) < 0)
		return -errno;
	q->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return q->wake_fd < 0 ? -errno : 0;
}

/* Makes slots for messages with so much of a packet, if they are not that large. All are empty. */
static int size_slots(struct nfqueue *q, uint32_t copy_range)
{
	size_t size = MNL_ALIGN(copy_range + SLOT_OVERHEAD);
	uint8_t *slots;

	if (size <= q->slot_size)
		return 0;
	slots = malloc(SOURCE_BATCH_MAX * size);
	if (!slots)
		return -ENOMEM;
	free(q->slots);
	q->slots = slots;
	q->slot_size = size;
	for (unsigned int i = 0; i < SOURCE_BATCH_MAX; i++) {
		q->iov[i] = (struct iovec){q->slots + i * q->slot_size, q->slot_size};
		q->msgs[i].msg_hdr = (struct msghdr){.msg_iov = &q->iov[i], .msg_iovlen = 1};
	}
	return 0;
}

static int alloc_buffers(struct nfqueue *q, uint32_t copy_range)
{
	int r = size_slots(q, copy_range);

	/* A batch and the broken packets among it; more makes an early send. */
	return r < 0 ? r : verdict_buf_init(&q->verdicts, q->queue, 2 * SOURCE_BATCH_MAX);
}

/* The kernel says EPERM both to those who may not and to those who come too late. */
static int bind_error(int error, bool permitted)
{
	switch (-error) {
	case EPERM:
		return permitted ? -EBUSY : -EPERM;
	case EINVAL: /* nfnetlink without the queue subsystem */
	case EOPNOTSUPP:
	case ENOSYS:
		return -EPROTONOSUPPORT;
	default:
		return error;
	}
}

static int configure(struct nfqueue *q, const struct nfqueue_params *params, uint32_t range,
		     struct nfqueue_grant *ret_grant)
{
	struct nfqueue_grant grant = {};
	bool permitted;
	int r;

	permitted = rcvbuf_set(q->fd, q->receive_buffer, &grant.receive_buffer);
	r = command_bind(q);
	if (r < 0)
		return bind_error(r, permitted);
	grant.gso = command_flag(q, NFQA_CFG_F_GSO) == 0;
	grant.fail_open = params->fail_open && command_flag(q, NFQA_CFG_F_FAIL_OPEN) == 0;
	r = command_max_packets(q, params->max_packets);
	if (r < 0)
		return r;
	/* Last: packets arrive from here on, and find everything else in place. */
	r = command_copy(q, range);
	if (r < 0)
		return r;
	*ret_grant = grant;
	return 0;
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

/*
 * Without an answer, for which packets would have to wait; an error shows up among those to
 * verdicts. Slots only grow: datagrams of the old size may still be on their way.
 */
static int op_set_copy_range(struct source *s, uint32_t range)
{
	struct nfqueue *q = from_source(s);
	_Alignas(struct nlmsghdr) char buf[COMMAND_MAX] = {};
	struct nlmsghdr *nlh;
	int r;

	if (q->slot < q->nslots)
		return -EAGAIN;
	r = size_slots(q, copy_range_max(range));
	if (r < 0)
		return r;
	follow_copy_range(q, range);
	nlh = put_copy(buf, q, copy_range_max(range));
	nlh->nlmsg_seq = ++q->seq;
	return mnl_socket_sendto(q->socket, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

static const struct source_ops nfqueue_ops = {
	.receive = op_receive,
	.verdict = op_verdict,
	.flush = op_flush,
	.set_copy_range = op_set_copy_range,
	.wake = op_wake,
	.release = op_release,
	.close = op_close,
};

int nfqueue_open(struct source **ret, const struct nfqueue_params *params,
		 struct nfqueue_grant *ret_grant)
{
	uint32_t range = copy_range_max(params->copy_range);
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
	q->seq = VERDICT_RUN_MAX;
	q->kept_tail = &q->kept;
	q->wake_fd = -1;
	r = open_socket(q);
	if (r == 0)
		r = alloc_buffers(q, range);
	if (r == 0)
		r = configure(q, params, range, ret_grant);
	if (r < 0) {
		op_close(&q->source);
		return r;
	}
	*ret = &q->source;
	return 0;
}
