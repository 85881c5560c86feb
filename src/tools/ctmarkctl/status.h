/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The status of the daemon on one screen. Pure. */

#include "tools/ctmarkctl/rates.h"
#include "tools/ctmarkctl/screen.h"

/* status is a Status of the service. */
void status_draw(struct screen *s, const json_t *status, const struct rates *rates);
