/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "core/arena.h"
#include "core/datagram.h"
#include "core/helper/expect.h"
#include "core/helper/keymap.h"
#include "core/key.h"
#include "core/timer.h"

#define CT_STRIPES 64 /* a power of two */

/*
 * A part of the table with a lock of its own: every CT_STRIPES-th bucket. Each packet takes a lock,
 * by chance: so all of them are on one page, and what few packets need is elsewhere.
 */
struct ct_stripe {
	_Alignas(64) struct ct_lock lock;
	struct ct_wheel wheel;
};

_Static_assert(CT_STRIPES * sizeof(struct ct_stripe) <= 4096, "the locks fit a page");

struct ct {
	struct ct_siphash_key key;
	struct ct_arena arena;
	/* heads of the hash chains: written with the lock of their stripe held, read by anyone */
	_Atomic uint32_t *buckets;
	uint32_t bucket_mask;
	bool own_buckets; /* to be freed */
	struct ct_expects expects;
	struct ct_keymap keymap;
	struct ct_fragments fragments;
	atomic_bool crowded;	  /* a packet found no room: the clock shall make some */
	_Atomic uint32_t pending; /* flows not yet confirmed */
	uint32_t wheel_slots[CT_STRIPES][CT_WHEEL_SLOTS];
	_Alignas(4096) struct ct_stripe stripe[CT_STRIPES];
};

/* Are the limits within theirs, and do they fit into an arena of this size? */
bool ct_params_fit(const struct ct_params *params, size_t arena_size);

/* Everything but the arena, for one that is laid out already. NULL: no memory. */
struct ct *ct_table_new(void *arena, const struct ct_params *params);

/* The bucket of a tuple and of its inversion, by their hash. */
static inline uint32_t ct_table_bucket(const struct ct *ct, uint32_t hash)
{
	return hash & ct->bucket_mask;
}

static inline struct ct_stripe *ct_table_stripe(struct ct *ct, uint32_t bucket)
{
	return &ct->stripe[bucket & (CT_STRIPES - 1)];
}

/* The first flow of a chain, 0: none. Without the lock it may be gone already. */
static inline uint32_t ct_table_first(const struct ct *ct, uint32_t bucket)
{
	return atomic_load_explicit(&ct->buckets[bucket], memory_order_relaxed);
}

/* Asks for the memory of a bucket and of its lock. */
static inline void ct_table_prefetch(struct ct *ct, uint32_t bucket)
{
	ct_lock_prefetch(&ct_table_stripe(ct, bucket)->lock);
	__builtin_prefetch(&ct->buckets[bucket]);
}

/* And then for that of the first flow in it, which mostly is the only one. */
static inline void ct_table_prefetch_first(const struct ct *ct, uint32_t bucket)
{
	ct_arena_prefetch(&ct->arena, ct_table_first(ct, bucket));
}

/*
 * Looks the flow of a packet with tuple t up in its bucket (lock held). Returns the slot and sets
 * *ret_dir to the direction of t, or 0. A flow whose tuples are equal is found in its reply
 * direction (semantics 1.4). Flows not yet confirmed are not found. The flow may have expired: the
 * caller looks.
 */
uint32_t ct_table_find(const struct ct *ct, uint32_t bucket, const struct ct_tuple *t,
		       enum ct_dir *ret_dir);

/*
 * The newest unconfirmed flow that a packet of this tuple and print made, or 0 (lock held).
 */
uint32_t ct_table_find_pending(const struct ct *ct, uint32_t bucket, const struct ct_tuple *orig,
			       uint32_t print);

/* The next older unconfirmed flow with the same original tuple as this one, or 0 (lock held). */
uint32_t ct_table_next_pending(const struct ct *ct, uint32_t index);

/* The newest unconfirmed flow with this original tuple, or 0 (lock held). */
uint32_t ct_table_find_any_pending(const struct ct *ct, uint32_t bucket,
				   const struct ct_tuple *orig);

/* Makes a complete entry findable and starts its timer (lock held). */
void ct_table_insert(struct ct *ct, uint32_t bucket, uint32_t index);

/* Takes an entry out and stops its timer; its slot stays the caller's (lock held). */
void ct_table_remove(struct ct *ct, uint32_t bucket, uint32_t index);

/* The same for an entry whose timer has fired and is stopped already (lock held). */
void ct_table_unlink(struct ct *ct, uint32_t bucket, uint32_t index);
