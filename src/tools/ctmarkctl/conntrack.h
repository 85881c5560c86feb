/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Flows in the line layout of conntrack(8), which many programs parse. Pure. */

#include <jansson.h>
#include <stdbool.h>

/* What -o says. */
struct conntrack_layout {
	bool wanted;   /* conntrack(8)'s layout at all */
	bool extended; /* begin with the address family */
	bool id;       /* end with the id */
};

#define CONNTRACK_LINE_MAX 1024

/* Reads the words of -o (NULL: not given). False: one is unknown, which was said. */
bool conntrack_read_layout(const char *text, struct conntrack_layout *ret);

/*
 * A Flow or an Event of the service as a line of "conntrack -L", without the line's end. An event
 * that has no timeout or state comes without.
 */
const char *conntrack_line(const json_t *flow, const struct conntrack_layout *layout,
			   char buf[static CONNTRACK_LINE_MAX]);

/* An Expectation as a line of "conntrack -L expect". */
const char *conntrack_expect_line(const json_t *expectation, char buf[static CONNTRACK_LINE_MAX]);
