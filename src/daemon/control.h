/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The control service in the daemon: its life, and what the main thread answers (ctl/server.h). */

#include <stddef.h>
#include <systemd/sd-event.h>

#include "core/core.h"
#include "daemon/socket.h"

struct ct_history;
struct ctl_mailbox;
struct ctl_server;
struct ctl_snapshot;
struct ctl_stream;
struct daemon;

/* All zero but socket.fd = -1 at the start. */
struct control {
	struct control_socket socket;
	struct ctl_mailbox *mailbox;
	struct ctl_stream *stream;
	struct ctl_server *server;	    /* NULL: there is no service */
	struct ct_thread *thread, *private; /* private: not in a seat */
	struct ct_history *history;	    /* NULL: none is kept */
	void *history_memory;
	size_t history_size;
};

/* The ring of log and stream for flows that the control thread ends, behind QUEUES_RING(). */
#define CONTROL_RING(d) ((d)->nqueues + 1)

/* What workers need to be there before them. Returns 0 or -errno. */
int control_setup(struct daemon *d);

/* Listens, if it can; says what is missing. After the workers were started. */
void control_start(struct daemon *d);

/* A new configuration is in force. */
void control_configure(struct daemon *d);

/* Ends the thread. Returns false if it does not come back. */
bool control_stop(struct daemon *d);

/* Frees all of it; no thread may be running. */
void control_done(struct control *c);

/* The daemon at this moment, to be freed; NULL without memory. Main thread. */
struct ctl_snapshot *control_snapshot(struct daemon *d);
