/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Which packets go where, and what is worth a note. Nothing here knows the language that the rules
 * are written in.
 */

#include "tools/ctmarkctl/rules_plan.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/cleanup.h"

static const struct hook {
	const char *name, *nft;
	bool exit;
} hooks[RULES_HOOK_MAX] = {
#define X(name, nft, exit) {#name, nft, exit},
	RULES_HOOK_LIST(X)
#undef X
};

const char *rules_hook_name(enum rules_hook hook)
{
	return hooks[hook].name;
}

const char *rules_hook_nft(enum rules_hook hook)
{
	return hooks[hook].nft;
}

bool rules_hook_exit(enum rules_hook hook)
{
	return hooks[hook].exit;
}

/* --- which queue ---------------------------------------------------------------------------- */

bool rules_interface_plain(const char *interface, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool star = interface[i] == '*' && i == len - 1 && i > 0;

		if (!isalnum((unsigned char)interface[i]) && !strchr("._:@-", interface[i]) &&
		    !star)
			return false;
	}
	/* IFNAMSIZ with its terminator; iptables takes a "-" for the next option */
	return len > 0 && len < 16 && interface[0] != '-';
}

static bool in_zone(const struct rules_conf *c, unsigned int queue)
{
	for (unsigned int i = 0; i < c->nzones; i++)
		for (unsigned int j = 0; j < c->zones[i].nqueues; j++)
			if (queue >= c->zones[i].queues[j].first &&
			    queue <= c->zones[i].queues[j].last)
				return true;
	return false;
}

/* The longest run of queues that are in no zone. */
static bool rest_of(const struct rules_conf *c, struct rules_range *ret)
{
	unsigned int best = 0, run = 0;

	for (unsigned int q = c->range.first; q <= c->range.last; q++) {
		run = in_zone(c, q) ? 0 : run + 1;
		if (run <= best)
			continue;
		best = run;
		*ret = (struct rules_range){(uint16_t)(q + 1 - run), (uint16_t)q};
	}
	return best > 0;
}

static unsigned int feed_zone(const struct rules_zone *z, struct rules_feed *feeds, unsigned int n)
{
	const char *p = z->interfaces;

	while (*p && n < RULES_FEEDS_MAX - 1) {
		size_t len;

		p += strspn(p, " \t");
		len = strcspn(p, " \t");
		if (rules_interface_plain(p, len))
			feeds[n++] = (struct rules_feed){p, len, z->name, z->queues[0]};
		p += len;
	}
	return n;
}

unsigned int rules_feeds(const struct rules_conf *c, enum rules_hook hook,
			 struct rules_feed feeds[RULES_FEEDS_MAX])
{
	struct rules_range rest;
	bool has_rest = rest_of(c, &rest);
	unsigned int n = 0;

	for (unsigned int i = 0; i < c->nzones && !(has_rest && rules_hook_exit(hook)); i++)
		if (c->zones[i].nqueues)
			n = feed_zone(&c->zones[i], feeds, n);
	if (has_rest)
		feeds[n++] = (struct rules_feed){.queues = rest};
	return n;
}

/* --- which mark ----------------------------------------------------------------------------- */

static const struct group {
	enum rules_class classes[2];
	const char *name;
} groups[] = {
	[RULES_GROUP_ESTABLISHED] = {{RULES_ESTABLISHED, RULES_ESTABLISHED_REPLY}, "ESTABLISHED"},
	[RULES_GROUP_RELATED] = {{RULES_RELATED, RULES_RELATED_REPLY}, "RELATED"},
	[RULES_GROUP_UNTRACKED] = {{RULES_UNTRACKED, RULES_UNTRACKED}, "UNTRACKED"},
	[RULES_GROUP_INVALID] = {{RULES_INVALID, RULES_INVALID}, "INVALID"},
	[RULES_GROUP_NEW] = {{RULES_NEW, RULES_NEW}, "NEW"},
};

unsigned int rules_matches(const struct rules_conf *c, enum rules_group group,
			   struct rules_match ret[2])
{
	const struct group *g = &groups[group];
	unsigned int n = g->classes[0] == g->classes[1] ? 1 : 2;

	if (c->encoding == RULES_FLAGS) {
		uint32_t bit = rules_mark(c, g->classes[0]);

		ret[0] = (struct rules_match){bit, bit, g->name};
		return 1;
	}
	for (unsigned int i = 0; i < n; i++)
		ret[i] = (struct rules_match){rules_mark(c, g->classes[i]), c->mask,
					      rules_class_name(g->classes[i])};
	return n;
}

bool rules_repeats(const struct rules_conf *c)
{
	for (int i = 0; i < RULES_CLASS_MAX; i++)
		if (c->verdict[i] == RULES_REPEAT)
			return true;
	return false;
}

/* --- wishes --------------------------------------------------------------------------------- */

int rules_parse_hooks(const char *text, unsigned int *ret)
{
	unsigned int found = 0;

	while (*text) {
		size_t len = strcspn(text, ",");
		int i;

		for (i = 0; i < RULES_HOOK_MAX; i++)
			if (strlen(hooks[i].nft) == len &&
			    strncasecmp(text, hooks[i].nft, len) == 0)
				break;
		if (i == RULES_HOOK_MAX)
			return -EINVAL;
		found |= 1u << i;
		text += len + (text[len] == ',');
	}
	if (!found)
		return -EINVAL;
	*ret = found;
	return 0;
}

