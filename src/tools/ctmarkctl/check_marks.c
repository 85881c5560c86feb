/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who looks at the mark, where, for what; and who else writes it. */

#include <string.h>

#include "tools/ctmarkctl/check_walk.h"
#include "util/cleanup.h"

/* Whose chains begin like that. */
static const char *owner_of(const struct check_chain *chain)
{
	static const struct {
		const char *prefix, *owner;
	} owners[] = {{"KUBE-", " by kube-proxy"}, {"cali-", " by Calico"},
		      {"ts-", " by Tailscale"},	   {"CILIUM_", " by Cilium"},
		      {"DOCKER", " by Docker"},	   {"sw_", " by OpenSnitch"}};

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++)
		if (strncmp(chain->name, owners[i].prefix, strlen(owners[i].prefix)) == 0)
			return owners[i].owner;
	return "";
}

/* --- is there a class in the mark? ----------------------------------------------------------- */

enum place {
	PLACE_BEHIND,	  /* every packet has been judged, or had its chance */
	PLACE_IN_CHAIN,	  /* in the chain that queues */
	PLACE_SAME,	  /* in another one of the same priority */
	PLACE_BEFORE,	  /* in one that comes before */
	PLACE_NOT_QUEUED, /* nothing that comes this way has been queued */
};

/* The entry hooks that packets of a hook have come through, or will have. */
static unsigned int entries_before(enum rules_hook hook)
{
	switch (hook) {
	case RULES_HOOK_INPUT:
	case RULES_HOOK_FORWARD:
		return 1u << RULES_HOOK_PREROUTING;
	case RULES_HOOK_POSTROUTING:
		return 1u << RULES_HOOK_PREROUTING | 1u << RULES_HOOK_FORWARD |
		       1u << RULES_HOOK_OUTPUT;
	default:
		return 0;
	}
}

static enum place place_in_hook(const struct check_feeds *feeds, const struct check_visit *v)
{
	enum place place = PLACE_NOT_QUEUED;

	for (unsigned int i = 0; i < feeds->n; i++) {
		const struct check_chain *base = feeds->visit[i]->base;
		enum place here;

		if (base == v->base)
			here = PLACE_IN_CHAIN;
		else if (base->priority == v->base->priority)
			here = PLACE_SAME;
		else
			here = base->priority < v->base->priority ? PLACE_BEHIND : PLACE_BEFORE;
		place = here < place ? here : place;
	}
	return place;
}

static enum place place_of(const struct check *c, const struct check_visit *v)
{
	const struct check_feeds *feeds = c->feeds[v->family == RULES_IPV6];
	unsigned int before = entries_before(v->base->hook);

	for (int h = 0; h < RULES_HOOK_MAX; h++)
		if (before & 1u << h && feeds[h].n)
			return PLACE_BEHIND;
	return rules_hook_exit(v->base->hook) ? PLACE_NOT_QUEUED
					      : place_in_hook(&feeds[v->base->hook], v);
}

/* --- what a match finds ---------------------------------------------------------------------- */

#define ALL_CLASSES ((1u << RULES_CLASS_MAX) - 1)

static struct rules_found find(const struct check *c, const struct check_mark *m)
{
	struct rules_found f = rules_find(c->conf, m->lo, m->hi, m->mask);

	if (!m->invert)
		return f;
	/* with bits of others in it a match can fail whatever the class */
	if (m->mask & ~c->conf->mask)
		return (struct rules_found){ALL_CLASSES, true};
	return (struct rules_found){ALL_CLASSES & ~f.classes, !f.unseen};
}

/* A class where ctmarkd would write it with another Mask=. */
static bool shifted(const struct check *c, const struct check_mark *m)
{
	uint32_t field = c->conf->mask >> c->conf->shift;
	unsigned int shift = m->mask == UINT32_MAX ? 0 : (unsigned int)__builtin_ctz(m->mask);
	uint32_t value = m->lo >> shift;
	struct rules_found found;

	if (m->invert || m->lo != m->hi || value << shift != m->lo ||
	    (m->mask != UINT32_MAX && m->mask >> shift != field) || m->lo & c->conf->mask)
		return false;
	found = rules_find(c->conf, value << c->conf->shift, value << c->conf->shift,
			   c->conf->mask);
	return found.classes && value;
}

