/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What has to be remembered of each flow so that one packet can be explained: which packets have
 * made it what it is.
 *
 * Grows with the flows of a capture, not with its packets. A flow that has ended keeps its
 * endpoints and its end; the rest is given back.
 */

#include "tools/ctmark-replay/anatomy.h"
#include "tools/ctmark-replay/record.h"

/* Numbers of packets; 0: none did. */
struct recall_side {
	bool based;
	uint32_t base; /* the first sequence number seen: relative ones count from it */
	uint64_t base_by;
	uint64_t end_by;		 /* sent the highest sequence number */
	uint64_t maxend_by;		 /* of the other side: allowed the most */
	uint32_t maxend_ack, maxend_win; /* by this acknowledgement and this window, scaled */
	uint64_t maxwin_by;		 /* offered the largest window */
	uint32_t maxwin_raw;
	bool maxwin_syn;    /* in a segment whose window is not scaled */
	uint64_t maxack_by; /* acknowledged the most */
	uint64_t vtag_by;   /* SCTP: made its tag known */
};

#define RECALL_RECENT 6

struct recall_detail {
	uint64_t state_by;	 /* the packet that brought it into its state */
	uint64_t reply_by;	 /* SEEN_REPLY */
	uint64_t assured_by;	 /* ASSURED */
	uint64_t expects_by;	 /* last one that announced another flow to a helper */
	uint64_t expects_before; /* one before that */
	uint64_t valid, invalid; /* packets */
	uint64_t window_invalid; /* first packet that was refused by the window check */
	uint64_t syn_by;	 /* last SYN that was let through and not believed */
	struct recall_side side[CT_DIR_MAX];
	struct {
		uint64_t number;
		uint32_t print;
	} recent[RECALL_RECENT]; /* a ring */
	uint32_t nrecent;
};

struct recall_flow {
	struct ct_tuple orig;
	uint64_t first, last;		      /* packets that count */
	uint64_t first_ns, last_ns, ended_ns; /* times of the capture */
	uint64_t expires_ns;		      /* when its time is up, if no packet comes */
	uint16_t status;
	uint8_t state;
	uint8_t death;		      /* enum ct_death, NONE: alive */
	struct recall_detail *detail; /* NULL: ended */
};

/* First fragments, by what the later ones have of them. */
#define RECALL_DATAGRAMS 64

struct recall_datagram {
	union ct_addr src, dst;
	uint32_t id;
	uint64_t number; /* of the packet, 0: none */
};

struct recall {
	struct recall_flow *flows; /* by number, [0] is unused */
	uint64_t nflows, size;
	struct recall_datagram datagrams[RECALL_DATAGRAMS]; /* a ring */
	uint64_t ndatagrams;
};

/* Notes what a packet has done to its flow. Returns 0 or -ENOMEM. */
int recall_note(struct recall *m, const struct record *r, const struct anatomy *a);

/* Notes the end of a flow. */
void recall_end(struct recall *m, const struct ending *e);

/* The flow of a number; NULL if it is not known. */
struct recall_flow *recall_flow(const struct recall *m, uint64_t number);

/*
 * The last flow before number `before` (0: of all) that had this tuple in one of its directions;
 * 0: none.
 */
uint64_t recall_by_tuple(const struct recall *m, const struct ct_tuple *t, uint64_t before);

/* The packet of a flow, among the last ones, that has this print; 0: none. */
uint64_t recall_by_print(const struct recall_flow *f, uint32_t print);

/* The first fragment, among the last ones, of the datagram of a fragment; 0: none. */
uint64_t recall_first_fragment(const struct recall *m, const struct anatomy *a);

void recall_done(struct recall *m);
