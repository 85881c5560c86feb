/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/options.h"

/*
 * What is opened next takes the lowest free number, and would get the text meant for a closed
 * stdout or stderr. A closed stdout stays one that nothing can be written to.
 */
static bool fill_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int flags = fd == STDERR_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) != fd)
			return false;
	}
	return true;
}

/* What was asked for and could not be printed is a failure. */
static enum exit_status printed(enum exit_status status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "ctmarkd: cannot write to standard output: %s\n", strerror(errno));
	return STATUS_FAILURE;
}

int main(int argc, char *argv[])
{
	struct options opts = {};

	if (!fill_standard_fds())
		return STATUS_FAILURE;
	switch (options_parse(&opts, argc, argv)) {
	case OPTIONS_RUN:
		return daemon_run(&opts);
	case OPTIONS_CHECK_CONFIG:
		return printed(daemon_check_config(&opts));
	case OPTIONS_HELP:
		options_print_help(stdout);
		return printed(STATUS_OK);
	case OPTIONS_VERSION:
		options_print_version(stdout);
		return printed(STATUS_OK);
	case OPTIONS_BAD:
		break;
	}
	return STATUS_USAGE;
}
