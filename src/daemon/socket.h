/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The socket on which the control service listens: the service manager's, or made here. */

#include <stdint.h>
#include <sys/types.h>

struct oplog;
struct store;

/* All zero but fd = -1 at the start. */
struct control_socket {
	int fd;	    /* listening, non-blocking; -1: none */
	char *path; /* of a file that was made here; NULL: none */
	dev_t dev;
	ino_t ino;
};

/*
 * Takes what the service manager passed, else makes the socket that setting names; "none": none.
 * Says what failed; then there is none either.
 */
void control_socket_open(struct control_socket *s, struct store *store, const char *setting,
			 const struct oplog *log);

/* Removes the file, if it was made here and is still the same. */
void control_socket_close(struct control_socket *s);
