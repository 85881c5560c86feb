/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A reel: what is kept of the packets of one flow, or of those between two addresses that had no
 * flow. The first ones, the last ones, and of those between them such that something happened with;
 * the rest is counted.
 */

#include "tools/ctmark-replay/decode.h"
#include "tools/ctmark-replay/record.h"

#define REEL_HEAD 96 /* packets from the beginning */
#define REEL_KEPT 32 /* between them: INVALID, a new state, a new bit of the status */
#define REEL_TAIL 32 /* packets at the end */

/* One packet. */
struct shot {
	struct decoded packet;
	uint64_t number, nth; /* in the capture; of those of its flow that are shown, from 1 */
	uint64_t at_ns;	      /* since the capture began */
	uint64_t timeout_ns;  /* left, after the packet */
	uint32_t mark;
	struct moment before;
	uint16_t status; /* after */
	uint8_t info, reason, dir, state;
	bool has_flow, begins, drop;
	char *detail; /* numbers behind the reason, NULL: none */
};

struct reel {
	uint64_t number;      /* of the flow; 0: packets without one */
	struct ct_tuple orig; /* without a flow: of the first packet */
	bool has_tuple;
	uint8_t helper;		      /* enum ct_helper_id */
	uint64_t master;	      /* number of the flow that expected it, 0: none */
	uint64_t reopens;	      /* number of the flow whose ports it took over */
	uint64_t reopened;	      /* number of the flow that did so with this one */
	uint64_t packets, invalid;    /* that are shown */
	uint64_t last_ns, timeout_ns; /* of the last of them, since the capture began */
	bool ended, assured;
	uint8_t death; /* enum ct_death, if it has ended */
	uint64_t end_ns;
	bool has_base[CT_DIR_MAX];
	uint32_t base[CT_DIR_MAX]; /* sequence numbers are shown relative to these */
	struct shot *shots, *tail; /* tail: a ring of REEL_TAIL, NULL while shots has room */
	size_t nshots, ntail, tail_at;
};

/* Takes a packet, and what belongs to it. Returns 0 or -ENOMEM. */
int reel_put(struct reel *r, struct shot *s);

/* NULL is fine. */
void reel_free(struct reel *r);

/* How many packets of it are there, and the i-th of them. */
size_t reel_length(const struct reel *r);
const struct shot *reel_shot(const struct reel *r, size_t i);

/* Does the packet go from the one that is drawn at the left to the one at the right? */
bool shot_goes_right(const struct reel *r, const struct shot *s);

/*
 * An ICMP error that neither side has sent, but somebody on the way between them? Its address is
 * s->packet.src.
 */
bool shot_is_foreign(const struct reel *r, const struct shot *s);

/*
 * Writes what kind of packet it is to buf, which is returned: with relative sequence numbers, or in
 * full, with those of the header and TCP options.
 */
const char *shot_summary(const struct reel *r, const struct shot *s, bool full,
			 char buf[static DECODE_SUMMARY_MAX]);
