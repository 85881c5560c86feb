/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The arena: where flows live.
 *
 * Its layout begins with a header that says what is inside, so that a process can recognise an
 * arena it did not make. Everything that is not in the entries themselves (index, timers, free
 * list) lives outside and can be rebuilt from them.
 *
 * A flow id is generation and slot, xored with a salt drawn per arena, so that the next arena does
 * not repeat the ids of this one. A slot's generation counts the flows that lived in it; packets
 * that are refused never get a slot, so a remote sender cannot make it run.
 */

#include "core/helper/expect.h"

#define ARENA_HEADER 4096
#define ARENA_PAGE   4096
#define ARENA_MAGIC  0x63746d61726b6631ULL

struct arena_header {
	uint64_t magic;
	uint32_t entry_size, kin_size, expect_size;
	uint32_t max_flows, max_expect;
	uint64_t id_salt;
};

_Static_assert(sizeof(struct arena_header) <= ARENA_HEADER, "header fits its page");

static size_t pages(size_t size)
{
	return (size + ARENA_PAGE - 1) / ARENA_PAGE * ARENA_PAGE;
}

/* Flows, what is beside them, expectations: each begins with a page, its slot 0 is not used. */
static size_t flows_size(const struct ct_params *p)
{
	return pages(((size_t)p->max_flows + 1) * sizeof(struct ct_flow));
}

static size_t kin_size(const struct ct_params *p)
{
	return pages(((size_t)p->max_flows + 1) * sizeof(struct ct_kin));
}

size_t ct_arena_size(const struct ct_params *params)
{
	return ARENA_HEADER + flows_size(params) + kin_size(params) +
	       pages(((size_t)params->max_expect + 1) * sizeof(struct ct_expect));
}

void *ct_arena_init(struct ct_arena *a, void *memory, const struct ct_params *params)
{
	uint8_t *flows = (uint8_t *)memory + ARENA_HEADER;

	*(struct arena_header *)memory = (struct arena_header){
		.magic = ARENA_MAGIC,
		.entry_size = sizeof(struct ct_flow),
		.kin_size = sizeof(struct ct_kin),
		.expect_size = sizeof(struct ct_expect),
		.max_flows = params->max_flows,
		.max_expect = params->max_expect,
		.id_salt = params->id_salt,
	};
	a->slots = (struct ct_flow *)(void *)flows;
	a->kin = (struct ct_kin *)(void *)(flows + flows_size(params));
	a->max = params->max_flows;
	a->id_salt = params->id_salt;
	return flows + flows_size(params) + kin_size(params);
}

static uint32_t next_unused(struct ct_arena *a)
{
	uint32_t high = atomic_load_explicit(&a->high, memory_order_relaxed);

	if (high >= a->max)
		return 0;
	atomic_store_explicit(&a->high, high + 1, memory_order_relaxed);
	return high + 1;
}

uint32_t ct_arena_put(struct ct_arena *a, const struct ct_flow *flow, uint64_t master)
{
	uint32_t index = 0;

	ct_lock(&a->lock);
	if (a->free) {
		index = a->free;
		a->free = a->slots[index].next;
		__builtin_prefetch(&a->slots[a->free].next, 1); /* for the next one */
	} else {
		index = next_unused(a);
	}
	if (index)
		atomic_fetch_add_explicit(&a->used, 1, memory_order_relaxed);
	ct_unlock(&a->lock);
	if (index) {
		uint32_t generation = a->slots[index].generation + 1;

		a->slots[index] = *flow;
		a->slots[index].generation = generation;
		if (ct_arena_has_kin(a, index))
			a->kin[index] = (struct ct_kin){.master = master};
	}
	return index;
}

void ct_arena_free(struct ct_arena *a, uint32_t index)
{
	ct_lock(&a->lock);
	a->slots[index].live = false;
	a->slots[index].next = a->free;
	a->free = index;
	atomic_fetch_sub_explicit(&a->used, 1, memory_order_relaxed);
	ct_unlock(&a->lock);
}

size_t ct_arena_bytes(const struct ct_arena *a)
{
	uint32_t high = atomic_load_explicit(&a->high, memory_order_relaxed);

	return ARENA_HEADER + ((size_t)high + 1) * sizeof(struct ct_flow);
}
