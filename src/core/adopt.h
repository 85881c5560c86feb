/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A table in memory that another process has left behind, or a copy of it (adopt.c).
 */

#include "core/core.h"

enum ct_arena_error {
	CT_ARENA_OK,
	CT_ARENA_FOREIGN, /* no arena */
	CT_ARENA_LAYOUT,  /* of a version whose entries look different */
	CT_ARENA_DAMAGED, /* its header contradicts itself or the size of the memory */
};

/* What an arena says of itself. */
struct ct_arena_facts {
	uint32_t max_flows, max_expect, max_fragmented;
	uint32_t high; /* the highest slot that was ever used */
	size_t size;   /* bytes that it takes */
	uint64_t salt;
};

/* Reads the header of an arena in size bytes. Fills in *ret only if all is well. */
enum ct_arena_error ct_arena_read(const void *arena, size_t size, struct ct_arena_facts *ret);

/* Can a table for params be made in its place, without a copy? */
bool ct_arena_suits(const struct ct_arena_facts *facts, const struct ct_params *params);

/*
 * The parts of an arena that have something in them, in ascending order: offset and length in
 * bytes, both multiples of 4096. All else is zero. The arena must be one that ct_arena_read()
 * accepts. Returns their number.
 */
#define CT_ARENA_PARTS 5
struct ct_arena_part {
	size_t offset, len;
};
size_t ct_arena_parts(const void *arena, struct ct_arena_part ret[static CT_ARENA_PARTS]);

/* Makes a copy of an arena's header useless for finding out the secret of its hashes. */
void ct_arena_forget_key(void *header);

/* What there is to be adopted. */
struct ct_estate {
	void *arena; /* accepted by ct_arena_read(); changed if threads left something undone */
	/* what the threads that worked on it left behind; NULLs are skipped */
	struct ct_thread *const *threads; /* their traces are seen to */
	size_t nthreads;
	uint64_t now_ns;
	int64_t shift_ns; /* added to all times: from the clock of then to that of now */
	bool rekey; /* the secret of the hashes is that of ct_params, not that of the arena; flows
		     * that wait for their confirmation are given up */
};

/* What became of it. */
struct ct_adopted {
	uint32_t flows;	      /* in the table now */
	uint32_t restored;    /* of them, put back to what they were before an unfinished packet */
	uint32_t moved;	      /* of them, under another id, for their slot is no more */
	uint32_t damaged;     /* given up: they contradicted themselves */
	uint32_t displaced;   /* given up: a smaller table has no room for them */
	uint32_t unconfirmed; /* given up: what they waited for is not known any more */
	uint32_t expects;     /* expectations taken over */
	uint32_t expects_lost;
};

/*
 * Makes a table of what was left. If memory is estate->arena, it is used as it is, and params must
 * suit it (ct_arena_suits()); otherwise memory is zeroed, and what is in the arena is
 * copied to it: ids stay the same as long as there is a slot of that number. params->key and
 * id_salt are taken from the arena unless estate says rekey (the salt always).
 *
 * No thread may run on the estate any more. Returns NULL if there is no memory for the index, or
 * if params does not fit.
 */
struct ct *ct_adopt(void *memory, size_t size, const struct ct_params *params,
		    const struct ct_estate *estate, struct ct_adopted *ret);

/*
 * Packets may have passed unseen since the table was left: established TCP connections learn their
 * windows anew. To be called before anything is judged. Returns how many there are.
 */
uint32_t ct_relax(struct ct *ct);

/*
 * Did the thread judge this packet before it died, so that its flow knows of it, and nobody heard
 * of the result? Then *out is filled in as by ct_track(), but without events. To be asked before
 * the thread judges anything again.
 */
bool ct_recall(const struct ct_thread *th, const struct ct_input *in, struct ct_result *out);
