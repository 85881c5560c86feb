/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The findings: each once, in the order of the list. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/ctmarkctl/check_walk.h"

static const struct code {
	const char *name;
	enum check_severity severity;
	const char *text, *advice;
} codes[CHECK_CODE_MAX] = {
#define X(id, name, severity, text, advice) {name, CHECK_##severity, text, advice},
	CHECK_LIST(X)
#undef X
};

_Static_assert(CHECK_CODE_MAX <= 64, "codes are bits of check_rule.found");

const char *check_code_name(enum check_code code)
{
	return codes[code].name;
}

const char *check_code_text(enum check_code code)
{
	return codes[code].text;
}

const char *check_code_advice(enum check_code code)
{
	return codes[code].advice;
}

enum check_severity check_code_severity(enum check_code code)
{
	return codes[code].severity;
}

const char *check_severity_name(enum check_severity severity)
{
	static const char *const names[] = {"error", "warning", "info"};

	return names[severity];
}

void check_found(struct check *c, enum check_code code, const struct check_visit *visit,
		 const char *format, ...)
{
	struct check_finding *f;
	va_list ap;

	c->failed |= codes[code].severity == CHECK_ERROR;
	if (visit) {
		struct check_rule *rule = (struct check_rule *)visit->rule;

		if (rule->found & UINT64_C(1) << code)
			return;
		rule->found |= UINT64_C(1) << code;
	}
	if (c->nfindings == CHECK_FINDINGS_MAX)
		return;
	f = &c->findings[c->nfindings++];
	f->code = code;
	f->visit = visit;
	va_start(ap, format);
	vsnprintf(f->detail, sizeof(f->detail), format, ap);
	va_end(ap);
}

static int by_code(const void *a, const void *b)
{
	const struct check_finding *one = a, *other = b;

	if (one->code != other->code)
		return one->code < other->code ? -1 : 1;
	if (one->visit == other->visit)
		return 0;
	return one->visit < other->visit ? -1 : 1;
}

bool check_failed(const struct check *c)
{
	return c->failed;
}

struct check *check_new(struct check_set *set, const struct rules_conf *conf)
{
	struct check *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->set = set;
	c->conf = conf;
	check_walk(c);
	check_queues(c);
	check_marks(c);
	if (c->cut || set->cut || set->nrules == CHECK_RULES_MAX)
		check_found(c, CHECK_NOT_FOLLOWED, NULL, "%s", "");
	qsort(c->findings, c->nfindings, sizeof(c->findings[0]), by_code);
	return c;
}

void check_free(struct check *c)
{
	if (c)
		free(c->visits);
	free(c);
}
