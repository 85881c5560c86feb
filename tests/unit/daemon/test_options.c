/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/cleanup.h"

#define WORDS_MAX 6

/* A command line, what it asks for, and what the error must name. */
struct row {
	const char *words[WORDS_MAX];
	enum options_action action;
	const char *config;
	bool shadow;
	const char *named;
};

static const struct row rows[] = {
	{{"ctmarkd"}, OPTIONS_RUN, NULL, false, NULL},
	{{"ctmarkd", "--config", "/etc/x"}, OPTIONS_RUN, "/etc/x", false, NULL},
	{{"ctmarkd", "--config=/etc/x", "--shadow"}, OPTIONS_RUN, "/etc/x", true, NULL},
	{{"ctmarkd", "--check-config"}, OPTIONS_CHECK_CONFIG, NULL, false, NULL},
	{{"ctmarkd", "--check-config", "--config", "a"}, OPTIONS_CHECK_CONFIG, "a", false, NULL},
	{{"ctmarkd", "--version"}, OPTIONS_VERSION, NULL, false, NULL},
	{{"ctmarkd", "--help"}, OPTIONS_HELP, NULL, false, NULL},
	{{"ctmarkd", "-h"}, OPTIONS_HELP, NULL, false, NULL},
	{{"ctmarkd", "--shadow", "--help"}, OPTIONS_HELP, NULL, false, NULL},
	{{"ctmarkd", "--nonsense"}, OPTIONS_BAD, NULL, false, "unknown option '--nonsense'"},
	{{"ctmarkd", "-x"}, OPTIONS_BAD, NULL, false, "unknown option '-x'"},
	{{"ctmarkd", "-xh"}, OPTIONS_BAD, NULL, false, "unknown option '-x'"},
	{{"ctmarkd", "--help=me"}, OPTIONS_BAD, NULL, false, "'--help=me'"},
	{{"ctmarkd", "--config"}, OPTIONS_BAD, NULL, false, "missing for option '--config'"},
	{{"ctmarkd", "--shadow=yes"}, OPTIONS_BAD, NULL, false, "--shadow"},
	{{"/opt/x", "stray"}, OPTIONS_BAD, NULL, false, "'stray'"},
	{{"ctmarkd", "--shadow", "--", "-x"}, OPTIONS_BAD, NULL, false, "'-x'"},
};

/* Parses a row and returns what was written to stderr, to be freed. */
static char *parse(const struct row *row, struct options *opts, enum options_action *ret_action)
{
	char *argv[WORDS_MAX + 1] = {};
	FILE *said = tmpfile();
	int argc = 0, saved = dup(STDERR_FILENO);
	char *text = calloc(1, 512);

	for (; argc < WORDS_MAX && row->words[argc]; argc++)
		argv[argc] = (char *)row->words[argc];
	dup2(fileno(said), STDERR_FILENO);
	*ret_action = options_parse(opts, argc, argv);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(said);
	(void)!fread(text, 1, 511, said);
	fclose(said);
	return text;
}

static void test_command_lines(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct options opts = {.config = "untouched"};
		enum options_action action;
		_cleanup_free_ char *said = parse(&rows[i], &opts, &action);

		assert_int_equal(action, rows[i].action);
		if (action == OPTIONS_BAD) {
			assert_non_null(strstr(said, rows[i].named));
			assert_string_equal(opts.config, "untouched");
			/* one line, not a lecture */
			assert_memory_equal(said, "ctmarkd: ", 9);
			assert_string_equal(strchr(said, ';'), "; see ctmarkd --help\n");
			continue;
		}
		assert_string_equal(said, "");
		if (action == OPTIONS_HELP || action == OPTIONS_VERSION)
			continue;
		assert_int_equal(opts.shadow, rows[i].shadow);
		if (rows[i].config)
			assert_string_equal(opts.config, rows[i].config);
		else
			assert_null(opts.config);
	}
}

#define TEXT_MAX 2048

static void printed(void (*print)(FILE *), char text[static TEXT_MAX])
{
	FILE *f = fmemopen(text, TEXT_MAX, "w");

	print(f);
	fclose(f);
}

static void test_help_names_every_option(void **state)
{
	static const char *const options[] = {"--config", "--check-config", "--shadow", "--version",
					      "--help"};
	char help[TEXT_MAX];

	printed(options_print_help, help);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		assert_non_null(strstr(help, options[i]));
}

static void test_version_then_features(void **state)
{
	char version[TEXT_MAX];
	const char *second;

	printed(options_print_version, version);
	assert_memory_equal(version, "ctmarkd ", 8);
	second = strchr(version, '\n');
	assert_non_null(second);
	assert_int_equal(second[1], '+');
	assert_non_null(strstr(second, "+TCP"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_lines),
		cmocka_unit_test(test_help_names_every_option),
		cmocka_unit_test(test_version_then_features),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
