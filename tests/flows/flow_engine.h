/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The engine in process, with a clock that only moves when a script waits. */

#include "tests/flows/flow_packet.h"
#include "tests/flows/flow_script.h"

struct flow_engine {
	struct ct *ct;
	void *arena;
	struct ct_thread thread;
	struct ct_config cfg;
	uint64_t now_ns;
};

/* What became of a packet, by the engine or by the kernel. */
struct flow_seen {
	bool judged; /* false: the packet was never seen again; nothing below is true */
	enum ct_info info;
	bool alive;		   /* its flow is in the table */
	bool drop;		   /* the packet has to be dropped */
	int state;		   /* of TCP or SCTP, FLOW_UNSET: another protocol */
	uint8_t proto;		   /* IP protocol whose state that is */
	bool tagged;		   /* vtag is known */
	uint32_t vtag[CT_DIR_MAX]; /* of SCTP packets in each direction */
	uint16_t status;
	uint32_t timeout; /* seconds, rounded down */
	int reason;	  /* enum ct_reason, FLOW_UNSET: unknown */
};

/* Starts an empty table with the settings of a script. Returns 0 or -ENOMEM. */
int flow_engine_init(struct flow_engine *e, const struct flow_setting *settings, size_t n);
void flow_engine_done(struct flow_engine *e);

/*
 * Lets time pass and ends what is over. Up to cap events are written; returns their number.
 */
size_t flow_engine_wait(struct flow_engine *e, uint64_t ns, struct ct_event *events, size_t cap);

/*
 * Judges one packet. If the engine confirms at the exit hook (e->cfg.confirm) it passes that, too,
 * unless it is dropped before; what happened there is added to the result.
 */
void flow_engine_track(struct flow_engine *e, const struct flow_bytes *bytes, bool dropped,
		       struct ct_result *ret);

/* The result in the terms of scripts; e knows more of an SCTP flow than the result (NULL: no). */
struct flow_seen flow_engine_seen(const struct flow_engine *e, const struct flow_packet *p,
				  const struct ct_result *res);

/*
 * Compares with what a script expects; timeouts may be up to slack seconds lower. Returns true if
 * it is so. Otherwise, and in any case, buf says what was seen, as the script would write it.
 */
bool flow_seen_matches(const struct flow_seen *seen, const struct flow_expect *e, uint32_t slack,
		       char buf[static FLOW_EXPECT_STRLEN]);

/* Compares events with those of a script, in any order. */
bool flow_events_match(const struct flow_event *expected, size_t n, const struct ct_event *events,
		       size_t nevents);
