/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The text cursor. Each text is copied into memory of exactly its size, so that an instrumented
 * build sees a single byte too many.
 */

#include "packet.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/helper/text.h"

struct held {
	uint8_t *memory;
	struct ct_text t;
};

static struct held hold_bytes(const void *bytes, size_t n)
{
	struct held h = {.memory = malloc(n ? n : 1)};

	assert_non_null(h.memory);
	memcpy(h.memory, bytes, n);
	h.t = ct_text_of((struct ct_bytes){h.memory, (uint32_t)n, (uint32_t)n}, 0);
	return h;
}

static struct held hold(const char *text)
{
	return hold_bytes(text, strlen(text));
}

/* What is left has to be this. */
static void release(struct held *h, const char *rest)
{
	assert_int_equal(ct_text_left(h->t), strlen(rest));
	assert_memory_equal(h->t.p, rest, strlen(rest));
	free(h->memory);
}

static void test_of_a_view(void **state)
{
	const uint8_t bytes[] = "abcdef";
	struct ct_bytes v = {bytes, 4, 6};

	assert_int_equal(ct_text_left(ct_text_of(v, 0)), 4); /* what can be read, not what is */
	assert_int_equal(ct_text_left(ct_text_of(v, 3)), 1);
	assert_int_equal(ct_text_peek(ct_text_of(v, 3)), 'd');
	assert_int_equal(ct_text_left(ct_text_of(v, 4)), 0);
	assert_int_equal(ct_text_left(ct_text_of(v, UINT32_MAX)), 0);
	assert_int_equal(ct_text_peek(ct_text_of(v, 4)), -1);
}

static void test_words(void **state)
{
	struct held h = hold("Port PORT");

	assert_false(ct_text_word_exact(&h.t, "PORT"));
	assert_false(ct_text_word(&h.t, "PORTS"));
	assert_true(ct_text_word(&h.t, "pORT"));
	assert_false(ct_text_byte(&h.t, '_'));
	assert_true(ct_text_byte(&h.t, ' '));
	assert_false(ct_text_word(&h.t, "PORT "));
	assert_true(ct_text_word_exact(&h.t, "PORT"));
	assert_false(ct_text_word(&h.t, "x"));
	assert_false(ct_text_byte(&h.t, 0));
	assert_true(ct_text_word(&h.t, ""));
	assert_true(ct_text_is_part(h.t, ""));
	release(&h, "");
	h = hold("po");
	assert_true(ct_text_is_part(h.t, "PORT"));
	assert_true(ct_text_is_part(h.t, "PO"));
	assert_false(ct_text_is_part(h.t, "P"));
	assert_false(ct_text_is_part(h.t, "PASV"));
	release(&h, "po");
	h = hold("[{@`");
	assert_false(ct_text_word(&h.t, "{[`@")); /* not letters: no case */
	release(&h, "[{@`");
}

static void test_find(void **state)
{
	struct held h = hold("ab DaTadata DATA ");

	assert_false(ct_text_find(&h.t, "data;"));
	assert_true(ct_text_find(&h.t, "DATA"));
	assert_true(ct_text_find(&h.t, "data "));
	assert_true(ct_text_to(&h.t, 'T'));
	assert_false(ct_text_to(&h.t, 'T'));
	assert_true(ct_text_to(&h.t, ' '));
	assert_false(ct_text_to(&h.t, ' '));
	assert_false(ct_text_find(&h.t, "a"));
	release(&h, "");
	h = hold_bytes("a\0b", 3);
	assert_true(ct_text_to(&h.t, 0));
	release(&h, "b");
	h = hold("aaab");
	assert_true(ct_text_find(&h.t, "aab"));
	release(&h, "");
	h = hold("DatDAT data");
	assert_false(ct_text_find_exact(&h.t, "DATA"));
	assert_true(ct_text_find_exact(&h.t, "DAT"));
	assert_true(ct_text_find_exact(&h.t, "data"));
	release(&h, "");
}

