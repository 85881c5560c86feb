/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The ways to show a replay, each in a file of its own (text.c, json.c, ...). Each function makes a
 * sink; NULL: there is no memory, or the file cannot be written, which has been said.
 */

#include "tools/ctmark-replay/look.h"
#include "tools/ctmark-replay/record.h"

/*
 * The capture once more, from its beginning and by another configuration, told to one sink. Returns
 * as replay_run().
 */
struct again {
	int (*replay)(void *ctx, const struct ct_config *track, uint32_t max_flows,
		      struct sink *sink);
	void *ctx;
};

/* A line for each packet, and for each end of a flow. */
struct sink *text_new(const struct look *look);

/* The same as JSON lines. */
struct sink *json_new(const struct look *look);

/*
 * A line for each flow when it ends, or at the end of the capture, and totals; json: an object for
 * each. Needs memory for the flows in the table, not for those that have ended.
 */
struct sink *summary_new(const struct look *look, bool json);

/* What became of one packet, and why. Needs views. */
struct sink *explain_new(const struct look *look, uint64_t number, bool json);

/* Recorded marks against computed ones. *ret_differs is valid once done() was called. */
struct sink *compare_new(const struct look *look, bool json, bool *ret_differs);

/* Pictures of the flows that are shown, written to the file of that name ("-": stdout) at the end.
 */
struct sink *svg_new(const struct look *look, const char *file);
struct sink *html_new(const struct look *look, const char *file);

/* What has to be said of the capture and of the table, on stderr when it is freed. */
struct sink *notes_new(void);
