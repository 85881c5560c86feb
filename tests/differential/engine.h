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

/* What it made of a packet. */
struct judged {
	enum ct_info info;
	enum ct_reason reason; /* of INVALID, or of the drop */
	bool has_flow;	       /* it is in the table: status is its */
	uint16_t status;
	bool drop; /* at the entry or at the exit */
};

/*
 * Judges a packet that has been through the router; passed: the rules let it through to where
 * connections are confirmed and helpers called.
 */
struct judged engine_judge(struct engine *e, const struct shot *s, bool passed);