static void test_skip(void **state)
{
	struct held h = hold(" \r\n x");

	ct_text_skip(&h.t, "\r\n");
	assert_int_equal(ct_text_left(h.t), 5);
	ct_text_skip(&h.t, " \r\n");
	release(&h, "x");
	h = hold_bytes("\0\0", 2);
	ct_text_skip(&h.t, " ");
	assert_int_equal(ct_text_left(h.t), 2);
	free(h.memory);
	h = hold("   ");
	ct_text_skip(&h.t, " ");
	release(&h, "");
}

static void test_numbers(void **state)
{
	struct held h = hold("00065535,65536,4294967295,4294967296,,-1");
	uint32_t n = 7;

	assert_true(ct_text_number(&h.t, 65535, &n));
	assert_int_equal(n, 65535);
	assert_true(ct_text_byte(&h.t, ','));
	assert_false(ct_text_number(&h.t, 65535, &n));
	assert_int_equal(n, 65535);
	assert_true(ct_text_number(&h.t, 65536, &n));
	assert_true(ct_text_byte(&h.t, ','));
	assert_true(ct_text_number(&h.t, UINT32_MAX, &n));
	assert_int_equal(n, UINT32_MAX);
	assert_true(ct_text_byte(&h.t, ','));
	assert_false(ct_text_number(&h.t, UINT32_MAX, &n));
	assert_int_equal(ct_text_digits(&h.t), 0); /* 2^32 */
	assert_true(ct_text_byte(&h.t, ','));
	assert_false(ct_text_number(&h.t, UINT32_MAX, &n));
	assert_int_equal(ct_text_digits(&h.t), 0);
	assert_true(ct_text_byte(&h.t, ','));
	assert_false(ct_text_number(&h.t, UINT32_MAX, &n));
	release(&h, "-1");
	h = hold("18446744073709551617");
	assert_false(ct_text_number(&h.t, UINT32_MAX, &n));
	assert_int_equal(ct_text_digits(&h.t), 1); /* 2^64 + 1 */
	release(&h, "");
	h = hold("");
	assert_false(ct_text_number(&h.t, 9, &n));
	release(&h, "");
}

struct address {
	const char *text;
	const char *same; /* what inet_pton() calls it, NULL: no address */
	const char *rest;
};

static void check_addresses(int family, const struct address *a, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct held h = hold(a[i].text);
		union ct_addr got, want = {0};

		memset(&got, 0xee, sizeof(got));
		print_message("# %s\n", a[i].text);
		assert_int_equal(ct_text_addr(&h.t, (uint8_t)family, &got), a[i].same != NULL);
		if (a[i].same) {
			assert_int_equal(inet_pton(family, a[i].same, &want), 1);
			assert_memory_equal(&got, &want, sizeof(got));
		} else {
			assert_int_equal(got.b[0], 0xee);
		}
		release(&h, a[i].same ? a[i].rest : a[i].text);
	}
}

static void test_ipv4(void **state)
{
	static const struct address a[] = {
		{"10.0.0.1", "10.0.0.1", ""},
		{"255.255.255.255 x", "255.255.255.255", " x"},
		{"010.000.0.00001:5060", "10.0.0.1", ":5060"},
		{"1.2.3.4,", "1.2.3.4", ","},
		{"1.2.3.4\r\n", "1.2.3.4", "\r\n"},
		{"", NULL, NULL},
		{"1", NULL, NULL},
		{"1.2.3", NULL, NULL},
		{"1.2.3.", NULL, NULL},
		{"1.2.3.4.", NULL, NULL},
		{"1.2.3.4.5", NULL, NULL},
		{"1.2.3.4a", NULL, NULL},
		{"1.2.3.256", NULL, NULL},
		{"1.2.3.4294967297", NULL, NULL},
		{"1..3.4", NULL, NULL},
		{".1.2.3", NULL, NULL},
		{" 1.2.3.4", NULL, NULL},
		{"::1", NULL, NULL},
	};

	check_addresses(AF_INET, a, sizeof(a) / sizeof(a[0]));
}

