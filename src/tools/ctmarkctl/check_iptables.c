/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What iptables-save prints: lines of words, in which quotes hold what has blanks. Options that say
 * nothing of marks, queues or verdicts are passed over; a match that is not known limits its rule.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctmarkctl/check_model.h"
#include "util/cleanup.h"

#define WORDS_MAX 4096

/* A line in words. */
struct split {
	char *words[WORDS_MAX];
	bool quoted[WORDS_MAX]; /* it had quotes: never an option */
	int n;
};

/* A rule as it is read. */
struct line {
	struct check_set *set;
	struct check_rule *rule;
	struct split *split;
	int at;
	bool invert;	   /* a "!" stands before this option */
	const char *match; /* of the last -m */
	struct check_verdict *verdict;
	const char *target;
	uint32_t nfmask, ctmask; /* of CONNMARK */
	bool restore;
};

/* --- words ---------------------------------------------------------------------------------- */

/* One word in place: quotes and backslashes are taken out of it. Returns where the next begins. */
static char *take_word(char *p, bool *ret_quoted, bool *ret_open)
{
	char *to = p;
	bool inside = false;

	*ret_quoted = false;
	while (*p && (inside || (*p != ' ' && *p != '\t'))) {
		if (*p == '"') {
			inside = !inside;
			*ret_quoted = true;
			p++;
			continue;
		}
		if (*p == '\\' && inside && p[1])
			p++;
		*to++ = *p++;
	}
	*ret_open = inside;
	if (*p)
		p++;
	*to = '\0';
	return p;
}

/* Splits a line; -EINVAL if a quote stays open or there are too many words. */
static int split(struct split *l, char *text)
{
	l->n = 0;
	for (;;) {
		bool open;

		text += strspn(text, " \t");
		if (!*text)
			return 0;
		if (l->n == WORDS_MAX)
			return -EINVAL;
		l->words[l->n] = text;
		text = take_word(text, &l->quoted[l->n], &open);
		if (open)
			return -EINVAL;
		l->n++;
	}
}

/* The next word, "" at the end. */
static const char *next(struct line *l)
{
	return l->at < l->split->n ? l->split->words[l->at++] : "";
}

static uint32_t hex(const char *text, char **end)
{
	return (uint32_t)strtoul(text, end, 0);
}

/* "VALUE/MASK", the mask being all bits where it is not there. */
static void value_mask(const char *text, uint32_t *ret_value, uint32_t *ret_mask)
{
	char *end;

	*ret_value = hex(text, &end);
	*ret_mask = *end == '/' ? hex(end + 1, &end) : UINT32_MAX;
}

/* --- matches -------------------------------------------------------------------------------- */

static void take_interface(struct line *l, unsigned int limit)
{
	const char *name = next(l);

	l->rule->limits |= limit;
	if (l->invert || strlen(name) >= sizeof(l->rule->interface))
		return;
	strcpy(l->rule->interface, name);
	if (strcmp(name, "lo") == 0)
		l->rule->limits |= LIMIT_LOOPBACK;
}

static void take_proto(struct line *l)
{
	const char *name = next(l);

	l->rule->limits |= LIMIT_PROTO;
	if (!l->invert && strlen(name) < sizeof(l->rule->proto))
		strcpy(l->rule->proto, name);
}

static void take_mark(struct line *l)
{
	struct check_mark m = {.invert = l->invert};

	value_mask(next(l), &m.lo, &m.mask);
	m.hi = m.lo;
	if (strcmp(l->match, "mark") == 0)
		check_mark(l->set, l->rule, m);
	else
		l->rule->limits |= LIMIT_OTHER; /* of connmark, say */
}

static void take_states(struct line *l)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} states[] = {{"NEW", STATE_NEW},
		      {"ESTABLISHED", STATE_ESTABLISHED},
		      {"RELATED", STATE_RELATED},
		      {"INVALID", STATE_INVALID},
		      {"UNTRACKED", STATE_UNTRACKED}};
	const char *list = next(l);
	unsigned int found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strstr(list, states[i].name))
			found |= states[i].bit;
	l->rule->limits |= LIMIT_CTSTATE;
	l->rule->states = l->invert ? ~found & 0x1f : found;
}

