/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How a new flow enters the table, at the entry or at the exit hook. Private to src/core. */

#include "core/step.h"

/*
 * A first packet was accepted by its tracker: its draft becomes a flow, or waits for the exit hook
 * (lock held).
 */
void ct_confirm_draft(struct ct_step *s);

/*
 * A packet at an exit hook whose class is s->info: confirms its flow and shows it to the flow's
 * helper. May set s->out->drop. No lock held.
 */
void ct_confirm_exit(struct ct_step *s);

/* A packet like the one that made an unconfirmed flow comes again, in another one (lock held). */
void ct_confirm_forget_like(struct ct_step *s);

/* There is no room for the packet's flow: it must be dropped. */
void ct_confirm_no_room(struct ct_step *s);
