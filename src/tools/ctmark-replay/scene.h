/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The packet that is explained, and what is known of everything around it. */

#include "tools/ctmark-replay/account.h"
#include "tools/ctmark-replay/look.h"
#include "tools/ctmark-replay/recall.h"
#include "tools/ctmark-replay/sinks.h"

struct scene {
	const struct look *look;
	const struct record *record;
	const struct ct_event *event; /* why it was refused; NULL: it was not, or nobody knows */
	const struct anatomy *packet;
	const struct recall *memory;
	const struct recall_flow *flow; /* as the packet found it; NULL: there was none */
	uint64_t reopened;		/* number of the flow that it has put an end to, 0: none */
	uint64_t begin_ns;		/* of the capture */
	struct account *account;
};

/* "the initiator": sent the first packet that was seen; "the responder" */
const char *scene_side(uint8_t dir);

#define SCENE_STRLEN 160

/* Each writes to buf, which is returned. */

/* seconds since the beginning, or a time of day: as look->time wants it */
const char *scene_time(const struct scene *s, uint64_t time_ns, char buf[static SCENE_STRLEN]);

/* "250 ms", "12.3 s", "2 h 5 min" */
const char *scene_span(uint64_t ns, char buf[static SCENE_STRLEN]);

/* "TCP 10.0.0.1:4000 > 10.0.0.2:80" */
const char *scene_tuple(const struct ct_tuple *t, char buf[static SCENE_STRLEN]);

/* "10.0.0.1" */
const char *scene_address(uint8_t family, const union ct_addr *addr, char buf[static SCENE_STRLEN]);

/* " (packet 7)"; nothing if the number is 0 */
const char *scene_by(uint64_t number, char buf[static SCENE_STRLEN]);

/*
 * A sequence number of one side: "4711 (rel. 12)"; without the latter if its first one was not
 * seen.
 */
const char *scene_seq(const struct scene *s, uint8_t dir, uint32_t seq,
		      char buf[static SCENE_STRLEN]);

/* ---- what is said, by protocol and class ---- */

/* What was there when the packet came: the flow, or where one went. */
void explain_found(const struct scene *s);

/* The rule that decided, and what would have been accepted. */
void explain_rule(const struct scene *s);

/* Parts of these that belong to one protocol. False: there is nothing to be said. */
void explain_tcp_sent(const struct scene *s);
void explain_tcp_valid(const struct scene *s);
void explain_tcp_refused(const struct scene *s);
void explain_sctp_sent(const struct scene *s);
void explain_sctp_valid(const struct scene *s);
void explain_sctp_refused(const struct scene *s);
bool explain_icmp_valid(const struct scene *s);
void explain_icmp_refused(const struct scene *s);
