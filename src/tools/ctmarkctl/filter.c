/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/filter.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a condition is to the service. */
enum kind { TEXT, NUMBER, FAMILY, STATES, STATUS, FLOW };

static const struct {
	enum option_id option;
	const char *key;
	enum kind kind;
} conditions[] = {
	{OPTION_FLOW, "flow", FLOW},
	{OPTION_FAMILY, "family", FAMILY},
	{OPTION_PROTO, "proto", TEXT},
	{OPTION_SRC, "src", TEXT},
	{OPTION_DST, "dst", TEXT},
	{OPTION_REPLY_SRC, "reply_src", TEXT},
	{OPTION_REPLY_DST, "reply_dst", TEXT},
	{OPTION_SPORT, "sport", TEXT},
	{OPTION_DPORT, "dport", TEXT},
	{OPTION_ICMP_TYPE, "icmp_type", NUMBER},
	{OPTION_ICMP_CODE, "icmp_code", NUMBER},
	{OPTION_ICMP_ID, "icmp_id", NUMBER},
	{OPTION_STATE, "state", STATES},
	{OPTION_STATUS, "status", STATUS},
	{OPTION_HELPER, "helper", TEXT},
	{OPTION_MASTER, "master", FLOW},
	{OPTION_ZONE, "zone", NUMBER},
};

static char *lower(char *text)
{
	for (char *p = text; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return text;
}

static char *upper(char *text)
{
	for (char *p = text; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return text;
}

static json_t *lower_text(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);

	return copy ? json_string(lower(copy)) : NULL;
}

static json_t *number(const char *text)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 0);
	if (errno || *end || end == text || value < 0 || value > UINT16_MAX)
		return NULL;
	return json_integer(value);
}

static json_t *family(const char *text)
{
	static const char *const names[][2] = {
		{"ipv4", "ipv4"}, {"inet", "ipv4"},  {"ip", "ipv4"},  {"4", "ipv4"},
		{"ipv6", "ipv6"}, {"inet6", "ipv6"}, {"ip6", "ipv6"}, {"6", "ipv6"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(names[i][0], text) == 0)
			return json_string(names[i][1]);
	return NULL;
}

/* conntrack(8) says UNSET for a flow that had no reply. */
static const char *status_name(const char *word)
{
	return strcmp(word, "UNSET") == 0 ? "UNREPLIED" : word;
}

/* Words between commas, in capitals. */
static json_t *words(const char *text, bool status)
{
	_cleanup_free_ char *copy = strdup(text);
	json_t *list = json_array();
	char *word, *rest = copy;

	while (copy && (word = strsep(&rest, ",")))
		if (*upper(word))
			json_array_append_new(list, json_string(status ? status_name(word) : word));
	if (json_array_size(list) == 0) {
		json_decref(list);
		return NULL;
	}
	return list;
}

bool filter_flow(const char *text, char ret[static FILTER_FLOW_STRLEN])
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 16);
	if (errno || *end || !isxdigit((unsigned char)*text))
		return false;
	snprintf(ret, FILTER_FLOW_STRLEN, "%016llx", value);
	return true;
}

static json_t *flow(const char *text)
{
	char id[FILTER_FLOW_STRLEN];

	return filter_flow(text, id) ? json_string(id) : NULL;
}

static json_t *convert(enum kind kind, const char *text, const char **ret_what)
{
	switch (kind) {
	case NUMBER:
		*ret_what = "a number from 0 to 65535";
		return number(text);
	case FAMILY:
		*ret_what = "ipv4 or ipv6";
		return family(text);
	case STATES:
		*ret_what = "a list of states";
		return words(text, false);
	case STATUS:
		*ret_what = "a list of status bits";
		return words(text, true);
	case FLOW:
		*ret_what = "the id of a flow";
		return flow(text);
	default:
		*ret_what = "valid UTF-8";
		return lower_text(text);
	}
}

enum app_status filter_make(const struct app *app, json_t **ret)
{
	_cleanup_json_ json_t *filter = NULL;
	const char *text, *what;
	json_t *value;

	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
		text = app->option[conditions[i].option];
		if (!text)
			continue;
		value = convert(conditions[i].kind, text, &what);
		if (!value)
			return app_fail(APP_USAGE, "--%s '%s' is not %s",
					options_name(conditions[i].option), text, what);
		if (!filter)
			filter = json_object();
		json_object_set_new(filter, conditions[i].key, value);
	}
	*ret = TAKE_PTR(filter);
	return APP_OK;
}

json_t *filter_params(json_t *filter)
{
	return filter ? json_pack("{s:o}", "filter", filter) : NULL;
}
