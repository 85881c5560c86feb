/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* TCP between A:1024 and B:80 on a stage. */

#include "tests/flows/flow_packet.h"
#include "tests/unit/tools/stage.h"

struct talk_segment {
	bool back; /* from B to A */
	unsigned int flags;
	uint32_t seq, ack;
	unsigned int win, len;
	const uint8_t *opt;
	unsigned int optlen;
};

/* Adds a packet of any kind; it is built for IPv4. Returns its number. */
uint64_t talk_packet(struct stage *s, const struct flow_packet *p);

uint64_t talk_add(struct stage *s, const struct talk_segment *seg);

/* Adds a segment without options 10 ms after the one before. */
uint64_t talk_say(struct stage *s, bool back, unsigned int flags, uint32_t seq, uint32_t ack,
		  unsigned int len);

/*
 * A handshake with window scale 7 and SACK on both sides, windows of 500 << 7, then 99 bytes from A
 * that B acknowledges: five packets. A is at 1100, B at 5001.
 */
void talk_open(struct stage *s);
