/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/fault.h"

#include <string.h>

#include "tools/ctmarkctl/value.h"
#include "util/cleanup.h"
#include "util/words.h"

struct fault {
	const char *method;
	const json_t *params;
	struct words *out;
};

/* "--reply-src" for the condition "reply_src". */
static void add_condition(struct words *out, const char *condition)
{
	words_add(out, "--");
	for (; *condition; condition++)
		words_add(out, "%c", *condition == '_' ? '-' : *condition);
}

static enum app_status permission(const struct fault *f)
{
	words_add(f->out, "permission denied: only root and the user of the daemon may call %s",
		  f->method);
	return APP_PERMISSION;
}

static enum app_status no_such_flow(const struct fault *f)
{
	const char *flow = value_text(f->params, "flow");

	words_add(f->out, "no flow '%s': it never was, or is gone; journalctl CTMARK_FLOW=%s", flow,
		  flow);
	return APP_FAILURE;
}

static enum app_status bad_filter(const struct fault *f)
{
	add_condition(f->out, value_text(f->params, "condition"));
	words_add(f->out, " '%s': %s", value_text(f->params, "value"),
		  value_text(f->params, "why"));
	return APP_USAGE;
}

static enum app_status bad_config(const struct fault *f)
{
	const json_t *message;
	size_t i;

	words_add(f->out, "the new configuration is bad, the running one stays in force");
	json_array_foreach(json_object_get(f->params, "messages"), i, message) words_add(
		f->out, "\n%s", json_is_string(message) ? json_string_value(message) : "?");
	return APP_CONFIG;
}

static enum app_status bad_value(const struct fault *f)
{
	words_add(f->out, "there is no %s '%s'", value_text(f->params, "parameter"),
		  value_text(f->params, "value"));
	return APP_USAGE;
}

static enum app_status busy(const struct fault *f)
{
	words_add(f->out, "the daemon is busy: too many clients, or too much asked for at a time");
	return APP_FAILURE;
}

static enum app_status unknown_method(const struct fault *f)
{
	words_add(f->out, "the daemon does not know %s: it is of another version", f->method);
	return APP_FAILURE;
}

static enum app_status bad_parameter(const struct fault *f)
{
	words_add(f->out,
		  "the daemon does not take the parameter '%s' of %s: it is of another version",
		  value_text(f->params, "parameter"), f->method);
	return APP_FAILURE;
}

static const struct {
	const char *name;
	enum app_status (*explain)(const struct fault *f);
} faults[] = {
	{"org.varlink.service.PermissionDenied", permission},
	{"org.varlink.service.MethodNotFound", unknown_method},
	{"org.varlink.service.MethodNotImplemented", unknown_method},
	{"org.varlink.service.InterfaceNotFound", unknown_method},
	{"org.varlink.service.InvalidParameter", bad_parameter},
	{"io.ctmark.Manager.NoSuchFlow", no_such_flow},
	{"io.ctmark.Manager.BadFilter", bad_filter},
	{"io.ctmark.Manager.BadConfig", bad_config},
	{"io.ctmark.Manager.BadValue", bad_value},
	{"io.ctmark.Manager.Busy", busy},
};

enum app_status fault_explain(const char *method, const char *error, const json_t *parameters,
			      struct client_error *ret)
{
	struct words out = {ret->text, sizeof(ret->text), 0};
	const struct fault fault = {method, parameters, &out};

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		if (strcmp(faults[i].name, error) == 0)
			return faults[i].explain(&fault);
	words_add(&out, "the daemon replies to %s with the error %s", method, error);
	return APP_FAILURE;
}
