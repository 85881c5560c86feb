/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Calls that go through the table: a few buckets at a time, copied before anything is written, so
 * that no packet waits for a client.
 */

#include "core/view.h"
#include "ctl/client.h"
#include "ctl/filter.h"

#define CTL_WALK_BATCH 64

/* Reads the parameter "filter". False: it is bad, and the call has ended. */
bool ctl_read_filter(struct ctl_call *call, struct ctl_filter *ret);

/* Where a call is on its way through the flows that meet a filter. */
struct ctl_walk {
	struct ctl_filter filter;
	struct ct_walk at;
	size_t n; /* of those that were taken last */
	struct ct_view views[CTL_WALK_BATCH];
};

/* Takes the next flows that meet the filter; w->n can be 0. False: there are no more. */
bool ctl_walk_more(struct ctl_walk *w, struct ct *ct, uint64_t now_ns);

/* Whether a call that has more to do should go on now: it has time, and room for replies. */
bool ctl_call_may_go_on(const struct ctl_call *call, uint64_t until_ns);

/* Allocates the state of a call, zeroed. False: there is no memory, and the call has ended. */
bool ctl_call_state(struct ctl_call *call, size_t size);
