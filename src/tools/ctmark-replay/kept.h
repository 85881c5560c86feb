/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Packets that the engine holds: copies of them, until it has decided, found by their id however
 * many there are.
 *
 * How many there can be is up to the engine, which bounds them.
 */

#include "io/pcap.h"

#define KEPT_HEADS (1u << 14)

/* A copy; bytes that in and packet point to are behind it. */
struct kept_packet {
	struct kept_packet *next;
	struct capture_packet packet;
	struct ct_input in;
	uint8_t bytes[];
};

struct kept {
	struct kept_packet *heads[KEPT_HEADS]; /* by in.id */
};

/* Copies a packet, whose in->id no other one that is kept has. Returns 0 or -ENOMEM. */
int kept_add(struct kept *k, const struct capture_packet *packet, const struct ct_input *in);

/* Takes the packet of this id out; the caller frees it. NULL: there is none. */
struct kept_packet *kept_take(struct kept *k, uint32_t id);

/* Frees all that is kept. */
void kept_done(struct kept *k);
