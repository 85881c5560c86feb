/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/fuzz/integrity.h"

#include "core/sound.h"
#include "core/table.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* The slot of a flow that is there, by its id; 0: there is none. */
static uint32_t slot_of(const struct ct_arena *a, uint64_t id)
{
	uint32_t i = (uint32_t)(id ^ a->id_salt);

	return i > 0 && i <= ct_arena_high(a) && a->slots[i].life == CT_LIFE_WHOLE &&
			       ct_arena_id(a, i) == id
		       ? i
		       : 0;
}

/* --- flows ------------------------------------------------------------------------------------ */

/*
 * It stands at a tick that is still to come within this turn of the wheel, and not behind the one
 * that its deadline asks for; those before and after it know it.
 */
static void check_timer(struct ct *ct, uint32_t i)
{
	const struct ct_flow *slots = ct->arena.slots, *f = &slots[i];
	const struct ct_wheel *w = &ct_table_stripe(ct, ct_table_bucket(ct, f->hash))->wheel;
	uint64_t next = w->done + 1, due = (f->expires_ns >> CT_TICK_SHIFT) + 1;
	uint64_t tick = next + (uint16_t)(f->timer_tick - (uint16_t)next);

	FUZZ_CHECK(tick < next + CT_WHEEL_SLOTS - 1);
	FUZZ_CHECK(tick <= due || tick == next);
	if (f->timer_prev)
		FUZZ_CHECK(slots[f->timer_prev].timer_next == i &&
			   slots[f->timer_prev].timer_tick % CT_WHEEL_SLOTS ==
				   f->timer_tick % CT_WHEEL_SLOTS);
	else
		FUZZ_CHECK(w->slot[f->timer_tick % CT_WHEEL_SLOTS] == i);
	if (f->timer_next)
		FUZZ_CHECK(slots[f->timer_next].timer_prev == i);
}

static void check_status(const struct ct *ct, uint32_t i)
{
	const struct ct_flow *f = &ct->arena.slots[i];

	if (f->status & CT_STATUS_HELPER)
		FUZZ_CHECK(f->helper != CT_HELPER_NONE);
	if (f->status & CT_STATUS_EXPECTED)
		FUZZ_CHECK(ct->arena.kin[i].master != 0);
	if (f->status & CT_STATUS_ASSURED)
		FUZZ_CHECK(f->status & CT_STATUS_SEEN_REPLY);
	if (!(f->status & CT_STATUS_CONFIRMED))
		FUZZ_CHECK(f->packets[CT_DIR_REPLY] == 0);
}

static void check_flow(struct ct *ct, uint32_t bucket, uint32_t i, uint64_t now_ns)
{
	const struct ct_flow *f = &ct->arena.slots[i];
	enum ct_dir dir;

	FUZZ_CHECK(i <= ct_arena_high(&ct->arena) && f->life == CT_LIFE_WHOLE);
	FUZZ_CHECK(ct_flow_is_sound(f, now_ns));
	FUZZ_CHECK(f->hash == ct_tuple_hash(&f->orig, &ct->key));
	FUZZ_CHECK(ct_table_bucket(ct, f->hash) == bucket);
	check_status(ct, i);
	check_timer(ct, i);
	/* no other flow that is alive stands before it */
	if (f->status & CT_STATUS_CONFIRMED && f->expires_ns > now_ns)
		FUZZ_CHECK(ct_table_find(ct, bucket, &f->orig, &dir) == i);
}

static void check_chains(struct ct *ct, uint64_t now_ns)
{
	uint32_t n = 0, pending = 0;

	for (uint32_t b = 0; b <= ct->bucket_mask; b++)
		for (uint32_t i = ct_table_first(ct, b); i; i = ct->arena.slots[i].next) {
			FUZZ_CHECK(++n <= ct_count(ct));
			check_flow(ct, b, i, now_ns);
			pending += !(ct->arena.slots[i].status & CT_STATUS_CONFIRMED);
		}
	FUZZ_CHECK(n == ct_count(ct));
	FUZZ_CHECK(pending == ct->pending);
}

