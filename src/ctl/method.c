/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/method.h"

#include <string.h>

#include "config.h"
#include "util/cleanup.h"

#ifndef PACKAGE_URL
#define PACKAGE_URL ""
#endif

/* ---- what every service answers ---- */

static void start_info(struct ctl_call *call)
{
	struct ctl_writer *w = ctl_reply_begin(call);

	ctl_put_string(w, "vendor", "ctmarkd");
	ctl_put_string(w, "product", "Userspace connection tracker");
	ctl_put_string(w, "version", PACKAGE_VERSION);
	ctl_put_string(w, "url", PACKAGE_URL);
	ctl_open(w, "interfaces", '[');
	ctl_put_string(w, NULL, CTL_SERVICE);
	ctl_put_string(w, NULL, CTL_INTERFACE);
	ctl_close(w, ']');
	(void)ctl_reply_end(call, false);
}

static void start_description(struct ctl_call *call)
{
	const char *interface, *text;
	struct ctl_writer *w;

	if (!ctl_param_string(call, "interface", &interface))
		return;
	if (!interface) {
		ctl_bad_param(call, "interface");
		return;
	}
	text = ctl_interface_text(interface);
	if (!text) {
		ctl_error(call, CTL_SERVICE_ERROR("InterfaceNotFound"), "interface", interface,
			  NULL);
		return;
	}
	w = ctl_reply_begin(call);
	ctl_put_string(w, "description", text);
	(void)ctl_reply_end(call, false);
}

/* ---- finding ---- */

static const struct ctl_method methods[] = {
#define X(name_, start_, flags_, parameters_)                                                      \
	{CTL_INTERFACE, #name_, flags_, parameters_, ctl_start_##start_},
	CTL_METHOD_LIST(X)
#undef X
		{CTL_SERVICE, "GetInfo", CTL_READS, "", start_info},
	{CTL_SERVICE, "GetInterfaceDescription", CTL_READS, "interface", start_description},
};

const struct ctl_method *ctl_method_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		const struct ctl_method *m = &methods[i];
		size_t len = strlen(m->interface);

		if (strncmp(name, m->interface, len) == 0 && name[len] == '.' &&
		    strcmp(name + len + 1, m->name) == 0)
			return m;
	}
	return NULL;
}

const char *ctl_interface_text(const char *interface)
{
	if (strcmp(interface, CTL_INTERFACE) == 0)
		return ctl_text_manager;
	if (strcmp(interface, CTL_SERVICE) == 0)
		return ctl_text_service;
	return NULL;
}
