/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Reading headers: where the transport part is found, and every way a packet can be too short.
 *
 * Truncated packets are copied to memory of exactly their size, so that a read beyond it shows
 * under the address sanitizer.
 */

#include "core/pkt.h"
#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Hop-by-hop, routing, destination options, authentication, first and only fragment; then UDP. */
static const uint8_t ext_chain[] = {
	43, 0, 1, 4, 0, 0, 0, 0,			 /* hop-by-hop, 8 bytes */
	60, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* routing, 16 bytes */
	51, 0, 1, 4, 0, 0, 0, 0,			 /* destination, 8 bytes */
	44, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1,		 /* authentication, (1 + 2) * 4 bytes */
	17, 0, 0, 0, 0, 0, 0, 9,			 /* fragment: offset 0, no more */
};

static void udp_with_options(struct pk *p)
{
	static const uint8_t router_alert[4] = {0x94, 4, 0, 0};

	pk_udp(p, CT_AF_INET, 1, 2, 1000, 53);
	pk_insert(p, router_alert, sizeof(router_alert), 0);
}

static void udp_with_ext(struct pk *p)
{
	pk_udp(p, CT_AF_INET6, 1, 2, 1000, 53);
	pk_insert(p, ext_chain, sizeof(ext_chain), 0);
}

static enum ct_reason parse(const struct pk *p, struct ct_pkt *ret)
{
	struct ct_bytes v = {.data = p->b, .cap = p->len, .len = p->len};
	uint32_t detail[CT_DETAIL_MAX];

	return ct_pkt_parse(ret, v, ct_pkt_family(v), detail);
}

static void test_where(void **state)
{
	static void (*const make[])(struct pk *) = {udp_with_options, udp_with_ext};
	struct ct_pkt got;
	struct pk p;

	for (size_t i = 0; i < 2; i++) {
		make[i](&p);
		assert_int_equal(parse(&p, &got), CT_REASON_NONE);
		assert_ptr_equal(got.l4.data, p.b + p.l4);
		assert_int_equal(got.l4.len, p.len - p.l4);
		assert_int_equal(got.l4.cap, p.len - p.l4);
		assert_int_equal(got.proto, 17);
		assert_int_equal(got.hoplimit, 64);
		assert_false(got.fragment);
		assert_int_equal(got.family, i == 0 ? CT_AF_INET : CT_AF_INET6);
		assert_memory_equal(got.src.b, p.b + (i == 0 ? 12 : 8), i == 0 ? 4 : 16);
		assert_memory_equal(got.dst.b, p.b + (i == 0 ? 16 : 24), i == 0 ? 4 : 16);
	}
}

/* Judges the first cap bytes of a packet that claims to have len. */
static struct ct_result judge(const struct pk *p, uint32_t cap, uint32_t len)
{
	struct ct_input in = pk_input(p, SEC);
	uint8_t *copy = malloc(cap ? cap : 1);
	struct ct_result out;
	struct engine e;

	assert_non_null(copy);
	memcpy(copy, p->b, cap);
	in.data = copy;
	in.caplen = cap;
	in.len = len;
	engine_open(&e, 1);
	ct_track(&e.th, &in, &out);
	assert_int_equal(ct_count(e.th.ct), out.info == CT_INFO_NEW);
	engine_close(&e);
	free(copy);
	return out;
}

/* Cut to fewer than end bytes (and not fewer than the row before says), reason is what is wrong. */
struct region {
	uint32_t end;
	enum ct_reason reason;
};

static enum ct_reason expected(const struct region *r, uint32_t n)
{
	while (n >= r->end)
		r++;
	return r->reason;
}

/* A packet cut to every length is INVALID, for the right reason; whole it is NEW. */
static void cut_everywhere(const struct pk *p, const struct region *regions)
{
	for (uint32_t n = 0; n < p->len; n++) {
		struct ct_result out = judge(p, n, n);
		enum ct_reason want = expected(regions, n);

		assert_int_equal(out.info, CT_INFO_INVALID);
		if (out.reason != want)
			fail_msg("%u of %u bytes: %s, not %s", n, p->len,
				 ct_reason_name(out.reason), ct_reason_name(want));
	}
	assert_int_equal(judge(p, p->len, p->len).info, CT_INFO_NEW);
}

/* The same packet, of which only a part was copied: the headers decide, and never wrongly. */
static void copied_everywhere(const struct pk *p, uint32_t headers)
{
	for (uint32_t n = 0; n < p->len; n++) {
		struct ct_result out = judge(p, n, p->len);
		enum ct_reason want = CT_REASON_COPY_RANGE;

		if (n >= headers)
			want = CT_REASON_NONE;
		else if (n == 0) /* not even the family is known */
			want = CT_REASON_IP_HEADER;
		if (out.reason != want)
			fail_msg("%u bytes copied: %s, not %s", n, ct_reason_name(out.reason),
				 ct_reason_name(want));
		assert_int_equal(out.info, n >= headers ? CT_INFO_NEW : CT_INFO_INVALID);
	}
}

