/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Does what was found in memory make sense (sound.c)? Private to src/core. */

#include <string.h>

#include "core/flow.h"

/* No flow and no expectation lives longer from its last packet on: what timeouts can be. */
#define CT_LIFE_NS_MAX (UINT32_MAX * CT_NS_PER_S)

/* A bool that is neither 0 nor 1 must not be looked at. */
static inline bool ct_bool_is_sound(const bool *b)
{
	uint8_t byte;

	memcpy(&byte, b, sizeof(byte));
	return byte <= 1;
}

bool ct_tuple_is_sound(const struct ct_tuple *t);

/* All but life, hash, generation and links. Times are those of the clock that says now_ns. */
bool ct_flow_is_sound(const struct ct_flow *f, uint64_t now_ns);

/* A time of another clock; zero, which is past for every clock, stays zero. */
static inline uint64_t ct_time_shifted(uint64_t t, int64_t shift_ns)
{
	if (t == 0 || (shift_ns < 0 && t <= (uint64_t)-shift_ns))
		return 0;
	return t + (uint64_t)shift_ns;
}
