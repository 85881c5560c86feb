/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Rules as iptables-restore reads them: one file for both families, in chains of our own.
 *
 * With --noflush a chain of our own is emptied when it is named, so that it can be filled again;
 * the jumps to it cannot be said in a way that adds them once only. Hence two forms: with the jumps
 * for the first time, and without them for an update.
 */

#include "tools/ctmarkctl/rules_plan.h"

#include <stdarg.h>
#include <stdlib.h>

#include "util/cleanup.h"

#define CLASSES "ctmarkd-classes"
#define NEW	"ctmarkd-new"

/* A rule that only one family can have; iptables-restore of the other one passes over -4 or -6. */
static void __attribute__((format(printf, 3, 4)))
line_of(const struct rules_pen *p, unsigned int family, const char *format, ...)
{
	va_list ap;

	if (!(p->w->families & family))
		return;
	fputs(p->prefix, p->out);
	if (p->w->families != family)
		fputs(family == RULES_IPV4 ? "-4 " : "-6 ", p->out);
	va_start(ap, format);
	vfprintf(p->out, format, ap);
	va_end(ap);
	fputc('\n', p->out);
}

/* --- how to load it -------------------------------------------------------------------------- */

static void say_commands(FILE *out, const struct rules_wanted *w)
{
	if (w->families & RULES_IPV4)
		fputs("#     iptables-restore --noflush FILE\n", out);
	if (w->families & RULES_IPV6)
		fputs("#     ip6tables-restore --noflush FILE\n", out);
}

static void say_form(FILE *out, const struct rules_wanted *w)
{
	if (w->remove) {
		fputs("# Takes the rules out again: the jumps, then the chains. It fails as a "
		      "whole\n"
		      "# where a jump is not there, or there twice.\n",
		      out);
	} else if (w->update) {
		fputs("# Fills the chains of ctmarkd again. Their jumps are not touched.\n", out);
	} else {
		fputs("# For the first time. To load it again after a change, make it with "
		      "--update,\n"
		      "# which leaves the jumps alone: a second jump to each chain does no harm "
		      "while\n"
		      "# it is there, but --remove takes out one. --remove makes what undoes it "
		      "all.\n",
		      out);
	}
}

static void say_waiting(FILE *out)
{
	fputs("#\n"
	      "# Packets that wait in the queues meanwhile stay there: --noflush deletes no base\n"
	      "# chain. A full iptables-restore of the nft back end does, and so does anybody's\n"
	      "# \"nft delete table\" or \"nft flush ruleset\" in this network namespace; the "
	      "kernel\n"
	      "# then drops every packet that waits in any queue, and counts them nowhere.\n",
	      out);
}

static void say_bypass(FILE *out, const struct rules_wanted *w)
{
	if (w->bypass)
		fputs("#\n"
		      "# --queue-bypass: while no daemon listens packets pass without a mark "
		      "(fail\n"
		      "# open). Made with --no-bypass they are dropped instead (fail closed).\n",
		      out);
	else
		fputs("#\n"
		      "# No --queue-bypass: while no daemon listens every packet is dropped (fail\n"
		      "# closed), those of your own session included. Made with --bypass they "
		      "pass.\n",
		      out);
}

/* --- queueing -------------------------------------------------------------------------------- */

static void say_queue(char *buf, size_t size, struct rules_range q, bool bypass)
{
	const char *end = bypass ? " --queue-bypass" : "";

	if (q.first == q.last)
		snprintf(buf, size, "-j NFQUEUE --queue-num %u%s", q.first, end);
	else
		snprintf(buf, size, "-j NFQUEUE --queue-balance %u:%u%s", q.first, q.last, end);
}

/* "-i eth0 ", with iptables' "+" for "*". */
static void say_interface(char *buf, size_t size, enum rules_hook hook,
			  const struct rules_feed *feed)
{
	bool out = hook == RULES_HOOK_OUTPUT || hook == RULES_HOOK_POSTROUTING;
	size_t len = feed->len;

	buf[0] = '\0';
	if (!feed->interface)
		return;
	if (feed->interface[len - 1] == '*')
		len--;
	snprintf(buf, size, "%s %.*s%s ", out ? "-o" : "-i", (int)len, feed->interface,
		 len < feed->len ? "+" : "");
}