#define NEVER UINT32_MAX, CT_REASON_NONE

static void test_cut_udp4_options(void **state)
{
	static const struct region regions[] = {
		{24, CT_REASON_IP_HEADER},
		{32, CT_REASON_L4_HEADER},
		{36, CT_REASON_UDP_LENGTH},
		{NEVER},
	};
	struct pk p;

	udp_with_options(&p);
	cut_everywhere(&p, regions);
	copied_everywhere(&p, 32);
}

static void test_cut_udp6_ext(void **state)
{
	/* of the fragment header, the last one, the first four bytes are read */
	static const struct region regions[] = {
		{40, CT_REASON_IP_HEADER},
		{88, CT_REASON_IP6_EXT_HEADER},
		{100, CT_REASON_L4_HEADER},
		{104, CT_REASON_UDP_LENGTH},
		{NEVER},
	};
	struct pk p;

	udp_with_ext(&p);
	assert_int_equal(p.l4, 92);
	cut_everywhere(&p, regions);
	copied_everywhere(&p, 100);
}

/* A SYN with one option: four bytes behind the header. */
static void test_cut_tcp_option(void **state)
{
	static const uint8_t syn[24] = {0,	9,	0,    9,    0, 0, 0, 1, 0, 0, 0, 0,
					6 << 4, PK_SYN, 0xff, 0xff, 0, 0, 0, 0, 2, 4, 5, 0xb4};
	static const struct region regions[] = {
		{20, CT_REASON_IP_HEADER},
		{40, CT_REASON_L4_HEADER},
		{44, CT_REASON_TCP_OFFSET},
		{NEVER},
	};
	struct pk p;

	pk_ip(&p, CT_AF_INET, 1, 2, 6, syn, sizeof(syn));
	pk_fix_checksum(&p, 16);
	cut_everywhere(&p, regions);
	copied_everywhere(&p, 44);
}

static void test_cut_icmp(void **state)
{
	static const struct region v4[] = {
		{20, CT_REASON_IP_HEADER}, {28, CT_REASON_L4_HEADER}, {NEVER}};
	static const struct region v6[] = {
		{40, CT_REASON_IP_HEADER}, {48, CT_REASON_L4_HEADER}, {NEVER}};
	struct pk p;

	pk_icmp(&p, CT_AF_INET, 1, 2, 8, 0, 77, NULL);
	cut_everywhere(&p, v4);
	copied_everywhere(&p, 28);
	pk_icmp(&p, CT_AF_INET6, 1, 2, 128, 0, 77, NULL);
	cut_everywhere(&p, v6);
	copied_everywhere(&p, 48);
}

/* An ICMP error about a known flow, of which the queue copied less and less. */
static void test_copied_error(void **state)
{
	struct ct_result out;
	struct ct_input in;
	struct engine e;
	struct pk lost, p;

	engine_open(&e, 4);
	pk_udp(&lost, CT_AF_INET6, 1, 2, 3, 4);
	engine_track(&e, &lost, SEC);
	pk_icmp(&p, CT_AF_INET6, 9, 1, 1, 4, 0, &lost);
	for (uint32_t n = 48; n <= p.len; n++) {
		in = pk_input(&p, SEC);
		in.caplen = n;
		ct_track(&e.th, &in, &out);
		/* the quoted IP header and four bytes of ports */
		assert_int_equal(out.info, n < 48 + 44 ? CT_INFO_INVALID : CT_INFO_RELATED_REPLY);
		assert_int_equal(out.reason, n < 48 + 44 ? CT_REASON_COPY_RANGE : CT_REASON_NONE);
		if (n == p.len)
			break;
		in.len = n;
		in.csum_unverified = false;
		ct_track(&e.th, &in, &out);
		assert_int_equal(out.reason,
				 n < 48 + 44 ? CT_REASON_ICMP_QUOTE_SHORT : CT_REASON_NONE);
	}
	engine_close(&e);
}

/* The numbers behind a reason: what was there, and what it takes. */
static void test_details(void **state)
{
	struct ct_result out;
	const uint32_t *n = out.events[0].detail;
	struct pk p;

	udp_with_ext(&p);
	out = judge(&p, 41, 41); /* one byte of the hop-by-hop header, which is number 0 */
	assert_true(n[0] == 0 && n[1] == 41 && n[2] == 42);
	out = judge(&p, 49, 49); /* one byte of the routing header */
	assert_true(n[0] == 43 && n[1] == 49 && n[2] == 50);
	out = judge(&p, 49, p.len);
	assert_int_equal(out.reason, CT_REASON_COPY_RANGE);
	assert_true(n[0] == 49 && n[1] == 50);
	out = judge(&p, 95, 95);
	assert_true(n[0] == 3 && n[1] == 8);
	udp_with_options(&p);
	out = judge(&p, 23, 23);
	assert_true(n[0] == 23 && n[1] == 24);
	out = judge(&p, 33, 33);
	assert_true(n[0] == 12 && n[1] == 9); /* the length field, and what is there */
}

