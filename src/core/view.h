/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Flows and expectations as others may look at them: copies, taken while packets flow.
 *
 * A listing takes one bucket at a time, under the lock of its stripe for as long as it takes to
 * copy it; its memory is asked for before. Between two calls no lock is held, so a listing that
 * nobody reads costs packets nothing. A flow that lives from the beginning to the end of a listing
 * is in it exactly once; one that comes or goes meanwhile may or may not be.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/core.h"

/* What one side of a TCP connection has sent and allows (semantics 4.1, 4.6). Host order. */
struct ct_view_peer {
	uint32_t end, maxend, maxwin, maxack;
	uint8_t scale, flags; /* enum ct_tcp_flag, named by ct_tcp_flag_name() */
	/* the next segment of this side is judged by these (ct_tcp_bounds() in tcp_window.c) */
	uint32_t seq_min, seq_max, ack_min, ack_max;
};

struct ct_view_tcp {
	struct ct_view_peer peer[CT_DIR_MAX];
	uint8_t last_dir, last_index;
	uint8_t retrans;
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
	uint32_t skip; /* flows of that bucket which were taken already */
	bool done;
};

/*
 * Takes the next flows, confirmed ones only, at most cap (at least 16) of them. Returns how many;
 * w->done tells that these were the last. Bounded: it may return 0 without being done.
 */
size_t ct_walk_next(struct ct *ct, struct ct_walk *w, uint64_t now_ns, struct ct_view *ret,
		    size_t cap);

/* The flow with an id. False: there is none, or not any more. */
bool ct_view_get(struct ct *ct, uint64_t flow, uint64_t now_ns, struct ct_view *ret);

/*
 * Ends a flow for somebody who wants it (CT_DEATH_DELETED), with what it expects, and writes its
 * DESTROY event. False: there is none of that id. The thread's counters count it.
 */
bool ct_delete(struct ct_thread *th, uint64_t flow, uint64_t now_ns, struct ct_event *ret_event);

struct ct_view_expect {
	struct ct_tuple tuple;
	bool any_src, any_src_id; /* from any address, from any port */
	bool permanent, inactive;
	uint8_t helper; /* of the flow to come */
	uint64_t timeout_ns;
	uint64_t master;
};

/* Takes the next expectations; *at is 0 at the beginning, and UINT32_MAX when these were the last.
 */
size_t ct_expect_next(struct ct *ct, uint32_t *at, uint64_t now_ns, struct ct_view_expect *ret,
		      size_t cap);

/* Name of one bit of enum ct_tcp_flag, NULL for others; of enum ct_tcp_index ("SYN/ACK"). */
const char *ct_tcp_flag_name(unsigned int bit);
const char *ct_tcp_index_name(uint8_t index);

/* Slot of a flow by its id; below or equal to ct_max_flows() for ids of this table. */
uint32_t ct_flow_slot(const struct ct *ct, uint64_t flow);