static void fill_feeds(const struct rules_pen *p, const struct rules_conf *c, enum rules_hook hook)
{
	_cleanup_free_ struct rules_feed *feeds = calloc(RULES_FEEDS_MAX, sizeof(*feeds));
	unsigned int n = feeds ? rules_feeds(c, hook, feeds) : 0;
	char queue[64], interface[32];

	for (unsigned int i = 0; i < n; i++) {
		say_queue(queue, sizeof(queue), feeds[i].queues, p->w->bypass);
		say_interface(interface, sizeof(interface), hook, &feeds[i]);
		rules_line(p, "-A ctmarkd-%s %s-m comment --comment \"%s%s\" %s",
			   rules_hook_name(hook), interface, feeds[i].zone ? "zone " : "to ctmarkd",
			   feeds[i].zone ? feeds[i].zone : "", queue);
	}
}

/* What is not to be queued a second time. */
static void fill_returns(const struct rules_pen *p, const struct rules_conf *c,
			 enum rules_hook hook)
{
	const char *name = rules_hook_name(hook);
	bool in = hook == RULES_HOOK_PREROUTING || hook == RULES_HOOK_INPUT;
	const char *not = c->encoding == RULES_FLAGS ? "! " : "";
	uint32_t classified = rules_classified(c);

	if (in && p->w->hooks & 1u << RULES_HOOK_OUTPUT)
		rules_line(p,
			   "-A ctmarkd-%s -i lo -m comment --comment \"seen in OUTPUT\" -j RETURN",
			   name);
	if (rules_repeats(c) && !rules_hook_exit(hook))
		rules_line(p,
			   "-A ctmarkd-%s -m mark %s--mark 0x%x/0x%x -m comment --comment "
			   "\"repeated, has its mark\" -j RETURN",
			   name, not, c->encoding == RULES_FLAGS ? 0 : classified, classified);
}

static void write_queue(const struct rules_pen *p, const struct rules_conf *c)
{
	fputs("\n# Every packet to ctmarkd, on its way in. The mark that comes back is seen from\n"
	      "# the next table or hook on: match it in filter, never further down in mangle.\n",
	      p->out);
	if (p->w->hooks & 1u << RULES_HOOK_INPUT)
		fputs("# mangle INPUT comes before filter INPUT: what that drops has left its "
		      "flow.\n",
		      p->out);
	rules_line(p, "*mangle");
	for (int h = 0; h < RULES_HOOK_MAX; h++)
		if (p->w->hooks & 1u << h)
			rules_line(p, ":ctmarkd-%s - [0:0]", rules_hook_name((enum rules_hook)h));
	for (int h = 0; h < RULES_HOOK_MAX; h++) {
		if (!(p->w->hooks & 1u << h))
			continue;
		fill_returns(p, c, (enum rules_hook)h);
		fill_feeds(p, c, (enum rules_hook)h);
	}
	for (int h = 0; h < RULES_HOOK_MAX && !p->w->update; h++)
		if (p->w->hooks & 1u << h)
			rules_line(p, "-A %s -m comment --comment \"ctmarkd\" -j ctmarkd-%s",
				   rules_hook_name((enum rules_hook)h),
				   rules_hook_name((enum rules_hook)h));
	rules_line(p, "COMMIT");
}

/* --- the example ----------------------------------------------------------------------------- */

static void fill_group(const struct rules_pen *p, const struct rules_conf *c,
		       enum rules_group group, const char *comment, const char *target)
{
	struct rules_match match[2];
	unsigned int n = rules_matches(c, group, match);

	for (unsigned int i = 0; i < n; i++)
		rules_line(p,
			   "-A " CLASSES
			   " -m mark --mark 0x%x/0x%x -m comment --comment \"%s%s\" -j %s",
			   match[i].value, match[i].mask, match[i].name, comment, target);
}

static void fill_accept(const struct rules_pen *p, const struct rules_accept *a)
{
	const char *proto = a->proto == RULES_TCP ? "tcp" : "udp";

	if (a->proto == RULES_PING) {
		line_of(p, RULES_IPV4,
			"-A " NEW " -p icmp -m icmp --icmp-type 8 -m comment "
			"--comment \"ping\" -j ACCEPT");
		line_of(p, RULES_IPV6,
			"-A " NEW " -p ipv6-icmp -m icmp6 --icmpv6-type 128 -m comment "
			"--comment \"ping\" -j ACCEPT");
		return;
	}
	rules_line(p,
		   "-A " NEW
		   " -p %s -m %s --dport %u:%u -m comment --comment \"a service\" -j ACCEPT",
		   proto, proto, a->ports.first, a->ports.last);
}

