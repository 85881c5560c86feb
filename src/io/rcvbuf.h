/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Socket memory for the packets that wait to be read: how much they take, and how to get it
 * (doc/decisions/002).
 *
 * Sizes are values of SO_RCVBUF. The kernel counts what it really uses, overhead included, and
 * allows twice the value.
 */

#include <stdbool.h>
#include <stdint.h>

/* The largest value: the kernel keeps its double in an int. */
#define RCVBUF_MAX (INT32_MAX / 2)

/*
 * The size with which so many packets fit, whatever they are, if at most copy_range bytes are
 * copied of each. Can be more than RCVBUF_MAX.
 */
uint64_t rcvbuf_needed(uint64_t packets, uint32_t copy_range);

/* The number of packets that fit for certain. */
uint64_t rcvbuf_holds(uint64_t size, uint32_t copy_range);

/*
 * Sizes the memory of a socket, beyond the sysctl's limit if we may, and reads back what it got.
 * Returns true if we might, which takes the same CAP_NET_ADMIN as a queue.
 */
bool rcvbuf_set(int fd, uint64_t size, uint64_t *ret_granted);

/* The size that a socket has now, 0 if it is none. */
uint64_t rcvbuf_get(int fd);