static bool repeated(const struct check *c, unsigned int classes)
{
	for (int i = 0; i < RULES_CLASS_MAX; i++)
		if (classes & 1u << i && c->conf->verdict[i] == RULES_REPEAT)
			return true;
	return false;
}

/* The same packet passes OUTPUT and, over lo, PREROUTING: it has its class there. */
static bool over_loopback(const struct check *c, const struct check_visit *v)
{
	return v->limits & LIMIT_LOOPBACK &&
	       c->feeds[v->family == RULES_IPV6][RULES_HOOK_OUTPUT].n > 0;
}

static void check_match_place(struct check *c, const struct check_visit *v, unsigned int classes)
{
	if (v->base->nat) {
		check_found(c, CHECK_MATCH_IN_NAT, v, "%s", "");
		return;
	}
	if (over_loopback(c, v))
		return;
	switch (place_of(c, v)) {
	case PLACE_IN_CHAIN:
		if (!repeated(c, classes))
			check_found(c, CHECK_MATCH_IN_CHAIN, v, "%s", "");
		break;
	case PLACE_SAME:
		check_found(c, CHECK_SAME_PRIORITY, v, "priority %d", v->base->priority);
		break;
	case PLACE_BEFORE:
		check_found(c, CHECK_MATCH_BEFORE, v, "priority %d", v->base->priority);
		break;
	case PLACE_NOT_QUEUED:
		check_found(c, CHECK_MATCH_NOT_QUEUED, v, "%s", rules_hook_name(v->base->hook));
		break;
	case PLACE_BEHIND:
		break;
	}
}

/* Returns whether the match is about classes. */
static bool check_match(struct check *c, const struct check_visit *v, const struct check_mark *m)
{
	struct rules_found found = find(c, m);

	/* some of them have numbers in four bits as well */
	if (m->mask && !*owner_of(v->chain) && shifted(c, m)) {
		check_found(c, CHECK_MATCH_SHIFT, v, "Mask=0x%x", c->conf->mask);
		return false;
	}
	if (!(m->mask & c->conf->mask))
		return false;
	if (!found.classes && !found.unseen) {
		check_found(c, CHECK_MATCH_NO_CLASS, v, "Mask=0x%x", c->conf->mask);
		return true;
	}
	if (m->mask & ~c->conf->mask) {
		struct rules_found as_written = rules_find(c->conf, m->lo, m->hi, m->mask);

		if (!as_written.classes) {
			if (place_of(c, v) == PLACE_BEHIND && !v->base->nat)
				check_found(c, CHECK_FOREIGN_UNMASKED, v, "Mask=0x%x",
					    c->conf->mask);
			return false;
		}
		check_found(c, CHECK_MATCH_UNMASKED, v, "Mask=0x%x", c->conf->mask);
	}
	if (found.classes)
		check_match_place(c, v, found.classes);
	return found.classes;
}

/* --- who writes ------------------------------------------------------------------------------ */

static bool queued_later(const struct check *c, const struct check_visit *v)
{
	const struct check_feeds *feeds = c->feeds[v->family == RULES_IPV6];

	return !rules_hook_exit(v->base->hook) && feeds[v->base->hook].n > 0;
}

static void check_write(struct check *c, const struct check_visit *v)
{
	uint32_t bits = v->rule->writes & c->conf->mask;

	if (!bits || over_loopback(c, v))
		return;
	if (place_of(c, v) == PLACE_BEHIND)
		check_found(c, CHECK_OVERWRITTEN, v, "0x%x%s", bits, owner_of(v->chain));
	else if (v->rule->sets & c->conf->mask && queued_later(c, v))
		check_found(c, CHECK_FORGED, v, "0x%x%s", v->rule->sets & c->conf->mask,
			    owner_of(v->chain));
}

/* --- what a class is good for ---------------------------------------------------------------- */

