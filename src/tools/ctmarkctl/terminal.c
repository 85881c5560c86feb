/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tools/ctmarkctl/app.h"
#include "util/cleanup.h"

unsigned int terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

/* ---- colour ---- */

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value;
}

static bool is_zero(const char *variable)
{
	const char *value = getenv(variable);

	return value && strcmp(value, "0") == 0;
}

static bool colour_by_environment(void)
{
	const char *term = getenv("TERM");

	if (is_set("NO_COLOR"))
		return false;
	if (is_set("CLICOLOR_FORCE") && !is_zero("CLICOLOR_FORCE"))
		return true;
	if (is_zero("CLICOLOR") || !term || strcmp(term, "dumb") == 0)
		return false;
	return isatty(STDOUT_FILENO);
}

bool terminal_colour(const char *option, bool *ret)
{
	if (!option || strcmp(option, "auto") == 0)
		*ret = colour_by_environment();
	else if (strcmp(option, "always") == 0)
		*ret = true;
	else if (strcmp(option, "never") == 0)
		*ret = false;
	else
		return app_fail(APP_USAGE, "--color '%s' is none of auto, always and never",
				option) == APP_OK;
	return true;
}

/* ---- pager ---- */

/* NULL: none. */
static const char *pager_command(void)
{
	static const char *const variables[] = {"SYSTEMD_PAGER", "PAGER"};

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *command = getenv(variables[i]);

		if (command)
			return *command && strcmp(command, "cat") != 0 ? command : NULL;
	}
	return "less";
}

/* In the child. A pager that does not exist must not swallow the output. */
static void run_pager(int in, const char *command)
{
	dup2(in, STDIN_FILENO);
	/* F: stay out of the way of little output; K: Ctrl-C ends it as it ends us */
	setenv("LESS", "FRSXMK", 0);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	execlp("cat", "cat", (char *)NULL);
	_exit(127);
}

void pager_open(struct app *app)
{
	const char *command = pager_command();
	int pipe_fd[2];
	pid_t pid;

	if (!app->use_pager || !app->width || app->pager || !command || pipe2(pipe_fd, O_CLOEXEC))
		return;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		run_pager(pipe_fd[0], command);
	if (pid > 0 && dup2(pipe_fd[1], STDOUT_FILENO) >= 0)
		app->pager = pid;
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

void pager_close(struct app *app)
{
	if (!app->pager)
		return;
	fclose(stdout);
	signal(SIGINT, SIG_IGN);
	while (waitpid(app->pager, NULL, 0) < 0 && errno == EINTR)
		;
	app->pager = 0;
}
