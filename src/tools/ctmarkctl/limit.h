/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Options that say how much of something: --limit, --count. */

#include <stddef.h>

#include "tools/ctmarkctl/app.h"

/* *ret: the number, SIZE_MAX without the option. APP_USAGE: it is none, and that was said. */
enum app_status limit_read(const struct app *app, enum option_id option, size_t *ret);
