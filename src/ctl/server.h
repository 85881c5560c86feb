/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The control service: a thread with a loop of its own that serves clients of the Varlink socket.
 *
 * Neither packets nor the main thread wait for it. What it needs of the main thread it asks for by
 * a mailbox (ctl/mailbox.h), and answers its client when the answer is there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "core/core.h"
#include "core/history.h"

struct ctl_client;
struct ctl_letter;
struct ctl_mailbox;
struct ctl_server;
struct ctl_stream;
struct ifname;
struct jlog;

#define CTL_CLIENTS_MAX	     64
#define CTL_CLIENTS_OTHERS   48 /* of all users but root together */
#define CTL_CLIENTS_PER_USER 16 /* of each of them */

/* What the service works with. All of it outlives the server. */
struct ctl_parts {
	int listen_fd; /* listening, non-blocking; -1: clients come by ctl_server_add() only */
	uid_t owner;   /* may change things, as root may */
	struct ct *ct;
	struct ct_thread *thread;   /* for ending flows, its alone; cfg is set here */
	struct ct_history *history; /* NULL: none is kept */
	struct jlog *log;	    /* NULL: none */
	size_t ring;		    /* of that log and of the stream, its alone */
	struct ifname *names;	    /* NULL: interfaces are numbers */
	struct ctl_stream *stream;
	struct ctl_mailbox *mailbox;
	/* how long a client may leave a request incomplete; 0: CTL_STALL_USEC (ctl/client.h) */
	uint64_t stall_usec;
};

/* Returns 0 or -errno. */
int ctl_server_new(struct ctl_server **ret, const struct ctl_parts *parts);

/* The thread must have ended. NULL is fine. */
struct ctl_server *ctl_server_free(struct ctl_server *s);

/* Starts the thread, with all signals blocked. Returns 0 or -errno. */
int ctl_server_start(struct ctl_server *s);

/* Ends the thread, whatever clients do. Returns false if it does not come back in time. */
bool ctl_server_stop(struct ctl_server *s, int timeout_ms);

/* Any thread: clients that are connected, and events that those of them did not get in time. */
unsigned int ctl_server_clients(const struct ctl_server *s);
uint64_t ctl_server_lost(const struct ctl_server *s);

/* The configuration of flows that is in force from now on; copied. Main thread. */
void ctl_server_configure(struct ctl_server *s, const struct ct_config *cfg);

/* ---- for the thread, and for tests that are it ---- */

const struct ctl_parts *ctl_server_parts(const struct ctl_server *s);
uid_t ctl_server_owner(const struct ctl_server *s);
sd_event *ctl_server_event(const struct ctl_server *s);

/* Takes over a connected socket. Returns 0 or -errno; the socket is closed then. */
int ctl_server_add(struct ctl_server *s, int fd);

/* Frees a client; to be called by itself only. */
void ctl_server_forget(struct ctl_server *s, struct ctl_client *c);

/* The client of that id, NULL if it is gone. */
struct ctl_client *ctl_server_client(const struct ctl_server *s, uint64_t id);

/* The configuration in force. */
void ctl_server_get_config(struct ctl_server *s, struct ct_config *ret);

/* Asks the main thread, now or soon. False: there is none; else the letter is not the caller's. */
bool ctl_server_ask(struct ctl_server *s, struct ctl_letter *l);

/* Counts events that a client did not get in time. */
void ctl_server_count_lost(struct ctl_server *s, uint64_t n);
