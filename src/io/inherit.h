/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a predecessor left on its desk is brought to an end, or got ready to be (inherit.c). */

#include <stdbool.h>
#include <stdint.h>

#include "io/desk.h"

struct inheritance {
	uint32_t resent;  /* verdicts sent again */
	uint32_t packets; /* in the slots, to be judged */
	uint32_t counted; /* of those in the slots, also broken ones, in total.received already */
	bool orphans;	  /* some id is known up to which packets went round again */
	bool blind;	  /* none is: whatever is older than the first that comes has to */
};

/*
 * To be called with the queue's socket in fd, set up, before anything else is answered. trusted:
 * the slots tell all that was read last. Returns 0 or -errno, then it can be tried again.
 */
int inherit(struct desk *d, int fd, bool trusted, struct inheritance *ret);
