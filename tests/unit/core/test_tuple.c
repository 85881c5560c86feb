/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "core/key.h"
#include "packet.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static enum ct_reason build(const struct pk *p, struct ct_tuple *ret)
{
	struct ct_bytes v = {.data = p->b, .cap = p->len, .len = p->len};
	uint32_t detail[CT_DETAIL_MAX];
	struct ct_pkt pkt;

	assert_int_equal(ct_pkt_parse(&pkt, v, ct_pkt_family(v), detail), CT_REASON_NONE);
	return ct_tuple_build(ret, &pkt, 5, detail);
}

static void check_common(const struct ct_tuple *t, int family, uint8_t proto)
{
	int at = family == CT_AF_INET ? 3 : 15;

	assert_int_equal(t->family, family);
	assert_int_equal(t->proto, proto);
	assert_int_equal(t->zone, 5);
	assert_int_equal(t->src.b[at], 1);
	assert_int_equal(t->dst.b[at], 2);
	if (family == CT_AF_INET)
		assert_true(t->src.w[1] == 0 && t->src.q[1] == 0);
}

static void test_build(void **state)
{
	static const int families[] = {CT_AF_INET, CT_AF_INET6};
	struct ct_tuple t;
	struct pk p;

	for (size_t i = 0; i < 2; i++) {
		int f = families[i];

		pk_udp(&p, f, 1, 2, 1000, 53);
		assert_int_equal(build(&p, &t), CT_REASON_NONE);
		check_common(&t, f, 17);
		assert_int_equal(ntohs(t.src_id_be), 1000);
		assert_int_equal(ntohs(t.dst_id_be), 53);

		pk_icmp(&p, f, 1, 2, f == CT_AF_INET ? 8 : 128, 3, 0x1234, NULL);
		assert_int_equal(build(&p, &t), CT_REASON_NONE);
		check_common(&t, f, f == CT_AF_INET ? 1 : 58);
		assert_int_equal(ntohs(t.src_id_be), 0x1234);
		assert_int_equal(ct_tuple_icmp_type(&t), f == CT_AF_INET ? 8 : 128);
		assert_int_equal(ct_tuple_icmp_code(&t), 3);

		pk_ip(&p, f, 1, 2, 50, NULL, 0);
		assert_int_equal(build(&p, &t), CT_REASON_NONE);
		check_common(&t, f, 50);
		assert_int_equal(t.src_id_be, 0);
		assert_int_equal(t.dst_id_be, 0);
	}
}

/* Version 1 of GRE with PPP has a call id; all else goes by its addresses. */
static void test_build_gre(void **state)
{
	uint8_t h[8] = {0x30, 1, 0x88, 0x0b, 0, 9, 0x12, 0x34};
	struct ct_tuple t, inv;
	struct pk p;

	for (size_t n = 0; n <= sizeof(h); n++) {
		pk_ip(&p, CT_AF_INET6, 1, 2, 47, h, n);
		assert_int_equal(build(&p, &t), CT_REASON_NONE);
		check_common(&t, CT_AF_INET6, 47);
		assert_int_equal(t.src_id_be, 0);
		assert_int_equal(ntohs(t.dst_id_be), n == sizeof(h) ? 0x1234 : 0);
	}
	assert_true(ct_tuple_invert(&inv, &t));
	assert_int_equal(ntohs(inv.src_id_be), 0x1234);
	assert_int_equal(inv.dst_id_be, 0);
	for (unsigned int flags = 0; flags < 0x10000; flags++) {
		h[0] = (uint8_t)(flags >> 8);
		h[1] = (uint8_t)flags;
		pk_ip(&p, CT_AF_INET, 1, 2, 47, h, sizeof(h));
		assert_int_equal(build(&p, &t), CT_REASON_NONE);
		assert_int_equal(ntohs(t.dst_id_be), (flags & 7) == 1 ? 0x1234 : 0);
	}
	h[1] = 1;
	h[3] = 0x0c;
	pk_ip(&p, CT_AF_INET, 1, 2, 47, h, sizeof(h));
	assert_int_equal(build(&p, &t), CT_REASON_GRE_PROTOCOL);
}

