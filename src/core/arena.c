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

#include <string.h>

#include "core/adopt.h"
#include "core/datagram.h"
#include "core/helper/expect.h"

#define ARENA_HEADER 4096
#define ARENA_PAGE   4096
#define ARENA_MAGIC  0x63746d61726b6631ULL
/* To be raised when an entry of the same size means something else. */
#define ARENA_LAYOUT 2

_Static_assert(sizeof(struct ct_arena_header) <= ARENA_HEADER, "header fits its page");

static size_t pages(size_t size)
{
	return (size + ARENA_PAGE - 1) / ARENA_PAGE * ARENA_PAGE;
}

/* Flows, what is beside them, expectations: each begins with a page, its slot 0 is not used. */
static size_t flows_size(uint32_t n)
{
	return pages(((size_t)n + 1) * sizeof(struct ct_flow));
}

static size_t kin_size(uint32_t n)
{
	return pages(((size_t)n + 1) * sizeof(struct ct_kin));
}

static size_t expects_size(uint32_t n)
{
	return pages(((size_t)n + 1) * sizeof(struct ct_expect));
}

static size_t datagrams_size(uint32_t n)
{
	return pages(((size_t)n + 1) * sizeof(struct ct_datagram));
}

static size_t size_of(uint32_t max_flows, uint32_t max_expect, uint32_t max_datagrams)
{
	return ARENA_HEADER + flows_size(max_flows) + kin_size(max_flows) +
	       expects_size(max_expect) + datagrams_size(max_datagrams);
}

size_t ct_arena_size(const struct ct_params *params)
{
	return size_of(params->max_flows, params->max_expect, params->max_fragmented);
}

void ct_arena_attach(struct ct_arena *a, void *memory)
{
	struct ct_arena_header *h = memory;
	uint8_t *flows = (uint8_t *)memory + ARENA_HEADER;

	a->header = h;
	a->slots = (struct ct_flow *)(void *)flows;
	a->kin = (struct ct_kin *)(void *)(flows + flows_size(h->max_flows));
	a->max = h->max_flows;
	a->id_salt = h->id_salt;
}

void *ct_arena_expects(struct ct_arena_header *header)
{
	return (uint8_t *)header + ARENA_HEADER + flows_size(header->max_flows) +
	       kin_size(header->max_flows);
}

void *ct_arena_datagrams(struct ct_arena_header *header)
{
	return (uint8_t *)ct_arena_expects(header) + expects_size(header->max_expect);
}

void ct_arena_init(struct ct_arena *a, void *memory, const struct ct_params *params)
{
	struct ct_arena_header *h = memory;

	*h = (struct ct_arena_header){
		.layout = ARENA_LAYOUT,
		.entry_size = sizeof(struct ct_flow),
		.kin_size = sizeof(struct ct_kin),
		.expect_size = sizeof(struct ct_expect),
		.datagram_size = sizeof(struct ct_datagram),
		.max_flows = params->max_flows,
		.max_expect = params->max_expect,
		.max_datagrams = params->max_fragmented,
		.id_salt = params->id_salt,
	};
	memcpy(h->key, params->key, sizeof(h->key));
	atomic_signal_fence(memory_order_seq_cst);
	h->magic = ARENA_MAGIC; /* from here on somebody else may read it */
	ct_arena_attach(a, memory);
}

static uint32_t next_unused(struct ct_arena *a)
{
	uint32_t high = ct_arena_high(a);

	if (high >= a->max)
		return 0;
	atomic_store_explicit(&a->header->high, high + 1, memory_order_relaxed);
	return high + 1;
}

