/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The key map: which source id a packet of a call gets, and who notes what for how long. */

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "core/helper/keymap.h"

#define MASTERS 24
#define ROUNDS	20000

static void open_map(struct ct_keymap *m, uint32_t max)
{
	static const uint8_t key[16] = "0123456789abcde";
	const struct ct_siphash_key k = ct_siphash_key(key);

	memset(m, 0, sizeof(*m));
	assert_true(ct_keymap_init(m, max, &k));
}

static struct ct_tuple call(uint8_t src, uint8_t dst, uint16_t src_id, uint16_t dst_id)
{
	struct ct_tuple t = {
		.family = CT_AF_INET, .proto = 47, .src_id_be = src_id, .dst_id_be = dst_id};

	t.src.b[0] = src;
	t.dst.b[0] = dst;
	return t;
}

/* The source id of a packet of GRE version 1; 0xffff: left as it was. */
static uint16_t look_up_at(struct ct_keymap *m, uint8_t src, uint8_t dst, uint16_t dst_id,
			   uint8_t version, uint32_t cap)
{
	struct ct_tuple t = call(src, dst, 0xffff, dst_id);
	const uint8_t h[12] = {0x30, version, 0x88, 0x0b};
	const struct ct_pkt pkt = {.proto = 47, .l4 = {.data = h, .cap = cap, .len = sizeof(h)}};

	ct_keymap_name(m, &pkt, &t);
	return t.src_id_be;
}

static uint16_t look_up(struct ct_keymap *m, uint8_t src, uint8_t dst, uint16_t dst_id)
{
	return look_up_at(m, src, dst, dst_id, 1, 12);
}

static bool add(struct ct_keymap *m, uint64_t master, enum ct_dir dir, struct ct_tuple t)
{
	return ct_keymap_add(m, master, dir, &t);
}

static void test_found_by_what_a_packet_shows(void **state)
{
	struct ct_keymap m;
	struct ct_tuple zone = call(1, 2, 0xffff, 6);
	const uint8_t h[12] = {0x30, 1, 0x88, 0x0b};
	struct ct_pkt pkt = {.proto = 47, .l4 = {.data = h, .cap = 12, .len = 12}};

	open_map(&m, 4);
	assert_true(add(&m, 77, CT_DIR_ORIGINAL, call(1, 2, 5, 6)));
	assert_true(add(&m, 77, CT_DIR_REPLY, call(2, 1, 6, 5)));
	assert_int_equal(ct_keymap_count(&m), 1);
	assert_int_equal(look_up(&m, 1, 2, 6), 5);
	assert_int_equal(look_up(&m, 2, 1, 5), 6);
	assert_int_equal(look_up(&m, 1, 2, 5), 0xffff);
	assert_int_equal(look_up(&m, 1, 3, 6), 0xffff);
	assert_int_equal(look_up(&m, 3, 2, 6), 0xffff);
	/* another version, a call id that cannot be read, another protocol */
	assert_int_equal(look_up_at(&m, 1, 2, 6, 0, 12), 0xffff);
	assert_int_equal(look_up_at(&m, 1, 2, 6, 1, 7), 0xffff);
	assert_int_equal(look_up_at(&m, 1, 2, 6, 1, 8), 5);
	pkt.proto = 50;
	ct_keymap_name(&m, &pkt, &zone);
	assert_int_equal(zone.src_id_be, 0xffff);
	/* zones are not told apart */
	pkt.proto = 47;
	zone.zone = 9;
	ct_keymap_name(&m, &pkt, &zone);
	assert_int_equal(zone.src_id_be, 5);
	ct_keymap_forget(&m, 78);
	assert_int_equal(look_up(&m, 1, 2, 6), 5);
	ct_keymap_forget(&m, 77);
	assert_int_equal(look_up(&m, 1, 2, 6), 0xffff);
	assert_int_equal(look_up(&m, 2, 1, 5), 0xffff);
	assert_int_equal(ct_keymap_count(&m), 0);
	ct_keymap_done(&m);
}

/* The first note holds; the same once more is no other one, whatever its source id. */
static void test_one_for_each_direction(void **state)
{
	struct ct_keymap m;

	open_map(&m, 4);
	assert_true(add(&m, 1, CT_DIR_ORIGINAL, call(1, 2, 5, 6)));
	assert_true(add(&m, 1, CT_DIR_ORIGINAL, call(1, 2, 50, 6)));
	assert_false(add(&m, 1, CT_DIR_ORIGINAL, call(1, 2, 5, 60)));
	assert_int_equal(look_up(&m, 1, 2, 6), 5);
	assert_int_equal(look_up(&m, 1, 2, 60), 0xffff);
	assert_true(add(&m, 1, CT_DIR_REPLY, call(2, 1, 60, 5)));
	ct_keymap_done(&m);
}

