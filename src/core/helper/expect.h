/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Expectations: flows that a helper has read about in another one (semantics 6.1, 6.2).
 *
 * One table for all of them with a lock of its own, which is taken inside the lock of a stripe.
 * What is expected belongs to its master, the flow it was read in, and goes when that goes.
 */

#include "core/arena.h"
#include "core/siphash.h"

enum ct_expect_flag {
	CT_EXPECT_PERMANENT = 1, /* stays when it is met */
	CT_EXPECT_INACTIVE = 2,	 /* not met yet: waits for an answer */
	CT_EXPECT_PAIR = 4,	 /* of two with inverse tuples, one met removes both */
};

/* What a helper asks for. */
struct ct_expect_spec {
	struct ct_tuple tuple; /* of the first packet to come, complete but for what is any_ */
	bool any_src;	       /* from any address; tuple.src is zero then */
	bool any_src_id;       /* from any port; tuple.src_id_be is zero then */
	bool skip_master;      /* may not repeat what another flow expects already */
	uint8_t class;	       /* of the helper's policies in CT_HELPER_LIST */
	uint8_t flags;	       /* enum ct_expect_flag */
	uint8_t helper;	       /* enum ct_helper_id for the flow to come, NONE: none */
	uint64_t timeout_ns;   /* life, 0: that of the class */
};

/* An expectation in memory. */
struct ct_expect {
	struct ct_tuple tuple;
	uint64_t expires_ns;
	uint64_t master_id; /* id of the master */
	uint32_t master;    /* its slot */
	uint32_t next;	    /* in the bucket, or in the free list */
	uint32_t sibling;   /* the next older of the same master */
	uint8_t any_src, any_src_id, class, flags, helper;
	uint8_t live; /* or free */
};

/* All of them. */
struct ct_expects {
	struct ct_expect *slots; /* slots[0] is not used */
	uint32_t *buckets;
	uint32_t bucket_mask, max;
	struct ct_siphash_key key;
	struct ct_lock lock; /* guards everything but used */
	uint32_t free;
	_Atomic uint32_t *high; /* highest slot ever used, in the header of the arena */
	uint32_t sweep;		/* where ct_expects_expire() goes on */
	_Atomic uint32_t used;
};

/*
 * Finds them in an arena, none of them being known yet. False: no memory for the index.
 */
bool ct_expects_init(struct ct_expects *x, struct ct_arena_header *header,
		     const struct ct_siphash_key *key);
void ct_expects_done(struct ct_expects *x);

enum ct_expect_error {
	CT_EXPECT_OK,
	CT_EXPECT_ALREADY, /* the same is expected, by another flow or in another class */
	CT_EXPECT_BUSY,	   /* overlaps with what another flow expects */
	CT_EXPECT_FULL,
};

/*
 * Expects a flow on behalf of the master in slot master, whose class allows policy_max at a time
 * (0: any number). timeout_ns of spec must be set. The lock of the master's stripe is held.
 */
enum ct_expect_error ct_expect_add(struct ct *ct, uint32_t master,
				   const struct ct_expect_spec *spec, unsigned int policy_max,
				   uint64_t now_ns);

/*
 * Does somebody expect a flow whose first packet has this tuple? Then *ret is what was expected,
 * and it is used up unless it is permanent. A stripe's lock may be held.
 */
bool ct_expect_meet(struct ct_thread *th, const struct ct_tuple *t, uint64_t now_ns,
		    struct ct_expect *ret);

/*
 * Forgets the newest expectation that a packet of this tuple would meet, whoever its master is. A
 * stripe's lock may be held.
 */
void ct_expect_cancel(struct ct *ct, const struct ct_tuple *t);

/* Forgets everything that a master expects. The lock of its stripe is held. */
void ct_expect_forget(struct ct *ct, uint32_t master);

/*
 * Is the flow of spec, which master would expect, expected by another flow with the same helper
 * and protocol, in the same class? The lock of the master's stripe is held.
 */
bool ct_expect_foreign(struct ct *ct, uint32_t master, const struct ct_expect_spec *spec,
		       uint64_t now_ns);

/*
 * Calls visit for each expectation of a master, newest first, until it returns false. It may
 * change expires_ns and flags; what it sets *remove for is removed.
 */
typedef bool ct_expect_visit(struct ct_expect *e, void *ctx, bool *remove);
void ct_expect_each(struct ct *ct, uint32_t master, uint64_t now_ns, ct_expect_visit *visit,
		    void *ctx);

/*
 * Takes expectations over that another process has left in a table of high slots, which may be the
 * own one: those that make sense, are in time and have a master that is there. Times get shift_ns
 * added (ct_time_shifted()). Returns how many; *ret_lost: how many more there were.
 */
uint32_t ct_expects_adopt(struct ct *ct, struct ct_expect *from, uint32_t high, uint64_t now_ns,
			  int64_t shift_ns, uint32_t *ret_lost);

/*
 * Puts back into an arena what a packet of another process had met when that was killed, unless it
 * is there. Before the rest is adopted.
 */
void ct_expects_put_back(struct ct_arena_header *header, const struct ct_expect *e);

/* Forgets what was not met in time; looks at a bounded number of them with each call. */
void ct_expect_expire(struct ct *ct, uint64_t now_ns);

/* Expectations there are now. */
uint32_t ct_expect_count(const struct ct *ct);
