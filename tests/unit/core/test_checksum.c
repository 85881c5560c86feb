/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Transport checksums against the long division of packet.c, and when they are looked at. */

#include "core/checksum.h"
#include "core/crc32c.h"
#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	uint8_t proto;
	uint32_t at, header;
} protos[] = {{6, 16, 20}, {17, 6, 8}, {1, 2, 8}, {58, 2, 8}};

#define PROTOS (sizeof(protos) / sizeof(protos[0]))

static bool is_ok(const struct pk *p, size_t proto, uint32_t detail[2])
{
	/* at an odd address as well as at an even one */
	static _Alignas(8) uint8_t room[PK_MAX + 1];
	uint8_t *data = room + p->len % 2;
	struct ct_bytes v = {.data = data, .cap = p->len, .len = p->len};
	uint32_t numbers[CT_DETAIL_MAX];
	struct ct_pkt pkt;

	memcpy(data, p->b, p->len);
	assert_int_equal(ct_pkt_parse(&pkt, v, ct_pkt_family(v), numbers), CT_REASON_NONE);
	return ct_checksum_ok(&pkt, protos[proto].at, detail);
}

static void random_packet(struct pk *p, size_t proto, size_t data, uint64_t *seed)
{
	uint8_t l4[256];
	bool six = protos[proto].proto == 58 || (protos[proto].proto != 1 && dice(seed) % 2);

	for (size_t i = 0; i < protos[proto].header + data; i++)
		l4[i] = (uint8_t)(dice(seed) % 3 ? dice(seed) : 0xff);
	pk_ip(p, six ? CT_AF_INET6 : CT_AF_INET, (uint32_t)dice(seed) & 0xffffff, 2,
	      protos[proto].proto, l4, protos[proto].header + data);
	pk_fix_checksum(p, protos[proto].at);
}

static void test_right(void **state)
{
	uint32_t detail[2];
	uint64_t seed = 3;
	struct pk p;

	for (size_t proto = 0; proto < PROTOS; proto++)
		for (size_t data = 0; data < 200; data++) {
			random_packet(&p, proto, data, &seed);
			assert_true(is_ok(&p, proto, detail));
		}
}

