/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What one process leaves to the next: how the flow table comes from the service manager's store or
 * from the state file, what is told of it, and how it is left behind at the end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/adopt.h"
#include "daemon/state.h"

struct daemon;
struct ct_params;

/* Suffix, value of CTMARK_FROM, in a sentence. */
#define TAKEOVER_LIST(X)                                                                           \
	X(NOTHING, "", "nowhere")                                                                  \
	X(STORE, "store", "the service manager's store")                                           \
	X(FILE, "file", "the state file")

enum takeover_source {
#define X(name, str, text) TAKEOVER_##name,
	TAKEOVER_LIST(X)
#undef X
		TAKEOVER_SOURCE_MAX
};

/* All zero but file.fd = -1 at the start. */
struct takeover {
	enum takeover_source source;
	struct ct_adopted table;
	const char *refused; /* why those of the store are not used, NULL: they are, or none */
	char *path;	     /* of the state file that was looked for, NULL: none */
	struct state file;   /* set aside as long as the start may fail */
	uint64_t began_ns;   /* when the start began */
	unsigned int queues; /* that a predecessor left, and what waited for us in them: */
	uint64_t inherited;  /* packets that it had read and not answered */
	uint64_t resent;     /* verdicts of which it is not known whether they got through */
	unsigned int unread; /* seats that could not be used */
	bool gap;	     /* a queue was not bound for a while */
	uint32_t relaxed;    /* connections whose windows are learned anew for that */
};

/*
 * Makes d->memory and d->ct: of what a predecessor left, or new. What cannot be used is told of and
 * left out. params says all but the index. Returns 0 or -errno.
 */
int takeover_table(struct daemon *d, struct ct_params *params);

/*
 * All queues are open: sees to connections of which packets may have passed unseen. Before the
 * first packet is judged.
 */
void takeover_bridge(struct daemon *d);

/*
 * StateFile= is this from now on. Warns if it could not be written, while something can be done
 * about it.
 */
void takeover_set_file(struct daemon *d, const char *setting);

/* The start has succeeded: what was taken over is not there for another. Tells of it. */
void takeover_done(struct daemon *d);

/* The process ends in order and no thread works on the table any more: leaves it to the next. */
void takeover_leave(struct daemon *d);

/*
 * The process ends before it has begun, and no other will be started: the service manager gives up
 * what it keeps. Flows there go to the state file, unless the last process has left them in it.
 */
void takeover_rescue(struct daemon *d);

/* The last thing: a file that was taken in vain is there again. */
void takeover_free(struct takeover *t);

/* What became of flows, as sentences without an end; the second one is "" if nothing was lost. */
#define TAKEOVER_LINE_STRLEN 512
char *takeover_line(const struct takeover *t, uint64_t now_ns,
		    char buf[static TAKEOVER_LINE_STRLEN]);
char *takeover_losses(const struct takeover *t, char buf[static TAKEOVER_LINE_STRLEN]);