static bool finds_class(const struct check *c, const struct check_rule *r, enum rules_class class)
{
	for (const struct check_mark *m = r->marks; m; m = m->next)
		if (m->mask & c->conf->mask && find(c, m).classes & 1u << class)
			return true;
	return false;
}

static void check_reject(struct check *c, const struct check_visit *v)
{
	const struct check_rule *r = v->rule;

	if (!(r->targets & 1u << TARGET_REJECT))
		return;
	if ((r->limits & LIMIT_CTSTATE && r->states & STATE_INVALID) ||
	    (finds_class(c, r, RULES_INVALID) && !finds_class(c, r, RULES_NEW)))
		check_found(c, CHECK_REJECT_INVALID, v, "%s", "");
}

/* Base chains that accept fragments. */
struct bases {
	const struct check_chain *base[64];
	unsigned int n;
};

static bool has_base(const struct bases *b, const struct check_chain *base)
{
	for (unsigned int i = 0; i < b->n; i++)
		if (b->base[i] == base)
			return true;
	return false;
}

static void add_base(struct bases *b, const struct check_chain *base)
{
	if (b->n < ARRAY_SIZE(b->base) && !has_base(b, base))
		b->base[b->n++] = base;
}

static void check_fragments(struct check *c, unsigned int family)
{
	bool arrive = family == RULES_IPV6 ? c->conf->fragments6 : c->conf->fragments4;
	struct bases done = {.n = 0};

	if (c->conf->fragments_known && !arrive)
		return;
	for (size_t i = 0; i < c->nvisits; i++) {
		const struct check_visit *v = &c->visits[i];

		if (v->family == family && v->limits & LIMIT_FRAGMENT &&
		    v->rule->targets & 1u << TARGET_ACCEPT)
			add_base(&done, v->base);
	}
	for (size_t i = 0; i < c->nvisits; i++) {
		const struct check_visit *v = &c->visits[i];
		unsigned int both = LIMIT_PORT | LIMIT_MARK;

		if (v->family != family || (v->limits & both) != both ||
		    !(v->rule->targets & 1u << TARGET_ACCEPT) || has_base(&done, v->base) ||
		    (v->rule->marks && !finds_class(c, v->rule, RULES_NEW)))
			continue;
		check_found(c, CHECK_PORT_FRAGMENT, v, "%s", "");
		add_base(&done, v->base);
	}
}

static void check_notrack(struct check *c, unsigned int family)
{
	const struct check_visit *notrack = NULL;

	for (size_t i = 0; i < c->nvisits && !notrack; i++)
		if (c->visits[i].family == family && c->visits[i].rule->notrack)
			notrack = &c->visits[i];
	for (size_t i = 0; i < c->nvisits && notrack; i++) {
		const struct check_visit *v = &c->visits[i];

		if (v->family != family || !(v->rule->limits & LIMIT_CTSTATE) ||
		    v->rule->states & STATE_UNTRACKED)
			continue;
		check_found(c, CHECK_NOTRACK_STATE, v, "by %.120s", notrack->rule->text);
		return;
	}
}

void check_marks(struct check *c)
{
	bool looked = false, queued = false;

	for (int i = 0; i < 2 * RULES_HOOK_MAX; i++)
		queued |= c->feeds[i / RULES_HOOK_MAX][i % RULES_HOOK_MAX].n > 0;

	for (size_t i = 0; i < c->nvisits; i++) {
		const struct check_visit *v = &c->visits[i];

		if (v->dead && !check_ours(c->conf, v->dead->queue))
			continue;
		for (const struct check_mark *m = v->rule->marks; m; m = m->next)
			looked |= check_match(c, v, m) && !v->rule->queue;
		check_write(c, v);
		check_reject(c, v);
	}
	if (queued && !looked)
		check_found(c, CHECK_NO_MATCH, NULL, "%s", "");
	check_fragments(c, RULES_IPV4);
	check_fragments(c, RULES_IPV6);
	check_notrack(c, RULES_IPV4);
	check_notrack(c, RULES_IPV6);
}
