/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The settings of one run, drawn from its seed: of the kernel, of the engine and of ctmarkd. */

#include "tests/differential/talk.h"
#include "tests/flows/flow_knob.h"

#define PLAN_SETTINGS_MAX 64

struct plan {
	uint64_t seed;
	struct flow_setting set[PLAN_SETTINGS_MAX]; /* every knob, usual or not */
	size_t nset;
	bool flags;   /* Encoding=flags */
	bool at_exit; /* POSTROUTING is queued as well: flows are confirmed there */
	struct talk_mix mix;
};

/* only: the one kind of talk there shall be, or ALL or HELPERS. */
void plan_make(struct plan *p, uint64_t seed, enum talk_kind only);

/* Writes ctmarkd.conf(5). */
void plan_print_config(FILE *f, const struct plan *p);

/* Writes the rules that give the kernel's connections the same helpers (flow_knob_print_rules()).
 */
void plan_print_rules(FILE *f, const struct plan *p);

/* Writes the lines of a packet script that set what is not usual. */
void plan_print_settings(FILE *f, const struct plan *p);

/* The configuration of the engine. */
void plan_engine(const struct plan *p, struct ct_config *ret);
