/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Which settings of the kernel and of ctmarkd.conf(5) could have given a packet another class, and
 * whether they do: that is found out by replaying the capture with them.
 */

#include "tools/ctmark-replay/scene.h"

#define TRIALS_MAX	4
#define TRIAL_VALUE_MAX 24

/* One setting with another value. */
struct trial {
	const char *key;    /* of ctmarkd.conf */
	const char *sysctl; /* below net., "" if the kernel has none */
	const char *effect; /* what it does */
	char value[TRIAL_VALUE_MAX], kernel_value[TRIAL_VALUE_MAX];
	struct ct_config track;
	uint32_t max_flows;
};

struct trials {
	uint64_t number; /* of the packet */
	size_t n;
	struct trial trial[TRIALS_MAX];
};

/* Those that can matter for this packet; none: no setting has to do with it. */
void trials_choose(struct trials *ret, const struct scene *s);

/* Tries them, and says what came of it. info and reason are what the packet got before. */
void trials_run(const struct trials *t, const struct look *look, enum ct_info info,
		enum ct_reason reason, struct account *account);
