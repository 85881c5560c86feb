/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What pictures are made from: the packets of the flows that are shown, kept in memory.
 *
 * All of it is bounded, since a capture is not. What finds no room is counted, and the pictures say
 * so.
 */

#include "tools/ctmark-replay/choice.h"
#include "tools/ctmark-replay/graph.h"
#include "tools/ctmark-replay/reel.h"

#define FILM_FLOWS_MAX 1000
#define FILM_PAIRS_MAX 16 /* of addresses, without a flow */

struct film {
	const struct choice *choice;
	struct reel **reels; /* by number; pairs first */
	size_t nreels, npairs;
	uint64_t packets, invalid; /* shown, whether there was room or not */
	uint64_t flows_left;	   /* flows that are shown and found no room */
	uint64_t *left;		   /* by slot of the table: number of the last one of these */
	uint64_t packets_left;	   /* packets without a flow that found none */
	struct graph tcp, sctp;
	uint64_t ended_last; /* the flow that has just been ended by a SYN, 0: none */
	uint64_t end_ns;     /* of the capture, from its beginning */
};

/* max_flows: of the table. Returns 0 or -ENOMEM; then there is nothing to be freed. */
int film_init(struct film *f, const struct choice *choice, uint32_t max_flows);
void film_done(struct film *f);

/* What sinks are told. 0 or -ENOMEM. */
int film_packet(struct film *f, const struct record *r);
void film_ending(struct film *f, const struct ending *e);
void film_end(struct film *f, const struct replay_totals *t);
