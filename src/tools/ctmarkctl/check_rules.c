/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ctmarkctl check-rules: compares the rules that are loaded with what the daemon does. */

#include <stdlib.h>

#include "tools/ctmarkctl/check_input.h"
#include "tools/ctmarkctl/check_report.h"
#include "tools/ctmarkctl/rules_source.h"
#include "util/cleanup.h"

static enum app_status report(const struct app *app, const struct check *c)
{
	_cleanup_json_ json_t *json = NULL;

	if (app->json == APP_TEXT) {
		check_report_text(stdout, c, app->legend);
	} else {
		json = check_report_json(c);
		app_print_json(app, json);
	}
	return check_failed(c) ? APP_FAILURE : APP_OK;
}

enum app_status verb_check_rules(struct app *app, int argc, char *argv[])
{
	_cleanup_free_ struct rules_conf *conf = malloc(sizeof(*conf));
	struct check_set set;
	struct check *c = NULL;
	enum app_status status;

	if (!conf)
		return app_fail(APP_FAILURE, "out of memory");
	check_set_init(&set);
	status = rules_source_get(app, conf);
	if (status == APP_OK)
		status = check_input(app, &set);
	if (status == APP_OK) {
		c = check_new(&set, conf);
		status = c ? report(app, c) : app_fail(APP_FAILURE, "out of memory");
	}
	check_free(c);
	check_set_done(&set);
	return status;
}
