/* SPDX-License-Identifier: GPL-2.0-or-later */

/* GRE and UDP-Lite where packet scripts cannot go: reloads, fragments, packets copied in part. */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t v1[16] = {0x30, 1, 0x88, 0x0b, 0, 4, 0, 5};

static struct ct_result gre(struct engine *e, uint32_t src, uint32_t dst, uint32_t cap)
{
	struct ct_result out;
	struct ct_input in;
	struct pk p;

	pk_ip(&p, CT_AF_INET, src, dst, 47, v1, sizeof(v1));
	in = pk_input(&p, SEC);
	in.caplen = cap ? p.l4 + cap : p.len;
	ct_track(&e->th, &in, &out);
	return out;
}

/* A tunnel keeps the timeouts that it began with. */
static void test_timeouts_stay(void **state)
{
	static const uint8_t v0[4] = {0, 0, 8, 0};
	struct engine e;
	struct pk p, answer;

	pk_ip(&p, CT_AF_INET, 1, 2, 47, v0, sizeof(v0));
	pk_ip(&answer, CT_AF_INET, 2, 1, 47, v0, sizeof(v0));
	engine_open(&e, 4);
	engine_track(&e, &p, SEC);
	e.cfg.timeout_ns[CT_TIMEOUT_GRE] = 70 * SEC;
	e.cfg.timeout_ns[CT_TIMEOUT_GRE_STREAM] = 80 * SEC;
	assert_true(engine_track(&e, &answer, SEC).timeout_ns == 30 * SEC);
	assert_true(engine_track(&e, &p, SEC).timeout_ns == 180 * SEC);
	pk_ip(&p, CT_AF_INET, 3, 2, 47, v0, sizeof(v0));
	pk_ip(&answer, CT_AF_INET, 2, 3, 47, v0, sizeof(v0));
	assert_true(engine_track(&e, &p, SEC).timeout_ns == 70 * SEC);
	engine_track(&e, &answer, SEC);
	assert_true(engine_track(&e, &p, SEC).timeout_ns == 80 * SEC);
	engine_close(&e);
}

/* A call id that was not copied is not taken for one that is not there. */
static void test_copied_part(void **state)
{
	struct engine e;

	engine_open(&e, 4);
	for (uint32_t cap = 1; cap < 8; cap++)
		assert_int_equal(gre(&e, 1, 2, cap).reason, CT_REASON_COPY_RANGE);
	assert_int_equal(gre(&e, 1, 2, 8).info, CT_INFO_NEW);
	assert_int_equal(ct_count(e.th.ct), 1);
	assert_int_equal(gre(&e, 1, 2, 0).info, CT_INFO_NEW);
	assert_int_equal(ct_count(e.th.ct), 1);
	assert_int_equal(gre(&e, 2, 1, 0).info, CT_INFO_NEW); /* that of the other side */
	assert_int_equal(ct_count(e.th.ct), 2);
	engine_close(&e);
}

/* A first fragment of UDP-Lite has only a part of what is covered, and its sum is not added up. */
static void test_udplite_fragment(void **state)
{
	static const uint8_t h[16] = {0, 1, 0, 2, 0, 200, 1, 1};
	struct engine e;
	struct pk p;

	engine_open(&e, 4);
	pk_ip(&p, CT_AF_INET, 1, 2, 136, h, sizeof(h));
	assert_int_equal(engine_track(&e, &p, SEC).reason, CT_REASON_UDPLITE_COVERAGE);
	p.b[6] = 0x20;
	assert_int_equal(engine_track(&e, &p, SEC).info, CT_INFO_NEW);
	engine_close(&e);
}

/* The covered part is enough to verify the sum. */
static void test_udplite_copied_part(void **state)
{
	uint8_t h[80] = {0, 1, 0, 2, 0, 12, 1, 1};
	struct ct_result out;
	struct ct_input in;
	struct engine e;
	struct pk p;

	engine_open(&e, 4);
	pk_ip(&p, CT_AF_INET, 1, 2, 136, h, sizeof(h));
	in = pk_input(&p, SEC);
	in.caplen = p.l4 + 12;
	ct_track(&e.th, &in, &out);
	assert_int_equal(out.reason, CT_REASON_CHECKSUM);
	assert_int_equal(engine_stat(&e, CT_STAT_CSUM_SKIPPED), 0);
	in.caplen--;
	ct_track(&e.th, &in, &out);
	assert_int_equal(out.info, CT_INFO_NEW);
	assert_int_equal(engine_stat(&e, CT_STAT_CSUM_SKIPPED), 1);
	engine_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timeouts_stay),
		cmocka_unit_test(test_copied_part),
		cmocka_unit_test(test_udplite_fragment),
		cmocka_unit_test(test_udplite_copied_part),
	};

	return cmocka_run_group_tests_name("gre", tests, NULL, NULL);
}
