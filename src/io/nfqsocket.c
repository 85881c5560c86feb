/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/nfqsocket.h"

/*
 * The kernel's answers to our messages arrive on the same socket as packets, between them: while
 * one is waited for, the datagrams met on the way are kept and delivered first. As long as there
 * are packets in them, the desk says that it does not tell all: a successor would not find these.
 *
 * A queue belongs to the socket that bound it. One that a predecessor left still has its queue, and
 * there is no message that asks for that; but a queue that this socket does not have refuses every
 * command. Then the descriptor is worth nothing, and the queue is bound like any other.
 *
 * What is taken over is set up from the beginning, since the configuration may have changed; flags
 * are cleared, too. The memory of the socket may be full of packets, and an answer needs some:
 * while commands are sent it is as large as can be.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/nlpacket.h"
#include "io/rcvbuf.h"
#include "io/verdict.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define COMMAND_MAX 64 /* a configuration message: headers and two attributes */
#define ANSWER_MS   5000
/* Numbers of commands, by the clock, so that a predecessor's are others. */
#define SEQ_SPAN (UINT32_C(1) << 30)

/* A datagram met while waiting for an answer. */
struct kept {
	struct kept *next;
	size_t len;
	uint8_t data[];
};

/* --- answers -------------------------------------------------------------------------------- */

static int keep(struct nfqsocket *s, size_t len)
{
	struct kept *k = malloc(sizeof(*k) + len);

	if (!k)
		return -ENOMEM;
	k->next = NULL;
	k->len = len;
	memcpy(k->data, s->scratch, len);
	*s->kept_tail = k;
	s->kept_tail = &k->next;
	return 0;
}

static struct kept *take_kept(struct nfqsocket *s)
{
	struct kept *k = s->kept;

	s->kept = k->next;
	if (!s->kept) {
		s->kept_tail = &s->kept;
		s->keeps_packets = false;
	}
	return k;
}

unsigned int nfqsocket_unkeep(struct nfqsocket *s, struct mmsghdr *msgs, unsigned int n)
{
	unsigned int i = 0;

	for (; i < n && s->kept; i++) {
		struct kept *k = take_kept(s);
		const struct iovec *iov = msgs[i].msg_hdr.msg_iov;

		msgs[i].msg_len = (unsigned int)(k->len < iov->iov_len ? k->len : iov->iov_len);
		memcpy(iov->iov_base, k->data, msgs[i].msg_len);
		free(k);
	}
	return i;
}

/*
 * Reads one datagram. Returns 1 with *ret_error if it is the answer to our last command, 0 if it is
 * something else (kept), or -errno.
 */
static int read_answer(struct nfqsocket *s, int *ret_error)
{
	uint32_t astray = s->desk->astray;
	enum nlpacket_kind kind;
	struct nlpacket p;
	size_t pos = 0;
	ssize_t len;

	if (astray == DESK_ALL)
		s->desk->astray = DESK_SOME;
	len = recv(s->fd, s->scratch, DESK_STRIDE_MAX, MSG_DONTWAIT);
	kind = len < 0 ? NLPACKET_ANSWER : nlpacket_next(s->scratch, (size_t)len, &pos, &p);
	if (kind != NLPACKET_ANSWER) {
		s->keeps_packets = true;
		return keep(s, (size_t)len);
	}
	s->desk->astray = astray;
	if (len < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -errno;
	if (p.seq != s->seq)
		return keep(s, (size_t)len);
	*ret_error = p.error;
	return 1;
}

/* --- commands ------------------------------------------------------------------------------- */

/* Sends one configuration message and waits for the kernel's answer. Returns it: 0 or -errno. */
static int command(struct nfqsocket *s, struct nlmsghdr *nlh)
{
	uint64_t deadline = clock_now_ns() + ANSWER_MS * NS_PER_MS;
	struct pollfd pfd = {.fd = s->fd, .events = POLLIN};
	int r, error = 0;

	nlh->nlmsg_flags |= NLM_F_ACK;
	nlh->nlmsg_seq = ++s->seq;
	if (mnl_socket_sendto(s->socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		if (poll(&pfd, 1, 100) < 0 && errno != EINTR)
			return -errno;
		r = read_answer(s, &error);
		if (r != 0)
			return r < 0 ? r : error;
	} while (clock_now_ns() < deadline);
	return -ETIMEDOUT;
}

static int command_bind(struct nfqsocket *s)
{
	_Alignas(struct nlmsghdr) char buf[COMMAND_MAX] = {};
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, s->queue);

	nfq_nlmsg_cfg_put_cmd(nlh, 0, NFQNL_CFG_CMD_BIND);
	return command(s, nlh);
}

static struct nlmsghdr *put_max_packets(char *buf, const struct nfqsocket *s, uint32_t max_packets)
{
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, s->queue);

	nfq_nlmsg_cfg_put_qmaxlen(nlh, max_packets);
	return nlh;
}

static int command_max_packets(struct nfqsocket *s, uint32_t max_packets)
{
	_Alignas(struct nlmsghdr) char buf[COMMAND_MAX] = {};

	return command(s, put_max_packets(buf, s, max_packets));
}

/* One flag per message: a flag the kernel does not know fails the whole message. */
static struct nlmsghdr *put_flag(char *buf, const struct nfqsocket *s, uint32_t flag, bool on)
{
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, s->queue);

	mnl_attr_put_u32(nlh, NFQA_CFG_FLAGS, htonl(on ? flag : 0));
	mnl_attr_put_u32(nlh, NFQA_CFG_MASK, htonl(flag));
	return nlh;
}

