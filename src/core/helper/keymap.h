/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The key map: call ids of PPTP that are not in the packet (semantics 1.3, 6.6).
 *
 * A GRE packet of a call carries the id that its receiver chose. The helper of the control
 * connection has read the other one too, and notes here which it is; so both directions of a call
 * get tuples that are inversions of each other. What is noted belongs to the control connection
 * and goes with it, or with the flow of the call.
 *
 * Zones play no part, as in the kernel.
 */

#include "core/ctinfo.h"
#include "core/lock.h"
#include "core/pkt.h"
#include "core/siphash.h"

/* What one control connection knows of its call. */
struct ct_keys {
	uint64_t master;		     /* id of the control connection */
	struct ct_tuple tuple[CT_DIR_MAX];   /* packets of each direction; no family: unknown */
	uint32_t next_of_bucket[CT_DIR_MAX]; /* named by slot and direction */
	uint32_t next;			     /* with the same masters bucket, or in the free list */
};

struct ct_keymap {
	struct ct_lock lock; /* guards everything but used; nobody takes another inside */
	struct ct_siphash_key key;
	struct ct_keys *slots; /* slots[0] is not used */
	uint32_t *buckets;     /* by what a packet shows, oldest first */
	uint32_t *masters;     /* by master */
	uint32_t bucket_mask, max;
	uint32_t free, high;
	_Atomic uint32_t used;
};

/* Makes room for the calls of max control connections. False: no memory. */
bool ct_keymap_init(struct ct_keymap *m, uint32_t max, const struct ct_siphash_key *key);
void ct_keymap_done(struct ct_keymap *m);

/*
 * Notes that packets with the addresses and the destination id of t have its source id. True if it
 * is noted, or was (whatever the source id was then); false if this master has noted another one
 * for this direction, or there is no room. The lock of a stripe may be held.
 */
bool ct_keymap_add(struct ct_keymap *m, uint64_t master, enum ct_dir dir, const struct ct_tuple *t);

/* Forgets both directions of a master, if there are any. The lock of a stripe may be held. */
void ct_keymap_forget(struct ct_keymap *m, uint64_t master);

/* Control connections that have noted something. */
static inline uint32_t ct_keymap_count(const struct ct_keymap *m)
{
	return atomic_load_explicit(&m->used, memory_order_relaxed);
}

/* ct_keymap_name() for GRE if there are keys. */
void ct_keymap_look_up(struct ct_keymap *m, const struct ct_pkt *pkt, struct ct_tuple *t);

/*
 * Completes the tuple that ct_tuple_build() made of a packet: the source id, if it is a packet of
 * a known call. No lock may be held but that of a stripe.
 */
static inline void ct_keymap_name(struct ct_keymap *m, const struct ct_pkt *pkt, struct ct_tuple *t)
{
	if (pkt->proto == CT_PROTO_GRE && ct_keymap_count(m) > 0)
		ct_keymap_look_up(m, pkt, t);
}