/* A match by name: what it limits is told by its options, or not at all. */
static void take_match(struct line *l)
{
	static const char *const told[] = {"comment", "mark",  "tcp",	 "udp",	      "multiport",
					   "sctp",    "state", "icmp",	 "conntrack", "icmp6",
					   "frag",    "dccp",  "udplite"};

	l->match = next(l);
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (strcmp(l->match, told[i]) == 0) {
			if (strcmp(l->match, "frag") == 0)
				l->rule->limits |= LIMIT_FRAGMENT;
			return;
		}
	l->rule->limits |= LIMIT_OTHER;
}

/* --- targets -------------------------------------------------------------------------------- */

static void take_target(struct line *l, bool go)
{
	static const struct {
		const char *name;
		enum check_target target;
	} verdicts[] = {{"ACCEPT", TARGET_ACCEPT}, {"DROP", TARGET_DROP},
			{"REJECT", TARGET_REJECT}, {"RETURN", TARGET_RETURN},
			{"NFQUEUE", TARGET_QUEUE}, {"QUEUE", TARGET_QUEUE}};

	l->target = next(l);
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		if (!go && strcmp(l->target, verdicts[i].name) == 0) {
			l->verdict = check_verdict(l->set, l->rule, verdicts[i].target);
			return;
		}
	if (strcmp(l->target, "NOTRACK") == 0)
		l->rule->notrack = true;
	if (strcmp(l->target, "HMARK") == 0)
		check_writes(l->rule, 0, UINT32_MAX);
	/* a chain, or one of the targets that say nothing here: there is no chain of that name */
	l->verdict = check_verdict(l->set, l->rule, go ? TARGET_GOTO : TARGET_JUMP);
	l->verdict->chain = check_text(l->set, l->target, strlen(l->target));
}

static void take_queues(struct line *l)
{
	char *end;
	const char *text = next(l);
	unsigned long first = strtoul(text, &end, 10);
	unsigned long last = *end == ':' ? strtoul(end + 1, &end, 10) : first;

	if (!l->verdict || l->verdict->target != TARGET_QUEUE)
		return;
	check_range_of(l->verdict, first, last);
}

/* Targets that write the mark, as iptables-save and as people write them. */
static void take_set(struct line *l, const char *option)
{
	uint32_t value, mask;

	value_mask(next(l), &value, &mask);
	if (strcmp(l->target, "CONNMARK") == 0)
		return; /* the mark of the connection, not of the packet */
	if (strcmp(option, "--or-mark") == 0)
		check_writes(l->rule, ~value, value);
	else if (strcmp(option, "--and-mark") == 0)
		check_writes(l->rule, value, 0);
	else if (strcmp(option, "--xor-mark") == 0)
		check_writes(l->rule, UINT32_MAX, value);
	else
		check_writes(l->rule, ~mask, value);
}

static bool take_flag(struct line *l, const char *word)
{
	if (l->verdict && strcmp(word, "--queue-bypass") == 0)
		l->verdict->bypass = true;
	else if (l->verdict && strcmp(word, "--queue-cpu-fanout") == 0)
		l->verdict->fanout = true;
	else if (strcmp(word, "--restore-mark") == 0)
		l->restore = true;
	else if (strcmp(word, "--notrack") == 0)
		l->rule->notrack = true;
	else if (strcmp(word, "--map-mark") == 0)
		check_writes(l->rule, 0, UINT32_MAX);
	else
		return false;
	return true;
}

/* --- options -------------------------------------------------------------------------------- */

enum kind {
	IIF,
	OIF,
	PROTO,
	ADDRESS,
	FRAGMENT,
	MATCH,
	JUMP,
	GOTO,
	MARK,
	STATES,
	PORT,
	QUEUES,
	SET,
	NFMASK,
	CTMASK,
	BOTHMASK,
	SKIP,
};