static void fill_new(const struct rules_pen *p)
{
	for (unsigned int i = 0; i < p->w->naccept; i++)
		fill_accept(p, &p->w->accept[i]);
	line_of(p, RULES_IPV4,
		"-A " NEW " -f -m comment --comment "
		"\"later fragment, has no port\" -j ACCEPT");
	line_of(p, RULES_IPV6,
		"-A " NEW " -m frag --fragid 0:4294967295 --fragfirst -m comment "
		"--comment \"first fragment, has a port\" -j DROP");
	line_of(p, RULES_IPV6,
		"-A " NEW " -m frag --fragid 0:4294967295 -m comment --comment "
		"\"later fragment, has no port\" -j ACCEPT");
	rules_line(p, "-A " NEW " -m comment --comment \"nobody asked for it\" -j DROP");
}

static void write_filter(const struct rules_pen *p, const struct rules_conf *c)
{
	unsigned int hooks = p->w->filter_hooks;

	fputs("\n# What a filter by class looks like. INVALID is dropped and never rejected: an\n"
	      "# answer to a late or forged packet can end a healthy connection. Packets that\n"
	      "# ctmarkd has not seen have no class, fall through, and are left to your policy.\n",
	      p->out);
	if (!hooks)
		fputs("# Not in use: --filter input,forward makes it so, --accept says which NEW\n"
		      "# ones are let in. Have the port of your own session among them: "
		      "connections\n"
		      "# that are open already begin with NEW, too.\n",
		      p->out);
	rules_line(p, "*filter");
	rules_line(p, ":" CLASSES " - [0:0]");
	rules_line(p, ":" NEW " - [0:0]");
	rules_line(p, "-A " CLASSES
		      " -i lo -m comment --comment \"this machine to itself\" -j ACCEPT");
	fill_group(p, c, RULES_GROUP_ESTABLISHED, "", "ACCEPT");
	fill_group(p, c, RULES_GROUP_RELATED, "", "ACCEPT");
	fill_group(p, c, RULES_GROUP_UNTRACKED, ": neighbour discovery and its like", "ACCEPT");
	fill_group(p, c, RULES_GROUP_INVALID, ": the journal says why", "DROP");
	fill_group(p, c, RULES_GROUP_NEW, "", NEW);
	fill_new(p);
	for (int h = 0; h < RULES_HOOK_MAX && !p->w->update; h++)
		if ((hooks ? hooks : 1u << RULES_HOOK_INPUT) & 1u << h)
			rules_line(p, "-A %s -m comment --comment \"ctmarkd\" -j " CLASSES,
				   rules_hook_name((enum rules_hook)h));
	rules_line(p, "COMMIT");
}

/* --- taking it out --------------------------------------------------------------------------- */

static void remove_queue(const struct rules_pen *p)
{
	rules_line(p, "*mangle");
	for (int h = 0; h < RULES_HOOK_MAX; h++) {
		const char *name = rules_hook_name((enum rules_hook)h);

		if (!(p->w->hooks & 1u << h))
			continue;
		rules_line(p, "-D %s -m comment --comment \"ctmarkd\" -j ctmarkd-%s", name, name);
		rules_line(p, "-F ctmarkd-%s", name);
		rules_line(p, "-X ctmarkd-%s", name);
	}
	rules_line(p, "COMMIT");
}

static void remove_filter(const struct rules_pen *p)
{
	rules_line(p, "*filter");
	for (int h = 0; h < RULES_HOOK_MAX; h++)
		if (p->w->filter_hooks & 1u << h)
			rules_line(p, "-D %s -m comment --comment \"ctmarkd\" -j " CLASSES,
				   rules_hook_name((enum rules_hook)h));
	rules_line(p, "-F " CLASSES);
	rules_line(p, "-F " NEW);
	rules_line(p, "-X " CLASSES);
	rules_line(p, "-X " NEW);
	rules_line(p, "COMMIT");
}

void rules_write_iptables(FILE *out, const struct rules_conf *c, const struct rules_wanted *w)
{
	struct rules_pen pen = {out, "", w}, example = {out, w->filter_hooks ? "" : "# ", w};

	say_form(out, w);
	fputs("#\n# To load it:\n", out);
	say_commands(out, w);
	say_waiting(out);
	if (w->remove) {
		fputs("\n", out);
		if (w->queue)
			remove_queue(&pen);
		if (w->filter && w->filter_hooks)
			remove_filter(&pen);
		return;
	}
	say_bypass(out, w);
	rules_notes(out, c, w);
	if (w->queue)
		write_queue(&pen, c);
	if (w->filter)
		write_filter(&example, c);
}
