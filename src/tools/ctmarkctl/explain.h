/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What became of a flow, and why, for people. Pure. */

#include <jansson.h>

#include "tools/ctmarkctl/screen.h"

/* explanation is an Explanation of the service. */
void explain_draw(struct screen *s, const json_t *explanation);
