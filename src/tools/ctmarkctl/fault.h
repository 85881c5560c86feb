/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Errors that the daemon replies with, in words and as exit statuses. Pure. */

#include "tools/ctmarkctl/client.h"

/* error is its name, parameters what belongs to it (may be NULL). */
enum app_status fault_explain(const char *method, const char *error, const json_t *parameters,
			      struct client_error *ret);
