/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/ctmarkctl/app.h"
#include "util/cleanup.h"

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
