/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * TCP conversations of a script: what each side has sent so far.
 *
 * How long a payload is depends on the addresses in it, so scripts cannot count the bytes. They
 * say "seq +0" for what comes next and "ack +0" for all that came.
 */

#include "tests/flows/flow_script.h"

#define FLOW_TALK_MAX 64

struct flow_talk {
	struct {
		enum flow_host src, dst;
		unsigned int sport, dport;
		uint32_t end; /* sequence number of the next byte */
	} side[FLOW_TALK_MAX];
	size_t n;
};

/*
 * Makes the numbers of a TCP packet absolute and remembers where it ends, unless it gets lost on
 * its way and will be sent again. Nothing happens to other packets. Returns 0, or -EINVAL if its
 * payload cannot be in this family.
 */
int flow_talk_say(struct flow_talk *t, struct flow_packet *p, bool lost, uint8_t family,
		  uint16_t number);
