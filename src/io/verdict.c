/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/verdict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdlib.h>
#include <sys/socket.h>

#define SEND_TRIES 4

_Static_assert(VERDICT_MSG_MAX ==
		       MNL_ALIGN(sizeof(struct nlmsghdr)) + MNL_ALIGN(sizeof(struct nfgenmsg)) +
			       sizeof(struct nlattr) + sizeof(struct nfqnl_msg_verdict_hdr) +
			       sizeof(struct nlattr) + sizeof(uint32_t),
	       "room for a verdict with its mark");

int verdict_buf_init(struct verdict_buf *b, uint16_t queue, unsigned int count)
{
	size_t size = (size_t)count * VERDICT_MSG_MAX;
	uint8_t *data = malloc(size);

	if (!data)
		return -ENOMEM;
	*b = (struct verdict_buf){.data = data, .size = size, .queue = queue};
	return 0;
}

void verdict_buf_done(struct verdict_buf *b)
{
	free(b->data);
	*b = (struct verdict_buf){};
}

/* Where no packet needs its mark set, marks may differ. */
static bool fits(const struct verdict_run *run, const struct verdict_entry *e)
{
	if (run->count == 0 || run->count == VERDICT_RUN_MAX || run->last.alone || e->alone ||
	    run->last.verdict != e->verdict)
		return false;
	return (!run->last.set_mark && !e->set_mark) ||
	       (run->one_mark && run->last.mark == e->mark);
}

static void extend(struct verdict_run *run, const struct verdict_entry *e)
{
	bool set_mark = run->last.set_mark || e->set_mark;

	run->one_mark = run->one_mark && run->last.mark == e->mark;
	run->last = *e;
	run->last.set_mark = set_mark;
	run->count++;
}

/* Makes a message of the run, for which put has left room. */
static void write_run(struct verdict_buf *b)
{
	const struct verdict_entry *e = &b->run.last;
	int type = b->run.count > 1 ? NFQNL_MSG_VERDICT_BATCH : NFQNL_MSG_VERDICT;
	struct nlmsghdr *nlh;

	if (b->run.count == 0)
		return;
	nlh = nfq_nlmsg_put((char *)b->data + b->used, type, b->queue);
	nlh->nlmsg_seq = b->seq ? b->seq : b->run.count;
	nfq_nlmsg_verdict_put(nlh, (int)e->id, (int)e->verdict);
	if (e->set_mark)
		nfq_nlmsg_verdict_put_mark(nlh, e->mark);
	b->used += nlh->nlmsg_len;
	b->run.count = 0;
}

bool verdict_buf_put(struct verdict_buf *b, const struct verdict_entry *e)
{
	if (fits(&b->run, e)) {
		extend(&b->run, e);
		b->count++;
		return true;
	}
	write_run(b);
	if (b->size - b->used < VERDICT_MSG_MAX)
		return false;
	b->run = (struct verdict_run){.last = *e, .count = 1, .one_mark = true};
	b->count++;
	return true;
}

static bool transient(int error)
{
	return error == EINTR || error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

/* Netlink takes a datagram whole or not at all. */
static int send_all(int fd, const void *data, size_t len)
{
	for (int i = 0; i < SEND_TRIES; i++) {
		if (send(fd, data, len, 0) >= 0)
			return 0;
		if (!transient(errno))
			break;
	}
	return -errno;
}

int verdict_buf_send(struct verdict_buf *b, int fd)
{
	int r;

	write_run(b); /* never extended after a failure: it is too late to tell what is older */
	if (b->used == 0)
		return 0;
	r = send_all(fd, b->data, b->used);
	if (r < 0)
		return r;
	b->used = 0;
	b->count = 0;
	return 0;
}

int verdict_send_up_to(int fd, uint16_t queue, uint32_t id, uint32_t verdict, uint32_t seq,
		       bool acked)
{
	_Alignas(struct nlmsghdr) char buf[VERDICT_MSG_MAX] = {};
	struct nlmsghdr *nlh = nfq_nlmsg_put(buf, NFQNL_MSG_VERDICT_BATCH, queue);

	nlh->nlmsg_seq = seq;
	if (acked)
		nlh->nlmsg_flags |= NLM_F_ACK;
	nfq_nlmsg_verdict_put(nlh, (int)id, (int)verdict);
	return send_all(fd, buf, nlh->nlmsg_len);
}
