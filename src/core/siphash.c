/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * SipHash-1-3 (Aumasson and Bernstein, 2012) over whole words.
 *
 * One compression and three finalisation rounds are what hash tables use: the output never leaves
 * the process, so a distinguisher gains an attacker nothing, only predictable buckets would. Tuples
 * are multiples of eight bytes; the tail of the general algorithm reduces to the length byte.
 */

#include "core/siphash.h"

static uint64_t read_le64(const uint8_t *p)
{
	uint64_t x = 0;

	for (int i = 7; i >= 0; i--)
		x = x << 8 | p[i];
	return x;
}

struct ct_siphash_key ct_siphash_key(const uint8_t bytes[static 16])
{
	return (struct ct_siphash_key){.k = {read_le64(bytes), read_le64(bytes + 8)}};
}

uint64_t ct_siphash(const struct ct_siphash_key *key, const uint64_t *words, size_t n)
{
	return ct_siphash_tail(key, words, n, (uint64_t)(n * 8) << 56);
}
