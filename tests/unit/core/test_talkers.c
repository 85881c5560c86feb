/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who is named as the one that fills the table, and who is not. */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/pkt.h"
#include "core/table.h"

#define MAX    65536
#define SERVER 0xffffff

struct table {
	struct engine e;
	uint64_t dice;
	uint32_t made;
};

/* With so many buckets: up to some thousands, all of them are looked at. */
static void open_table(struct table *t, uint32_t buckets)
{
	engine_open(&t->e, MAX);
	assert_true(buckets - 1 <= t->e.th.ct->bucket_mask);
	t->e.th.ct->bucket_mask = buckets - 1;
	t->dice = 7;
	t->made = 0;
}

/* n flows from one host to a port of another. */
static void add(struct table *t, int family, uint32_t n, uint32_t src, uint32_t dst, uint16_t dport)
{
	struct pk p;

	for (uint32_t i = 0; i < n; i++) {
		pk_udp(&p, family, src, dst, (uint16_t)(1000 + i), dport);
		assert_int_equal(engine_track(&t->e, &p, SEC).info, CT_INFO_NEW);
		t->made++;
	}
}

/* n flows, each from anywhere to anywhere. */
static void add_noise(struct table *t, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t d = dice(&t->dice);

		add(t, CT_AF_INET, 1, 0x10000 | (uint32_t)(d & 0x7fffff),
		    0x800000 | (uint32_t)(d >> 24 & 0x7fffff), (uint16_t)(d >> 48));
	}
}

static struct ct_talkers look(struct table *t)
{
	struct ct_talkers who;

	memset(&who, 0xee, sizeof(who));
	assert_int_equal(ct_count(t->e.th.ct), t->made);
	ct_talkers(t->e.th.ct, dice(&t->dice), &who);
	return who;
}

static void check(const struct ct_talker *t, uint8_t family, uint32_t host, uint8_t prefix,
		  uint32_t permille, uint32_t slack)
{
	const uint8_t *b = t->party.addr.b;

	assert_int_equal(t->party.family, family);
	assert_int_equal(t->party.prefix, prefix);
	if (family == CT_AF_INET)
		assert_int_equal(b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3], 10u << 24 | host);
	assert_in_range(t->permille, permille - slack, permille + slack);
}

/* A small table is looked at as a whole, so that the shares are exact. */
static void test_shares(void **state)
{
	struct ct_talkers who;
	struct table t;

	open_table(&t, 1024);
	add(&t, CT_AF_INET, 400, 7, SERVER, 53);
	add(&t, CT_AF_INET, 100, 0x20300, SERVER, 80);
	add(&t, CT_AF_INET, 60, 0x30300, SERVER - 1, 80);
	add(&t, CT_AF_INET, 50, 0x40300, SERVER - 2, 80);
	add_noise(&t, 390);
	who = look(&t);
	assert_int_equal(who.sample, 1000);
	assert_int_equal(who.nsources, 3);
	check(&who.source[0], CT_AF_INET, 7, 32, 400, 0);
	check(&who.source[1], CT_AF_INET, 0x20300, 32, 100, 0);
	check(&who.source[2], CT_AF_INET, 0x30300, 32, 60, 0);
	assert_true(who.has_target && who.target.party.service);
	check(&who.target, CT_AF_INET, SERVER, 32, 400, 0);
	assert_int_equal(who.target.party.proto, CT_PROTO_UDP);
	assert_int_equal(who.target.party.port_be, htobe16(53));
	engine_close(&t.e);
}

/* Of a large one a sample is looked at: no share is off by more than chance does. */
static void test_sample(void **state)
{
	struct ct_talkers who;
	struct table t;

	open_table(&t, MAX / 2);
	add(&t, CT_AF_INET, 16000, 7, SERVER, 53);
	add(&t, CT_AF_INET, 5000, 0x20300, SERVER, 53);
	add_noise(&t, 40000 - 21000);
	for (unsigned int i = 0; i < 50; i++) {
		who = look(&t);
		assert_in_range(who.sample, CT_TALKERS_SAMPLE - 8, CT_TALKERS_SAMPLE);
		assert_int_equal(who.nsources, 2);
		check(&who.source[0], CT_AF_INET, 7, 32, 400, 32); /* four standard deviations */
		check(&who.source[1], CT_AF_INET, 0x20300, 32, 125, 22);
		check(&who.target, CT_AF_INET, SERVER, 32, 525, 32);
	}
	engine_close(&t.e);
}

/* A flood from everywhere has no source, but a destination; many ports of it are none of them. */
static void test_no_source(void **state)
{
	struct ct_talkers who;
	struct table t;
	struct pk p;

	open_table(&t, MAX / 2);
	for (uint32_t i = 0; i < 9000; i++, t.made++) {
		pk_tcp(&p, CT_AF_INET, 0x10000 | (uint32_t)(dice(&t.dice) & 0x7fffff), SERVER,
		       (uint16_t)i, 443, PK_SYN, 1, 0);
		(void)engine_track(&t.e, &p, SEC);
	}
	t.made = ct_count(t.e.th.ct);
	who = look(&t);
	assert_int_equal(who.nsources, 0);
	check(&who.target, CT_AF_INET, SERVER, 32, 1000, 1);
	assert_int_equal(who.target.party.proto, CT_PROTO_TCP);
	for (uint32_t i = 0; i < 20000; i++)
		add(&t, CT_AF_INET, 1, 0x10000 | (uint32_t)(dice(&t.dice) & 0x7fffff), SERVER - 1,
		    (uint16_t)i);
	who = look(&t);
	assert_int_equal(who.nsources, 0);
	assert_false(who.target.party.service);
	assert_int_equal(who.target.party.port_be, 0);
	check(&who.target, CT_AF_INET, SERVER - 1, 32, 690, 35);
	engine_close(&t.e);
}

