/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Transitions for those who asked for them.
 *
 * Each thread that makes events has a ring, as for the log, but apart from it: what Events= and
 * RateLimit= keep from the journal is here all the same. The control thread empties the rings in
 * the order of time and gives each client what its filter lets through. What a ring or a client
 * had no room for is counted and told. While nobody asks, a push is one look at a flag, and the
 * rings have no memory.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/event.h"
#include "ctl/client.h"

struct ctl_server;
struct ctl_stream;

/* nrings threads push. Returns 0 or -errno. */
int ctl_stream_new(struct ctl_stream **ret, size_t nrings);

/* Nobody may push any more, and no server be attached. NULL is fine. */
struct ctl_stream *ctl_stream_free(struct ctl_stream *s);

/* Offers an event; ring is the thread's own. A stream that is NULL takes nothing. */
void ctl_stream_push(struct ctl_stream *s, size_t ring, const struct ct_event *ev);

/* Whether somebody who makes many events himself should wait with more: his ring is half full. */
bool ctl_stream_crowded(const struct ctl_stream *s, size_t ring);

/* The server whose clients it is for; to be called before its loop runs. Returns 0 or -errno. */
int ctl_stream_attach(struct ctl_stream *s, struct ctl_server *server);
void ctl_stream_detach(struct ctl_stream *s);
