/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The keyed hash against SipHash written from the paper, which is itself held against the vectors
 * published with it for SipHash-2-4.
 */

#include "core/siphash.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static uint64_t rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

static void rounds(uint64_t v[4], int n)
{
	while (n--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] = rotl(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] = rotl(v[2], 32);
	}
}

static uint64_t reference(const uint8_t key[16], const uint8_t *data, size_t n, int c, int d)
{
	uint64_t k[2], v[4], m = 0;

	memcpy(k, key, 16);
	v[0] = le64toh(k[0]) ^ 0x736f6d6570736575;
	v[1] = le64toh(k[1]) ^ 0x646f72616e646f6d;
	v[2] = le64toh(k[0]) ^ 0x6c7967656e657261;
	v[3] = le64toh(k[1]) ^ 0x7465646279746573;
	for (size_t i = 0; i <= n; i++) {
		m |= (uint64_t)(i < n ? data[i] : 0) << i % 8 * 8;
		if (i == n)
			m |= (uint64_t)n << 56;
		if (i % 8 == 7 || i == n) {
			v[3] ^= m;
			rounds(v, c);
			v[0] ^= m;
			m = 0;
		}
	}
	v[2] ^= 0xff;
	rounds(v, d);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint8_t key[16], data[64];

static int setup(void **state)
{
	for (uint8_t i = 0; i < 64; i++)
		data[i] = i;
	memcpy(key, data, 16);
	return 0;
}

/* n bytes 00 01 02 …, key 00 … 0f. */
static void test_reference(void **state)
{
	static const struct {
		size_t n;
		uint64_t hash;
	} v24[] = {
		{0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd},  {7, 0xab0200f58b01d137},
		{8, 0x93f5f5799a932462},  {15, 0xa129ca6149be45e5}, {16, 0x3f2acc7f57c29bdb},
		{32, 0x7127512f72f27cce},
	};

	for (size_t i = 0; i < sizeof(v24) / sizeof(v24[0]); i++)
		assert_true(reference(key, data, v24[i].n, 2, 4) == v24[i].hash);
	assert_true(reference(key, data, 0, 1, 3) == 0xabac0158050fc4dc);
}

static void test_words(void **state)
{
	static const uint64_t v13[8] = {
		0xabac0158050fc4dc, 0x369095118d299a8e, 0xcc4fdd1a7d908b66, 0xf464aeb267349c8c,
		0x81157b6c16a7b60d, 0xc1d2363299e41531, 0x9f3143f8df074c46, 0xb4bcc0db243c6d75,
	};
	struct ct_siphash_key k = ct_siphash_key(key);
	uint64_t words[8];

	memcpy(words, data, sizeof(words));
	for (size_t n = 0; n < 8; n++) {
		assert_true(ct_siphash(&k, words, n) == v13[n]);
		assert_true(ct_siphash(&k, words, n) == reference(key, data, n * 8, 1, 3));
	}
}

/* Each bit of the key and of the input counts. */
static void test_every_bit(void **state)
{
	uint64_t words[8], plain;
	struct ct_siphash_key k = ct_siphash_key(key);

	memcpy(words, data, sizeof(words));
	plain = ct_siphash(&k, words, 8);
	for (int bit = 0; bit < 512; bit++) {
		words[bit / 64] ^= 1ull << bit % 64;
		assert_true(ct_siphash(&k, words, 8) != plain);
		words[bit / 64] ^= 1ull << bit % 64;
	}
	for (int bit = 0; bit < 128; bit++) {
		uint8_t other[16];

		memcpy(other, key, 16);
		other[bit / 8] ^= (uint8_t)(1 << bit % 8);
		k = ct_siphash_key(other);
		assert_true(ct_siphash(&k, words, 8) != plain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_every_bit),
	};

	return cmocka_run_group_tests_name("siphash", tests, setup, NULL);
}
