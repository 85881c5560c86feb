/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Values into text: the parsers of conf/value.h backwards. */

#include <stdio.h>

#include "conf/table.h"

/*
 * Writes the value of a key as it would be written in a file, in one way of several that mean the
 * same: "5d", "64M", "yes", "0-3". What is written parses to the same bytes; nothing is written for
 * the value of a key that has none.
 */
void conf_print(FILE *out, const struct conf_key *key, const void *field);

/* Writes its default, in the same way. */
void conf_print_default(FILE *out, const struct conf_key *key);
