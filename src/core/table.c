/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Stage 3: the table of flows.
 *
 * Chained hash over arena indices. The hash is the same for both directions of a flow, so one link
 * per flow is enough and one lock covers everything a packet touches: bucket, entry and timer. The
 * chains of all buckets that are equal modulo CT_STRIPES share a lock.
 *
 * Locks: a stripe's lock first, then the arena's. Nobody holds two stripes.
 *
 * A flow in the making belongs to the thread that makes it and is not findable; it cannot meet a
 * second one of the same tuple, because the stripe stays locked from the look-up to the insertion.
 * Where flows are confirmed at the exit hook, one that waits for that is in its chain already, but
 * only found by those who ask for it.
 */

#include <assert.h>
#include <stdlib.h>

#include "core/table.h"

/*
 * Two to four for each flow: at most every fourth look-up meets a stranger first, whose entry is a
 * miss of the cache, for 8 to 16 bytes a flow.
 */
static uint32_t bucket_count(uint32_t max_flows)
{
	uint32_t n = CT_STRIPES;

	while (n < 2 * max_flows)
		n *= 2;
	return n;
}

static void set_first(struct ct *ct, uint32_t bucket, uint32_t index)
{
	atomic_store_explicit(&ct->buckets[bucket], index, memory_order_relaxed);
}

size_t ct_index_size(const struct ct_params *params)
{
	return (size_t)bucket_count(params->max_flows) * sizeof(_Atomic uint32_t);
}

static bool make_parts(struct ct *ct, const struct ct_params *params)
{
	return ct_expects_init(&ct->expects, ct->arena.header, &ct->key) &&
	       ct_keymap_init(&ct->keymap, params->max_expect, &ct->key) &&
	       ct_fragments_init(&ct->fragments, ct->arena.header, params->max_held, &ct->key);
}

struct ct *ct_table_new(void *arena, const struct ct_params *params)
{
	struct ct *ct = aligned_alloc(_Alignof(struct ct), sizeof(*ct));

	if (!ct)
		return NULL;
	memset(ct, 0, sizeof(*ct));
	for (uint32_t i = 0; i < CT_STRIPES; i++)
		ct->stripe[i].wheel.slot = ct->wheel_slots[i];
	ct_arena_attach(&ct->arena, arena);
	ct->key = ct_siphash_key(ct->arena.header->key);
	ct->bucket_mask = bucket_count(params->max_flows) - 1;
	ct->own_buckets = !params->index;
	ct->buckets = params->index ? params->index : calloc(1, ct_index_size(params));
	if (!ct->buckets || !make_parts(ct, params))
		return ct_free(ct);
	return ct;
}

bool ct_params_fit(const struct ct_params *p, size_t arena_size)
{
	return p->max_flows > 0 && p->max_flows <= CT_FLOWS_MAX && p->max_expect <= CT_EXPECT_MAX &&
	       p->max_fragmented <= CT_FRAGMENTS_MAX && p->max_held <= CT_FRAGMENTS_MAX &&
	       arena_size >= ct_arena_size(p);
}

struct ct *ct_new(void *arena, size_t arena_size, const struct ct_params *params)
{
	struct ct_arena a = {};

	if (!ct_params_fit(params, arena_size))
		return NULL;
	ct_arena_init(&a, arena, params);
	return ct_table_new(arena, params);
}

struct ct *ct_free(struct ct *ct)
{
	if (!ct)
		return NULL;
	if (ct->own_buckets)
		free(ct->buckets);
	ct_expects_done(&ct->expects);
	ct_keymap_done(&ct->keymap);
	ct_fragments_done(&ct->fragments);
	free(ct);
	return NULL;
}

uint32_t ct_count(const struct ct *ct)
{
	return atomic_load_explicit(&ct->arena.used, memory_order_relaxed);
}

uint32_t ct_max_flows(const struct ct *ct)
{
	return ct->arena.max;
}

size_t ct_arena_reach(const struct ct *ct)
{
	return ct_arena_bytes(&ct->arena);
}

/* Is a packet with tuple t of the flow with this original tuple? */
static bool is_of(const struct ct_tuple *orig, const struct ct_tuple *t, enum ct_dir *ret_dir)
{
	bool equal = ct_tuple_equal(orig, t);

	*ret_dir = equal && !ct_tuple_is_inverse(t, t) ? CT_DIR_ORIGINAL : CT_DIR_REPLY;
	return equal || ct_tuple_is_inverse(orig, t);
}

uint32_t ct_table_find(const struct ct *ct, uint32_t bucket, const struct ct_tuple *t,
		       enum ct_dir *ret_dir)
{
	enum ct_dir dir;

	for (uint32_t i = ct_table_first(ct, bucket); i; i = ct->arena.slots[i].next) {
		const struct ct_flow *f = &ct->arena.slots[i];

		if (is_of(&f->orig, t, &dir) && f->status & CT_STATUS_CONFIRMED) {
			*ret_dir = dir;
			return i;
		}
	}
	return 0;
}

static uint32_t pending_from(const struct ct *ct, uint32_t i, const struct ct_tuple *orig)
{
	while (i && (ct->arena.slots[i].status & CT_STATUS_CONFIRMED ||
		     !ct_tuple_equal(&ct->arena.slots[i].orig, orig)))
		i = ct->arena.slots[i].next;
	return i;
}

uint32_t ct_table_find_any_pending(const struct ct *ct, uint32_t bucket,
				   const struct ct_tuple *orig)
{
	return pending_from(ct, ct_table_first(ct, bucket), orig);
}

uint32_t ct_table_next_pending(const struct ct *ct, uint32_t index)
{
	const struct ct_flow *f = &ct->arena.slots[index];

	return pending_from(ct, f->next, &f->orig);
}

uint32_t ct_table_find_pending(const struct ct *ct, uint32_t bucket, const struct ct_tuple *orig,
			       uint32_t print)
{
	uint32_t i = ct_table_find_any_pending(ct, bucket, orig);

	while (i && ct->arena.slots[i].print != print)
		i = ct_table_next_pending(ct, i);
	return i;
}

void ct_table_insert(struct ct *ct, uint32_t bucket, uint32_t index)
{
	struct ct_flow *f = &ct->arena.slots[index];

	f->next = ct_table_first(ct, bucket);
	set_first(ct, bucket, index);
	ct_wheel_add(&ct_table_stripe(ct, bucket)->wheel, &ct->arena, index);
	ct_flow_set_life(f, CT_LIFE_WHOLE);
}

void ct_table_unlink(struct ct *ct, uint32_t bucket, uint32_t index)
{
	struct ct_flow *slots = ct->arena.slots;
	uint32_t i = ct_table_first(ct, bucket);

	if (i == index) {
		set_first(ct, bucket, slots[index].next);
	} else {
		for (; slots[i].next != index; i = slots[i].next)
			assert(i);
		slots[i].next = slots[index].next;
	}
	ct_flow_set_life(&slots[index], CT_LIFE_NONE);
}

void ct_table_remove(struct ct *ct, uint32_t bucket, uint32_t index)
{
	ct_table_unlink(ct, bucket, index);
	ct_wheel_remove(&ct_table_stripe(ct, bucket)->wheel, &ct->arena, index);
}