/* Four bytes of ports are enough to name a flow: that is what ICMP errors quote. */
static void test_build_short(void **state)
{
	static const uint8_t bytes[8] = {0, 80, 0, 81, 9, 9, 9, 9};
	static const struct {
		uint8_t proto;
		size_t need;
	} rows[] = {{6, 4}, {17, 4}, {132, 4}, {136, 4}, {1, 8}, {50, 0}, {47, 0}};
	struct ct_tuple t;
	struct pk p;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t n = 0; n <= sizeof(bytes); n++) {
			pk_ip(&p, CT_AF_INET, 1, 2, rows[i].proto, bytes, n);
			assert_int_equal(build(&p, &t),
					 n >= rows[i].need ? CT_REASON_NONE : CT_REASON_L4_HEADER);
		}
}

static const uint8_t pairs4[][2] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}};
static const uint8_t pairs6[][2] = {{128, 129}, {139, 140}};

/* The type of the answer, or -1. */
static int spec_answer(uint8_t proto, int type)
{
	const uint8_t(*pairs)[2] = proto == 1 ? pairs4 : pairs6;
	size_t n = proto == 1 ? 4 : 2;

	for (size_t i = 0; i < n; i++) {
		if (pairs[i][0] == type)
			return pairs[i][1];
		if (pairs[i][1] == type)
			return pairs[i][0];
	}
	return -1;
}

static void check_icmp(uint8_t proto, uint8_t type)
{
	struct ct_tuple t = {.family = proto == 1 ? CT_AF_INET : CT_AF_INET6, .proto = proto};
	struct ct_tuple inv;
	int answer = spec_answer(proto, type);

	t.src.b[0] = 1;
	t.dst.b[0] = 2;
	t.src_id_be = 0x7788;
	((uint8_t *)&t.dst_id_be)[0] = type;
	((uint8_t *)&t.dst_id_be)[1] = 42;
	assert_int_equal(ct_tuple_invert(&inv, &t), answer >= 0);
	if (answer < 0)
		return;
	assert_int_equal(ct_tuple_icmp_type(&inv), answer);
	assert_int_equal(ct_tuple_icmp_code(&inv), 42);
	assert_int_equal(inv.src_id_be, 0x7788);
	assert_int_equal(inv.src.b[0], 2);
	assert_int_equal(inv.dst.b[0], 1);
}

static void test_invert_icmp(void **state)
{
	for (int type = 0; type < 256; type++) {
		check_icmp(1, (uint8_t)type);
		check_icmp(58, (uint8_t)type);
	}
}

static void random_tuple(struct ct_tuple *t, uint64_t *seed)
{
	static const uint8_t protos[] = {6, 17, 1, 58, 47, 132};

	memset(t, 0, sizeof(*t));
	t->proto = protos[dice(seed) % sizeof(protos)];
	t->family = t->proto == 58 || (t->proto != 1 && dice(seed) % 2) ? CT_AF_INET6 : CT_AF_INET;
	for (int i = 0; i < (t->family == CT_AF_INET ? 4 : 16); i++) {
		/* few values, so that equal and mirrored addresses come up */
		t->src.b[i] = dice(seed) % 2;
		t->dst.b[i] = dice(seed) % 2;
	}
	t->zone = dice(seed) % 2;
	t->src_id_be = htons((uint16_t)(dice(seed) % 3));
	t->dst_id_be = htons((uint16_t)(dice(seed) % 3));
	if (t->proto == 1)
		((uint8_t *)&t->dst_id_be)[0] = pairs4[dice(seed) % 4][dice(seed) % 2];
	if (t->proto == 58)
		((uint8_t *)&t->dst_id_be)[0] = pairs6[dice(seed) % 2][dice(seed) % 2];
}

