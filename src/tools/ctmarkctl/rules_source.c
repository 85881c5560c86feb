/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/rules_source.h"

#include "util/cleanup.h"

static enum app_status ask(struct app *app, struct rules_conf *ret)
{
	_cleanup_json_ json_t *config = NULL;
	_cleanup_json_ json_t *status = NULL;
	enum app_status result = app_call(app, "GetConfig", NULL, &config);
	char why[256];

	if (result == APP_NOT_RUNNING)
		app_fail(result, "without a daemon, give its --queues and --mask");
	if (result == APP_OK)
		result = app_call(app, "GetStatus", NULL, &status);
	if (result == APP_OK && rules_conf_read(ret, config, status, why, sizeof(why)) < 0)
		result = app_fail(APP_FAILURE,
				  "the daemon has a setting that is not known here: %s", why);
	return result;
}

enum app_status rules_source_get(struct app *app, struct rules_conf *ret)
{
	static const struct {
		const char *section, *key;
		enum option_id option;
	} keys[] = {
		{"Queue", "Range", OPTION_QUEUES},
		{"Mark", "Mask", OPTION_MASK},
		{"Mark", "Encoding", OPTION_ENCODING},
		{"Track", "Confirm", OPTION_CONFIRM},
	};
	enum app_status result;

	rules_conf_init(ret);
	if (!app->option[OPTION_QUEUES] || !app->option[OPTION_MASK]) {
		result = ask(app, ret);
		if (result != APP_OK)
			return result;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = app->option[keys[i].option];

		if (value && rules_conf_set(ret, keys[i].section, keys[i].key, value) < 0)
			return app_fail(APP_USAGE, "--%s: cannot read '%s'",
					options_name(keys[i].option), value);
	}
	if (!rules_conf_sound(ret))
		return app_fail(
			APP_USAGE,
			"--mask: 0x%x is not one run of at least %d bits, as Encoding=%s needs",
			ret->mask, ret->encoding == RULES_FLAGS ? 7 : 4,
			ret->encoding == RULES_FLAGS ? "flags" : "ctinfo");
	return APP_OK;
}
