/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Packets that the verdict "repeat" sends in a circle.
 *
 * A packet that was sent round comes back with its class in the mark, unless a rule takes that away
 * again; then nothing about it tells that it was here before. So the packets sent round lately are
 * remembered, by a hash of how they looked, and one that looks the same too often is given up. A
 * sender who repeats a packet bit by bit, and fast, is not told apart from that.
 *
 * The memory is bounded. What finds no room goes round unnoticed until others have left: those in
 * the memory leave it after ROUNDS_MAX rounds, so that no circle lasts.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"

#define ROUNDS_MAX	 8
#define ROUNDS_WITHIN_NS UINT64_C(1000000000) /* from one round to the next */
#define ROUNDS_SETS	 256
#define ROUNDS_WAYS	 4

struct round {
	uint64_t print; /* hash of the packet */
	uint64_t last_ns;
	unsigned int n; /* rounds so far, 0: free */
};

/* All zero: nothing was sent round yet. */
struct rounds {
	struct round sets[ROUNDS_SETS][ROUNDS_WAYS];
};

/*
 * Takes note of a packet that is to be sent round. Returns false if it was ROUNDS_MAX times
 * already; then it is forgotten.
 */
bool rounds_allow(struct rounds *r, const struct ct_input *in);
