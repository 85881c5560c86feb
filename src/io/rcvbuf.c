/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/rcvbuf.h"

#include <sys/socket.h>

/* struct sk_buff; struct skb_shared_info, which lies behind the bytes; headers and attributes */
#define BUFFER	   256
#define SHARED	   384
#define ATTRIBUTES 256
/* The stack keeps the bytes of a longer packet in pages, which the message refers to. */
#define LINEAR_MAX (16 * 1024)
/* What the kernel answers to a batch of verdicts that it refuses. */
#define ANSWERS (UINT64_C(64) * 1024)

/* As memory comes: n or the next one above. */
static uint64_t power_of_two(uint32_t n)
{
	return UINT64_C(1) << (32 - __builtin_clz(n - 1));
}

/* The most that the message of one packet is counted for. */
static uint64_t charge(uint32_t copy_range)
{
	uint32_t linear = copy_range < LINEAR_MAX ? copy_range : LINEAR_MAX;
	uint64_t copied = BUFFER + power_of_two(linear + ATTRIBUTES + SHARED);
	uint64_t in_pages = BUFFER + power_of_two(ATTRIBUTES + SHARED) + copy_range;

	return copied > in_pages ? copied : in_pages;
}

uint64_t rcvbuf_needed(uint64_t packets, uint32_t copy_range)
{
	return (packets * charge(copy_range) + 1) / 2 + ANSWERS;
}

uint64_t rcvbuf_holds(uint64_t size, uint32_t copy_range)
{
	return size < ANSWERS ? 0 : (size - ANSWERS) * 2 / charge(copy_range);
}

uint64_t rcvbuf_get(int fd)
{
	int doubled = 0;
	socklen_t len = sizeof(doubled);

	(void)getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &doubled, &len);
	return (uint64_t)doubled / 2;
}

bool rcvbuf_set(int fd, uint64_t size, uint64_t *ret_granted)
{
	int value = (int)(size < RCVBUF_MAX ? size : RCVBUF_MAX);
	bool forced;

	forced = setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &value, sizeof(value)) == 0;
	if (!forced)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof(value));
	*ret_granted = rcvbuf_get(fd);
	return forced;
}
