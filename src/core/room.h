/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Room in a full table (semantics 7.1). Private to src/core. */

#include "core/end.h"

/*
 * Makes room near the packet's bucket, whose lock is held. The ends are told by events of the
 * packet. False: there is nothing that may go; the clock is asked to look everywhere.
 */
bool ct_room_make(struct ct_step *s);

/*
 * The clock's part: a walk through the table that ends what may be ended early as long as the table
 * is nearly full. Writes at most cap events, returns how many; *ret_more: the walk is not over.
 */
size_t ct_room_clear(struct ct_thread *th, uint64_t now_ns, struct ct_event *events, size_t cap,
		     bool *ret_more);
