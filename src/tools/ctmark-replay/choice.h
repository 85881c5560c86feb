/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Which packets and flows are shown. What is not shown has been tracked all the same. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/ctmark-replay/record.h"

#define CHOICE_FLOWS_MAX 64
#define CHOICE_WHY_MAX	 160

/* Words of --only: class, bits 1 << enum ct_info. */
#define CHOICE_CLASS_LIST(X)                                                                       \
	X("NEW", 1 << CT_INFO_NEW)                                                                 \
	X("ESTABLISHED", 1 << CT_INFO_ESTABLISHED | 1 << CT_INFO_ESTABLISHED_REPLY)                \
	X("ESTABLISHED_REPLY", 1 << CT_INFO_ESTABLISHED_REPLY)                                     \
	X("RELATED", 1 << CT_INFO_RELATED | 1 << CT_INFO_RELATED_REPLY)                            \
	X("RELATED_REPLY", 1 << CT_INFO_RELATED_REPLY)                                             \
	X("INVALID", 1 << CT_INFO_INVALID)                                                         \
	X("UNTRACKED", 1 << CT_INFO_UNTRACKED)

struct choice_range {
	uint64_t first, last;
};

struct choice {
	size_t nflows; /* 0: all flows, and packets of none */
	struct choice_range flows[CHOICE_FLOWS_MAX];
	uint8_t infos; /* bits 1 << enum ct_info */
	bool packets;  /* of some classes only: ends of flows are not shown */
};

/*
 * Reads --flow and --only (NULL: not given). Returns 0, or -EINVAL with what is wrong in why, a
 * line of plain text; then *ret is untouched.
 */
int choice_parse(struct choice *ret, const char *flows, const char *only,
		 char why[static CHOICE_WHY_MAX]);

/* Is this flow shown? 0 stands for packets without one. */
bool choice_has_flow(const struct choice *c, uint64_t flow);

/* Is its end shown, between packets? */
bool choice_has_ending(const struct choice *c, uint64_t flow);

/* Is this packet shown? */
bool choice_has_packet(const struct choice *c, const struct record *r);
