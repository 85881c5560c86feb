/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What waits to be sent to a client: whole messages of JSON text, each with a NUL behind it,
 * written where they leave from. A listing of many flows is made of small values, and what is
 * not built first need not be taken down again.
 *
 * Memory is bounded: a message that does not find room leaves nothing behind.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/fields.h"

struct ctl_writer {
	char *buf;
	size_t sent; /* bytes of it that are gone */
	size_t len, size;
	size_t max;  /* bytes that may wait */
	size_t mark; /* where the message begins that is being written */
	bool comma;  /* a value has gone before in this object or array */
	bool failed; /* the message found no room */
};

void ctl_writer_init(struct ctl_writer *w, size_t max);
void ctl_writer_done(struct ctl_writer *w);

/* Bytes of complete messages that wait; *ret is where they are, until the next call of any. */
size_t ctl_writer_waiting(const struct ctl_writer *w, const char **ret);

/* So many of them are gone. */
void ctl_writer_sent(struct ctl_writer *w, size_t n);

/* A message begins, ends, or is taken back. end returns false if it found no room. */
void ctl_message_begin(struct ctl_writer *w);
bool ctl_message_end(struct ctl_writer *w);
void ctl_message_cancel(struct ctl_writer *w);

/* Begins an object ("{") or array ("["); key is NULL in an array. */
void ctl_open(struct ctl_writer *w, const char *key, char bracket);
void ctl_close(struct ctl_writer *w, char bracket);

/*
 * Values. key is NULL in an array. Text may be any bytes: what is not well-formed UTF-8 becomes a
 * question mark.
 */
void ctl_put_string(struct ctl_writer *w, const char *key, const char *text);
void ctl_put_text(struct ctl_writer *w, const char *key, const char *text, size_t len);
void ctl_put_int(struct ctl_writer *w, const char *key, int64_t value);
void ctl_put_uint(struct ctl_writer *w, const char *key, uint64_t value); /* INT64_MAX at most */
void ctl_put_bool(struct ctl_writer *w, const char *key, bool value);
void ctl_put_id(struct ctl_writer *w, const char *key, uint64_t id); /* of a flow */

/* An array of the words of a text that are separated by a character; none if it is empty. */
void ctl_put_words(struct ctl_writer *w, const char *key, const char *text, size_t len, char by);