static void test_ipv6(void **state)
{
	static const struct address a[] = {
		{"::", "::", ""},
		{"::]", "::", "]"},
		{"::1", "::1", ""},
		{"1::", "1::", ""},
		{"2001:db8::1]:5060", "2001:db8::1", "]:5060"},
		{"2001:DB8:0:0:0:0:0:1|", "2001:db8::1", "|"},
		{"1:2:3:4:5:6:7:8 ", "1:2:3:4:5:6:7:8", " "},
		{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0", ""},
		{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8", ""},
		{"::ffff:10.1.0.1", "::ffff:10.1.0.1", ""},
		{"1:2:3:4:5:6:1.2.3.4/", "1:2:3:4:5:6:102:304", "/"},
		{"::1.2.3.4", "::1.2.3.4", ""},
		{"::1.2.3.4:5060", "::1.2.3.4", ":5060"},
		{"000000001::000ffff", "1::ffff", ""},
		{"fe80::1%eth0", "fe80::1", "%eth0"},
		{"1::2g", "1::2", "g"},
		{"", NULL, NULL},
		{":", NULL, NULL},
		{":1", NULL, NULL},
		{":::", NULL, NULL},
		{"1:", NULL, NULL},
		{"1:::2", NULL, NULL},
		{"1::2::3", NULL, NULL},
		{"1::2:", NULL, NULL},
		{"1::2:g", NULL, NULL},
		{"12345::", NULL, NULL},
		{"1:2:3:4:5:6:7", NULL, NULL},
		{"1:2:3:4:5:6:7:8:", NULL, NULL},
		{"1:2:3:4:5:6:7:8:9", NULL, NULL},
		{"1:2:3:4::5:6:7:8", NULL, NULL},
		{"1:2:3:4:5:6:7:1.2.3.4", NULL, NULL},
		{"::1.2.3", NULL, NULL},
		{"::1.2.3.256", NULL, NULL},
		{"10.0.0.1", NULL, NULL},
		{"g::", NULL, NULL},
	};

	check_addresses(AF_INET6, a, sizeof(a) / sizeof(a[0]));
}

/* What the C library prints is read back whole, however long what follows is. */
static void test_addresses_printed(void **state)
{
	uint64_t seed = 1;

	for (int i = 0; i < 20000; i++) {
		int family = i % 2 ? AF_INET6 : AF_INET;
		union ct_addr want = {0}, got;
		char text[INET6_ADDRSTRLEN];
		/* NOLINTNEXTLINE(misc-redundant-expression): each throws anew */
		uint64_t zero = dice(&seed) & dice(&seed);
		struct held h;

		for (size_t b = 0; b < (family == AF_INET ? 4 : 16); b++)
			want.b[b] = zero >> b / 2 & 1 ? (uint8_t)dice(&seed) : 0;
		assert_non_null(inet_ntop(family, &want, text, sizeof(text)));
		h = hold(text);
		if (!ct_text_addr(&h.t, (uint8_t)family, &got))
			fail_msg("%s is an address", text);
		assert_memory_equal(&got, &want, sizeof(got));
		release(&h, "");
	}
}

/* Any bytes: nothing is read twice or beyond the end, and what fails moves nothing. */
static void test_any_bytes(void **state)
{
	static const char alphabet[] = "0123456789abfAF:.:.: \r\n,|";
	uint64_t seed = 2;

	for (int i = 0; i < 50000; i++) {
		char text[48];
		size_t n = dice(&seed) % sizeof(text);
		struct held h;
		const uint8_t *start;
		union ct_addr addr;

		for (size_t b = 0; b < n; b++)
			text[b] = alphabet[dice(&seed) % (sizeof(alphabet) - 1)];
		h = hold_bytes(text, n);
		start = h.t.p;
		if (!ct_text_addr(&h.t, i % 2 ? CT_AF_INET6 : CT_AF_INET, &addr))
			assert_ptr_equal(h.t.p, start);
		assert_true(h.t.p >= start && h.t.p <= h.t.end);
		free(h.memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_a_view), cmocka_unit_test(test_words),
		cmocka_unit_test(test_find),	  cmocka_unit_test(test_skip),
		cmocka_unit_test(test_numbers),	  cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),	  cmocka_unit_test(test_addresses_printed),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
