/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/flow.h"
#include "core/lock.h"

/*
 * The first page of an arena: what it takes to read the rest, and what cannot be found out from the
 * entries.
 */
struct ct_arena_header {
	uint64_t magic;
	uint32_t layout; /* counts changes that sizes do not show */
	uint32_t entry_size, kin_size, expect_size, datagram_size;
	uint32_t max_flows, max_expect, max_datagrams;
	uint64_t id_salt;
	uint8_t key[16];
	_Atomic uint32_t high; /* highest slot ever used; read by anyone */
	/* the same of expectations and of datagrams in fragments */
	_Atomic uint32_t expect_high, datagram_high;
	_Atomic uint8_t exit_seen; /* a packet came from an exit hook */
};

/*
 * Memory of all flows: a header page and max_flows entries, in bytes that somebody else owns.
 *
 * Entries never used are never touched, so an arena for millions costs nothing until it fills:
 * slots come from the free list, and only when that is empty from beyond the high-water mark.
 */
struct ct_arena {
	struct ct_arena_header *header;
	struct ct_flow *slots; /* slots[0] is not used */
	struct ct_kin *kin;    /* of the same index */
	uint32_t max;
	uint64_t id_salt;
	/* On lines of their own: new flows write here what packets of others must not wait for. */
	_Alignas(64) struct ct_lock
		lock;  /* guards what follows; taken inside a stripe's lock, never around it */
	uint32_t free; /* head of the list of freed slots, 0: empty */
	_Atomic uint32_t used; /* read by anyone */
};

/* Lays the arena out over zeroed memory. */
void ct_arena_init(struct ct_arena *a, void *memory, const struct ct_params *params);

/* The same over memory that was laid out before, with all slots used up to ct_arena_high(). */
void ct_arena_attach(struct ct_arena *a, void *memory);

/* Where expectations and datagrams are in an arena. */
void *ct_arena_expects(struct ct_arena_header *header);
void *ct_arena_datagrams(struct ct_arena_header *header);

/* The highest slot ever used. */
static inline uint32_t ct_arena_high(const struct ct_arena *a)
{
	return atomic_load_explicit(&a->header->high, memory_order_relaxed);
}

/*
 * Takes a slot and copies a flow into it, all but the generation, and master (id, 0: none) beside
 * it if the flow has relations. 0 if no slot is left.
 */
uint32_t ct_arena_put(struct ct_arena *a, const struct ct_flow *flow, uint64_t master);

/* Does the flow in this slot have relations, so that its record of them is valid? */
static inline bool ct_arena_has_kin(const struct ct_arena *a, uint32_t index)
{
	return a->slots[index].helper || a->slots[index].status & CT_STATUS_EXPECTED;
}

void ct_arena_free(struct ct_arena *a, uint32_t index);

/* Asks for the memory of a slot, whether there is a flow in it or not; slot 0 is fine. */
static inline void ct_arena_prefetch(const struct ct_arena *a, uint32_t index)
{
	const char *flow = (const char *)&a->slots[index];

	__builtin_prefetch(flow, 1);
	__builtin_prefetch(flow + 64, 1);
	__builtin_prefetch(flow + 128, 1);
}

/* Bytes from the start of the arena to the end of the highest slot that was ever used. */
size_t ct_arena_bytes(const struct ct_arena *a);

/*
 * The 64-bit id of a slot's present flow. No two flows of an arena share one, until a slot has been
 * used 2^32 times.
 */
static inline uint64_t ct_arena_id(const struct ct_arena *a, uint32_t index)
{
	return ((uint64_t)a->slots[index].generation << 32 | index) ^ a->id_salt;
}
