/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the engine may say of a packet at all: the laws between ctinfo, status, state, reason, mark
 * and events, as tables. What breaks one aborts, as FUZZ_CHECK() does.
 */

#include "core/core.h"

/* A packet that was judged, not passed on and not held. */
void fuzz_check_legal(const struct ct_config *cfg, const struct ct_input *in,
		      const struct ct_result *out);
