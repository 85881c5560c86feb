/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The TFTP helper: which datagrams are requests, and what they announce. */

#include "helped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void test_opcodes(void **state)
{
	for (unsigned int opcode = 0; opcode < 0x300; opcode++) {
		const uint8_t bytes[] = {(uint8_t)(opcode >> 8), (uint8_t)opcode, 'f', 0};
		bool request = opcode == 1 || opcode == 2;
		struct helped h;

		helped_open(&h, CT_HELPER_TFTP, CT_AF_INET, CT_PROTO_UDP);
		assert_int_equal(helped_info(&h, CT_INFO_NEW, bytes, 4), CT_HELP_ACCEPT);
		assert_int_equal(helped_count(&h), request);
		assert_false(helped_met(&h, 3, 1, 40000));
		assert_false(helped_met(&h, 2, 1, 40001));
		assert_int_equal(helped_met(&h, 2, 1, 40000), request);
		assert_false(helped_met(&h, 2, 1, 40000));
		helped_close(&h);
	}
}

/* From either side, in every class of packets; always towards the client. */
static void test_every_info(void **state)
{
	static const enum ct_info infos[] = {CT_INFO_NEW, CT_INFO_ESTABLISHED, CT_INFO_RELATED,
					     CT_INFO_ESTABLISHED_REPLY};
	struct helped h;

	helped_open(&h, CT_HELPER_TFTP, CT_AF_INET6, CT_PROTO_UDP);
	for (size_t i = 0; i < sizeof(infos) / sizeof(infos[0]); i++) {
		assert_int_equal(helped_info(&h, infos[i], "\0\1", 2), CT_HELP_ACCEPT);
		assert_int_equal(helped_count(&h), 1);
		assert_true(helped_met(&h, 2, 1, 40000));
	}
	helped_close(&h);
}

static void test_short(void **state)
{
	struct helped h;

	helped_open(&h, CT_HELPER_TFTP, CT_AF_INET, CT_PROTO_UDP);
	assert_int_equal(helped_info(&h, CT_INFO_NEW, "", 0), CT_HELP_ACCEPT);
	assert_int_equal(helped_info(&h, CT_INFO_NEW, "\0", 1), CT_HELP_ACCEPT);
	h.cut = 1;
	assert_int_equal(helped_info(&h, CT_INFO_NEW, "\0\1", 2), CT_HELP_ACCEPT);
	assert_int_equal(helped_count(&h), 0);
	helped_close(&h);
}

static void test_expires(void **state)
{
	struct helped h;

	helped_open(&h, CT_HELPER_TFTP, CT_AF_INET, CT_PROTO_UDP);
	helped_info(&h, CT_INFO_NEW, "\0\1", 2);
	h.now_ns += 299 * SEC;
	assert_true(helped_met(&h, 2, 1, 40000));
	helped_info(&h, CT_INFO_NEW, "\0\1", 2);
	h.now_ns += 300 * SEC;
	assert_false(helped_met(&h, 2, 1, 40000));
	helped_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opcodes),
		cmocka_unit_test(test_every_info),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_expires),
	};

	return cmocka_run_group_tests_name("helper tftp", tests, NULL, NULL);
}