/* One wrong bit anywhere in the transport part is found, and the numbers say by how much. */
static void test_every_bit(void **state)
{
	uint32_t detail[2];
	uint64_t seed = 4;
	struct pk p;

	for (size_t proto = 0; proto < PROTOS; proto++) {
		random_packet(&p, proto, 41, &seed);
		for (uint32_t bit = 0; bit < (p.len - p.l4) * 8; bit++) {
			uint8_t *field = p.b + p.l4 + protos[proto].at;

			p.b[p.l4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(is_ok(&p, proto, detail));
			assert_int_equal(detail[0], field[0] << 8 | field[1]);
			field[0] = (uint8_t)(detail[1] >> 8);
			field[1] = (uint8_t)detail[1];
			assert_true(is_ok(&p, proto, detail)); /* what was expected is right */
			random_packet(&p, proto, 41, &seed);
		}
	}
}

/* A UDP datagram with one byte changed, under these circumstances. */
static struct ct_result judge(uint8_t hook, bool unverified, bool config, uint32_t cap, bool zero)
{
	struct ct_input in;
	struct ct_result out;
	struct engine e;
	struct pk p;

	pk_udp(&p, CT_AF_INET, 1, 2, 3, 4);
	p.b[p.len - 1] ^= 1;
	if (zero)
		memset(p.b + p.l4 + 6, 0, 2);
	in = pk_input(&p, SEC);
	in.hook = hook;
	in.csum_unverified = unverified;
	in.caplen = cap ? cap : p.len;
	engine_open(&e, 1);
	e.cfg.checksum = config;
	ct_track(&e.th, &in, &out);
	assert_int_equal(engine_stat(&e, CT_STAT_CSUM_SKIPPED), cap && unverified && config);
	engine_close(&e);
	return out;
}

static void test_when(void **state)
{
	struct ct_result out = judge(CT_HOOK_PREROUTING, true, true, 0, false);

	assert_int_equal(out.info, CT_INFO_INVALID);
	assert_int_equal(out.reason, CT_REASON_CHECKSUM);
	assert_int_equal(out.events[0].reason, CT_REASON_CHECKSUM);
	/* sent by this host, verified by the card, not wanted, not copied, not computed */
	assert_int_equal(judge(CT_HOOK_OUTPUT, true, true, 0, false).info, CT_INFO_NEW);
	assert_int_equal(judge(CT_HOOK_PREROUTING, false, true, 0, false).info, CT_INFO_NEW);
	assert_int_equal(judge(CT_HOOK_PREROUTING, true, false, 0, false).info, CT_INFO_NEW);
	assert_int_equal(judge(CT_HOOK_PREROUTING, true, true, 30, false).info, CT_INFO_NEW);
	assert_int_equal(judge(CT_HOOK_PREROUTING, true, true, 0, true).info, CT_INFO_NEW);
}

/* Every tracker that has a checksum looks at it. */
static void test_trackers(void **state)
{
	struct engine e;
	struct pk p[4];

	pk_tcp(&p[0], CT_AF_INET6, 1, 2, 3, 4, PK_SYN, 1, 0);
	pk_udp(&p[1], CT_AF_INET6, 1, 2, 3, 4);
	pk_icmp(&p[2], CT_AF_INET, 1, 2, 8, 0, 1, NULL);
	pk_icmp(&p[3], CT_AF_INET6, 1, 2, 128, 0, 1, NULL);
	engine_open(&e, 8);
	for (int i = 0; i < 4; i++) {
		uint8_t *last = &p[i].b[p[i].len - 1];

		*last ^= 1;
		assert_int_equal(engine_track(&e, &p[i], SEC).reason, CT_REASON_CHECKSUM);
		*last ^= 1;
		assert_int_equal(engine_track(&e, &p[i], SEC).info, CT_INFO_NEW);
	}
	engine_close(&e);
}

/* CRC32c bit by bit. */
static uint32_t long_division(const uint8_t *bytes, size_t n)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < n * 8; i++) {
		uint32_t bit = (crc ^ (uint32_t)bytes[i / 8] >> i % 8) & 1;

		crc = crc >> 1 ^ (bit ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static void test_crc32c(void **state)
{
	static uint8_t bytes[300];
	uint64_t seed = 5;

	assert_int_equal(ct_crc32c(0, (const uint8_t *)"123456789", 9), 0xe3069283);
	assert_int_equal(ct_crc32c(0, bytes, 32), 0x8a9136aa); /* RFC 3720, B.4 */
	assert_int_equal(ct_crc32c(0, bytes, 0), 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)dice(&seed);
	for (size_t n = 0; n < 280; n++) {
		const uint8_t *at = bytes + n % 9;
		uint32_t want = long_division(at, n), part = ct_crc32c(0, at, n / 3);

		assert_int_equal(ct_crc32c(0, at, n), want);
		assert_int_equal(ct_crc32c(part, at + n / 3, n - n / 3), want);
	}
	for (unsigned int i = 0; i < 8 * 256; i++) {
		uint8_t group[8] = {0};

		group[i / 256] = (uint8_t)i; /* every entry of every table */
		assert_int_equal(ct_crc32c(0, group, 8), long_division(group, 8));
	}
}

/* UDP-Lite as the kernel verifies it: the sum of UDP over the covered bytes and the true length. */
static void test_udplite(void **state)
{
	uint32_t detail[2];
	uint64_t seed = 6;

	for (uint32_t covered = 8; covered <= 60; covered++) {
		struct pk p;
		struct ct_bytes v;
		struct ct_pkt pkt;
		uint32_t numbers[CT_DETAIL_MAX];
		uint8_t l4[60] = {0}, *field;

		for (size_t i = 0; i < covered; i++)
			l4[i] = (uint8_t)dice(&seed);
		pk_ip(&p, covered % 2 ? CT_AF_INET : CT_AF_INET6, 1, 2, 17, l4, sizeof(l4));
		pk_fix_checksum(&p, 6); /* with zeros where nothing is covered */
		for (size_t i = covered; i < sizeof(l4); i++)
			p.b[p.l4 + i] = (uint8_t)dice(&seed);
		p.b[covered % 2 ? 9 : 6] = 136;
		v = (struct ct_bytes){.data = p.b, .cap = p.len, .len = p.len};
		assert_int_equal(ct_pkt_parse(&pkt, v, ct_pkt_family(v), numbers), CT_REASON_NONE);
		assert_true(ct_checksum_part_ok(&pkt, 6, covered, detail));
		field = p.b + p.l4 + covered - 1;
		*field ^= 1;
		assert_false(ct_checksum_part_ok(&pkt, 6, covered, detail));
	}
}

/* Nothing but zeros beside the field adds up to nothing: it should be all ones. */
static void test_zeros(void **state)
{
	uint8_t message[8] = {0}; /* an ICMP echo reply, which has no pseudo header */
	uint32_t detail[2];
	struct pk p;

	for (message[3] = 0; message[3] < 2; message[3]++) {
		pk_ip(&p, CT_AF_INET, 1, 2, 1, message, sizeof(message));
		assert_false(is_ok(&p, 2, detail));
		assert_int_equal(detail[0], message[3]);
		assert_int_equal(detail[1], 0xffff);
	}
	memset(p.b + p.l4 + 2, 0xff, 2);
	assert_true(is_ok(&p, 2, detail));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),  cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_when),   cmocka_unit_test(test_trackers),
		cmocka_unit_test(test_crc32c), cmocka_unit_test(test_udplite),
		cmocka_unit_test(test_zeros),
	};

	return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
