/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The connection to the daemon: Varlink, that is JSON objects with a NUL behind each, over a unix
 * socket. What comes from there is not trusted: a reply may be of any type, too long, cut short or
 * never come.
 */

#include <stdbool.h>

#include "tools/ctmarkctl/app.h"

/* How long the daemon may take for its next reply. */
#define CLIENT_PATIENCE_MS 10000

/* What went wrong, for people; lines after the first are details. */
struct client_error {
	char text[4096];
};

/* A client of the socket at path, which is not connected yet. NULL: no memory. */
struct client *client_new(const char *path);
void client_free(struct client *c);

/*
 * Ends waiting, with an *ret of NULL and APP_OK, once this descriptor can be read. It stays the
 * caller's; -1: none.
 */
void client_watch(struct client *c, int fd);

/* Closes the connection; the next call makes a new one. */
void client_close(struct client *c);

/*
 * Sends a call of a method of io.ctmark.Manager, connecting if need be. params is taken over and
 * may be NULL. more: several replies are wanted.
 */
enum app_status client_send(struct client *c, const char *method, json_t *params, bool more,
			    struct client_error *ret_error);

/*
 * Waits for a reply to the last call: *ret, to be freed, gets its parameters, *ret_continues
 * whether more will follow. patience_ms: for how long, -1: for ever.
 */
enum app_status client_receive(struct client *c, int patience_ms, json_t **ret, bool *ret_continues,
			       struct client_error *ret_error);

/* Both, for methods with one reply. */
enum app_status client_call(struct client *c, const char *method, json_t *params, json_t **ret,
			    struct client_error *ret_error);