/* The long way. */
static bool is_inverse(const struct ct_tuple *a, const struct ct_tuple *b)
{
	struct ct_tuple inverse;

	return ct_tuple_invert(&inverse, a) && memcmp(&inverse, b, sizeof(inverse)) == 0;
}

static void test_invert_twice(void **state)
{
	struct ct_siphash_key key = ct_siphash_key((const uint8_t *)"sixteen bytes ok");
	uint64_t seed = 7;

	for (int n = 0; n < 100000; n++) {
		struct ct_tuple t, inv, back;

		random_tuple(&t, &seed);
		assert_true(ct_tuple_invert(&inv, &t));
		assert_true(ct_tuple_invert(&back, &inv));
		assert_memory_equal(&back, &t, sizeof(t));
		assert_true(ct_tuple_equal(&back, &t));
		assert_true(ct_tuple_has_inverse(&t));
		assert_true(ct_tuple_is_inverse(&t, &inv) && ct_tuple_is_inverse(&inv, &t));
		((uint8_t *)&inv)[dice(&seed) % sizeof(inv)] ^= (uint8_t)(1 + dice(&seed) % 255);
		assert_int_equal(ct_tuple_is_inverse(&t, &inv), is_inverse(&t, &inv));
		assert_true(ct_tuple_invert(&inv, &t));
		assert_true(ct_tuple_hash(&t, &key) == ct_tuple_hash(&inv, &key));
	}
}

/* Every byte takes part in equality and, but for the direction, in the hash. */
static void test_every_byte(void **state)
{
	struct ct_siphash_key key = ct_siphash_key((const uint8_t *)"sixteen bytes ok");
	struct ct_tuple t = {.family = CT_AF_INET6, .proto = 17, .zone = 9};

	memset(&t.src, 0x11, 16);
	memset(&t.dst, 0x22, 16);
	t.src_id_be = 3;
	t.dst_id_be = 4;
	for (size_t i = 0; i < sizeof(t); i++) {
		struct ct_tuple u = t;

		if (i == offsetof(struct ct_tuple, family))
			u.family = CT_AF_INET; /* there is no third one */
		else
			((uint8_t *)&u)[i] ^= 0x40;
		assert_false(ct_tuple_equal(&t, &u));
		assert_true(ct_tuple_hash(&t, &key) != ct_tuple_hash(&u, &key));
	}
}

/* Neighbouring hosts and ports spread over the buckets: chi-square against even. */
static void test_spread(void **state)
{
	enum { BUCKETS = 256, TUPLES = 256 * 256 };
	struct ct_siphash_key key = ct_siphash_key((const uint8_t *)"sixteen bytes ok");
	static unsigned int count[BUCKETS];
	double chi = 0, even = (double)TUPLES / BUCKETS;

	memset(count, 0, sizeof(count));
	for (uint32_t i = 0; i < TUPLES; i++) {
		struct ct_tuple t = {.family = CT_AF_INET, .proto = 6};

		t.src.w[0] = htonl(0x0a000000 | i / 256);
		t.dst.w[0] = htonl(0x0a010001);
		t.src_id_be = htons((uint16_t)(1024 + i % 256));
		t.dst_id_be = htons(80);
		count[ct_tuple_hash(&t, &key) % BUCKETS]++;
	}
	for (int i = 0; i < BUCKETS; i++)
		chi += (count[i] - even) * (count[i] - even) / even;
	/* 255 degrees of freedom: 255 on average, above 350 once in 10^4 keys */
	assert_true(chi < 350);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build),	     cmocka_unit_test(test_build_short),
		cmocka_unit_test(test_build_gre),    cmocka_unit_test(test_invert_icmp),
		cmocka_unit_test(test_invert_twice), cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_spread),
	};

	return cmocka_run_group_tests_name("tuple", tests, NULL, NULL);
}
