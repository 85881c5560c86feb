/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * adopt(save(x)) = x: a second table takes over a copy of a first one, sees the same packets from
 * then on, and has to say the same of each. What differs aborts, as FUZZ_CHECK() does.
 *
 * Not compared is what taking over does not keep, or may do at another time: ids of flows that
 * begin later, the moment at which a flow whose time is up leaves the table, and so what happens in
 * a table that is full.
 */

#include "core/core.h"

#define TWIN_ARENA (1u << 16)

struct twin {
	struct ct_thread th; /* th.ct is NULL: there is none */
	int64_t shift_ns;    /* from the clock of the first to its own */
	_Alignas(4096) uint8_t left[TWIN_ARENA], room[TWIN_ARENA];
};

/* How the table is taken over. */
enum twin_how {
	TWIN_COPY = 1,	/* to other memory, with room for more flows */
	TWIN_REKEY = 2, /* the secret of the hashes is another one */
	TWIN_SHIFT = 4, /* the clock, too */
};

/*
 * Takes over a copy of the table of th, all of whose ends up to now_ns have been seen to; its arena
 * is of size bytes, its parameters are params. One that is full has no twin.
 */
void twin_begin(struct twin *t, const struct ct_thread *th, const void *arena, size_t size,
		const struct ct_params *params, unsigned int how, uint64_t now_ns);

/* The same packet: out is what the first table said of it. */
void twin_track(struct twin *t, struct ct *first, const struct ct_input *in,
		const struct ct_result *out);

/* The same ends by the clock. */
void twin_expire(struct twin *t, uint64_t now_ns);

/* The flow of this original tuple is ended by somebody. */
void twin_delete(struct twin *t, const struct ct_tuple *orig, uint64_t now_ns);

/* Flow by flow, what the two tables show is the same. */
void twin_compare(struct twin *t, struct ct *first, uint64_t now_ns);

/* Nothing of it stays. */
void twin_done(struct twin *t);
