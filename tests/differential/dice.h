/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Chance that can be repeated: the same seed gives the same throws on every machine. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

/* Dice for one thing out of many that are made from one seed. */
struct dice dice_for(uint64_t seed, uint64_t number);

/* Any number at all. */
uint32_t dice_any(struct dice *d);

/* A number below n (n > 0). */
uint32_t dice_below(struct dice *d, uint32_t n);

/* True in so many cases of a hundred. */
bool dice_chance(struct dice *d, unsigned int percent);

/* One element of an array. */
#define DICE_PICK(d, array) ((array)[dice_below(d, (uint32_t)(sizeof(array) / sizeof((array)[0])))])
