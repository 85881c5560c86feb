/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Packets that wait for their datagram: deciding them, handing them out. Private to src/core; the
 * part that workers call is in core.h. A datagram is named by its index, and the lock of the
 * fragments is held in each of these.
 */

#include "core/table.h"

/* Gives the packets that wait for a datagram its class. */
void ct_held_decide(struct ct_thread *th, uint32_t index, const struct ct_fragment_class *class);

/* Drops them. */
void ct_held_drop(struct ct_thread *th, uint32_t index, enum ct_reason reason);

/* Drops them; the datagram is remembered as dead, so that nothing more of it passes. */
void ct_held_kill(struct ct_thread *th, uint32_t index, enum ct_reason reason);

/* Drops them and forgets the datagram. */
void ct_held_forget(struct ct_thread *th, uint32_t index, enum ct_reason reason);

/* Is its time up? */
bool ct_held_over(const struct ct_thread *th, const struct ct_datagram *d, uint64_t now_ns);
