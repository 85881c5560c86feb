/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "core/ctinfo.h"
#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* The mark contract: class, ctinfo encoding, flags encoding without ASSURED, direction. */
static const struct {
	enum ct_info info;
	uint32_t ctinfo, flags;
	enum ct_dir dir;
	enum ct_class class;
} contract[] = {
	{CT_INFO_ESTABLISHED, 0x8, 0x02, CT_DIR_ORIGINAL, CT_CLASS_ESTABLISHED},
	{CT_INFO_RELATED, 0x9, 0x04, CT_DIR_ORIGINAL, CT_CLASS_RELATED},
	{CT_INFO_NEW, 0xa, 0x01, CT_DIR_ORIGINAL, CT_CLASS_NEW},
	{CT_INFO_ESTABLISHED_REPLY, 0xb, 0x22, CT_DIR_REPLY, CT_CLASS_ESTABLISHED},
	{CT_INFO_RELATED_REPLY, 0xc, 0x24, CT_DIR_REPLY, CT_CLASS_RELATED},
	{CT_INFO_INVALID, 0xe, 0x08, CT_DIR_ORIGINAL, CT_CLASS_INVALID},
	{CT_INFO_UNTRACKED, 0xf, 0x10, CT_DIR_ORIGINAL, CT_CLASS_UNTRACKED},
};

#define CLASSES (sizeof(contract) / sizeof(contract[0]))

/* Every mask that the encoding fits into. */
static bool next_mask(struct ct_mark *m, enum ct_encoding encoding)
{
	unsigned int need = encoding == CT_ENCODING_CTINFO ? 4 : 7;
	unsigned int width = m->mask ? (unsigned int)__builtin_popcount(m->mask) : need - 1;
	unsigned int shift = m->shift;

	if (m->mask && shift + width < 32) {
		shift++;
	} else {
		shift = 0;
		width++;
	}
	if (width > 32)
		return false;
	m->mask = (uint32_t)(((1ull << width) - 1) << shift);
	m->shift = (uint8_t)shift;
	m->encoding = (uint8_t)encoding;
	return true;
}

static void check_encode(const struct ct_mark *m, size_t i, uint32_t old, uint16_t status)
{
	uint32_t value = contract[i].ctinfo, mark;
	enum ct_info info = CT_INFO_MAX;

	if (m->encoding == CT_ENCODING_FLAGS)
		value = contract[i].flags | (status & CT_STATUS_ASSURED ? 0x40 : 0);
	mark = ct_mark_encode(m, old, contract[i].info, status);
	assert_int_equal(mark, (old & ~m->mask) | value << m->shift);
	assert_true(ct_mark_decode(m, mark, &info));
	assert_int_equal(info, contract[i].info);
}

static void every_mask(enum ct_encoding encoding)
{
	struct ct_mark m = {0};
	unsigned int masks = 0;
	uint64_t seed = 1;

	while (next_mask(&m, encoding)) {
		masks++;
		for (size_t i = 0; i < CLASSES; i++)
			for (int n = 0; n < 16; n++)
				check_encode(&m, i, (uint32_t)dice(&seed),
					     (uint16_t)(dice(&seed) & 0x20f));
	}
	/* all runs of at least 4, or 7, of 32 bits */
	assert_int_equal(masks, encoding == CT_ENCODING_CTINFO ? 29 * 30 / 2 : 26 * 27 / 2);
}

static void test_ctinfo_every_mask(void **state)
{
	every_mask(CT_ENCODING_CTINFO);
}

static void test_flags_every_mask(void **state)
{
	every_mask(CT_ENCODING_FLAGS);
}

/* Values that no encoder writes are not read back as something. */
static void test_decode_rejects(void **state)
{
	const struct ct_mark m = {.mask = 0xff0, .shift = 4, .encoding = CT_ENCODING_CTINFO};
	unsigned int known = 0;

	for (uint32_t value = 0; value < 256; value++) {
		enum ct_info info = CT_INFO_MAX;
		bool want = value >= 0x8 && value <= 0xf && value != 0xd;

		assert_int_equal(ct_mark_decode(&m, value << 4 | 0xf00f, &info), want);
		if (want)
			known++;
		else
			assert_int_equal(info, CT_INFO_MAX); /* untouched */
	}
	assert_int_equal(known, CLASSES);
}

static bool flags_known(uint32_t value)
{
	for (size_t i = 0; i < CLASSES; i++)
		if (contract[i].flags == (value & ~0x40u))
			return true;
	return false;
}

static void test_decode_rejects_flags(void **state)
{
	const struct ct_mark m = {.mask = 0xff0000, .shift = 16, .encoding = CT_ENCODING_FLAGS};

	for (uint32_t value = 0; value < 256; value++) {
		enum ct_info info = CT_INFO_MAX;

		if (ct_mark_decode(&m, value << 16 | 0xffff, &info) && !flags_known(value))
			fail_msg("flags %#x were read as ctinfo %d", value, info);
		if (value < 0x20 && flags_known(value))
			assert_int_not_equal(info, CT_INFO_MAX);
	}
}

static void test_properties(void **state)
{
	assert_int_equal(ct_mark_bits(CT_ENCODING_CTINFO), 4);
	assert_int_equal(ct_mark_bits(CT_ENCODING_FLAGS), 7);
	for (size_t i = 0; i < CLASSES; i++) {
		assert_int_equal(ct_info_dir(contract[i].info), contract[i].dir);
		assert_int_equal(ct_info_class(contract[i].info), contract[i].class);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ctinfo_every_mask),
		cmocka_unit_test(test_flags_every_mask),
		cmocka_unit_test(test_decode_rejects),
		cmocka_unit_test(test_decode_rejects_flags),
		cmocka_unit_test(test_properties),
	};

	return cmocka_run_group_tests_name("mark", tests, NULL, NULL);
}