/* Nobody is named for a share that anybody could have, and nothing of an empty table. */
static void test_nobody(void **state)
{
	struct ct_talkers who;
	struct table t;

	open_table(&t, 8192);
	who = look(&t);
	assert_true(who.sample == 0 && who.nsources == 0 && !who.has_target);
	add(&t, CT_AF_INET, 7, 7, SERVER, 53); /* all there is, but what is seven? */
	who = look(&t);
	assert_true(who.sample == 7 && who.nsources == 0 && !who.has_target);
	add_noise(&t, 20000);
	add(&t, CT_AF_INET, 600, 8, SERVER, 53);
	for (unsigned int i = 0; i < 50; i++) {
		who = look(&t);
		assert_true(who.nsources == 0 && !who.has_target);
	}
	engine_close(&t.e);
}

/* Many hosts of one network are that network; its flows beside a large host are what is left. */
static void test_networks(void **state)
{
	struct ct_talkers who;
	struct table t;

	open_table(&t, 2048);
	for (uint32_t i = 0; i < 5; i++)
		add(&t, CT_AF_INET, 120, 0x20300 | i, SERVER, 53);
	add(&t, CT_AF_INET, 500, 0x40507, SERVER, 53);
	for (uint32_t i = 10; i < 210; i++)
		add(&t, CT_AF_INET, 1, 0x40500 | i, SERVER, 53);
	add(&t, CT_AF_INET, 120, 0x40508, SERVER,
	    53); /* less than half of it, but not one of many */
	add_noise(&t, 2000 - 1420);
	who = look(&t);
	assert_int_equal(who.sample, 2000);
	assert_int_equal(who.nsources, 3);
	check(&who.source[0], CT_AF_INET, 0x20300, 24, 300, 0);
	check(&who.source[1], CT_AF_INET, 0x40507, 32, 250, 0);
	check(&who.source[2], CT_AF_INET, 0x40500, 24, 100, 4); /* noise in front of them */
	add(&t, CT_AF_INET, 100, 0x40508, SERVER, 54);
	who = look(&t);
	check(&who.source[2], CT_AF_INET, 0x40508, 32, 104, 1);
	engine_close(&t.e);
}

/* Of IPv6 a /64 is one source: its hosts have more addresses than there are flows. */
static void test_ipv6(void **state)
{
	static const uint8_t net[16] = {0x20, 1, 0xd, 0xb8};
	struct ct_talkers who;
	struct table t;
	struct pk p;

	open_table(&t, 1024);
	for (uint32_t i = 0; i < 1000; i++, t.made++) {
		pk_udp(&p, CT_AF_INET6, 1, SERVER, (uint16_t)i, 53);
		memcpy(p.b + 16, &(uint64_t){dice(&t.dice)}, 8);
		pk_fix_checksum(&p, 6);
		assert_int_equal(engine_track(&t.e, &p, SEC).info, CT_INFO_NEW);
	}
	who = look(&t);
	assert_int_equal(who.nsources, 1);
	check(&who.source[0], CT_AF_INET6, 0, 64, 1000, 0);
	assert_int_equal(memcmp(who.source[0].party.addr.b, net, 4), 0);
	assert_int_equal(memcmp(who.source[0].party.addr.b + 8, (uint8_t[8]){0}, 8), 0);
	assert_int_equal(who.target.party.prefix, 128);
	assert_int_equal(who.target.party.addr.b[15], 0xff);
	engine_close(&t.e);
}

/* The same address in two zones is two hosts. */
static void test_zones(void **state)
{
	struct ct_talkers who;
	struct table t;
	struct pk p;

	open_table(&t, 1024);
	for (uint32_t i = 0; i < 90; i++, t.made++) {
		struct ct_input in;
		struct ct_result out;

		pk_udp(&p, CT_AF_INET, 7, SERVER, (uint16_t)i, 53);
		in = pk_input(&p, SEC);
		in.zone = i % 3 ? 5 : 0;
		ct_track(&t.e.th, &in, &out);
	}
	who = look(&t);
	assert_int_equal(who.nsources, 2);
	check(&who.source[0], CT_AF_INET, 7, 32, 666, 0);
	assert_int_equal(who.source[0].party.zone, 5);
	check(&who.source[1], CT_AF_INET, 7, 32, 333, 0);
	assert_int_equal(who.source[1].party.zone, 0);
	engine_close(&t.e);
}

/* However long the chains are: from each only the head is taken, so that no packet waits long. */
static void test_long_chains(void **state)
{
	struct ct_talkers who;
	struct table t;

	open_table(&t, CT_STRIPES);
	add(&t, CT_AF_INET, 3000, 7, SERVER, 53);
	add_noise(&t, 3000);
	who = look(&t);
	assert_int_equal(who.sample, 8 * CT_STRIPES);
	engine_close(&t.e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),	  cmocka_unit_test(test_sample),
		cmocka_unit_test(test_no_source), cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_networks),  cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_zones),	  cmocka_unit_test(test_long_chains),
	};

	return cmocka_run_group_tests_name("talkers", tests, NULL, NULL);
}
