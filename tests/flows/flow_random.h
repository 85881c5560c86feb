/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Random TCP conversations that look as if they could be real: mostly the next legal number, often
 * one near an edge of the window, sometimes anything. The same seed gives the same packets.
 */

#include <stdint.h>

#include "tests/flows/flow_script.h"

/* What one end of the connection would know. */
struct flow_end {
	uint32_t isn, next; /* first and next sequence number */
	uint32_t peer;	    /* next one of the other end, as far as acknowledged */
	unsigned int window;
};

struct flow_random {
	uint64_t state;
	struct flow_end end[2]; /* A, B */
	unsigned int packets;	/* of this conversation */
	bool orderly;		/* begins with a proper handshake */
};

void flow_random_init(struct flow_random *r, uint64_t seed);

/* A number below n (n > 0). */
uint32_t flow_random_below(struct flow_random *r, uint32_t n);

/* Begins a conversation. */
void flow_random_start(struct flow_random *r);

/* The next packet of it; p needs no initialisation. */
void flow_random_packet(struct flow_random *r, struct flow_packet *p);
