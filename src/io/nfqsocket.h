/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The socket of a queue: opened or taken over, and how the queue is set up through it
 * (nfqsocket.c). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "io/nfqueue.h"

struct kept;
struct mnl_socket;

struct nfqsocket {
	struct mnl_socket *socket;
	int fd; /* of the socket, -1: closed */
	uint16_t queue;
	uint32_t seq;	   /* of the last command */
	struct desk *desk; /* told when datagrams lie here */
	uint8_t *scratch;  /* while answers are waited for */
	struct kept *kept, **kept_tail;
	bool keeps_packets; /* not only answers */
};

/*
 * Gets the queue, with the memory receive_buffer and so much copied of each packet, by the socket
 * of a predecessor if that has it; by a duplicate, params->fd stays the caller's. Returns 0 or
 * -errno as nfqueue_open(), then with nothing to be closed.
 */
int nfqsocket_open(struct nfqsocket *s, const struct nfqueue_params *params,
		   uint64_t receive_buffer, struct nfqueue_grant *ret);

/*
 * Asks for another length of the queue, another copy range, and whether it fails open, without
 * waiting for answers. Returns 0 or -errno, then with some of it asked for.
 */
int nfqsocket_configure(struct nfqsocket *s, const struct source_config *config);

/*
 * Moves the oldest datagrams that came with answers to messages, at most n, of which each has one
 * buffer. Returns how many.
 */
unsigned int nfqsocket_unkeep(struct nfqsocket *s, struct mmsghdr *msgs, unsigned int n);

/* Closes it and forgets what was kept. */
void nfqsocket_close(struct nfqsocket *s);
