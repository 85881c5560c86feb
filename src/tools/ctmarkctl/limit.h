/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* --limit: how much of something. */

#include <stddef.h>

#include "tools/ctmarkctl/app.h"

/* *ret: the number, SIZE_MAX without the option. APP_USAGE: it is none, and that was said. */
enum app_status limit_read(const struct app *app, size_t *ret);
