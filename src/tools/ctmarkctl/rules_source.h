/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where the configuration comes from that rules are made for, or compared with. */

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/rules_conf.h"

/*
 * Fills *ret: from options alone if they name the queues and the mask, the rest being the defaults;
 * else from the daemon, the options going first. What went wrong was said.
 */
enum app_status rules_source_get(struct app *app, struct rules_conf *ret);
