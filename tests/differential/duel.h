/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Kernel, daemon and engine before the same packets.
 *
 * A duel plays talks: each step is sent, the rules of the router say what the kernel made of it and
 * what ctmarkd wrote into its mark, the engine in this process judges the same bytes, and both
 * tables are asked for the entry. What differs is a difference unless one of the rules in
 * duel_explain() says why it must be so.
 */

#include "tests/differential/cover.h"
#include "tests/differential/engine.h"
#include "tests/differential/plan.h"
#include "tests/differential/talk.h"
#include "tests/differential/volley.h"

/* Differences that are none: enum suffix, word, what it is. doc/conformance.md lists them. */
#define EXPLAINED_LIST(X)                                                                          \
	X(UDP_EDGE, "udp-edge", "within a tick of the two seconds of UDP")                         \
	X(EXPIRY_EDGE, "expiry-edge", "within a tick of the end of its flow")                      \
	X(MASTER_EXPIRED, "master-expired", "the kernel had not collected a connection yet")       \
	X(DROPPED_IN_FRONT, "dropped-in-front", "the kernel's helper has not seen it")             \
	X(LOST_BEHIND, "lost-behind", "ctmarkd is not told of what rules drop behind it")

enum explained {
#define X(name, str, what) EXPLAINED_##name,
	EXPLAINED_LIST(X)
#undef X
		EXPLAINED_MAX
};

/* What was said of one packet. */
struct story {
	bool asked; /* all below is true: the kernel classified it */
	bool daemon_asked;
	enum ct_info kernel, daemon, engine;
	enum ct_reason reason;
	bool drop; /* says the engine */
	bool has_tuple;
	struct ct_tuple tuple;
	struct entry in_kernel, in_engine;
	uint32_t granted;    /* the engine's timeout at the time of the packet */
	const char *differs; /* what does, or NULL */
};

/* One talk under way. */
struct play {
	struct talk talk;
	uint16_t number;
	bool busy;
	bool daemon_off;   /* ctmarkd cannot be asked any more */
	unsigned int next; /* step */
	uint64_t due_ns;
	uint64_t late_ns; /* the longest that a packet of it was under way */
	struct talk_memory said;
	struct flow_packet packet; /* of the step, with absolute numbers */
	struct shot shot;
	struct story story[TALK_STEPS_MAX];
	struct cover_memory memory;
};

struct duel {
	struct plan plan;
	struct flow_wire wire;
	struct volley volley;
	struct engine engine;
	bool with_daemon;
	uint16_t number;     /* of the last talk */
	uint32_t fragmented; /* id of the last packet; begins anywhere */
	struct cover cover;
	unsigned int packets, talks, unseen, different;
	unsigned int explained[EXPLAINED_MAX];
	unsigned int infos[CT_INFO_MAX];
};

/* What a step came to. */
enum duel_end { DUEL_GOES_ON, DUEL_OVER, DUEL_DIFFERS };

/* Begins to play the talk that is in p->talk. */
void duel_begin(struct duel *d, struct play *p);

/*
 * Plays the next step of each at once, at most VOLLEY_MAX; ret_ends tells what came of them.
 * Returns 0 or -errno.
 */
int duel_step(struct duel *d, struct play *plays[], size_t n, enum duel_end ret_ends[]);

const char *duel_explained_name(enum explained e);
