/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a flow has come to so far: one of these for each slot of the table. Pure. */

#include "tools/ctmark-replay/record.h"

#define LIFE_STATES_MAX	 16
#define LIFE_REASONS_MAX 6

struct life_reason {
	uint8_t reason; /* enum ct_reason */
	uint64_t packets;
};

/* What changes with each packet comes first, in one line of the cache. */
struct life {
	_Alignas(64) uint64_t flow;			 /* number; 0: nobody has lived here */
	uint64_t last_ns;				 /* since 1970 */
	uint64_t packets[CT_DIR_MAX], bytes[CT_DIR_MAX]; /* those with a class */
	uint16_t status;
	uint8_t state;
	uint8_t nstates; /* LIFE_STATES_MAX + 1: there were more */
	uint8_t states[LIFE_STATES_MAX];
	uint64_t first_ns, begin_ns; /* since 1970: of the flow, and of the capture */
	uint64_t master;
	struct ct_tuple orig;
	uint64_t errors;  /* ICMP errors about it */
	uint64_t invalid; /* packets */
	uint8_t helper;
	uint8_t nreasons; /* further ones are counted by invalid only */
	struct life_reason reasons[LIFE_REASONS_MAX];
};

/* The first packet of a flow. */
void life_begin(struct life *l, const struct record *r);

/* Each packet, the first one, too. */
void life_packet(struct life *l, const struct record *r);

/* It has ended, in this state. */
void life_end(struct life *l, const struct ending *e);
