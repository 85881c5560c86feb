/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The command line of ctmarkd(8). */

#include <stdbool.h>
#include <stdio.h>

enum options_action {
	OPTIONS_RUN,
	OPTIONS_CHECK_CONFIG,
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_BAD, /* stderr has been told which option */
};

struct options {
	const char *config; /* --config, NULL: search */
	bool shadow;
};

/* Reads the command line; *ret is set unless the result is OPTIONS_BAD. */
enum options_action options_parse(struct options *ret, int argc, char *argv[]);

void options_print_help(FILE *out);
void options_print_version(FILE *out);
