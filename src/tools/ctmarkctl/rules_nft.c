/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Rules as nft reads them: one table of our own, made or filled again in one transaction. Chains
 * are emptied, never deleted: the kernel drops all packets that wait in queues when a base chain
 * goes away.
 */

#include "tools/ctmarkctl/rules_plan.h"

#include <stdlib.h>

#include "util/cleanup.h"

static const char *table_of(const struct rules_wanted *w)
{
	if (w->families == RULES_IPV4)
		return "ip ctmarkd";
	return w->families == RULES_IPV6 ? "ip6 ctmarkd" : "inet ctmarkd";
}

/* --- how to load it -------------------------------------------------------------------------- */

static void say_form(FILE *out, const struct rules_wanted *w)
{
	fputs("# To load it, for the first time or again:\n"
	      "#     nft -f FILE\n"
	      "#\n"
	      "# Everything changes in one transaction, and packets that wait in the queues\n"
	      "# meanwhile stay there. Do not delete the table to take it out: when any base "
	      "chain\n"
	      "# of this network namespace is deleted, by anybody, the kernel drops every packet\n"
	      "# that waits in any queue, and counts them nowhere.\n",
	      out);
	fprintf(out, "#     nft flush table %s\n# takes all rules out without that.\n",
		table_of(w));
	if (w->bypass)
		fputs("#\n"
		      "# bypass: while no daemon listens packets pass without a mark (fail open). "
		      "Made\n"
		      "# with --no-bypass they are dropped instead (fail closed).\n",
		      out);
	else
		fputs("#\n"
		      "# No bypass: while no daemon listens every packet is dropped (fail "
		      "closed),\n"
		      "# those of your own session included. Made with --bypass they pass.\n",
		      out);
}

/* --- queueing -------------------------------------------------------------------------------- */

/* nft wants no range of one. */
static void say_range(char *buf, size_t size, struct rules_range r)
{
	if (r.first == r.last)
		snprintf(buf, size, "%u", r.first);
	else
		snprintf(buf, size, "%u-%u", r.first, r.last);
}

static void write_feed(const struct rules_pen *p, enum rules_hook hook,
		       const struct rules_feed *feed)
{
	bool out = hook == RULES_HOOK_OUTPUT || hook == RULES_HOOK_POSTROUTING;
	char range[16], interface[40] = "";

	say_range(range, sizeof(range), feed->queues);
	if (feed->interface)
		snprintf(interface, sizeof(interface), "%s \"%.*s\" ", out ? "oifname" : "iifname",
			 (int)feed->len, feed->interface);
	rules_line(p, "\t\t%scounter queue num %s%s comment \"%s%s\"", interface, range,
		   p->w->bypass ? " bypass" : "", feed->zone ? "zone " : "to ctmarkd",
		   feed->zone ? feed->zone : "");
}

static void write_feeds(const struct rules_pen *p, const struct rules_conf *c, enum rules_hook hook)
{
	_cleanup_free_ struct rules_feed *feeds = calloc(RULES_FEEDS_MAX, sizeof(*feeds));
	unsigned int n = feeds ? rules_feeds(c, hook, feeds) : 0;

	for (unsigned int i = 0; i < n; i++)
		write_feed(p, hook, &feeds[i]);
}

static void write_returns(const struct rules_pen *p, const struct rules_conf *c,
			  enum rules_hook hook)
{
	bool in = hook == RULES_HOOK_PREROUTING || hook == RULES_HOOK_INPUT;

	if (in && p->w->hooks & 1u << RULES_HOOK_OUTPUT)
		rules_line(p, "\t\tiifname \"lo\" return comment \"seen in OUTPUT\"");
	if (rules_repeats(c) && !rules_hook_exit(hook))
		rules_line(p, "\t\tmeta mark & 0x%x != 0 return comment \"repeated, has its mark\"",
			   rules_classified(c));
}

static void write_queue(const struct rules_pen *p, const struct rules_conf *c)
{
	fputs("\t# Every packet to ctmarkd, on its way in. The mark that comes back is seen from\n"
	      "\t# the next chain or hook on, never further down in these.\n",
	      p->out);
	for (int h = 0; h < RULES_HOOK_MAX; h++) {
		if (!(p->w->hooks & 1u << h))
			continue;
		rules_line(p, "\tchain queue_%s {", rules_hook_nft((enum rules_hook)h));
		/* what was queued in output is routed again; exits come behind all filters */
		rules_line(p, "\t\ttype %s hook %s priority %s; policy accept;",
			   h == RULES_HOOK_OUTPUT ? "route" : "filter",
			   rules_hook_nft((enum rules_hook)h),
			   rules_hook_exit((enum rules_hook)h) ? "300" : "mangle");
		write_returns(p, c, (enum rules_hook)h);
		write_feeds(p, c, (enum rules_hook)h);
		rules_line(p, "\t}");
	}
}

