/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The engine in this process, which sees what the kernel saw. */

#include "tests/differential/entry.h"
#include "tests/differential/volley.h"

struct engine {
	struct ct *ct;
	void *arena;
	struct ct_thread thread;
	struct ct_config cfg;
	uint64_t now_ns; /* of its last packet: time never goes back */
};

/* Starts with an empty table. Returns 0 or -ENOMEM. */
int engine_init(struct engine *e, const struct ct_config *cfg);
void engine_done(struct engine *e);

/*
 * Judges a packet that has been through the router; entered: the kernel kept the connection of this
 * first packet, if it was one.
 */
void engine_judge(struct engine *e, const struct shot *s, bool entered, struct ct_result *ret);
