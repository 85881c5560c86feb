/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "kernel_table.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

#include "packet.h"

struct slot {
	uint32_t bucket[2], next[2]; /* of each link; 0 ends a chain */
	uint32_t generation;
	bool used, assured;
};

struct kernel_table {
	uint32_t max, count, nfree;
	uint64_t dice;
	uint32_t *heads; /* link 2 * slot + direction, and one more */
	uint32_t *free;
	struct slot *slots;
};

struct kernel_table *kt_new(uint32_t max_flows, uint64_t seed)
{
	struct kernel_table *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	*t = (struct kernel_table){.max = max_flows, .nfree = max_flows, .dice = seed};
	t->heads = calloc(max_flows, sizeof(*t->heads));
	t->free = calloc(max_flows, sizeof(*t->free));
	t->slots = calloc(max_flows, sizeof(*t->slots));
	assert_true(t->heads && t->free && t->slots);
	for (uint32_t i = 0; i < max_flows; i++)
		t->free[i] = i;
	return t;
}

struct kernel_table *kt_free(struct kernel_table *t)
{
	free(t->heads);
	free(t->free);
	free(t->slots);
	free(t);
	return NULL;
}

uint32_t kt_count(const struct kernel_table *t)
{
	return t->count;
}

static uint32_t *next_of(struct kernel_table *t, uint32_t link)
{
	return &t->slots[(link - 1) / 2].next[(link - 1) % 2];
}

static void unlink_one(struct kernel_table *t, uint32_t link)
{
	uint32_t *at = &t->heads[t->slots[(link - 1) / 2].bucket[(link - 1) % 2]];

	while (*at != link)
		at = next_of(t, *at);
	*at = *next_of(t, link);
}

static void end_flow(struct kernel_table *t, uint32_t slot)
{
	unlink_one(t, 2 * slot + 1);
	unlink_one(t, 2 * slot + 2);
	t->slots[slot].used = false;
	t->free[t->nfree++] = slot;
	t->count--;
}

/* Both links of one flow may hang in one bucket, so that the next link may go with this one. */
static bool clear_bucket(struct kernel_table *t, uint32_t bucket)
{
	bool any = false;

	for (uint32_t link = t->heads[bucket]; link;) {
		uint32_t slot = (link - 1) / 2;

		link = *next_of(t, link);
		if (t->slots[slot].assured)
			continue;
		while (link && (link - 1) / 2 == slot)
			link = *next_of(t, link);
		end_flow(t, slot);
		any = true;
	}
	return any;
}

static bool make_room(struct kernel_table *t, uint32_t bucket)
{
	for (uint32_t i = 0; i < KT_RANGE; i++)
		if (clear_bucket(t, (bucket + i) % t->max))
			return true;
	return false;
}

bool kt_add(struct kernel_table *t, bool assured, struct kt_flow *ret)
{
	uint32_t bucket = (uint32_t)(dice(&t->dice) % t->max), slot;
	struct slot *s;

	if (t->count == t->max && !make_room(t, bucket))
		return false;
	slot = t->free[--t->nfree];
	s = &t->slots[slot];
	s->bucket[0] = bucket;
	s->bucket[1] = (uint32_t)(dice(&t->dice) % t->max);
	for (uint32_t dir = 0; dir < 2; dir++) {
		s->next[dir] = t->heads[s->bucket[dir]];
		t->heads[s->bucket[dir]] = 2 * slot + 1 + dir;
	}
	s->generation++;
	s->used = true;
	s->assured = assured;
	t->count++;
	*ret = (struct kt_flow){slot, s->generation};
	return true;
}

bool kt_has(const struct kernel_table *t, struct kt_flow flow)
{
	return t->slots[flow.slot].used && t->slots[flow.slot].generation == flow.generation;
}

void kt_assure(struct kernel_table *t, struct kt_flow flow)
{
	t->slots[flow.slot].assured = true;
}
