/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What a replay tells of: packets and ends of flows, one after the other, and who wants to hear it.
 *
 * The engine (replay.c) makes the records, a sink shows them: as text, JSON, pictures, ... Pointers
 * in a record are valid during the call only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"
#include "core/view.h"
#include "io/pcap.h"

/* A flow as it was between two packets. */
struct moment {
	bool known; /* there was a flow */
	uint8_t state;
	uint16_t status;
	uint64_t timeout_ns; /* left */
};

/* One packet of the capture that the engine has judged. */
struct record {
	const struct capture_packet *packet; /* number, time, link layer */
	const struct ct_input *in;	     /* bytes, and the engine's time */
	const struct ct_result *out;	     /* out->flow, out->events: with ids of the engine */
	uint64_t begin_ns;		     /* since 1970: the first packet of the capture */
	uint64_t flow;	      /* number of the flow, in the order of their beginning; 0: of none */
	uint64_t master;      /* number of the flow that expected it, 0: none */
	uint32_t slot;	      /* where it is in the table, 1 .. max_flows; 0: of no flow */
	uint8_t helper;	      /* enum ct_helper_id, of its flow */
	bool first;	      /* the flow begins with it */
	struct moment before; /* what the packet found */
	/*
	 * The flow as a whole before the packet and after it; NULL if there was none, or if no
	 * sink asked for it (replay_config.views). A packet that opened its flow anew
	 * (tcp-reopen) has found another one: that is not in here.
	 */
	const struct ct_view *view_before, *view_after;
	uint32_t expects; /* flows that a helper has come to expect by it; with views only */
};

/* A flow has ended: by the clock, or by the packet whose record comes next. */
struct ending {
	uint64_t begin_ns; /* as in struct record */
	uint64_t time_ns;  /* since 1970, as times of the capture */
	uint64_t flow;	   /* number, 0: not seen alive */
	uint64_t master;   /* as in struct record */
	uint32_t slot;
	const struct ct_event *event;
};

/* What was replayed, at the end. */
struct replay_totals {
	const struct capture_totals *capture;
	struct ct_stats stats; /* of the engine: by ctinfo, reason, death */
	uint64_t packets;      /* judged */
	uint64_t flows;	       /* begun */
	uint32_t alive;	       /* still in the table */
	uint64_t now_ns;       /* since 1970: the last packet */
};

struct sink;

/* Each returns 0, or -errno to stop the replay: what was wrong has been said. Any may be NULL. */
struct sink_ops {
	/* a packet of the flow in this slot of the table comes soon: memory can be asked for */
	void (*ahead)(struct sink *s, uint32_t slot);
	int (*packet)(struct sink *s, const struct record *r);
	int (*ending)(struct sink *s, const struct ending *e);
	int (*done)(struct sink *s, const struct replay_totals *t); /* all was told */
	void (*free)(struct sink *s);
};

/* To be the first member of whatever a sink needs. */
struct sink {
	const struct sink_ops *ops;
};
