/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a stream that is written to is: how wide, and whether it takes colours. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Columns of the terminal that a stream is (80 if it does not tell), 0 if it is none. */
static inline unsigned int tty_width(FILE *f)
{
	struct winsize size;

	if (!isatty(fileno(f)))
		return 0;
	if (ioctl(fileno(f), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

static inline bool tty_colour_by_environment(FILE *f)
{
	const char *none = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE");
	const char *wish = getenv("CLICOLOR"), *term = getenv("TERM");

	if (none && *none)
		return false;
	if (force && *force && strcmp(force, "0") != 0)
		return true;
	if ((wish && strcmp(wish, "0") == 0) || !term || strcmp(term, "dumb") == 0)
		return false;
	return isatty(fileno(f));
}

/*
 * Whether to use colours: what --color says (NULL: not given), then NO_COLOR, CLICOLOR_FORCE,
 * CLICOLOR and TERM, and whether f is a terminal. False: the word says nothing that is known.
 */
static inline bool tty_colour(const char *word, FILE *f, bool *ret)
{
	if (!word || strcmp(word, "auto") == 0)
		*ret = tty_colour_by_environment(f);
	else if (strcmp(word, "always") == 0)
		*ret = true;
	else if (strcmp(word, "never") == 0)
		*ret = false;
	else
		return false;
	return true;
}