/* --- the example ----------------------------------------------------------------------------- */

static void write_group(const struct rules_pen *p, const struct rules_conf *c,
			enum rules_group group, const char *comment, const char *verdict)
{
	struct rules_match match[2];
	unsigned int n = rules_matches(c, group, match);

	for (unsigned int i = 0; i < n; i++)
		rules_line(p, "\t\tmeta mark & 0x%x == 0x%x counter %s comment \"%s%s\"",
			   match[i].mask, match[i].value, verdict, match[i].name, comment);
}

static void write_accept(const struct rules_pen *p, const struct rules_accept *a)
{
	unsigned int families = p->w->families;
	char ports[16];

	if (a->proto != RULES_PING) {
		say_range(ports, sizeof(ports), a->ports);
		rules_line(p, "\t\t%s dport %s counter accept comment \"a service\"",
			   a->proto == RULES_TCP ? "tcp" : "udp", ports);
		return;
	}
	if (families & RULES_IPV4)
		rules_line(p, "\t\ticmp type echo-request counter accept comment \"ping\"");
	if (families & RULES_IPV6)
		rules_line(p, "\t\ticmpv6 type echo-request counter accept comment \"ping\"");
}

static void write_new(const struct rules_pen *p)
{
	rules_line(p, "\tchain new {");
	for (unsigned int i = 0; i < p->w->naccept; i++)
		write_accept(p, &p->w->accept[i]);
	if (p->w->families & RULES_IPV4)
		rules_line(p, "\t\tip frag-off & 0x1fff != 0 counter accept comment "
			      "\"later fragment, has no port\"");
	if (p->w->families & RULES_IPV6)
		rules_line(p, "\t\tfrag frag-off != 0 counter accept comment "
			      "\"later fragment, has no port\"");
	rules_line(p, "\t\tcounter drop comment \"nobody asked for it\"");
	rules_line(p, "\t}");
}

static void write_classes(const struct rules_pen *p, const struct rules_conf *c)
{
	rules_line(p, "\tchain classes {");
	rules_line(p, "\t\tiifname \"lo\" counter accept comment \"this machine to itself\"");
	write_group(p, c, RULES_GROUP_ESTABLISHED, "", "accept");
	write_group(p, c, RULES_GROUP_RELATED, "", "accept");
	write_group(p, c, RULES_GROUP_UNTRACKED, ": neighbour discovery and its like", "accept");
	write_group(p, c, RULES_GROUP_INVALID, ": the journal says why", "drop");
	write_group(p, c, RULES_GROUP_NEW, "", "goto new");
	rules_line(p, "\t}");
}

static void write_filter(const struct rules_pen *p, const struct rules_conf *c)
{
	unsigned int hooks = p->w->filter_hooks ? p->w->filter_hooks : 1u << RULES_HOOK_INPUT;

	fputs("\t# What a filter by class looks like. INVALID is dropped and never rejected: an\n"
	      "\t# answer to a late or forged packet can end a healthy connection. Packets that\n"
	      "\t# ctmarkd has not seen have no class and fall through. What is accepted here\n"
	      "\t# can still be dropped by other tables.\n",
	      p->out);
	if (!p->w->filter_hooks)
		fputs("\t# Not in use: --filter input,forward makes it so, --accept says which "
		      "NEW\n"
		      "\t# ones are let in. Have the port of your own session among them:\n"
		      "\t# connections that are open already begin with NEW, too.\n",
		      p->out);
	write_new(p);
	write_classes(p, c);
	for (int h = 0; h < RULES_HOOK_MAX; h++) {
		const char *name = rules_hook_nft((enum rules_hook)h);

		if (!(hooks & 1u << h))
			continue;
		rules_line(p, "\tchain filter_%s {", name);
		rules_line(p, "\t\ttype filter hook %s priority filter; policy accept;", name);
		rules_line(p, "\t\tjump classes");
		rules_line(p, "\t}");
	}
}

void rules_write_nft(FILE *out, const struct rules_conf *c, const struct rules_wanted *w)
{
	struct rules_pen pen = {out, "", w}, example = {out, w->filter_hooks ? "" : "#", w};

	say_form(out, w);
	if (w->remove) {
		fprintf(out, "\ntable %s\nflush table %s\n", table_of(w), table_of(w));
		return;
	}
	rules_notes(out, c, w);
	fprintf(out,
		"\n# Make it if it is not there, empty its chains if it is.\n"
		"table %s\nflush table %s\n\ntable %s {\n",
		table_of(w), table_of(w), table_of(w));
	if (w->queue)
		write_queue(&pen, c);
	if (w->queue && w->filter)
		fputc('\n', out);
	if (w->filter)
		write_filter(&example, c);
	fputs("}\n", out);
}
