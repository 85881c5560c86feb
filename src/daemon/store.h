/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The service manager's fd store: descriptors that outlive the process (sd_notify(3)). A queue lies
 * there as "queue-N", what its worker leaves behind as "seat-N", the flow table as "flows". The
 * manager passes the socket of the control service in the same way, as "control".
 *
 * Whether the manager keeps descriptors, and how many, is told by $FDSTORE: systemd sets it from
 * version 254 on, before that our unit does. Without it nothing is
 * handed over, and the process works as if there were no store. What the manager passes at the
 * start it keeps as well: it need not be handed over again.
 */

#include <stdbool.h>
#include <stddef.h>

/* Suffix, name; whether there is one for each queue. */
#define STORE_LIST(X)                                                                              \
	X(FLOWS, "flows", false)                                                                   \
	X(QUEUE, "queue", true)                                                                    \
	X(SEAT, "seat", true)                                                                      \
	X(CONTROL, "control", false) /* of ctmarkd.socket, which keeps it itself */

enum store_kind {
#define X(name, str, per_queue) STORE_##name,
	STORE_LIST(X)
#undef X
		STORE_MAX
};

/* Descriptors that n queues need. */
#define STORE_NEED(n) (2 * (n) + 1)

struct store_item {
	enum store_kind kind;
	unsigned int queue; /* 0 if there is one of the kind only */
	int fd;		    /* -1: taken */
};

struct store {
	size_t room; /* descriptors that the manager keeps, 0: it keeps none */
	bool failed; /* it did not take one */
	size_t n;
	struct store_item *items; /* what was passed at the start, in its order */
};

/*
 * Reads what the service manager passed, once in the life of the process. Descriptors of other
 * names are closed and given up; ret_strange gets the names of the first of them, by commas, or "".
 * Returns 0 or -errno, nothing being kept then; store_done() is due in either case.
 */
#define STORE_STRANGE_STRLEN 200
int store_init(struct store *s, char ret_strange[static STORE_STRANGE_STRLEN]);

/* Closes what was not taken; it stays in the store. */
void store_done(struct store *s);

/*
 * The next descriptor of that name, -1 if there is none any more. It is the caller's to close.
 */
int store_take(struct store *s, enum store_kind kind, unsigned int queue);

/* The lowest queue that something was passed for and not taken yet, -1 if there is none. */
int store_any_queue(const struct store *s, enum store_kind kind);

/*
 * Hands a descriptor over; the caller keeps its own. Without a store nothing is done. Returns 0, or
 * -errno if it could not be sent.
 */
int store_keep(struct store *s, enum store_kind kind, unsigned int queue, int fd);

/*
 * Gives up all that the store has under a name. It is the manager's turn then: store_settle() waits
 * until it has done it, and everything before it. Returns 0 or -errno.
 */
int store_drop(const struct store *s, enum store_kind kind, unsigned int queue);
int store_settle(const struct store *s);

/* Does the store have all that was handed over, so that a successor will find it? */
bool store_works(const struct store *s);

/* "queue-3", "flows". */
#define STORE_NAME_STRLEN 24
char *store_name(enum store_kind kind, unsigned int queue, char buf[static STORE_NAME_STRLEN]);
