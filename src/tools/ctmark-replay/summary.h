/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A flow's life and the totals as lines of JSON, for summary.c. */

#include <stdio.h>

#include "tools/ctmark-replay/life.h"

/* How a life came to its end: a death, or one of these. */
enum { LIFE_ALIVE = CT_DEATH_NONE, LIFE_UNCONFIRMED = CT_DEATH_MAX };

void summary_json_flow(FILE *out, const struct life *l, int end);
void summary_json_totals(FILE *out, const struct replay_totals *t);
