/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The memory behind fragment.c: datagrams under way, which bytes of each have come, and the packets
 * that wait for their class. Private to src/core.
 */

#include "core/arena.h"
#include "core/core.h"
#include "core/lock.h"
#include "core/siphash.h"

/* Pieces of a datagram that do not touch, as far as they are told apart. */
#define CT_RUNS_MAX 64

/* Lists of decided packets; a queue has one of them, and shares it only if ranges are this wide. */
#define CT_DUE_LISTS 256

/* What makes two fragments parts of one datagram (semantics 5.11). Hashed: no padding. */
struct ct_datagram_key {
	union ct_addr src, dst;
	uint32_t id;
	uint32_t iif; /* IPv6 to a link-local or multicast address, else 0 */
	uint16_t zone;
	uint8_t family;
	uint8_t proto; /* IPv4 only */
	uint8_t hook;
	uint8_t zero[3];
};

_Static_assert(sizeof(struct ct_datagram_key) == 48, "a key is hashed: no padding");

enum ct_datagram_state {
	CT_DATAGRAM_NONE,    /* the slot is free */
	CT_DATAGRAM_WAITING, /* its first fragment has not come */
	CT_DATAGRAM_JUDGING, /* it has come, and is being judged by some thread */
	CT_DATAGRAM_SETTLED, /* its class is known */
	CT_DATAGRAM_DEAD,    /* nothing more of it may pass; reason says why */
	CT_DATAGRAM_PAST,    /* all of it has passed, and the slot is free */
};

/* Bytes [start, end) that have come. Written at once, by its word. */
struct ct_run {
	union {
		struct {
			uint16_t start, end;
		};
		uint32_t word;
	};
};

enum ct_datagram_list {
	CT_DATAGRAMS_BY_AGE,  /* all of them, the oldest first */
	CT_DATAGRAMS_HOLDING, /* those that packets wait for, in the order in which the wait began
			       */
	CT_DATAGRAM_LISTS
};

/* What a fragment is to the rest of the system: that of the first one of its datagram. */
struct ct_fragment_class {
	uint32_t detail[CT_DETAIL_MAX];
	uint16_t status; /* of the flow, enum ct_status */
	uint8_t info;	 /* enum ct_info */
	uint8_t reason;	 /* enum ct_reason */
	bool drop;
};

struct ct_datagram {
	struct ct_datagram_key key;
	uint64_t created_ns; /* when the first fragment that came did */
	uint64_t past;	     /* all of it has passed, as so manyth; 0: not yet */
	uint32_t generation; /* of this slot */
	uint32_t next;	     /* in the bucket, or in the list of free slots */
	uint32_t prev_in[CT_DATAGRAM_LISTS], next_in[CT_DATAGRAM_LISTS];
	uint32_t held_first, held_last;

	uint32_t len;	   /* bytes of payload, as far as it is known */
	uint32_t meat;	   /* of them, those that have come */
	uint32_t overhead; /* of the first fragment: what stands before the payload of the whole */
	uint8_t state;	   /* enum ct_datagram_state */
	uint8_t ecn;	   /* bits 1 << codepoint of the fragments that have come */
	bool first_in, last_in;
	bool again; /* what has come may come again: it was not heard of before a process died */
	uint8_t nruns;

	struct ct_fragment_class class;
	/* the flow that counts its bytes */
	bool counted;
	uint8_t dir; /* enum ct_dir: its own in that flow */
	uint64_t flow;
	struct ct_tuple tuple;
	uint32_t first_len; /* payload of the first fragment */
	uint32_t tcp_end;   /* sequence number behind it */
	struct ct_run runs[CT_RUNS_MAX];
};

/* A packet without a verdict: it waits in the kernel under its id. */
struct ct_held {
	uint32_t next;
	uint32_t id, mark, iif, oif;
	uint32_t offset, end, ident;
	union ct_addr src, dst;
	uint16_t queue, zone;
	uint8_t family, proto, hook;
	struct ct_fragment_class class; /* once it is decided */
};

struct ct_due_list {
	uint32_t first, last;
};

