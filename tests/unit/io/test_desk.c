/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A desk that a process left behind: what of it is believed, and what is found on it. */

#include "io/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/cleanup.h"

#define QUEUE 7

static int set_up(void **state)
{
	*state = desk_new(QUEUE);
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	desk_free(*state);
	return 0;
}

static void put_len(struct desk *d, unsigned int i, uint32_t len)
{
	memcpy(desk_slot(d, i), &len, sizeof(len));
}

static void test_new_desk(void **state)
{
	struct desk *d = *state;

	assert_true(desk_valid(d, QUEUE));
	assert_false(desk_valid(d, QUEUE + 1));
	assert_int_equal(d->served, 0);
	for (unsigned int i = 0; i < SOURCE_BATCH_MAX; i++)
		assert_int_equal(desk_slot_len(d, i), 0);
	assert_null(desk_find(d, 0));
}

/* Each field that others rely on, wrong in turn. */
static void test_damage(void **state)
{
	struct desk *d = *state;
	const struct {
		uint32_t *field;
		uint32_t value;
	} damages[] = {
		{(uint32_t *)&d->magic, 1},
		{&d->layout, 0},
		{&d->queue, QUEUE + 1},
		{&d->stride, 0},
		{&d->stride, 3 * 256 + 2},
		{&d->stride, DESK_STRIDE_MAX + 4},
		{&d->stride, UINT32_MAX},
		{&d->served, 2},
		{&d->astray, UINT32_MAX},
		{&d->seen_id, 7},
		{(uint32_t *)&d->nnotes, DESK_NOTES_MAX + 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		uint32_t before = *damages[i].field;

		*damages[i].field = damages[i].value;
		assert_false(desk_valid(d, QUEUE));
		*damages[i].field = before;
		assert_true(desk_valid(d, QUEUE));
	}
}

/* Any bytes are no desk, and become one. */
static void test_rubbish(void **state)
{
	struct desk *d = *state;

	memset(d, 0xa5, sizeof(*d) + 4096);
	assert_false(desk_valid(d, QUEUE));
	desk_init(d, QUEUE);
	assert_true(desk_valid(d, QUEUE));
	assert_int_equal(desk_slot_len(d, 0), 0);
}

static void test_notes(void **state)
{
	struct desk *d = *state;

	desk_note(d, &(struct desk_note){5, VERDICT_DROP, 9, true});
	desk_note(d, &(struct desk_note){4, VERDICT_ACCEPT, 0, false});
	assert_int_equal(desk_find(d, 5)->verdict, VERDICT_DROP);
	assert_int_equal(desk_find(d, 5)->mark, 9);
	assert_false(desk_find(d, 4)->set_mark);
	assert_null(desk_find(d, 6));
	desk_turn(d, SOURCE_BATCH_MAX, false);
	assert_non_null(desk_find(d, 5));
	desk_turn(d, SOURCE_BATCH_MAX, true);
	assert_null(desk_find(d, 5));
}

/* What finds no room is not noted, and nothing else happens. */
static void test_too_many_notes(void **state)
{
	struct desk *d = *state;

	for (uint32_t id = 0; id < 2 * DESK_NOTES_MAX; id++)
		desk_note(d, &(struct desk_note){.id = id});
	assert_non_null(desk_find(d, DESK_NOTES_MAX - 1));
	assert_null(desk_find(d, DESK_NOTES_MAX));
	assert_true(desk_valid(d, QUEUE));
	assert_int_equal(desk_slot_len(d, 0), 0);
}

static void test_slots(void **state)
{
	struct desk *d = *state;

	desk_stretch(d, desk_stride(128));
	put_len(d, 3, 100);
	put_len(d, 4, UINT32_MAX); /* longer than its slot: cut there */
	assert_int_equal(desk_slot_len(d, 3), 100);
	assert_int_equal(desk_slot_len(d, 4), d->stride);
	desk_turn(d, 4, true);
	assert_int_equal(desk_slot_len(d, 3), 0);
	assert_int_equal(desk_slot_len(d, 4), d->stride);
	desk_stretch(d, desk_stride(UINT32_MAX));
	assert_true(desk_valid(d, QUEUE));
	for (unsigned int i = 0; i < SOURCE_BATCH_MAX; i++)
		assert_int_equal(desk_slot_len(d, i), 0);
	memset(desk_slot(d, SOURCE_BATCH_MAX - 1), 1, d->stride); /* all of it is there */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_desk), TEST(test_damage),		TEST(test_rubbish),
		TEST(test_notes),    TEST(test_too_many_notes), TEST(test_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
