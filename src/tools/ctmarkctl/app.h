/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * ctmarkctl(1): what its verbs share.
 *
 * A verb is a function that gets the words behind it, asks the daemon by app_call() or
 * app_stream(), and writes text for people or, with --json, what the daemon has said. Options are
 * read before it begins (options.h). Whatever goes wrong is said in one line on stderr, by whoever
 * notices it, and becomes an exit status.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "tools/ctmarkctl/options.h"
#include "util/cleanup.h"

/* Exit statuses, ctmarkctl(1): those of ctmarkd(8), and 3. */
enum app_status {
	APP_OK = 0,
	APP_FAILURE = 1,
	APP_USAGE = 2,
	APP_NOT_RUNNING = 3,
	APP_PERMISSION = 4,
	APP_CONFIG = 6,
	APP_ENOUGH = -1, /* of app_each only: no more is wanted, and all is well */
};

enum app_json { APP_TEXT, APP_JSON_PRETTY, APP_JSON_SHORT };

struct client;

struct app {
	const char *socket; /* path of the daemon's */
	enum app_json json;
	bool colour;	    /* stdout may have escape sequences */
	bool legend;	    /* headings and totals */
	bool use_pager;	    /* if stdout is a terminal */
	unsigned int width; /* columns of the terminal, 0: stdout is none */
	struct client *client;
	int pager; /* its process, 0: none */
	/* arguments of the options that were given ("" if they have none), else NULL */
	const char *option[OPTION_MAX];
};

/* argv[0] is the verb itself ("log-level" for log_level), the others are no options. */
typedef enum app_status app_verb(struct app *app, int argc, char *argv[]);

#define X(name, typed, arguments, help) app_verb verb_##name;
VERB_LIST(X)
#undef X

/*
 * Calls a method of io.ctmark.Manager (without the interface in its name). params is taken over and
 * may be NULL. *ret, to be freed, gets the parameters of the reply. What went wrong was said.
 */
enum app_status app_call(struct app *app, const char *method, json_t *params, json_t **ret);

/* The same with "more": each is told of every reply (borrowed), until it returns something else
 * than APP_OK, which becomes the result. */
typedef enum app_status app_each(void *ctx, json_t *reply);
enum app_status app_stream(struct app *app, const char *method, json_t *params, app_each *each,
			   void *ctx);

/* "ctmarkctl: TEXT" on stderr. Returns status, so that a verb can write `return app_fail(...)`. */
enum app_status app_fail(enum app_status status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes a value as app->json says, on a line of its own. */
void app_print_json(const struct app *app, const json_t *value);

static inline void cleanup_json(json_t *const *value)
{
	json_decref(*value);
}
#define _cleanup_json_ _cleanup_(cleanup_json)
