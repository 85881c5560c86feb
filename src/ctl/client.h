/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One connection: messages in, calls, messages out (https://varlink.org).
 *
 * Whatever a client does costs the memory of its two buffers, the state of one call, and its share
 * of the thread's time. Requests are answered one by one in their order; while one is at work the
 * next is read at most, and while replies wait to be read nothing is begun and nothing goes on.
 * Calls that take long are cut in slices, in turn with those of others.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "ctl/writer.h"

struct ctl_client;
struct ctl_server;
struct ctl_call;
struct ctl_letter;

#define CTL_MESSAGE_MAX 65536  /* bytes of a request, with its NUL */
#define CTL_OUT_MAX	524288 /* bytes of replies that may wait */
#define CTL_OUT_PAUSE	131072 /* no call goes on while more of them wait */
#define CTL_STALL_USEC	UINT64_C(30000000)
#define CTL_SLICE_NS	UINT64_C(1000000) /* a slice takes about so long at most */

/* Does a part of what a call asks for, until about until_ns. */
typedef void ctl_slice(struct ctl_call *call, uint64_t until_ns);

/* Is told of the main thread's answer; the letter stays the caller's. */
typedef void ctl_answered(struct ctl_call *call, const struct ctl_letter *letter);

enum ctl_flags {
	CTL_READS = 0,
	CTL_CHANGES = 1, /* for root and the daemon's user */
	CTL_STREAMS = 2, /* has to be called with "more" */
};

struct ctl_method {
	const char *interface, *name;
	unsigned int flags;
	const char *parameters; /* names, separated by spaces */
	void (*start)(struct ctl_call *call);
};

/* A request at work. It ends with ctl_reply_end(call, false) or ctl_error(). */
struct ctl_call {
	struct ctl_client *client;
	struct ctl_server *server;
	const struct ctl_method *method;
	uint64_t id;	/* no other call of this client has it */
	json_t *params; /* an object; NULL when start has returned */
	bool more, oneway, ended;
	/* set by method->start if it has not ended the call */
	ctl_slice *slice; /* NULL: it waits for something else */
	ctl_answered *answered;
	void (*free)(void *state);
	void *state;
};

/*
 * Takes over a connected, non-blocking socket. Returns 0, or -errno with the socket closed, too.
 */
int ctl_client_new(struct ctl_client **ret, struct ctl_server *server, int fd, uint64_t id);
struct ctl_client *ctl_client_free(struct ctl_client *c);

uint64_t ctl_client_id(const struct ctl_client *c);
uid_t ctl_client_uid(const struct ctl_client *c);
pid_t ctl_client_pid(const struct ctl_client *c);

/* The call at work, NULL: none. */
struct ctl_call *ctl_client_call(struct ctl_client *c);

/* Bytes of replies that wait to be read. */
size_t ctl_client_waiting(const struct ctl_client *c);

/*
 * To be called when a call went on, or ended, outside of its slice: sends what it wrote, and sees
 * to it that the client goes on. The client may be gone then.
 */
void ctl_client_touched(struct ctl_client *c);

/* ---- for methods ---- */

/* A reply: between the two its parameters are written, as the members of an object. */
struct ctl_writer *ctl_reply_begin(struct ctl_call *call);

/*
 * continues: more replies follow; else the call has ended. Returns false if there was no room, and
 * nothing was sent; a call that wanted to end has ended then, and its connection, too.
 */
bool ctl_reply_end(struct ctl_call *call, bool continues);

/* A reply without parameters, which ends the call. */
void ctl_reply_empty(struct ctl_call *call);

/* Ends the call with an error. Parameters are pairs of key and text, ended by NULL. */
void ctl_error(struct ctl_call *call, const char *error, ...) __attribute__((sentinel));

/* An error with parameters of other kinds ends by ctl_reply_end(call, false). */
struct ctl_writer *ctl_error_begin(struct ctl_call *call, const char *error);

/* The name of an error of ours, and of the service interface. */
#define CTL_INTERFACE	     "io.ctmark.Manager"
#define CTL_SERVICE	     "org.varlink.service"
#define CTL_ERROR(name)	     CTL_INTERFACE "." name
#define CTL_SERVICE_ERROR(e) CTL_SERVICE "." e

/*
 * A parameter that has to be a string. Absent or null: *ret is NULL. False: it is something else,
 * and the call has ended with an error. It is there until start returns.
 */
bool ctl_param_string(struct ctl_call *call, const char *name, const char **ret);

/* The same, for an integer between two bounds; absent or null: *ret stays. */
bool ctl_param_int(struct ctl_call *call, const char *name, int64_t min, int64_t max, int64_t *ret);

/* A parameter that must be there. */
bool ctl_param_needed(struct ctl_call *call, const char *name, json_t **ret);

/* Ends the call: a parameter is missing, of another type, or unknown. */
void ctl_bad_param(struct ctl_call *call, const char *name);
