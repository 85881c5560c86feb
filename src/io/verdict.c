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

bool verdict_buf_put(struct verdict_buf *b, uint32_t id, uint32_t verdict, bool set_mark,
		     uint32_t mark)
{
	struct nlmsghdr *nlh;

	if (b->size - b->used < VERDICT_MSG_MAX)
		return false;
	nlh = nfq_nlmsg_put((char *)b->data + b->used, NFQNL_MSG_VERDICT, b->queue);
	nfq_nlmsg_verdict_put(nlh, (int)id, (int)verdict);
	if (set_mark)
		nfq_nlmsg_verdict_put_mark(nlh, mark);
	b->used += nlh->nlmsg_len;
	return true;
}

static bool transient(int error)
{
	return error == EINTR || error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

int verdict_buf_send(struct verdict_buf *b, int fd)
{
	ssize_t n;

	if (b->used == 0)
		return 0;
	/* Netlink takes a datagram whole or not at all. */
	for (int i = 0; i < SEND_TRIES; i++) {
		n = send(fd, b->data, b->used, 0);
		if (n >= 0) {
			b->used = 0;
			return 0;
		}
		if (!transient(errno))
			break;
	}
	return -errno;
}