/* What is not in a chain is in the list of free slots. */
static void check_arena(const struct ct_arena *a)
{
	uint32_t whole = 0, nfree = 0;

	FUZZ_CHECK(ct_arena_high(a) <= a->max && a->used <= a->max);
	for (uint32_t i = 1; i <= ct_arena_high(a); i++)
		whole += a->slots[i].life != CT_LIFE_NONE;
	for (uint32_t i = a->free; i; i = a->slots[i].next) {
		FUZZ_CHECK(i <= ct_arena_high(a) && a->slots[i].life == CT_LIFE_NONE);
		FUZZ_CHECK(++nfree <= a->max);
	}
	FUZZ_CHECK(whole == a->used && whole + nfree == ct_arena_high(a));
}

/* --- expectations and keys -------------------------------------------------------------------- */

static void check_expect(const struct ct *ct, const struct ct_expect *e)
{
	FUZZ_CHECK(ct_tuple_is_sound(&e->tuple));
	FUZZ_CHECK(e->helper < CT_HELPER_MAX);
	FUZZ_CHECK(e->master && slot_of(&ct->arena, e->master_id) == e->master);
	FUZZ_CHECK(ct_arena_has_kin(&ct->arena, e->master));
}

/* All that are live are in one bucket, and are one of their master's. */
static void check_expects(const struct ct *ct)
{
	const struct ct_expects *x = &ct->expects;
	uint32_t live = 0, found = 0, owned = 0, nfree = 0;

	for (uint32_t i = 1; i <= *x->high; i++) {
		live += x->slots[i].live;
		if (x->slots[i].live)
			check_expect(ct, &x->slots[i]);
	}
	for (uint32_t b = 0; b <= x->bucket_mask; b++)
		for (uint32_t i = x->buckets[b]; i; i = x->slots[i].next)
			FUZZ_CHECK(x->slots[i].live && ++found <= live);
	for (uint32_t f = 1; f <= ct_arena_high(&ct->arena); f++)
		if (ct->arena.slots[f].life != CT_LIFE_NONE && ct_arena_has_kin(&ct->arena, f))
			for (uint32_t i = ct->arena.kin[f].expects; i; i = x->slots[i].sibling)
				FUZZ_CHECK(x->slots[i].live && x->slots[i].master == f &&
					   ++owned <= live);
	for (uint32_t i = x->free; i; i = x->slots[i].next)
		FUZZ_CHECK(!x->slots[i].live && ++nfree <= x->max);
	FUZZ_CHECK(live == x->used && found == live && owned == live);
	FUZZ_CHECK(*x->high <= x->max && live + nfree == *x->high);
}

static void check_keys(const struct ct *ct)
{
	const struct ct_keymap *m = &ct->keymap;
	uint32_t n = 0;

	if (m->used == 0)
		return;
	for (uint32_t b = 0; b <= m->bucket_mask; b++)
		for (uint32_t i = m->masters[b]; i; i = m->slots[i].next) {
			FUZZ_CHECK(++n <= m->used);
			FUZZ_CHECK(slot_of(&ct->arena, m->slots[i].master));
		}
	FUZZ_CHECK(n == m->used);
}

/* --- all of it -------------------------------------------------------------------------------- */

void fuzz_check_integrity(struct ct *ct, uint64_t now_ns)
{
	check_arena(&ct->arena);
	check_chains(ct, now_ns);
	check_expects(ct);
	check_keys(ct);
}

void fuzz_check_empty(struct ct *ct)
{
	check_arena(&ct->arena);
	check_expects(ct);
	FUZZ_CHECK(ct_count(ct) == 0 && ct->pending == 0);
	FUZZ_CHECK(ct_expect_count(ct) == 0 && ct->keymap.used == 0);
	for (uint32_t b = 0; b <= ct->bucket_mask; b++)
		FUZZ_CHECK(ct_table_first(ct, b) == 0);
	/* the first is zero, and so each is like the one before: one comparison is fast */
	FUZZ_CHECK(ct->wheel_slots[0][0] == 0);
	FUZZ_CHECK(memcmp(&ct->wheel_slots[0][0], &ct->wheel_slots[0][1],
			  sizeof(ct->wheel_slots) - sizeof(ct->wheel_slots[0][0])) == 0);
}