/* All but the generation, which counts on and is never anything else, not even for a moment. */
static void fill(struct ct_flow *slot, const struct ct_flow *flow)
{
	const size_t behind = offsetof(struct ct_flow, generation) + sizeof(flow->generation);

	slot->orig = flow->orig;
	ct_flow_set_hash(slot, flow->hash);
	slot->next = flow->next;
	slot->generation++;
	memcpy((uint8_t *)slot + behind, (const uint8_t *)flow + behind, sizeof(*flow) - behind);
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
		fill(&a->slots[index], flow);
		if (ct_arena_has_kin(a, index))
			a->kin[index] = (struct ct_kin){.master = master};
	}
	return index;
}

void ct_arena_free(struct ct_arena *a, uint32_t index)
{
	ct_lock(&a->lock);
	ct_flow_set_life(&a->slots[index], CT_LIFE_NONE);
	a->slots[index].next = a->free;
	a->free = index;
	atomic_fetch_sub_explicit(&a->used, 1, memory_order_relaxed);
	ct_unlock(&a->lock);
}

size_t ct_arena_bytes(const struct ct_arena *a)
{
	return ARENA_HEADER + ((size_t)ct_arena_high(a) + 1) * sizeof(struct ct_flow);
}

/* --- one that somebody else has made ---------------------------------------------------------- */

static bool same_layout(const struct ct_arena_header *h)
{
	return h->layout == ARENA_LAYOUT && h->entry_size == sizeof(struct ct_flow) &&
	       h->kin_size == sizeof(struct ct_kin) && h->expect_size == sizeof(struct ct_expect) &&
	       h->datagram_size == sizeof(struct ct_datagram);
}

static bool makes_sense(const struct ct_arena_header *h, size_t size)
{
	return h->max_flows > 0 && h->max_flows <= CT_FLOWS_MAX && h->max_expect <= CT_EXPECT_MAX &&
	       h->max_datagrams <= CT_FRAGMENTS_MAX && h->high <= h->max_flows &&
	       h->expect_high <= h->max_expect && h->datagram_high <= h->max_datagrams &&
	       size >= size_of(h->max_flows, h->max_expect, h->max_datagrams);
}

enum ct_arena_error ct_arena_read(const void *arena, size_t size, struct ct_arena_facts *ret)
{
	const struct ct_arena_header *h = arena;

	if (size < ARENA_HEADER || h->magic != ARENA_MAGIC)
		return CT_ARENA_FOREIGN;
	if (!same_layout(h))
		return CT_ARENA_LAYOUT;
	if (!makes_sense(h, size))
		return CT_ARENA_DAMAGED;
	*ret = (struct ct_arena_facts){
		.max_flows = h->max_flows,
		.max_expect = h->max_expect,
		.max_fragmented = h->max_datagrams,
		.high = h->high,
		.size = size_of(h->max_flows, h->max_expect, h->max_datagrams),
		.salt = h->id_salt,
	};
	return CT_ARENA_OK;
}

bool ct_arena_suits(const struct ct_arena_facts *facts, const struct ct_params *params)
{
	return facts->max_flows == params->max_flows && facts->max_expect == params->max_expect &&
	       facts->max_fragmented == params->max_fragmented;
}

size_t ct_arena_parts(const void *arena, struct ct_arena_part ret[static CT_ARENA_PARTS])
{
	const struct ct_arena_header *h = arena;
	size_t flows = ARENA_HEADER, kin = flows + flows_size(h->max_flows);
	size_t expects = kin + kin_size(h->max_flows);
	size_t datagrams = expects + expects_size(h->max_expect);

	ret[0] = (struct ct_arena_part){0, ARENA_HEADER};
	ret[1] = (struct ct_arena_part){flows, flows_size(h->high)};
	ret[2] = (struct ct_arena_part){kin, kin_size(h->high)};
	ret[3] = (struct ct_arena_part){expects, expects_size(h->expect_high)};
	ret[4] = (struct ct_arena_part){datagrams, datagrams_size(h->datagram_high)};
	return CT_ARENA_PARTS;
}

void ct_arena_forget_key(void *header)
{
	struct ct_arena_header *h = header;

	memset(h->key, 0, sizeof(h->key));
}