static const struct option_name {
	const char *word;
	enum kind kind;
} option_names[] = {
	{"-i", IIF},
	{"--in-interface", IIF},
	{"-o", OIF},
	{"--out-interface", OIF},
	{"-p", PROTO},
	{"--protocol", PROTO},
	{"-s", ADDRESS},
	{"--source", ADDRESS},
	{"-d", ADDRESS},
	{"--destination", ADDRESS},
	{"-f", FRAGMENT},
	{"--fragment", FRAGMENT},
	{"-m", MATCH},
	{"--match", MATCH},
	{"-j", JUMP},
	{"--jump", JUMP},
	{"-g", GOTO},
	{"--goto", GOTO},
	{"--mark", MARK},
	{"--ctstate", STATES},
	{"--state", STATES},
	{"--dport", PORT},
	{"--sport", PORT},
	{"--destination-port", PORT},
	{"--source-port", PORT},
	{"--dports", PORT},
	{"--sports", PORT},
	{"--ports", PORT},
	{"--queue-num", QUEUES},
	{"--queue-balance", QUEUES},
	{"--set-xmark", SET},
	{"--set-mark", SET},
	{"--or-mark", SET},
	{"--and-mark", SET},
	{"--xor-mark", SET},
	{"--tproxy-mark", SET},
	{"--nfmask", NFMASK},
	{"--ctmask", CTMASK},
	{"--mask", BOTHMASK},
	/* what follows may look like an option and is none */
	{"--comment", SKIP},
	{"--log-prefix", SKIP},
	{"--nflog-prefix", SKIP},
	{"--ulog-prefix", SKIP},
	{"--string", SKIP},
	{"--hex-string", SKIP},
	{"--bytecode", SKIP},
	{"--name", SKIP},
};

static void take_connmark(struct line *l, enum kind kind)
{
	uint32_t mask = hex(next(l), &(char *){NULL});

	if (kind != CTMASK)
		l->nfmask = mask;
	if (kind != NFMASK)
		l->ctmask = mask;
}

static void take_option(struct line *l, const struct option_name *o)
{
	switch (o->kind) {
	case IIF:
		take_interface(l, LIMIT_IIF);
		break;
	case OIF:
		take_interface(l, LIMIT_OIF);
		break;
	case PROTO:
		take_proto(l);
		break;
	case ADDRESS:
		l->rule->limits |= LIMIT_ADDRESS;
		next(l);
		break;
	case FRAGMENT:
		l->rule->limits |= LIMIT_FRAGMENT;
		break;
	case MATCH:
		take_match(l);
		break;
	case JUMP:
	case GOTO:
		take_target(l, o->kind == GOTO);
		break;
	case MARK:
		take_mark(l);
		break;
	case STATES:
		take_states(l);
		break;
	case PORT:
		l->rule->limits |= LIMIT_PORT;
		next(l);
		break;
	case QUEUES:
		take_queues(l);
		break;
	case SET:
		take_set(l, o->word);
		break;
	case NFMASK:
	case CTMASK:
	case BOTHMASK:
		take_connmark(l, o->kind);
		break;
	case SKIP:
		next(l);
		break;
	}
}

/* The words behind "-A CHAIN". */
static void take_rule(struct line *l)
{
	l->match = l->target = "";
	l->nfmask = l->ctmask = UINT32_MAX;
	while (l->at < l->split->n) {
		bool quoted = l->split->quoted[l->at];
		const char *word = next(l);
		const struct option_name *known = NULL;

		if (!quoted && strcmp(word, "!") == 0) {
			l->invert = true;
			continue;
		}
		for (size_t i = 0; i < ARRAY_SIZE(option_names) && !quoted; i++)
			if (strcmp(word, option_names[i].word) == 0)
				known = &option_names[i];
		if (known)
			take_option(l, known);
		else if (!quoted)
			take_flag(l, word);
		l->invert = false;
	}
	if (l->restore)
		check_writes(l->rule, ~l->nfmask, l->ctmask);
}

/* --- lines ---------------------------------------------------------------------------------- */

struct reader {
	struct check_set *set;
	unsigned int family;
	struct check_table *table;
	bool legacy; /* as its first line says, if there is one */
};

