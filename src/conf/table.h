/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The table of all keys: what the loader, the tests and the checks of the documents share. */

#include <stdbool.h>
#include <stddef.h>

#include "conf/value.h"

struct conf_key {
	const char *section, *name;
	const char *def; /* default, as it would be written in a file; "" for none */
	conf_parser *parse;
	struct conf_spec spec;
	size_t offset; /* of the target in struct conf */
	bool restart;  /* read at the start only */
	const char *help;
};

#define CONF_KEYS_MAX 96

extern const struct conf_key conf_table[];
extern const size_t conf_table_len;

/* The same for sections [Zone NAME], with that as their section; offsets are in struct conf_zone.
 */
#define CONF_ZONE_KEYS_MAX 8

extern const struct conf_key conf_zone_table[];
extern const size_t conf_zone_table_len;
