/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What stdout is: its width, whether it takes colours, and a pager between it and us. */

#include <stdbool.h>

struct app;

/* Columns of the terminal that stdout is (80 if it does not tell), 0 if it is none. */
unsigned int terminal_width(void);

/*
 * Whether to write escape sequences: what --color says (NULL: not given), then NO_COLOR,
 * CLICOLOR_FORCE, CLICOLOR and TERM, and whether stdout is a terminal. False: the option says
 * nothing that is known, and that was said.
 */
bool terminal_colour(const char *option, bool *ret);

/* From now on stdout goes through a pager, if it is a terminal and that is wanted. */
void pager_open(struct app *app);

/* Waits until the reader has seen all of it. */
void pager_close(struct app *app);
