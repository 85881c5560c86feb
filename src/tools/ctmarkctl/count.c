/* SPDX-License-Identifier: GPL-2.0-or-later */

/* count: how many flows, and how many there may be. */

#include <inttypes.h>

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/filter.h"
#include "tools/ctmarkctl/value.h"

enum app_status verb_count(struct app *app, int argc, char *argv[])
{
	_cleanup_json_ json_t *reply = NULL;
	json_t *filter = NULL;
	enum app_status status = filter_make(app, &filter);

	if (status == APP_OK)
		status = app_call(app, "Count", filter_params(filter), &reply);
	if (status != APP_OK)
		return status;
	if (app->json != APP_TEXT) {
		app_print_json(app, reply);
		return APP_OK;
	}
	printf("%" PRId64, value_number(reply, "count"));
	if (app->legend)
		printf(" of %" PRId64, value_number(reply, "max"));
	putchar('\n');
	return APP_OK;
}
