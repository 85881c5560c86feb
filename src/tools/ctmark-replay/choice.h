/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Which packets and flows are shown. What is not shown has been tracked all the same. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/ctmark-replay/record.h"

#define CHOICE_FLOWS_MAX 64

struct choice {
	size_t nflows; /* 0: all flows, and packets of none */
	uint64_t flows[CHOICE_FLOWS_MAX];
	uint8_t infos; /* bits 1 << enum ct_info */
};

/*
 * Reads --flow and --only (NULL: not given). Returns 0, or -EINVAL after having said what is wrong.
 */
int choice_parse(struct choice *ret, const char *flows, const char *only);

/* Is this flow shown? 0 stands for packets without one. */
bool choice_has_flow(const struct choice *c, uint64_t flow);

/* Is this packet shown? */
bool choice_has_packet(const struct choice *c, const struct record *r);
