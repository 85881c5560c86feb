/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * SipHash-1-3 (Aumasson and Bernstein, 2012) over whole words.
 *
 * One compression and three finalisation rounds are what hash tables use: the output never leaves
 * the process, so a distinguisher gains an attacker nothing, only predictable buckets would. Tuples
 * are multiples of eight bytes; the tail of the general algorithm reduces to the length byte.
 */

#include "core/siphash.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, unsigned int b)
{
	return x << b | x >> (64 - b);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 = rotl(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	s->v0 ^= m;
}

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
	struct sip s = {
		.v0 = key->k[0] ^ 0x736f6d6570736575ULL,
		.v1 = key->k[1] ^ 0x646f72616e646f6dULL,
		.v2 = key->k[0] ^ 0x6c7967656e657261ULL,
		.v3 = key->k[1] ^ 0x7465646279746573ULL,
	};

	for (size_t i = 0; i < n; i++)
		sip_word(&s, words[i]);
	sip_word(&s, (uint64_t)(n * 8) << 56);
	s.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