/* Priority of a table at a hook, as the kernel has it. */
static int priority_of(const char *table, enum rules_hook hook)
{
	if (strcmp(table, "raw") == 0)
		return -300;
	if (strcmp(table, "mangle") == 0)
		return -150;
	if (strcmp(table, "nat") == 0)
		return hook == RULES_HOOK_INPUT || hook == RULES_HOOK_POSTROUTING ? 100 : -100;
	return strcmp(table, "security") == 0 ? 50 : 0;
}

/* A chain that comes with its table hangs on the hook that it has the name of. */
static struct check_chain *chain_of(struct reader *r, const char *name)
{
	struct check_chain *c = check_chain(r->set, r->table, name);

	for (int h = 0; h < RULES_HOOK_MAX && !c->base; h++)
		if (strcmp(name, rules_hook_name((enum rules_hook)h)) == 0) {
			c->base = true;
			c->hook = (enum rules_hook)h;
			c->priority = priority_of(r->table->name, c->hook);
			c->nat = strcmp(r->table->name, "nat") == 0;
		}
	return c;
}

static int read_chain(struct reader *r, const struct split *s)
{
	struct check_chain *c;

	if (s->n < 2 || !r->table)
		return -EINVAL;
	c = chain_of(r, s->words[0] + 1);
	c->drops = strcmp(s->words[1], "DROP") == 0;
	return 0;
}

/* "[P:B] -4 -A CHAIN ..."; what is for another family, or no rule, is passed over. */
static int read_rule(struct reader *r, struct split *s, const char *text)
{
	const char *other = r->family == RULES_IPV4 ? "-6" : "-4";
	struct line l = {.set = r->set, .split = s, .at = s->words[0][0] == '['};
	bool first;

	while (l.at < s->n &&
	       (strcmp(s->words[l.at], "-4") == 0 || strcmp(s->words[l.at], "-6") == 0))
		if (strcmp(s->words[l.at++], other) == 0)
			return 0;
	if (l.at + 1 >= s->n)
		return 0;
	first = strcmp(s->words[l.at], "-I") == 0;
	if (!first && strcmp(s->words[l.at], "-A") != 0)
		return 0;
	if (!r->table)
		return -EINVAL;
	l.rule = check_rule(r->set, chain_of(r, s->words[l.at + 1]), first);
	if (!l.rule)
		return -E2BIG;
	l.rule->text = text;
	l.at += 2;
	take_rule(&l);
	return 0;
}

static int read_line(struct reader *r, struct split *s, char *text)
{
	const char *original;
	int i = r->family == RULES_IPV6;

	text += strspn(text, " \t");
	if (*text == '#') {
		if (strstr(text, "Generated by"))
			r->legacy = !strstr(text, "(nf_tables)");
		return 0;
	}
	original = check_text(r->set, text, strlen(text));
	if (split(s, text) < 0)
		return -EINVAL;
	if (s->n == 0 || strcmp(s->words[0], "COMMIT") == 0)
		return 0;
	if (s->words[0][0] == '*') {
		r->table = check_table(r->set, i ? "ip6" : "ip", s->words[0] + 1, r->family, true);
		r->table->legacy = r->legacy;
		return 0;
	}
	return s->words[0][0] == ':' ? read_chain(r, s) : read_rule(r, s, original);
}

int check_read_iptables(struct check_set *set, unsigned int family, char *text, char *why,
			size_t size)
{
	_cleanup_free_ struct split *s = malloc(sizeof(*s));
	struct reader r = {.set = set, .family = family};
	unsigned int number = 0;

	if (!s)
		return -ENOMEM;
	set->families |= family;
	set->source++;
	while (text) {
		char *end = strchr(text, '\n');
		int result;

		number++;
		if (end)
			*end++ = '\0';
		if (strlen(text) > CHECK_LINE_MAX)
			result = -E2BIG;
		else
			result = read_line(&r, s, text);
		if (result < 0) {
			snprintf(why, size, "line %u: %s", number,
				 result == -E2BIG ? "too long, or one rule too many"
						  : "neither table, chain nor rule");
			return result;
		}
		text = end;
	}
	return 0;
}
