/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Which cells of the state tables the packets reach: a kind of packet, in a direction, in a state
 * of the kernel's entry before it. The state before is what ctnetlink said after the packet before.
 */

#include "tests/differential/entry.h"
#include "tests/flows/flow_script.h"

#define COVER_KINDS	 16 /* kinds of TCP packets, types of SCTP chunks */
#define COVER_STATES	 10
#define COVER_MEMORY_MAX 12

struct cover {
	unsigned int tcp[CT_DIR_MAX][COVER_KINDS][COVER_STATES];
	unsigned int sctp[CT_DIR_MAX][COVER_KINDS][COVER_STATES];
};

/* What one conversation's entries were when last looked at. */
struct cover_memory {
	struct {
		struct entry entry;
		uint64_t expires_ns;
	} known[COVER_MEMORY_MAX];
	unsigned int n;
};

/*
 * Notes a packet of a tuple that was judged by itself as sound; after: the entry behind it, now_ns:
 * the time. p NULL: only the entry is remembered.
 */
void cover_note(struct cover *c, struct cover_memory *m, const struct flow_packet *p,
		const struct ct_tuple *t, const struct entry *after, uint64_t now_ns);

/*
 * Runs add up in a file. Loading one that is not there leaves *c empty; both return 0 or -errno.
 */
int cover_load(struct cover *c, const char *path);
int cover_save(const struct cover *c, const char *path);

/*
 * Prints the cells that were missed, and "# TCP: 93 of 95 reachable cells (97 %)". Returns the
 * smallest percentage of all tables.
 */
unsigned int cover_print(FILE *f, const struct cover *c);
