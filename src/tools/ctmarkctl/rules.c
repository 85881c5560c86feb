/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ctmarkctl rules: the options, and what follows from the configuration where they say nothing. */

#include <stdlib.h>
#include <string.h>

#include "tools/ctmarkctl/rules_plan.h"
#include "tools/ctmarkctl/rules_source.h"
#include "util/cleanup.h"

#define HOOK(name)     (1u << RULES_HOOK_##name)
#define ACCEPT_DEFAULT "tcp/22,ping"

static enum app_status bad(enum option_id option, const char *value)
{
	return app_fail(APP_USAGE, "--%s: cannot read '%s'", options_name(option), value);
}

static bool take_only(struct rules_wanted *w, const char *value)
{
	w->queue = !value || strcmp(value, "queue") == 0;
	w->filter = !value || strcmp(value, "filter") == 0;
	return w->queue || w->filter;
}

static bool take_family(struct rules_wanted *w, const char *value)
{
	w->families = 0;
	if (!value || strcmp(value, "ipv4") == 0)
		w->families |= RULES_IPV4;
	if (!value || strcmp(value, "ipv6") == 0)
		w->families |= RULES_IPV6;
	return w->families;
}

/* A packet has its class before it comes there, and ports that are its own. */
static bool take_filter(struct rules_wanted *w, const char *value)
{
	w->filter_hooks = 0;
	return !value || (rules_parse_hooks(value, &w->filter_hooks) == 0 &&
			  !(w->filter_hooks & (HOOK(PREROUTING) | HOOK(POSTROUTING))));
}

static enum app_status take(const struct app *app, struct rules_wanted *w)
{
	const char *const *given = app->option;
	const char *accept = given[OPTION_ACCEPT] ? given[OPTION_ACCEPT] : ACCEPT_DEFAULT;

	if (!take_only(w, given[OPTION_PART]))
		return bad(OPTION_PART, given[OPTION_PART]);
	if (!take_family(w, given[OPTION_FAMILY]))
		return bad(OPTION_FAMILY, given[OPTION_FAMILY]);
	if (!take_filter(w, given[OPTION_FILTER]))
		return bad(OPTION_FILTER, given[OPTION_FILTER]);
	if (rules_parse_accept(w, accept) < 0)
		return bad(OPTION_ACCEPT, accept);
	if (given[OPTION_HOOKS] && rules_parse_hooks(given[OPTION_HOOKS], &w->hooks) < 0)
		return bad(OPTION_HOOKS, given[OPTION_HOOKS]);
	w->bypass = !given[OPTION_NO_BYPASS];
	w->update = given[OPTION_UPDATE];
	w->remove = given[OPTION_REMOVE];
	return APP_OK;
}

/* What cannot be meant together. */
static enum app_status check(const struct app *app)
{
	const char *const *given = app->option;

	if (!given[OPTION_IPTABLES] == !given[OPTION_NFT])
		return app_fail(APP_USAGE, "either --iptables or --nft has to be given");
	if (given[OPTION_BYPASS] && given[OPTION_NO_BYPASS])
		return app_fail(APP_USAGE, "either --bypass or --no-bypass");
	if (given[OPTION_UPDATE] && (given[OPTION_NFT] || given[OPTION_REMOVE]))
		return app_fail(APP_USAGE, "--update goes with --iptables, and not with --remove");
	return APP_OK;
}

/* The hooks that the configuration asks for. */
static unsigned int hooks_for(const struct rules_conf *c)
{
	unsigned int hooks = HOOK(PREROUTING) | HOOK(OUTPUT);

	if (c->confirm == RULES_CONFIRM_EXIT || (c->confirm == RULES_CONFIRM_AUTO && c->exits))
		hooks |= HOOK(INPUT) | HOOK(POSTROUTING);
	return hooks;
}

static void print(FILE *out, const struct rules_conf *c, const struct rules_wanted *w, bool nft)
{
	static const char *const confirm[] = {"auto", "entry", "exit"};

	fprintf(out,
		"# Rules for ctmarkd, made by ctmarkctl for Range=%u-%u Encoding=%s Mask=0x%x "
		"Confirm=%s\n#\n",
		c->range.first, c->range.last, c->encoding == RULES_FLAGS ? "flags" : "ctinfo",
		c->mask, confirm[c->confirm]);
	if (nft)
		rules_write_nft(out, c, w);
	else
		rules_write_iptables(out, c, w);
}

enum app_status verb_rules(struct app *app, int argc, char *argv[])
{
	_cleanup_free_ struct rules_conf *conf = malloc(sizeof(*conf));
	struct rules_wanted wanted = {};
	enum app_status status = check(app);

	if (status == APP_OK)
		status = take(app, &wanted);
	if (status == APP_OK && !conf)
		status = app_fail(APP_FAILURE, "out of memory");
	if (status == APP_OK)
		status = rules_source_get(app, conf);
	if (status != APP_OK)
		return status;
	if (!wanted.hooks)
		wanted.hooks = hooks_for(conf);
	print(stdout, conf, &wanted, app->option[OPTION_NFT]);
	return APP_OK;
}
