/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where rule sets are read from: the programs that list them, or files. */

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/check_model.h"

/*
 * The files of the options --iptables, --ip6tables and --nft ("-" is stdin); without any of them
 * what is loaded in this network namespace. What went wrong was said.
 */
enum app_status check_input(const struct app *app, struct check_set *set);
