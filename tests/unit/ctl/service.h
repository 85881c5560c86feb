/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The control service without a thread, in front of an engine that has seen some packets: the test
 * is its loop, its main thread and its clients.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/core.h"
#include "core/history.h"
#include "ctl/mailbox.h"
#include "ctl/server.h"
#include "ctl/stream.h"

#define SERVICE_FLOWS 200
#define SERVICE_RINGS 2

struct service {
	void *arena, *memory;
	struct ct *ct;
	struct ct_config cfg;
	struct ct_thread worker, control;
	struct ct_history *history;
	struct ctl_stream *stream;
	struct ctl_mailbox *mailbox;
	struct ctl_server *server;
	uint64_t now_ns;
	bool silent;	  /* the main thread does not answer */
	uint64_t took_ns; /* what it takes for each answer, as it says */
	unsigned int answered;
	unsigned int told; /* records that it was asked to write */
	uint64_t deleted;  /* in the last of them */
};

void service_init(struct service *s);

/* The same, listening on a socket (-1: none) and with a limit of its own for incomplete requests.
 */
void service_init_with(struct service *s, int listen_fd, uint64_t stall_usec);
void service_done(struct service *s);

/* n UDP flows from different ports; each packet's events go to the stream and the history. */
void service_fill(struct service *s, unsigned int n);

/* One packet; its events go there, too. Inbound checksums count. */
struct pk;
void service_track(struct service *s, const struct pk *p);

/* One event of a class, now. */
void service_push(struct service *s, enum ct_event_type type, uint64_t flow);

/* Lets the loop, and the main thread, do what there is to do. */
void service_run(struct service *s);

/* The other end of a new connection, non-blocking. */
int service_connect(struct service *s);

/* Sends bytes as they are. Returns how many were taken. */
size_t service_send(int fd, const void *bytes, size_t len);

/* Sends a text with its NUL. */
void service_ask(int fd, const char *text);

/* What a client has got, message by message. */
struct inbox {
	char buf[1 << 20];
	size_t len;
	bool closed;
};

/*
 * The next message, running the service until there is one; NULL: nothing comes, or the connection
 * was closed. To be freed.
 */
json_t *service_next(struct service *s, int fd, struct inbox *in);
