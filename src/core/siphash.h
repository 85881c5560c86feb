/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ct_siphash_key {
	uint64_t k[2];
};

/* Reads a key of 16 bytes (little-endian words, as in the paper). */
struct ct_siphash_key ct_siphash_key(const uint8_t bytes[static 16]);

/*
 * SipHash-1-3 of n 64-bit words, each taken as eight bytes in memory order of a little-endian
 * machine. Keyed, so that a remote sender cannot aim at one bucket.
 */
uint64_t ct_siphash(const struct ct_siphash_key *key, const uint64_t *words, size_t n);

/* --- inline, for packets: with a known n the loop below is straight code --- */

struct ct_sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t ct_sip_rotl(uint64_t x, unsigned int b)
{
	return x << b | x >> (64 - b);
}

static inline void ct_sip_round(struct ct_sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = ct_sip_rotl(s->v1, 13) ^ s->v0;
	s->v3 = ct_sip_rotl(s->v3, 16) ^ s->v2;
	s->v0 = ct_sip_rotl(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = ct_sip_rotl(s->v1, 17) ^ s->v2;
	s->v3 = ct_sip_rotl(s->v3, 21) ^ s->v0;
	s->v2 = ct_sip_rotl(s->v2, 32);
}

static inline void ct_sip_word(struct ct_sip *s, uint64_t m)
{
	s->v3 ^= m;
	ct_sip_round(s);
	s->v0 ^= m;
}

/*
 * Of n words and up to seven bytes more: tail has them in its lower bytes, and the length of
 * everything in its highest one, as the paper wants it.
 */
static inline uint64_t ct_siphash_tail(const struct ct_siphash_key *key, const uint64_t *words,
				       size_t n, uint64_t tail)
{
	struct ct_sip s = {
		.v0 = key->k[0] ^ 0x736f6d6570736575ULL,
		.v1 = key->k[1] ^ 0x646f72616e646f6dULL,
		.v2 = key->k[0] ^ 0x6c7967656e657261ULL,
		.v3 = key->k[1] ^ 0x7465646279746573ULL,
	};

	for (size_t i = 0; i < n; i++)
		ct_sip_word(&s, words[i]);
	ct_sip_word(&s, tail);
	s.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		ct_sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