static void test_older_one_holds(void **state)
{
	struct ct_keymap m;

	open_map(&m, 4);
	add(&m, 1, CT_DIR_ORIGINAL, call(1, 2, 11, 6));
	add(&m, 2, CT_DIR_ORIGINAL, call(1, 2, 12, 6));
	add(&m, 3, CT_DIR_REPLY, call(1, 2, 13, 6));
	assert_int_equal(look_up(&m, 1, 2, 6), 11);
	ct_keymap_forget(&m, 1);
	assert_int_equal(look_up(&m, 1, 2, 6), 12);
	add(&m, 1, CT_DIR_ORIGINAL, call(1, 2, 14, 6));
	ct_keymap_forget(&m, 2);
	assert_int_equal(look_up(&m, 1, 2, 6), 13);
	ct_keymap_forget(&m, 3);
	assert_int_equal(look_up(&m, 1, 2, 6), 14);
	ct_keymap_done(&m);
}

static void test_bounded(void **state)
{
	struct ct_keymap m;

	open_map(&m, 2);
	assert_true(add(&m, 1, CT_DIR_ORIGINAL, call(1, 2, 5, 1)));
	assert_true(add(&m, 2, CT_DIR_ORIGINAL, call(1, 2, 5, 2)));
	assert_false(add(&m, 3, CT_DIR_ORIGINAL, call(1, 2, 5, 3)));
	assert_true(add(&m, 2, CT_DIR_REPLY, call(2, 1, 2, 5)));
	ct_keymap_forget(&m, 1);
	assert_true(add(&m, 3, CT_DIR_ORIGINAL, call(1, 2, 5, 3)));
	assert_int_equal(ct_keymap_count(&m), 2);
	ct_keymap_done(&m);
	open_map(&m, 0);
	assert_false(add(&m, 1, CT_DIR_ORIGINAL, call(1, 2, 5, 1)));
	ct_keymap_forget(&m, 1);
	ct_keymap_done(&m);
}

/* The same in the plainest way: a list in the order of notes. */
struct model {
	struct {
		uint64_t master;
		enum ct_dir dir;
		struct ct_tuple t;
	} note[2 * MASTERS];
	size_t n;
};

static bool model_add(struct model *w, uint64_t master, enum ct_dir dir, struct ct_tuple t)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->note[i].master == master && w->note[i].dir == dir)
			return w->note[i].t.src.b[0] == t.src.b[0] &&
			       w->note[i].t.dst.b[0] == t.dst.b[0] &&
			       w->note[i].t.dst_id_be == t.dst_id_be;
	w->note[w->n].master = master;
	w->note[w->n].dir = dir;
	w->note[w->n++].t = t;
	return true;
}

static void model_forget(struct model *w, uint64_t master)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->note[i].master != master)
			w->note[kept++] = w->note[i];
	w->n = kept;
}

static uint16_t model_look_up(const struct model *w, uint8_t src, uint8_t dst, uint16_t dst_id)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->note[i].t.src.b[0] == src && w->note[i].t.dst.b[0] == dst &&
		    w->note[i].t.dst_id_be == dst_id)
			return w->note[i].t.src_id_be;
	return 0xffff;
}

static void test_random(void **state)
{
	struct model w = {.n = 0};
	struct ct_keymap m;
	uint64_t seed = 1;

	open_map(&m, MASTERS);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t d = dice(&seed);
		uint64_t master = d % MASTERS;
		uint8_t src = d >> 16 & 1, dst = d >> 17 & 1;
		uint16_t id = d >> 18 & 3, own = (uint16_t)(d >> 32 & 0xff);
		enum ct_dir dir = d >> 20 & 1 ? CT_DIR_REPLY : CT_DIR_ORIGINAL;

		if (d >> 21 & 1) {
			assert_int_equal(add(&m, master, dir, call(src, dst, own, id)),
					 model_add(&w, master, dir, call(src, dst, own, id)));
		} else if (d >> 22 & 1) {
			ct_keymap_forget(&m, master);
			model_forget(&w, master);
		}
		assert_int_equal(look_up(&m, src, dst, id), model_look_up(&w, src, dst, id));
	}
	for (uint64_t master = 0; master < MASTERS; master++)
		ct_keymap_forget(&m, master);
	assert_int_equal(ct_keymap_count(&m), 0);
	ct_keymap_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_by_what_a_packet_shows),
		cmocka_unit_test(test_one_for_each_direction),
		cmocka_unit_test(test_older_one_holds),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("keymap", tests, NULL, NULL);
}
