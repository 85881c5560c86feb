/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Whether packets that came, those that were answered and those that wait are the same
 * (accounts.c).
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/nfqueue.h"

/* What became of the packets of a queue, as a sentence without an end. */
#define ACCOUNTS_LINE_STRLEN 400
char *accounts_line(unsigned int queue, const struct nfqueue_stats *s,
		    char buf[static ACCOUNTS_LINE_STRLEN]);

/* A difference between two counts that are not read at one moment. */
struct difference {
	int64_t value;
	unsigned int looks; /* in a row that found it */
};

#define DIFFERENCE_LOOKS 3

/* Takes note of a look. Returns it, once, if it has been the same, and not 0, for so many looks. */
int64_t difference_due(struct difference *d, int64_t value);

/* Packets that wait in the kernel and nowhere here. */
struct surplus {
	uint32_t least;
	unsigned int looks; /* in a row that found some */
};

#define SURPLUS_LOOKS 5

/*
 * Takes note of a look. Returns how many there have been at least in so many looks, then begins
 * anew. empty: nothing waits to be read, else the kernel has more for a good reason.
 */
uint32_t surplus_due(struct surplus *s, uint32_t in_kernel, uint64_t known, bool empty);
