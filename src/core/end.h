/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The ends of flows (semantics 2.2). Private to src/core; see ct_step_kill() in step.h, too. */

#include "core/step.h"

/* The most flows that the end of one flow dooms. */
#define CT_DOOMED_EACH 2

/*
 * Ends a flow whose timer is off, with the lock of its stripe held: out of the table, slot freed.
 * True: *ev is the record of it; false: it was not confirmed, and there is none.
 */
bool ct_end_flow(struct ct_thread *th, uint32_t bucket, uint32_t index, uint64_t now_ns,
		 enum ct_death death, struct ct_event *ev);

/* The same for one whose time is up. */
bool ct_end_expired(struct ct_thread *th, uint32_t index, uint64_t now_ns, struct ct_event *ev);

/* Puts the end of a flow's time into the past: it is not found any more (lock held). */
void ct_end_soon(struct ct *ct, uint32_t bucket, uint32_t index, enum ct_death death);

/* Ends the flows that helpers doomed meanwhile. No lock may be held. */
void ct_end_doomed(struct ct_thread *th, uint64_t now_ns);
