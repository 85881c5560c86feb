/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What `nft -j list ruleset` prints, libnftables-json(5). Expressions that say nothing of marks,
 * queues or verdicts limit the rule and are not looked into. Tables of iptables-nft show no more
 * than the names of their extensions here; iptables-save has told of them already.
 */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tools/ctmarkctl/check_model.h"
#include "tools/ctmarkctl/check_nft_text.h"
#include "util/cleanup.h"

/* Expressions in expressions; nft itself makes few of them. */
#define DEPTH_MAX 32

struct nft {
	struct check_set *set;
	struct check_rule *rule;
	const struct check_table *table;
	const json_t *maps; /* elements of maps, by the family, the table and the name */
};

#define MAP_NAME_MAX 600

static const char *map_name(char buf[MAP_NAME_MAX], const char *family, const char *table,
			    const char *name)
{
	snprintf(buf, MAP_NAME_MAX, "%s %s %s", family, table, name);
	return buf;
}

/* "KEY" of {"KEY": value}; NULL if it is something else. */
static const char *only_key(const json_t *object, const json_t **ret_value)
{
	void *iter = json_object_iter((json_t *)object);

	*ret_value = iter ? json_object_iter_value(iter) : NULL;
	return iter ? json_object_iter_key(iter) : NULL;
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool is_meta(const json_t *e, const char *key)
{
	return strcmp(text_at(json_object_get(e, "meta"), "key"), key) == 0;
}

/* --- the mark ------------------------------------------------------------------------------- */

/* The mark, or some bits of it. */
static bool mark_bits(const json_t *e, uint32_t *ret_mask)
{
	const json_t *and = json_object_get(e, "&");
	const json_t *bits = json_array_get(and, 1);

	*ret_mask = UINT32_MAX;
	if (is_meta(e, "mark"))
		return true;
	if (!and || !is_meta(json_array_get(and, 0), "mark"))
		return false;
	if (json_is_integer(bits))
		*ret_mask = (uint32_t)json_integer_value(bits);
	return true;
}

static void add_mark(struct nft *n, const json_t *value, uint32_t mask, bool invert)
{
	struct check_mark m = {.mask = mask, .invert = invert};
	const json_t *range = json_object_get(value, "range");

	if (json_is_integer(value)) {
		m.lo = m.hi = (uint32_t)json_integer_value(value);
	} else if (range) {
		m.lo = (uint32_t)json_integer_value(json_array_get(range, 0));
		m.hi = (uint32_t)json_integer_value(json_array_get(range, 1));
	} else {
		n->rule->limits |= LIMIT_OTHER; /* a set by name, and the like */
		return;
	}
	check_mark(n->set, n->rule, m);
}

static void match_mark(struct nft *n, const json_t *right, uint32_t mask, bool invert)
{
	const json_t *set = json_object_get(right, "set"), *item;
	size_t i;

	if (!set)
		add_mark(n, right, mask, invert);
	json_array_foreach((json_t *)set, i, item)
		add_mark(n, json_is_array(item) ? json_array_get(item, 0) : item, mask, invert);
}

/* How an expression makes a new mark out of the old one: (mark & keep) | sets. */
static void follow_mark(const json_t *e, int depth, uint32_t *keep, uint32_t *sets)
{
	const json_t *args;
	const char *op = only_key(e, &args);
	const json_t *second = json_array_get(args, 1);
	uint32_t bits = (uint32_t)json_integer_value(second);

	*keep = 0;
	*sets = UINT32_MAX;
	if (json_is_integer(e))
		*sets = (uint32_t)json_integer_value(e);
	if (!op || depth > DEPTH_MAX)
		return;
	if (is_meta(e, "mark")) {
		*keep = UINT32_MAX;
		*sets = 0;
	} else if (json_is_integer(second) && strlen(op) == 1 && strchr("&|^", op[0])) {
		follow_mark(json_array_get(args, 0), depth + 1, keep, sets);
		*keep &= op[0] == '&' ? bits : ~bits;
		*sets = op[0] == '&' ? *sets & bits : *sets | bits;
	}
}

/* --- matches -------------------------------------------------------------------------------- */

static void match_interface(struct nft *n, const char *key, const char *name, bool equal)
{
	n->rule->limits |= key[0] == 'i' ? LIMIT_IIF : LIMIT_OIF;
	if (!equal || strlen(name) >= sizeof(n->rule->interface))
		return;
	strcpy(n->rule->interface, name);
	if (strcmp(name, "lo") == 0)
		n->rule->limits |= LIMIT_LOOPBACK;
}

static void limit_family(struct nft *n, const char *name, bool equal)
{
	unsigned int family = 0;

	if (strcmp(name, "ipv4") == 0 || strcmp(name, "ip") == 0)
		family = RULES_IPV4;
	if (strcmp(name, "ipv6") == 0 || strcmp(name, "ip6") == 0)
		family = RULES_IPV6;
	if (family)
		n->rule->families &= equal ? family : ~family;
	else
		n->rule->limits |= LIMIT_PROTO;
}

static void match_meta(struct nft *n, const char *key, const json_t *right, bool equal)
{
	const char *name = json_string_value(right);

	if (strcmp(key, "iif") == 0 || strcmp(key, "iifname") == 0 || strcmp(key, "oif") == 0 ||
	    strcmp(key, "oifname") == 0) {
		match_interface(n, key, name ? name : "", equal && name);
	} else if (strcmp(key, "nfproto") == 0 || strcmp(key, "protocol") == 0) {
		limit_family(n, name ? name : "", equal);
	} else if (strcmp(key, "l4proto") == 0) {
		n->rule->limits |= LIMIT_PROTO;
		if (name && equal && strlen(name) < sizeof(n->rule->proto))
			strcpy(n->rule->proto, name);
	} else {
		n->rule->limits |= LIMIT_OTHER;
	}
}

static void match_payload(struct nft *n, const json_t *payload)
{
	const char *protocol = text_at(payload, "protocol"), *field = text_at(payload, "field");

	if (strcmp(protocol, "ip") == 0 || strcmp(protocol, "ip6") == 0)
		limit_family(n, protocol, true);
	if (strcmp(field, "frag-off") == 0)
		n->rule->limits |= LIMIT_FRAGMENT;
	else if (strcmp(field, "sport") == 0 || strcmp(field, "dport") == 0)
		n->rule->limits |= LIMIT_PROTO | LIMIT_PORT;
	else if (strcmp(field, "saddr") == 0 || strcmp(field, "daddr") == 0)
		n->rule->limits |= LIMIT_ADDRESS;
	else
		n->rule->limits |= LIMIT_PROTO;
	/* the one that comes first counts: it is tcp or udp for its ports */
	if (n->rule->limits & LIMIT_PORT && !n->rule->proto[0] &&
	    strlen(protocol) < sizeof(n->rule->proto))
		strcpy(n->rule->proto, protocol);
}

static unsigned int state_bit(const char *name)
{
	static const char *const names[] = {"new", "established", "related", "invalid",
					    "untracked"};

	for (unsigned int i = 0; name && i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return 1u << i;
	return 0;
}

static unsigned int states_in(const json_t *right)
{
	const json_t *set = json_object_get(right, "set"), *item;
	unsigned int found = state_bit(json_string_value(right));
	size_t i;

	json_array_foreach((json_t *)(set ? set : right), i, item)
	{
		const json_t *name = json_is_array(item) ? json_array_get(item, 0) : item;

		found |= state_bit(json_string_value(name));
	}
	return found;
}

static void match_state(struct nft *n, const json_t *right, bool equal)
{
	unsigned int found = states_in(right);

	n->rule->limits |= LIMIT_CTSTATE;
	n->rule->states |= equal ? found : ~found & 0x1f;
}

/* What a match looks at, whatever it compares it with. */
static void take_match(struct nft *n, const json_t *left, const json_t *right, bool equal)
{
	const json_t *payload = json_object_get(left, "payload"), *value;
	const json_t *and = json_object_get(left, "&");
	const char *kind = only_key(left, &value);
	uint32_t mask;

	if (and&&!payload)
		payload = json_object_get(json_array_get(and, 0), "payload");
	if (mark_bits(left, &mask))
		match_mark(n, right, mask, !equal);
	else if (payload)
		match_payload(n, payload);
	else if (kind && strcmp(kind, "meta") == 0)
		match_meta(n, text_at(value, "key"), right, equal);
	else if (kind && strcmp(kind, "ct") == 0 && strcmp(text_at(value, "key"), "state") == 0)
		match_state(n, right, equal);
	else if (kind && strcmp(kind, "exthdr") == 0 && strcmp(text_at(value, "name"), "frag") == 0)
		n->rule->limits |= LIMIT_FRAGMENT;
	else
		n->rule->limits |= LIMIT_OTHER;
}

/* --- verdicts ------------------------------------------------------------------------------- */

static bool has_flag(const json_t *flags, const char *name)
{
	const json_t *flag;
	size_t i;

	if (json_is_string(flags))
		return strcmp(json_string_value(flags), name) == 0;
	json_array_foreach((json_t *)flags, i,
			   flag) if (json_is_string(flag) &&
				     strcmp(json_string_value(flag), name) == 0) return true;
	return false;
}

static void take_queue(struct nft *n, const json_t *queue, bool unless)
{
	struct check_verdict *v = check_verdict(n->set, n->rule, TARGET_QUEUE);
	const json_t *num = json_object_get(queue, "num"), *flags = json_object_get(queue, "flags");
	const json_t *range = json_object_get(num, "range");

	v->unless = unless;
	v->bypass = has_flag(flags, "bypass");
	v->fanout = has_flag(flags, "fanout");
	v->any_queue = num && !json_is_integer(num) && !range;
	if (range)
		check_range_of(v, (uint64_t)json_integer_value(json_array_get(range, 0)),
			       (uint64_t)json_integer_value(json_array_get(range, 1)));
	else
		check_range_of(v, (uint64_t)json_integer_value(num),
			       (uint64_t)json_integer_value(num));
}

/* A statement that is a verdict. */
static bool take_verdict(struct nft *n, const char *name, const json_t *value, bool unless)
{
	static const struct {
		const char *name;
		enum check_target target;
	} verdicts[] = {{"accept", TARGET_ACCEPT}, {"drop", TARGET_DROP}, {"reject", TARGET_REJECT},
			{"return", TARGET_RETURN}, {"jump", TARGET_JUMP}, {"goto", TARGET_GOTO}};

	if (strcmp(name, "queue") == 0) {
		take_queue(n, value, unless);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		const char *chain = text_at(value, "target");
		struct check_verdict *v;

		if (strcmp(name, verdicts[i].name) != 0)
			continue;
		v = check_verdict(n->set, n->rule, verdicts[i].target);
		v->unless = unless;
		v->chain = check_text(n->set, chain, strlen(chain));
		return true;
	}
	return false;
}

/* The pairs of a map, which may stand in the rule or have a name. */
static const json_t *pairs_of(const struct nft *n, const json_t *data)
{
	const char *name = json_string_value(data);
	char key[MAP_NAME_MAX];

	if (!name || name[0] != '@')
		return json_object_get(data, "set");
	map_name(key, n->table->family, n->table->name, name + 1);
	return json_object_get(n->maps, key);
}

static void take_map(struct nft *n, const json_t *map)
{
	const json_t *data = json_object_get(map, "data"), *pair;
	size_t i;

	take_match(n, json_object_get(map, "key"), data, true);
	json_array_foreach((json_t *)pairs_of(n, data), i, pair)
	{
		const json_t *value;
		const char *name = only_key(json_array_get(pair, 1), &value);

		n->set->cut |= n->set->nmapped == CHECK_MAPPED_MAX;
		if (n->set->cut)
			return;
		if (name && take_verdict(n, name, value, true))
			n->set->nmapped++;
	}
}

static void take_mangle(struct nft *n, const json_t *mangle)
{
	uint32_t keep, sets;

	if (!is_meta(json_object_get(mangle, "key"), "mark"))
		return;
	follow_mark(json_object_get(mangle, "value"), 0, &keep, &sets);
	check_writes(n->rule, keep, sets);
}

static void take_statement(struct nft *n, const json_t *statement)
{
	/* they let every packet through */
	static const char *const silent[] = {"counter", "log", "ct helper", "ct timeout",
					     "mangle",	"dup", "flow",	    "comment",
					     "notrack", "set", "map",	    "secmark"};
	const json_t *value;
	const char *name = only_key(statement, &value);

	if (!name || take_verdict(n, name, value, false))
		return;
	if (strcmp(name, "match") == 0)
		take_match(n, json_object_get(value, "left"), json_object_get(value, "right"),
			   strcmp(text_at(value, "op"), "!=") != 0);
	if (strcmp(name, "vmap") == 0)
		take_map(n, value);
	if (strcmp(name, "mangle") == 0)
		take_mangle(n, value);
	if (strcmp(name, "notrack") == 0)
		n->rule->notrack = true;
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		if (strcmp(name, silent[i]) == 0)
			return;
	if (strcmp(name, "match") != 0 && strcmp(name, "vmap") != 0)
		n->rule->limits |= LIMIT_OTHER; /* limit, xt, and what is still to come */
}

/* --- tables, chains, rules ------------------------------------------------------------------- */

static const struct family {
	const char *name;
	unsigned int families;
} families[] = {{"ip", RULES_IPV4}, {"ip6", RULES_IPV6}, {"inet", RULES_IPV4 | RULES_IPV6}};

/* The table of an object; NULL if it is of a family that is not looked at, or iptables' own. */
static struct check_table *table_of(struct check_set *set, const json_t *object, const char *key)
{
	const char *family = text_at(object, "family"), *name = text_at(object, key);

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (strcmp(family, families[i].name) != 0)
			continue;
		for (const struct check_table *t = check_next_table(set, name, NULL); t;
		     t = check_next_table(set, name, t))
			if (t->iptables && strcmp(t->family, family) == 0 && !t->legacy)
				return NULL;
		return check_table(set, families[i].name, name, families[i].families, false);
	}
	return NULL;
}

static void read_chain(struct check_set *set, const json_t *object)
{
	struct check_table *t = table_of(set, object, "table");
	const char *hook = text_at(object, "hook");
	struct check_chain *c;

	if (!t)
		return;
	c = check_chain(set, t, text_at(object, "name"));
	for (int h = 0; h < RULES_HOOK_MAX; h++) {
		if (strcmp(hook, rules_hook_nft((enum rules_hook)h)) != 0)
			continue;
		c->base = true;
		c->hook = (enum rules_hook)h;
		c->priority = (int)json_integer_value(json_object_get(object, "prio"));
		c->nat = strcmp(text_at(object, "type"), "nat") == 0;
		c->drops = strcmp(text_at(object, "policy"), "drop") == 0;
	}
}

/* The elements of all maps, for rules that name one. */
static json_t *find_maps(const json_t *list)
{
	json_t *maps = json_object();
	const json_t *item;
	char key[MAP_NAME_MAX];
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		const json_t *map = json_object_get(item, "map");

		if (map)
			json_object_set(maps,
					map_name(key, text_at(map, "family"), text_at(map, "table"),
						 text_at(map, "name")),
					json_object_get(map, "elem"));
	}
	return maps;
}

