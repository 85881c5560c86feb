/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/arena.h"

#define CT_WHEEL_SLOTS 1024 /* a power of two */
#define CT_TICK_SHIFT  28   /* a tick is 2^28 ns: 268 ms */

/*
 * Expiry of the flows of one stripe: a wheel of lists, one per tick of about a quarter second.
 * Guarded by the lock of the stripe.
 */
struct ct_wheel {
	uint64_t done;	/* every tick up to this one has been looked at */
	uint32_t *slot; /* CT_WHEEL_SLOTS of them */
};

/* An empty wheel begins to turn now; else it begins with the first look at it. */
void ct_wheel_start(struct ct_wheel *w, uint64_t now_ns);

/* Puts a flow on the wheel by its expires_ns. */
void ct_wheel_add(struct ct_wheel *w, struct ct_arena *a, uint32_t index);

/* Takes it off. */
void ct_wheel_remove(struct ct_wheel *w, struct ct_arena *a, uint32_t index);

/* To be called after expires_ns changed; moves the flow only if it has to be looked at earlier. */
void ct_wheel_update(struct ct_wheel *w, struct ct_arena *a, uint32_t index);

/*
 * Returns a flow whose time is up at now_ns and takes it off the wheel; 0: there is none, or
 * *budget flows were looked at (then *budget is 0 and there may be more).
 */
uint32_t ct_wheel_expired(struct ct_wheel *w, struct ct_arena *a, uint64_t now_ns,
			  uint32_t *budget);
