/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The SANE helper: which request an answer belongs to, and what the answer must look like. */

#include "helped.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t net_start[8] = {0, 0, 0, 7, 0, 0, 0, 1};
static const uint8_t answer[12] = {0, 0, 0, 0, 0, 0, 0xc8, 1};

static void begin(struct helped *h, int family)
{
	helped_open(h, CT_HELPER_SANE, family, CT_PROTO_TCP);
}

static enum ct_help_result ask(struct helped *h)
{
	return helped_bytes(h, CT_DIR_ORIGINAL, net_start, sizeof(net_start));
}

static enum ct_help_result tell(struct helped *h)
{
	return helped_bytes(h, CT_DIR_REPLY, answer, sizeof(answer));
}

static void test_announces_the_server(void **state)
{
	static const int families[] = {CT_AF_INET, CT_AF_INET6};
	struct helped h;

	for (int i = 0; i < 2; i++) {
		begin(&h, families[i]);
		assert_int_equal(ask(&h), CT_HELP_ACCEPT);
		assert_int_equal(helped_count(&h), 0);
		assert_int_equal(tell(&h), CT_HELP_ACCEPT);
		assert_int_equal(helped_count(&h), 1);
		assert_false(helped_met(&h, 2, 1, 51201));
		assert_false(helped_met(&h, 3, 2, 51201));
		assert_false(helped_met(&h, 1, 2, 51202));
		assert_true(helped_met(&h, 1, 2, 51201));
		assert_int_equal(tell(&h), CT_HELP_ACCEPT); /* one answer to one request */
		assert_int_equal(helped_count(&h), 0);
		helped_close(&h);
	}
}

/* Every code of a request but one takes back what was asked for. */
static void test_codes(void **state)
{
	for (unsigned int code = 0; code < 0x300; code++) {
		const uint8_t request[8] = {0, 0, (uint8_t)(code >> 8), (uint8_t)code};
		struct helped h;

		begin(&h, CT_AF_INET);
		ask(&h);
		helped_bytes(&h, CT_DIR_ORIGINAL, request, sizeof(request));
		tell(&h);
		assert_int_equal(helped_count(&h), code == 7);
		helped_close(&h);
	}
}

/* Status and zero have to be zero, each byte of them; the rest is the port. */
static void test_answers(void **state)
{
	for (unsigned int at = 0; at < sizeof(answer); at++) {
		uint8_t changed[sizeof(answer)];
		struct helped h;

		memcpy(changed, answer, sizeof(answer));
		changed[at] ^= 0x80;
		begin(&h, CT_AF_INET);
		ask(&h);
		helped_bytes(&h, CT_DIR_REPLY, changed, sizeof(changed));
		assert_int_equal(helped_count(&h), at >= 6);
		if (at < 6)
			tell(&h); /* was not an answer to the request any more */
		assert_int_equal(helped_count(&h), at >= 6);
		helped_close(&h);
	}
}

/* As long as the port is there; an empty segment is no answer, one that is too short is one. */
static void test_lengths(void **state)
{
	for (unsigned int n = 0; n <= sizeof(answer); n++) {
		struct helped h;

		begin(&h, CT_AF_INET);
		ask(&h);
		helped_bytes(&h, CT_DIR_REPLY, answer, n);
		assert_int_equal(helped_count(&h), n >= 8);
		tell(&h);
		assert_int_equal(helped_count(&h), n == 0 || n >= 8);
		helped_close(&h);
	}
	for (unsigned int n = 0; n <= sizeof(answer); n++) {
		uint8_t request[sizeof(answer)] = {0, 0, 0, 7};
		struct helped h;

		begin(&h, CT_AF_INET);
		helped_bytes(&h, CT_DIR_ORIGINAL, request, n);
		tell(&h);
		assert_int_equal(helped_count(&h), n == 8);
		helped_close(&h);
	}
}

static void test_copied_part(void **state)
{
	struct helped h;

	begin(&h, CT_AF_INET);
	h.cut = 1;
	ask(&h);
	h.cut = 0;
	tell(&h);
	assert_int_equal(helped_count(&h), 0);
	ask(&h);
	h.cut = 5;
	tell(&h);
	assert_int_equal(helped_count(&h), 0);
	h.cut = 0;
	ask(&h);
	h.cut = 4;
	tell(&h);
	assert_int_equal(helped_count(&h), 1);
	helped_close(&h);
}

/* Of packets that no connection has yet nothing is read. */
static void test_other_info(void **state)
{
	struct helped h;

	begin(&h, CT_AF_INET);
	helped_info(&h, CT_INFO_NEW, net_start, sizeof(net_start));
	helped_info(&h, CT_INFO_RELATED, net_start, sizeof(net_start));
	tell(&h);
	assert_int_equal(helped_count(&h), 0);
	helped_close(&h);
}

static void test_expires(void **state)
{
	struct helped h;

	begin(&h, CT_AF_INET);
	ask(&h);
	tell(&h);
	h.now_ns += 299 * SEC;
	assert_true(helped_met(&h, 1, 2, 51201));
	ask(&h);
	tell(&h);
	h.now_ns += 300 * SEC;
	assert_false(helped_met(&h, 1, 2, 51201));
	helped_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_announces_the_server),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_copied_part),
		cmocka_unit_test(test_other_info),
		cmocka_unit_test(test_expires),
	};

	return cmocka_run_group_tests_name("helper sane", tests, NULL, NULL);
}
