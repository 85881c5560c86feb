/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/check_report.h"

#include <string.h>

#include "log/plain.h"

static void count(const struct check *c, unsigned int ret[3])
{
	memset(ret, 0, 3 * sizeof(ret[0]));
	for (unsigned int i = 0; i < c->nfindings; i++)
		ret[check_code_severity(c->findings[i].code)]++;
}

/* Comments and chain names may hold anything. */
static void put(FILE *out, const char *text, size_t max)
{
	char buf[512];

	snprintf(buf, sizeof(buf), "%.*s", (int)max, text);
	plain_text(buf, '?');
	fputs(buf, out);
	if (strlen(text) > max)
		fputs("...", out);
}

static void put_rule(FILE *out, const struct check_visit *v)
{
	fprintf(out, "%s ", v->chain->table->family);
	put(out, v->chain->table->name, 40);
	fputc(' ', out);
	put(out, v->chain->name, 40);
	fprintf(out, " rule %u", v->rule->number);
	if (v->chain != v->base) {
		fputs(" from ", out);
		put(out, v->base->name, 40);
	}
	fputs(": ", out);
}

static void put_finding(FILE *out, const struct check_finding *f)
{
	fprintf(out, "%s: ", check_severity_name(check_code_severity(f->code)));
	if (f->visit)
		put_rule(out, f->visit);
	fputs(check_code_text(f->code), out);
	if (f->detail[0]) {
		fputs(" (", out);
		put(out, f->detail, sizeof(f->detail));
		fputc(')', out);
	}
	fprintf(out, " [%s]", check_code_name(f->code));
	if (f->visit) {
		fputs(": ", out);
		put(out, f->visit->rule->text, 200);
	}
	fprintf(out, "\n    %s\n", check_code_advice(f->code));
}

static void put_number(FILE *out, unsigned int n, const char *what)
{
	fprintf(out, "%u %s%s", n, what, n == 1 ? "" : "s");
}

void check_report_text(FILE *out, const struct check *c, bool legend)
{
	unsigned int n[3];

	for (unsigned int i = 0; i < c->nfindings; i++)
		put_finding(out, &c->findings[i]);
	if (!legend)
		return;
	count(c, n);
	put_number(out, n[CHECK_ERROR], "error");
	fputs(", ", out);
	put_number(out, n[CHECK_WARNING], "warning");
	fprintf(out, ", %u for information\n", n[CHECK_INFO]);
}

/* --- JSON ------------------------------------------------------------------------------------ */

/* A string member, whatever bytes it has. */
static void set_text(json_t *object, const char *key, const char *text)
{
	char buf[512];

	snprintf(buf, sizeof(buf), "%s", text);
	plain_text(buf, '?');
	json_object_set_new(object, key, json_string(buf));
}

static json_t *json_finding(const struct check_finding *f)
{
	const struct check_visit *v = f->visit;
	json_t *object = json_object();

	set_text(object, "code", check_code_name(f->code));
	set_text(object, "severity", check_severity_name(check_code_severity(f->code)));
	set_text(object, "message", check_code_text(f->code));
	set_text(object, "advice", check_code_advice(f->code));
	if (f->detail[0])
		set_text(object, "detail", f->detail);
	if (!v)
		return object;
	set_text(object, "family", v->chain->table->family);
	set_text(object, "table", v->chain->table->name);
	set_text(object, "chain", v->chain->name);
	set_text(object, "hook", rules_hook_name(v->base->hook));
	json_object_set_new(object, "rule", json_integer(v->rule->number));
	set_text(object, "text", v->rule->text);
	return object;
}

json_t *check_report_json(const struct check *c)
{
	json_t *list = json_array();
	unsigned int n[3];

	for (unsigned int i = 0; i < c->nfindings; i++)
		json_array_append_new(list, json_finding(&c->findings[i]));
	count(c, n);
	return json_pack("{s:o, s:i, s:i, s:i}", "findings", list, "errors", n[CHECK_ERROR],
			 "warnings", n[CHECK_WARNING], "infos", n[CHECK_INFO]);
}
