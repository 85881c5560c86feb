/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/app.h"

#include <stdarg.h>
#include <string.h>

#include "log/plain.h"
#include "tools/ctmarkctl/client.h"

enum app_status app_fail(enum app_status status, const char *format, ...)
{
	char text[sizeof(struct client_error)];
	va_list ap;
	char *line, *next;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fflush(stdout);
	for (line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		plain_text(line, '?');
		fprintf(stderr, "%s%s\n", line == text ? "ctmarkctl: " : "", line);
	}
	return status;
}

static enum app_status fail_by(enum app_status status, const struct client_error *error)
{
	return status == APP_OK ? status : app_fail(status, "%s", error->text);
}

enum app_status app_call(struct app *app, const char *method, json_t *params, json_t **ret)
{
	struct client_error error;

	return fail_by(client_call(app->client, method, params, ret, &error), &error);
}

enum app_status app_stream(struct app *app, const char *method, json_t *params, app_each *each,
			   void *ctx)
{
	struct client_error error;
	enum app_status status = client_send(app->client, method, params, true, &error);
	bool continues = true;

	while (status == APP_OK && continues) {
		_cleanup_json_ json_t *reply = NULL;

		status =
			client_receive(app->client, CLIENT_PATIENCE_MS, &reply, &continues, &error);
		if (status != APP_OK || !reply)
			break;
		status = each(ctx, reply);
		if (status != APP_OK) {
			/* what still comes is of no use to the next call */
			client_close(app->client);
			return status == APP_ENOUGH ? APP_OK : status;
		}
	}
	return fail_by(status, &error);
}

void app_print_json(const struct app *app, const json_t *value)
{
	size_t flags = JSON_ENSURE_ASCII | JSON_ENCODE_ANY;

	flags |= app->json == APP_JSON_PRETTY ? JSON_INDENT(2) : JSON_COMPACT;
	json_dumpf(value, stdout, flags);
	putchar('\n');
}
