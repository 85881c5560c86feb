/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Filter options as a Filter of io.ctmark.Manager. Only what has to be told apart by the client is
 * judged here: numbers, and the words that conntrack(8) has for things. The daemon knows addresses,
 * names of protocols, states and helpers.
 */

#include "tools/ctmarkctl/app.h"

/*
 * *ret gets the filter, NULL if no option of it was given. APP_USAGE: one makes no sense, and that
 * was said.
 */
enum app_status filter_make(const struct app *app, json_t **ret);

/* {"filter": FILTER}; NULL for none. Takes filter over. */
json_t *filter_params(json_t *filter);

/* A flow id as the service writes it: 16 digits. False: text is none. */
#define FILTER_FLOW_STRLEN 17
bool filter_flow(const char *text, char ret[static FILTER_FLOW_STRLEN]);
