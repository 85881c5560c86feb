/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/differential/dice.h"

/* SplitMix64: any seed is a good one, neighbours have nothing in common. */
static uint64_t throw(struct dice * d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

struct dice dice_for(uint64_t seed, uint64_t number)
{
	struct dice of_seed = {.state = seed};
	struct dice d = {.state = throw(&of_seed) + number};

	d.state = throw(&d);
	return d;
}

uint32_t dice_any(struct dice *d)
{
	return (uint32_t)(throw(d) >> 32);
}

uint32_t dice_below(struct dice *d, uint32_t n)
{
	return dice_any(d) % n;
}

bool dice_chance(struct dice *d, unsigned int percent)
{
	return dice_below(d, 100) < percent;
}
