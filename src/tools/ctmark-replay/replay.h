/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The engine on a capture: packets go through ct_track(), time through ct_expire(), and what comes
 * of it to sinks.
 */

#include "tools/ctmark-replay/record.h"

struct replay;

struct replay_config {
	const struct ct_config *track;
	uint32_t max_flows, max_expect, max_fragments;
	bool views; /* records come with views of their flows: slower */
	struct sink *const *sinks;
	size_t nsinks;
};

/* Makes a replay with an empty table; what config points to has to stay. Returns 0 or -ENOMEM. */
int replay_new(struct replay **ret, const struct replay_config *config);

/*
 * Replays what the source has. Returns 0 at its end, the -errno of the source, or what a sink
 * returned to stop it, or -ENOMEM. The sinks' done() is called at the end of a source and when it
 * fails.
 */
int replay_run(struct replay *r, struct source *source);

/* NULL is fine. */
void replay_free(struct replay *r);