static int command_flag(struct nfqsocket *s, uint32_t flag, bool on)
{
	_Alignas(struct nlmsghdr) char buf[COMMAND_MAX] = {};

	return command(s, put_flag(buf, s, flag, on));
}

static uint32_t copy_range_max(uint32_t range)
{
	return range < DESK_PAYLOAD_MAX ? range : DESK_PAYLOAD_MAX;
}

static struct nlmsghdr *put_copy(char *buf, const struct nfqsocket *s, uint32_t range)
{
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, s->queue);

	nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, (int)copy_range_max(range));
	return nlh;
}

static int command_copy(struct nfqsocket *s, uint32_t range)
{
	_Alignas(struct nlmsghdr) char buf[COMMAND_MAX] = {};

	return command(s, put_copy(buf, s, range));
}

/* Without an answer, for which packets would have to wait; errors are answered all the same. */
static int ask(struct nfqsocket *s, struct nlmsghdr *nlh)
{
	nlh->nlmsg_seq = ++s->seq;
	return mnl_socket_sendto(s->socket, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

int nfqsocket_configure(struct nfqsocket *s, const struct source_config *config)
{
	_Alignas(struct nlmsghdr) char buf[3][COMMAND_MAX] = {};
	int r;

	r = ask(s, put_max_packets(buf[0], s, config->max_packets));
	if (r == 0)
		r = ask(s, put_flag(buf[1], s, NFQA_CFG_F_FAIL_OPEN, config->fail_open));
	if (r == 0)
		r = ask(s, put_copy(buf[2], s, config->copy_range));
	return r;
}

/* --- opening -------------------------------------------------------------------------------- */

void nfqsocket_close(struct nfqsocket *s)
{
	while (s->kept)
		free(take_kept(s));
	if (s->socket)
		mnl_socket_close(s->socket);
	s->socket = NULL;
	s->fd = -1;
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

/* An overrun must not become an error of the next recv: gaps in the ids tell of it. */
static int set_up_socket(struct nfqsocket *s)
{
	int on = 1;

	s->fd = mnl_socket_get_fd(s->socket);
	return mnl_socket_setsockopt(s->socket, NETLINK_NO_ENOBUFS, &on, sizeof(on)) < 0 ? -errno
											 : 0;
}

static int bind_anew(struct nfqsocket *s)
{
	bool permitted;
	int r;

	s->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!s->socket)
		return errno == EAFNOSUPPORT ? -EPROTONOSUPPORT : -errno;
	if (mnl_socket_bind(s->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	r = set_up_socket(s);
	if (r < 0)
		return r;
	permitted = rcvbuf_set(s->fd, RCVBUF_MAX, &(uint64_t){0});
	r = command_bind(s);
	return r < 0 ? bind_error(r, permitted) : 0;
}

static bool is_netfilter(int fd)
{
	int domain = -1, protocol = -1;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_NETLINK &&
	       getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
	       protocol == NETLINK_NETFILTER;
}

/* With a duplicate, so that the descriptor stays the caller's should something fail later. */
static int take_over(struct nfqsocket *s, int fd)
{
	_cleanup_close_ int copy = -1;

	if (!is_netfilter(fd))
		return -EBADF;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return -errno;
	s->socket = mnl_socket_fdopen(copy);
	if (!s->socket)
		return -errno;
	(void)TAKE_FD(copy);
	(void)rcvbuf_set(mnl_socket_get_fd(s->socket), RCVBUF_MAX, &(uint64_t){0});
	return set_up_socket(s);
}

/* Gets the queue one way or the other, with its length set. */
static int get_queue(struct nfqsocket *s, const struct nfqueue_params *params, bool *ret_adopted)
{
	int r = params->fd < 0 ? -EBADF : take_over(s, params->fd);

	if (r == 0)
		r = command_max_packets(s, params->config.max_packets);
	*ret_adopted = r == 0;
	if (r != -EBADF && r != -ENODEV && r != -EPERM)
		return r;
	nfqsocket_close(s);
	r = bind_anew(s);
	return r < 0 ? r : command_max_packets(s, params->config.max_packets);
}

static int configure(struct nfqsocket *s, const struct nfqueue_params *params,
		     uint64_t receive_buffer, struct nfqueue_grant *ret)
{
	struct nfqueue_grant grant = {};
	int r;

	r = get_queue(s, params, &grant.adopted);
	if (r < 0)
		return r;
	grant.gso = command_flag(s, NFQA_CFG_F_GSO, true) == 0;
	r = command_flag(s, NFQA_CFG_F_FAIL_OPEN, params->config.fail_open);
	grant.fail_open = params->config.fail_open && r == 0;
	/* Last: in a new queue packets arrive from here on, and find everything else in place. */
	r = command_copy(s, params->config.copy_range);
	if (r < 0)
		return r;
	(void)rcvbuf_set(s->fd, receive_buffer, &grant.receive_buffer);
	*ret = grant;
	return 0;
}

int nfqsocket_open(struct nfqsocket *s, const struct nfqueue_params *params,
		   uint64_t receive_buffer, struct nfqueue_grant *ret)
{
	int r = -ENOMEM;

	s->fd = -1;
	s->kept_tail = &s->kept;
	s->seq = VERDICT_RUN_MAX + (uint32_t)(clock_now_ns() / 1000) % SEQ_SPAN;
	s->scratch = malloc(DESK_STRIDE_MAX);
	if (s->scratch)
		r = configure(s, params, receive_buffer, ret);
	free(TAKE_PTR(s->scratch));
	if (r < 0)
		nfqsocket_close(s);
	return r;
}
