/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The rule sets of tests/rules/sets: each names the configuration and the mistakes that are in it,
 * which have to be found, all of them and no others. Every mistake of CHECK_LIST is in one at
 * least.
 *
 * A file has "# conf: SECTION.KEY=VALUE ...", "# expect: CODE ...", and sections that begin with
 * "== iptables", "== ip6tables", "== both" or "== nft".
 *
 * With --manual it prints the list as the manual has it.
 */

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctmarkctl/check_report.h"
#include "util/cleanup.h"

struct rule_case {
	struct rules_conf conf;
	bool expected[CHECK_CODE_MAX];
	struct check_set set;
	const char *wrong; /* what is wrong with the file itself */
};

static char *read_file(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	/* there is no NUL in it: up to the first one is all of it */
	return f && getdelim(&text, &size, '\0', f) > 0 ? text : NULL;
}

static void set_conf(struct rule_case *rc, char *words)
{
	char *save, *word;

	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *dot = strchr(word, '.'), *equals = strchr(word, '=');

		if (!dot || !equals) {
			rc->wrong = "# conf: is not SECTION.KEY=VALUE";
			return;
		}
		*dot = *equals = '\0';
		if (rules_conf_set(&rc->conf, word, dot + 1, equals + 1) < 0)
			rc->wrong = "a value of # conf: cannot be read";
	}
	if (!rules_conf_sound(&rc->conf))
		rc->wrong = "Mask= does not fit";
}

static void set_expected(struct rule_case *rc, char *words)
{
	char *save, *word;

	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		bool known = false;

		for (int i = 0; i < CHECK_CODE_MAX; i++)
			if (strcmp(word, check_code_name((enum check_code)i)) == 0)
				rc->expected[i] = known = true;
		if (!known)
			rc->wrong = "a code of # expect: does not exist";
	}
}

static void read_head(struct rule_case *rc, char *head)
{
	bool expects = false;
	char *save, *line;

	for (line = strtok_r(head, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "# conf:", 7) == 0)
			set_conf(rc, line + 7);
		if (strncmp(line, "# expect:", 9) == 0) {
			set_expected(rc, line + 9);
			expects = true;
		}
	}
	if (!expects)
		rc->wrong = "# expect: is missing";
}

static void read_iptables(struct rule_case *rc, unsigned int family, const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	char why[200];

	if (!copy || check_read_iptables(&rc->set, family, copy, why, sizeof(why)) < 0)
		rc->wrong = "the rules of iptables cannot be read";
}

static void read_section(struct rule_case *rc, char *text)
{
	char *end = strchr(text, '\n');
	char why[200];

	if (!end)
		return;
	*end = '\0';
	if (strcmp(text, "iptables") == 0 || strcmp(text, "both") == 0)
		read_iptables(rc, RULES_IPV4, end + 1);
	if (strcmp(text, "ip6tables") == 0 || strcmp(text, "both") == 0)
		read_iptables(rc, RULES_IPV6, end + 1);
	if (strcmp(text, "nft") == 0 &&
	    check_read_nft(&rc->set, end + 1, strlen(end + 1), why, sizeof(why)) < 0)
		rc->wrong = "the rules of nft cannot be read";
}

static void read_case(struct rule_case *rc, char *text)
{
	char *section = strstr(text, "\n== ");

	rules_conf_init(&rc->conf);
	check_set_init(&rc->set);
	if (!section)
		rc->wrong = "no section";
	while (section) {
		char *next = strstr(section + 4, "\n== ");

		*section = '\0';
		/* the newline belongs to this one, the "==" to the next */
		if (next)
			next[1] = '\0';
		read_section(rc, section + 4);
		section = next;
	}
	read_head(rc, text);
}

/* Prints a line of TAP. */
static bool judge(const struct rule_case *rc, const struct check *c, const char *name, int number)
{
	bool found[CHECK_CODE_MAX] = {0}, good = !rc->wrong;

	for (unsigned int i = 0; i < c->nfindings; i++)
		found[c->findings[i].code] = true;
	good = good && memcmp(found, rc->expected, sizeof(found)) == 0;
	printf("%s %d - %s\n", good ? "ok" : "not ok", number, name);
	if (good)
		return true;
	if (rc->wrong)
		printf("# %s\n", rc->wrong);
	for (int i = 0; i < CHECK_CODE_MAX; i++)
		if (found[i] != rc->expected[i])
			printf("# %s: %s\n", check_code_name((enum check_code)i),
			       found[i] ? "found, not expected" : "expected, not found");
	return false;
}

static bool run(const char *dir, const char *name, int number, bool seen[CHECK_CODE_MAX])
{
	_cleanup_free_ struct rule_case *rc = calloc(1, sizeof(*rc));
	_cleanup_free_ char *path = NULL, *text = NULL;
	struct check *c;
	bool good;

	if (!rc || asprintf(&path, "%s/%s", dir, name) < 0)
		return false;
	text = read_file(path);
	if (!text) {
		printf("not ok %d - %s cannot be read\n", number, name);
		return false;
	}
	read_case(rc, text);
	c = check_new(&rc->set, &rc->conf);
	good = c && judge(rc, c, name, number);
	for (int i = 0; i < CHECK_CODE_MAX; i++)
		seen[i] |= rc->expected[i];
	check_free(c);
	check_set_done(&rc->set);
	return good;
}

static int is_case(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".rules") == 0;
}

/* The mistakes as ctmarkctl-rules(1) has them. */
static int print_manual(void)
{
	for (int i = 0; i < CHECK_CODE_MAX; i++) {
		enum check_code code = (enum check_code)i;
		const char *text = check_code_text(code), *advice = check_code_advice(code);

		printf(".It Cm %s Pq %s\n%c%s.\n%c%s.\n", check_code_name(code),
		       check_severity_name(check_code_severity(code)), toupper(text[0]), text + 1,
		       toupper(advice[0]), advice + 1);
	}
	return 0;
}

int main(int argc, char *argv[])
{
	const char *top = getenv("top_srcdir");
	_cleanup_free_ char *dir = NULL;
	bool seen[CHECK_CODE_MAX] = {0}, good = true, complete = true;
	struct dirent **entries = NULL;
	int n;

	if (argc > 1 && strcmp(argv[1], "--manual") == 0)
		return print_manual();
	if (asprintf(&dir, "%s/tests/rules/sets", top ? top : ".") < 0)
		return 1;
	n = scandir(dir, &entries, is_case, alphasort);
	for (int i = 0; i < n; i++) {
		good &= run(dir, entries[i]->d_name, i + 1, seen);
		free(entries[i]);
	}
	free(entries);
	for (int i = 0; i < CHECK_CODE_MAX; i++)
		complete &= seen[i];
	printf("%s %d - each mistake is in one of them\n", complete ? "ok" : "not ok", n + 1);
	for (int i = 0; i < CHECK_CODE_MAX; i++)
		if (!seen[i])
			printf("# %s is in none\n", check_code_name((enum check_code)i));
	printf("1..%d\n", n + 1);
	return n > 0 && good && complete ? 0 : 1;
}