/* One of the list; *text moves behind it. */
static int parse_accept(const char **text, struct rules_accept *ret)
{
	unsigned long first, last;
	char *end;

	if (strncmp(*text, "ping", 4) == 0) {
		*ret = (struct rules_accept){.proto = RULES_PING};
		*text += 4;
		return 0;
	}
	if (strncmp(*text, "tcp/", 4) != 0 && strncmp(*text, "udp/", 4) != 0)
		return -EINVAL;
	ret->proto = **text == 't' ? RULES_TCP : RULES_UDP;
	*text += 4;
	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	first = last = strtoul(*text, &end, 10);
	if (*end == ':' && isdigit((unsigned char)end[1]))
		last = strtoul(end + 1, &end, 10);
	if (first > UINT16_MAX || last > UINT16_MAX || last < first)
		return -EINVAL;
	ret->ports = (struct rules_range){(uint16_t)first, (uint16_t)last};
	*text = end;
	return 0;
}

int rules_parse_accept(struct rules_wanted *w, const char *text)
{
	w->naccept = 0;
	while (*text) {
		if (w->naccept == RULES_ACCEPT_MAX ||
		    parse_accept(&text, &w->accept[w->naccept]) < 0 || (*text && *text != ','))
			return -EINVAL;
		w->naccept++;
		text += *text == ',';
	}
	return 0;
}

/* --- notes ---------------------------------------------------------------------------------- */

static void note_zones(FILE *out, const struct rules_conf *c)
{
	struct rules_range rest;

	for (unsigned int i = 0; i < c->nzones; i++) {
		const struct rules_zone *z = &c->zones[i];

		if (z->nqueues && !z->interfaces[0])
			fprintf(out,
				"# NOTE: zone %s has queues but no interfaces: nothing below "
				"feeds them; add rules\n#   that choose its packets.\n",
				z->name);
		else if (z->nqueues > 1)
			fprintf(out,
				"# NOTE: of the queues of zone %s only the first range is fed.\n",
				z->name);
		if (z->nqueues && strpbrk(z->interfaces, "?["))
			fprintf(out,
				"# NOTE: zone %s has patterns of interfaces that rules cannot "
				"say; only a \"*\" at\n#   the end can.\n",
				z->name);
	}
	if (!rest_of(c, &rest))
		fprintf(out,
			"# NOTE: every queue is in a zone: what belongs to none is not queued.\n");
}

static void note_verdicts(FILE *out, const struct rules_conf *c)
{
	for (int i = 0; i < RULES_CLASS_MAX; i++) {
		const char *name = rules_class_name((enum rules_class)i);

		if (c->verdict[i] == RULES_DROP)
			fprintf(out,
				"# NOTE: %s packets are dropped by ctmarkd itself ([Verdict]); "
				"no rule sees them.\n",
				name);
		else if (c->verdict[i] == RULES_QUEUE)
			fprintf(out,
				"# NOTE: %s packets are handed on to queue %u ([Verdict]): if "
				"nothing listens there\n#   they are dropped. They have their "
				"mark there already.\n",
				name, c->verdict_queue[i]);
		else if (c->verdict[i] == RULES_REPEAT)
			fprintf(out,
				"# NOTE: %s packets go through the chain that queued them once "
				"more ([Verdict]), with\n#   their mark: the first rule of the "
				"chain lets them out.\n",
				name);
	}
}

static void note_exits(FILE *out, const struct rules_conf *c, const struct rules_wanted *w)
{
	unsigned int exits = 1u << RULES_HOOK_INPUT | 1u << RULES_HOOK_POSTROUTING;

	if (c->confirm == RULES_CONFIRM_EXIT && (w->hooks & exits) != exits)
		fprintf(out,
			"# NOTE: Confirm=exit, but not both of INPUT and POSTROUTING are queued: "
			"flows are lost.\n");
	if (c->confirm == RULES_CONFIRM_ENTRY && w->hooks & exits)
		fprintf(out, "# NOTE: Confirm=entry: queueing INPUT or POSTROUTING only costs "
			     "time.\n");
	if (w->hooks & exits && (w->hooks & exits) != exits)
		fprintf(out, "# NOTE: a flow whose packets leave by the other one of INPUT and "
			     "POSTROUTING is not kept.\n");
}

void rules_notes(FILE *out, const struct rules_conf *c, const struct rules_wanted *w)
{
	note_zones(out, c);
	note_verdicts(out, c);
	note_exits(out, c, w);
	if (!(w->hooks & 1u << RULES_HOOK_OUTPUT))
		fprintf(out, "# NOTE: OUTPUT is not queued: connections of this machine begin with "
			     "their answers.\n");
	if (c->fail_open)
		fprintf(out, "# NOTE: FailOpen=yes: packets that find the queue full pass "
			     "unmarked.\n");
	if (c->helpers[0])
		fprintf(out,
			"# NOTE: Helpers=%s: what they expect is RELATED, whatever its "
			"port.\n",
			c->helpers);
}

void rules_line(const struct rules_pen *pen, const char *format, ...)
{
	va_list ap;

	fputs(pen->prefix, pen->out);
	va_start(ap, format);
	vfprintf(pen->out, format, ap);
	va_end(ap);
	fputc('\n', pen->out);
}
