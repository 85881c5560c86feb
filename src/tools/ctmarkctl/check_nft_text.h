/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A rule of nft in the words of nft, out of its JSON. */

#include <jansson.h>

#include "tools/ctmarkctl/check_model.h"

/*
 * The statements of a rule, about as `nft list ruleset` writes them; what it has no words for stays
 * JSON. At most some hundred bytes, the rest is cut. Belongs to the set.
 */
const char *check_nft_text(struct check_set *set, const json_t *statements, const char *comment);
