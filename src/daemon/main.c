/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "daemon/daemon.h"
#include "daemon/options.h"

int main(int argc, char *argv[])
{
	struct options opts = {};

	switch (options_parse(&opts, argc, argv)) {
	case OPTIONS_RUN:
		return daemon_run(&opts);
	case OPTIONS_CHECK_CONFIG:
		return daemon_check_config(&opts);
	case OPTIONS_HELP:
		options_print_help(stdout);
		return STATUS_OK;
	case OPTIONS_VERSION:
		options_print_version(stdout);
		return STATUS_OK;
	case OPTIONS_BAD:
		break;
	}
	return STATUS_USAGE;
}