static void test_fragments(void **state)
{
	static const uint8_t later6[8] = {17, 0, 0x05, 0x58, 0, 0, 0, 9};
	static const uint8_t first6[8] = {17, 0, 0, 1, 0, 0, 0, 9};
	struct ct_pkt got;
	struct pk p;

	pk_udp(&p, CT_AF_INET, 1, 2, 3, 4);
	p.b[6] = 0x20; /* more fragments */
	assert_int_equal(parse(&p, &got), CT_REASON_NONE);
	assert_true(got.fragment);
	p.b[6] = 0x40; /* do not fragment */
	assert_int_equal(parse(&p, &got), CT_REASON_NONE);
	assert_false(got.fragment);
	for (unsigned int offset = 1; offset < 0x2000; offset++) {
		p.b[6] = (uint8_t)(offset >> 8);
		p.b[7] = (uint8_t)offset;
		assert_int_equal(parse(&p, &got), CT_REASON_IP_FRAGMENT);
	}

	pk_udp(&p, CT_AF_INET6, 1, 2, 3, 4);
	pk_insert(&p, first6, sizeof(first6), 44);
	assert_int_equal(parse(&p, &got), CT_REASON_NONE);
	assert_true(got.fragment);
	pk_udp(&p, CT_AF_INET6, 1, 2, 3, 4);
	pk_insert(&p, later6, sizeof(later6), 44);
	assert_int_equal(parse(&p, &got), CT_REASON_IP_FRAGMENT);
}

/* What is no extension header is the transport protocol, whether anybody knows it or not. */
static void test_next_header(void **state)
{
	static const uint8_t ext[] = {0, 43, 44, 51, 60};
	static const uint8_t zeros[64];
	struct ct_pkt got;
	struct pk p;

	for (unsigned int next = 0; next < 256; next++) {
		pk_ip(&p, CT_AF_INET6, 1, 2, (uint8_t)next, zeros, 0);
		if (memchr(ext, (int)next, sizeof(ext))) {
			assert_int_equal(parse(&p, &got), CT_REASON_IP6_EXT_HEADER);
		} else if (next == 59) {
			assert_int_equal(parse(&p, &got), CT_REASON_IP6_NO_NEXT);
		} else {
			assert_int_equal(parse(&p, &got), CT_REASON_NONE);
			assert_int_equal(got.proto, next);
			assert_int_equal(got.l4.len, 0);
		}
	}
}

/* A chain of headers as long as a packet can be ends, and a header may not be longer than it. */
static void test_long_chain(void **state)
{
	struct ct_pkt got;
	struct pk p;
	uint8_t chain[440] = {0};

	pk_udp(&p, CT_AF_INET6, 1, 2, 3, 4);
	for (size_t i = 0; i < sizeof(chain); i += 8)
		chain[i] = 60;
	chain[sizeof(chain) - 8] = 17;
	pk_insert(&p, chain, sizeof(chain), 0);
	assert_int_equal(parse(&p, &got), CT_REASON_NONE);
	assert_int_equal(got.l4.len, p.len - p.l4);
	p.b[p.l4 - 7] = 255; /* 2048 bytes */
	assert_int_equal(parse(&p, &got), CT_REASON_NONE);
	assert_int_equal(got.l4.len, 0);
	assert_int_equal(judge(&p, p.len, p.len).reason, CT_REASON_L4_HEADER);
}

static void test_families(void **state)
{
	for (unsigned int first = 0; first < 256; first++) {
		uint8_t b[64] = {(uint8_t)first};
		struct ct_bytes v = {.data = b, .cap = sizeof(b), .len = sizeof(b)};
		uint8_t want = 0;

		if (first >> 4 == 4)
			want = CT_AF_INET;
		if (first >> 4 == 6)
			want = CT_AF_INET6;
		assert_int_equal(ct_pkt_family(v), want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where),	     cmocka_unit_test(test_cut_udp4_options),
		cmocka_unit_test(test_cut_udp6_ext), cmocka_unit_test(test_cut_tcp_option),
		cmocka_unit_test(test_cut_icmp),     cmocka_unit_test(test_copied_error),
		cmocka_unit_test(test_details),	     cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_next_header),  cmocka_unit_test(test_long_chain),
		cmocka_unit_test(test_families),
	};

	return cmocka_run_group_tests_name("pkt", tests, NULL, NULL);
}