static int read_rule(struct check_set *set, const json_t *maps, const json_t *object)
{
	struct check_table *t = table_of(set, object, "table");
	const json_t *list = json_object_get(object, "expr"), *statement;
	struct nft n = {.set = set, .table = t, .maps = maps};
	size_t i;

	if (!t)
		return 0;
	n.rule = check_rule(set, check_chain(set, t, text_at(object, "chain")), false);
	if (!n.rule)
		return -E2BIG;
	n.rule->text = check_nft_text(set, list, text_at(object, "comment"));
	json_array_foreach((json_t *)list, i, statement) take_statement(&n, statement);
	return 0;
}

int check_read_nft(struct check_set *set, const char *text, size_t len, char *why, size_t size)
{
	json_error_t error;
	json_t *root = json_loadb(text, len, 0, &error);
	const json_t *list = json_object_get(root, "nftables"), *item;
	int result = json_is_array(list) ? 0 : -EINVAL;
	json_t *maps = find_maps(list);
	size_t i;

	if (!root)
		snprintf(why, size, "line %d: %s", error.line, error.text);
	else if (result < 0)
		snprintf(why, size, "there is no list \"nftables\"");
	set->families |= RULES_IPV4 | RULES_IPV6;
	set->source++;
	json_array_foreach((json_t *)list, i, item)
	{
		const json_t *value = NULL;
		const char *kind = only_key(item, &value);

		if (kind && strcmp(kind, "chain") == 0)
			read_chain(set, value);
		if (kind && strcmp(kind, "rule") == 0 && result == 0)
			result = read_rule(set, maps, value);
	}
	if (result == -E2BIG)
		snprintf(why, size, "more than %u rules", CHECK_RULES_MAX);
	json_decref(maps);
	json_decref(root);
	return result;
}
