/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Flows and expectations as others may look at them: copies, taken while packets flow.
 *
 * A listing takes a few flows of one bucket at a time, under the lock of its stripe for as long as
 * it takes to copy them; their memory is asked for before. Between two calls no lock is held, so a
 * listing that nobody reads costs packets nothing. A flow that lives from the beginning to the end
 * of a listing is in it exactly once, however long its chain is and whatever happens to that; one
 * that comes or goes meanwhile may or may not be. Flows not yet confirmed are not seen at all.
 *
 * Any thread may call these, and none of them allocates.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/core.h"

/* What one side of a TCP connection has sent and allows (semantics 4.1, 4.6). Host order. */
struct ct_view_peer {
	uint32_t end, maxend;
	uint32_t maxwin;      /* 0: nothing seen of it, and its next segment sets all of these */
	uint32_t maxack;      /* if MAXACK_SET is among the flags */
	uint8_t scale, flags; /* enum ct_tcp_flag, named by ct_tcp_flag_name() */
	/*
	 * The next segment of this side is judged by these, inclusively and modulo 2^32
	 * (ct_tcp_bounds() in tcp.h): it may not begin behind seq_max, and acknowledges nothing
	 * behind ack_max; what ends before seq_min or acknowledges something before ack_min is
	 * merely old.
	 */
	uint32_t seq_min, seq_max, ack_min, ack_max;
	bool any_age; /* nothing seen of the other side: seq_min is just far below */
};

struct ct_view_tcp {
	struct ct_view_peer peer[CT_DIR_MAX];
	/* direction and enum ct_tcp_index of the last segment that counted */
	uint8_t last_dir, last_index;
	uint8_t retrans; /* how often the last one was sent again */
};

struct ct_view_sctp {
	uint32_t vtag[CT_DIR_MAX]; /* 0: not known */
};

struct ct_view {
	uint64_t flow;	 /* id */
	uint64_t master; /* id of the flow that expected it, 0: none */
	struct ct_tuple orig, reply;
	uint64_t timeout_ns; /* left, 0 if it is over and not ended yet */
	uint64_t packets[CT_DIR_MAX], bytes[CT_DIR_MAX];
	uint16_t status;
	uint8_t state, helper;
	union {
		struct ct_view_tcp tcp;	  /* orig.proto is TCP */
		struct ct_view_sctp sctp; /* SCTP */
	} l4;
};

/* Where a listing is. All zero at its beginning. */
struct ct_walk {
	uint32_t bucket;
	uint32_t slot; /* flows of that bucket up to this slot were taken already */
	bool done;
};

/*
 * Takes the next flows, at most cap (at least 1; a multiple of 16 is best) of them. Returns how
 * many; w->done tells that these were the last. Bounded by the buckets that it looks at, too: it
 * may return 0 without being done.
 */
size_t ct_walk_next(struct ct *ct, struct ct_walk *w, uint64_t now_ns, struct ct_view *ret,
		    size_t cap);

/* Flows that a listing shows: all but those that are not confirmed. */
uint32_t ct_count_shown(const struct ct *ct);

/* The flow with an id. False: there is none, or not any more. */
bool ct_view_get(struct ct *ct, uint64_t flow, uint64_t now_ns, struct ct_view *ret);

/*
 * Ends a flow for somebody who wants it (CT_DEATH_DELETED), even one whose time is up, with what it
 * expects, and writes its DESTROY event, whose hook is NONE. What a helper wants ended with it is
 * not found any more, and follows by the clock with an event of its own. False: there is none of
 * that id. The counters of th count it, so that this has to be the thread that owns them; th->cfg
 * says whether the flow was accounted.
 */
bool ct_delete(struct ct_thread *th, uint64_t flow, uint64_t now_ns, struct ct_event *ret_event);

struct ct_view_expect {
	struct ct_tuple tuple;
	bool any_src, any_src_id; /* from any address, from any port */
	bool permanent;		  /* stays when it is met */
	bool inactive;		  /* cannot be met before an answer has come */
	uint8_t helper;		  /* of the flow to come */
	uint64_t timeout_ns;	  /* left */
	uint64_t master;	  /* id of the flow that it was read in */
};

/*
 * Takes the next expectations whose time is not over; *at is 0 at the beginning, and UINT32_MAX
 * when these were the last. Returns how many, perhaps 0 before they were the last. What is said of
 * flows above holds for expectations, too.
 */
size_t ct_expect_next(struct ct *ct, uint32_t *at, uint64_t now_ns, struct ct_view_expect *ret,
		      size_t cap);

/* Name of one value of enum ct_tcp_flag ("SACK_PERM" for 2), NULL for others. */
const char *ct_tcp_flag_name(unsigned int bit);

/* Name of a value of enum ct_tcp_index ("SYN/ACK"), "?" for others. */
const char *ct_tcp_index_name(uint8_t index);

/* Slot of a flow by its id, 1 .. ct_max_flows(); 0 for what cannot be an id of this table. */
uint32_t ct_flow_slot(const struct ct *ct, uint64_t flow);
