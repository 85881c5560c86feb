/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Classes of transitions. Pure. */

#include <jansson.h>

/*
 * Words between commas as an array of the service's classes. What conntrack(8) calls NEW, UPDATES
 * and ALL stands for several. NULL: there is no word.
 */
json_t *classes_read(const char *text);
