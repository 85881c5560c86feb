/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The ways of packets through a rule set, and what is found on them.
 */

#include "tools/ctmarkctl/check_list.h"
#include "tools/ctmarkctl/check_model.h"

enum check_severity { CHECK_ERROR, CHECK_WARNING, CHECK_INFO };

enum check_code {
#define X(id, name, severity, text, advice) CHECK_##id,
	CHECK_LIST(X)
#undef X
		CHECK_CODE_MAX,
};

/* A rule, where packets of a family come to it from a hook. */
struct check_visit {
	const struct check_rule *rule;
	const struct check_chain *base, *chain; /* chain: the rule's own */
	unsigned int family;			/* RULES_IPV4 or RULES_IPV6 */
	unsigned int limits;			/* of the rule and of all jumps that lead to it */
	const struct check_rule *interface, *proto; /* the rule that asks for one, or NULL */
	const struct check_rule *dead; /* ends the way of all packets before; NULL: none does */
};

/* Rules that send packets here: of each base chain that has any, the one with the fewest limits. */
#define CHECK_FEEDS_MAX 32

struct check_feeds {
	const struct check_visit *visit[CHECK_FEEDS_MAX];
	unsigned int n;
};

#define CHECK_FINDINGS_MAX 1000

struct check_finding {
	enum check_code code;
	const struct check_visit *visit; /* NULL: of no rule */
	char detail[200];
};

struct check {
	struct check_set *set;
	const struct rules_conf *conf;
	struct check_visit *visits;
	size_t nvisits, size;
	size_t left; /* visits that may still be made from this hook */
	bool cut;    /* not everything was followed */
	bool failed; /* an error was found */
	struct check_feeds feeds[2][RULES_HOOK_MAX]; /* of IPv4 and IPv6 */
	struct check_finding findings[CHECK_FINDINGS_MAX];
	unsigned int nfindings;
};

/* Looks for all mistakes; the findings are in the order of CHECK_LIST. To be freed with
 * check_free(). NULL if there is no memory. */
struct check *check_new(struct check_set *set, const struct rules_conf *conf);
void check_free(struct check *c);

/* The worst severity found is an error. */
bool check_failed(const struct check *c);

const char *check_code_name(enum check_code code);
const char *check_code_text(enum check_code code);
const char *check_code_advice(enum check_code code);
enum check_severity check_code_severity(enum check_code code);
const char *check_severity_name(enum check_severity severity);

/* --- for the checks ------------------------------------------------------------------------- */

/* Notes a finding; once for a rule and code. */
void check_found(struct check *c, enum check_code code, const struct check_visit *visit,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Whether a verdict sends packets to a queue of Range=. */
bool check_ours(const struct rules_conf *conf, const struct check_verdict *v);

/* Fills c->visits and c->feeds. */
void check_walk(struct check *c);

void check_queues(struct check *c);
void check_marks(struct check *c);
