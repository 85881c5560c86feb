/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What was found, for people and as JSON. */

#include <jansson.h>
#include <stdio.h>

#include "tools/ctmarkctl/check_walk.h"

/* Two lines for each finding; with a total at the end if legend. */
void check_report_text(FILE *out, const struct check *c, bool legend);

/* {"findings": [...], "errors": n, "warnings": n, "infos": n}, to be freed. */
json_t *check_report_json(const struct check *c);
