/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A token bucket for many threads without a lock.
 *
 * The bucket is one number, in the way of the generic cell rate algorithm: the time at which it
 * will be full again. An event is let through if that lies at most burst - 1 intervals ahead, and
 * moves it one interval on. No timer refills anything, and nobody has to be asked for the time:
 * callers bring it along.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct limit {
	_Alignas(64) _Atomic uint64_t full_ns; /* when the bucket will be full */
	_Atomic uint64_t interval_ns;	       /* between two tokens, 0: no limit */
	_Atomic uint64_t tolerance_ns;	       /* (burst - 1) intervals */
	_Atomic uint64_t suppressed;
};

/* A full bucket: rate tokens per second (0: no limit), burst of them at once (0 counts as 1). */
void limit_init(struct limit *l, uint32_t rate, uint32_t burst);

/* Another rate and burst, while threads take; what was taken stays taken. */
void limit_configure(struct limit *l, uint32_t rate, uint32_t burst);

/*
 * Takes one token at the time now_ns. False: there is none, and the event was counted as
 * suppressed. Threads may bring slightly different times; if the clock jumps back by more than a
 * second, the bucket goes on as an empty one.
 */
bool limit_take(struct limit *l, uint64_t now_ns);

/* How many limit_take() were refused so far. Any thread. */
uint64_t limit_suppressed(const struct limit *l);