struct ct_fragments {
	struct ct_lock lock; /* guards everything but the atomics; nobody takes another inside */
	struct ct_siphash_key key;
	uint32_t max, max_held;
	uint32_t held_slots;	       /* room for some that are decided already, too */
	uint32_t waiting;	       /* packets that are not decided: at most max_held */
	struct ct_datagram *datagrams; /* slot 0 is not used; in the arena */
	struct ct_held *held;	       /* neither here */
	uint32_t *buckets;
	uint32_t bucket_mask;
	_Atomic uint32_t *high;		 /* highest slot ever used, in the header of the arena */
	uint32_t free, free_last, nfree; /* used again in the order in which they became free */
	uint64_t npast;			 /* datagrams that have passed */
	uint32_t held_free, held_high;
	uint32_t oldest[CT_DATAGRAM_LISTS], newest[CT_DATAGRAM_LISTS];
	struct ct_due_list due[CT_DUE_LISTS];
	_Atomic uint32_t used;	/* datagrams */
	_Atomic uint32_t nheld; /* packets without a verdict, decided ones included */
	_Atomic uint8_t seen;	/* enum ct_fragments_seen */
};

/*
 * Finds datagrams in an arena, none of them being known yet, and makes room for max_held packets.
 * False: no memory.
 */
bool ct_fragments_init(struct ct_fragments *f, struct ct_arena_header *header, uint32_t max_held,
		       const struct ct_siphash_key *key);
void ct_fragments_done(struct ct_fragments *f);

/*
 * Takes datagrams over that another process has left in a table of high slots, which may be the own
 * one: those whose first fragment has been judged, so that the others still get its class; also
 * those of which all has come, as far as their slots tell. What waited for a first one comes again,
 * and so may what was given its class at the very end.
 */
void ct_fragments_adopt(struct ct_fragments *f, const struct ct_datagram *from, uint32_t high,
			uint64_t now_ns, int64_t shift_ns);

/* All that follows with the lock held. A slot is named by its index, 0: none. */

uint32_t ct_datagram_find(const struct ct_fragments *f, const struct ct_datagram_key *key);

/* Takes a free slot; 0 if there is none. */
uint32_t ct_datagram_add(struct ct_fragments *f, const struct ct_datagram_key *key,
			 uint64_t now_ns);

/* Gives it back; no packet waits for it any more. */
void ct_datagram_remove(struct ct_fragments *f, uint32_t index);

/* The same, all of it having come. */
void ct_datagram_complete(struct ct_fragments *f, uint32_t index);

/* Behind all that a state says of a datagram, for a process that finds it left behind. */
static inline void ct_datagram_set_state(struct ct_datagram *d, enum ct_datagram_state state)
{
	ct_store_behind(&d->state, (uint8_t)state);
}

/*
 * Datagram index of another process had its first fragment judged by a thread that died, as the
 * trace says: it has its class, and what has come of it is owed to the flow (of this id).
 */
void ct_datagram_settle(struct ct_datagram *d, uint32_t index, struct ct_trace *t,
			const struct ct_flow *f, uint64_t flow);

enum ct_fit {
	CT_FIT_NEW,	  /* nothing of these bytes has come */
	CT_FIT_DUPLICATE, /* all of them are in one run already */
	CT_FIT_OVERLAP,	  /* some of them are */
	CT_FIT_CROWDED,	  /* too many runs to remember one more */
};

/*
 * Has [start, end) come, not empty? What counts as a duplicate is what the kernel takes for one: it
 * joins a piece to another only at the end of the last one, so bytes on both sides of any other
 * seam are an overlap (until runs get too many; then all seams close).
 */
enum ct_fit ct_datagram_fit(struct ct_datagram *d, uint32_t start, uint32_t end);

/* Notes that it has come, if it is new. A process that dies meanwhile leaves it known or not. */
void ct_datagram_note(struct ct_datagram *d, uint32_t start, uint32_t end);

/* Is [start, end) a part of what has come? Also of a datagram as another process left it. */
bool ct_datagram_knows(const struct ct_datagram *d, uint32_t start, uint32_t end);

/* Takes a slot for a packet that waits for datagram index; 0 if there is none. */
uint32_t ct_held_add(struct ct_fragments *f, uint32_t index);

/* Takes the packet behind prev (0: the first) out of the wait for datagram index. */
void ct_held_unlink(struct ct_fragments *f, uint32_t index, uint32_t prev, uint32_t held);

/* Hands a packet that waits for nothing any more over to the worker of its queue. */
void ct_held_due(struct ct_fragments *f, uint32_t held);

/* Takes the next decided packet of a queue; 0: there is none. To be given back by ct_held_free().
 */
uint32_t ct_held_take(struct ct_fragments *f, uint16_t queue);
void ct_held_free(struct ct_fragments *f, uint32_t held);
