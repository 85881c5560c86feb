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
	uint32_t fatal;	  /* id of a packet that is not judged any more, if has_fatal */
	bool has_fatal;
	bool orphans; /* some id is known up to which packets went round again */
	bool blind;   /* none is: whatever is older than the first that comes has to, but for
		       * what is in the slots */
};

/* Deaths in a row over one packet before it is not judged any more. */
#define INHERIT_DEATHS_MAX 5

/*
 * To be called with the queue's socket in fd, set up, before anything else is answered. astray is
 * what the predecessor said of the desk. Returns 0 or -errno, then it can be tried again.
 */
int inherit(struct desk *d, int fd, enum desk_astray astray, struct inheritance *ret);
