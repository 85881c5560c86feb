/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Any bytes as a rule set, of nft if they begin like JSON, else of iptables: it is read or refused,
 * and what is said of it is plain and names rules that exist.
 */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "tools/ctmarkctl/check_report.h"

static void look_at_text(const struct check *c)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	FUZZ_CHECK(f);
	check_report_text(f, c, true);
	fclose(f);
	FUZZ_CHECK(strlen(text) == size);
	for (const char *p = text; *p; p++)
		FUZZ_CHECK(*p == '\n' || ((unsigned char)*p >= ' ' && *p != '\x7f'));
	free(text);
}

static void look_at_json(const struct check *c)
{
	json_t *json = check_report_json(c);

	FUZZ_CHECK(json);
	FUZZ_CHECK(json_array_size(json_object_get(json, "findings")) == c->nfindings);
	json_decref(json);
}

static void look_at_findings(const struct check *c)
{
	bool error = false;

	FUZZ_CHECK(c->nfindings <= CHECK_FINDINGS_MAX);
	for (unsigned int i = 0; i < c->nfindings; i++) {
		const struct check_visit *v = c->findings[i].visit;

		error |= check_code_severity(c->findings[i].code) == CHECK_ERROR;
		if (!v)
			continue;
		FUZZ_CHECK(v >= c->visits && v < c->visits + c->nvisits);
		FUZZ_CHECK(v->rule->text && v->rule->number > 0);
		FUZZ_CHECK(check_find_chain(c->set, v->chain->table, v->chain->name) == v->chain);
	}
	FUZZ_CHECK(!error || check_failed(c));
}

static int read_set(struct check_set *set, const uint8_t *data, size_t size)
{
	char why[200] = "", *text = calloc(1, size + 1);
	int r;

	FUZZ_CHECK(text);
	memcpy(text, data, size);
	check_set_init(set);
	if (text[0] == '{')
		r = check_read_nft(set, text, size, why, sizeof(why));
	else
		r = check_read_iptables(set, RULES_IPV4, text, why, sizeof(why));
	free(text);
	FUZZ_CHECK((r < 0) == (why[0] != '\0'));
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rules_conf conf;
	struct check_set set;
	struct check *c;

	if (read_set(&set, data, size) == 0) {
		rules_conf_init(&conf);
		conf.range.last = 3;
		c = check_new(&set, &conf);
		FUZZ_CHECK(c);
		look_at_findings(c);
		look_at_text(c);
		look_at_json(c);
		check_free(c);
	}
	check_set_done(&set);
	return 0;
}
