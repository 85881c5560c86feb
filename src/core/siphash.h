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
