/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ctmarkctl(1): asks a running ctmarkd, and tells it what to do. */

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "config.h"
#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/client.h"
#include "tools/ctmarkctl/terminal.h"
#include "util/tty.h"

#define DEFAULT_SOCKET "/run/ctmarkd/io.ctmark.Manager"

static app_verb *const functions[VERB_MAX] = {
#define X(name, typed, arguments, help) [VERB_##name] = verb_##name,
	VERB_LIST(X)
#undef X
};

static bool set_json(struct app *app)
{
	const char *word = app->option[OPTION_JSON];

	if (!word)
		return true;
	if (strcmp(word, "pretty") == 0 || (!*word && app->width))
		app->json = APP_JSON_PRETTY;
	else if (strcmp(word, "short") == 0 || !*word)
		app->json = APP_JSON_SHORT;
	else
		app_fail(APP_USAGE, "--json '%s' is neither pretty nor short", word);
	return app->json != APP_TEXT;
}

/* Everything that options say to all verbs. */
static bool prepare(struct app *app)
{
	const char *socket = app->option[OPTION_SOCKET], *colour = app->option[OPTION_COLOR];

	app->socket = socket ? socket : DEFAULT_SOCKET;
	app->width = tty_width(stdout);
	app->use_pager = !app->option[OPTION_NO_PAGER];
	app->legend = !app->option[OPTION_NO_LEGEND];
	if (!set_json(app))
		return false;
	if (!tty_colour(colour, stdout, &app->colour))
		return app_fail(APP_USAGE, "--color '%s' is none of auto, always and never",
				colour) == APP_OK;
	return true;
}

static enum app_status run(struct app *app, const struct command *command)
{
	enum app_status status;

	if (!prepare(app))
		return APP_USAGE;
	app->client = client_new(app->socket);
	if (!app->client)
		return app_fail(APP_FAILURE, "%s", strerror(ENOMEM));
	status = functions[command->verb](app, command->argc, command->argv);
	client_free(app->client);
	return status;
}

/* Output that could not be written is a failure; nobody to read it is none to talk about. */
static enum app_status finish(enum app_status status)
{
	int err;

	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	err = errno;
	if (status != APP_OK)
		return status;
	return err == EPIPE ? APP_FAILURE
			    : app_fail(APP_FAILURE, "cannot write: %s", strerror(err ? err : EIO));
}

int main(int argc, char *argv[])
{
	struct app app = {};
	struct command command;
	enum app_status status = APP_OK;

	signal(SIGPIPE, SIG_DFL);
	switch (options_parse(&app, argc, argv, &command)) {
	case OPTIONS_RUN:
		status = run(&app, &command);
		break;
	case OPTIONS_HELP:
		options_print_help(command.verb);
		break;
	case OPTIONS_VERSION:
		puts("ctmarkctl " PACKAGE_VERSION);
		break;
	case OPTIONS_BAD:
		status = APP_USAGE;
		break;
	}
	status = finish(status);
	pager_close(&app);
	return status;
}
