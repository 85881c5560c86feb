/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/options.h"

#include <getopt.h>
#include <stdio.h>

#include "log/plain.h"
#include "util/cleanup.h"

#define WORD_MAX 256

static const struct {
	int letter;
	const char *name, *argument, *help;
} specs[OPTION_MAX] = {
#define X(id, letter, name, argument, help) [OPTION_##id] = {letter, name, argument, help},
	OPTION_LIST(X)
#undef X
};

enum { FIRST = 256 }; /* getopt_long() returns FIRST + option_id */

struct parser {
	struct option longs[OPTION_MAX + 1];
	char letters[2 * OPTION_MAX + 2];
};

static void parser_init(struct parser *p)
{
	char *end = p->letters;

	*p = (struct parser){};
	*end++ = ':';
	for (int i = 0; i < OPTION_MAX; i++) {
		int kind = *specs[i].argument ? required_argument : no_argument;

		p->longs[i] = (struct option){specs[i].name, kind, NULL, FIRST + i};
		if (!specs[i].letter)
			continue;
		*end++ = (char)specs[i].letter;
		if (kind == required_argument)
			*end++ = ':';
	}
}

static enum options_action bad(const char *what, const char *word)
{
	char text[WORD_MAX];

	snprintf(text, sizeof(text), "%s", word);
	plain_text(text, '?');
	fprintf(stderr, "ctmark-replay: %s '%s'; see ctmark-replay --help\n", what, text);
	return OPTIONS_BAD;
}

/* Says what getopt_long() did not like; c is what it returned. */
static enum options_action bad_option(int c, char *argv[])
{
	const char *word = argv[optind - 1];
	const char letter[] = {'-', (char)optopt, '\0'};

	if (c == ':')
		return bad("argument missing for option", word);
	if (optopt != 0 && word[0] == '-' && word[1] == '-')
		return bad("no argument is allowed for option", word);
	return bad("unknown option", optopt > 0 && optopt < FIRST ? letter : word);
}

static int by_letter(int c)
{
	for (int i = 0; i < OPTION_MAX; i++)
		if (specs[i].letter == c)
			return i;
	return c - FIRST;
}

enum options_action options_parse(struct options *ret, int argc, char *argv[])
{
	struct options o = {};
	struct parser p;
	int c;

	parser_init(&p);
	optind = 0; /* glibc: start afresh, also for a second command line */
	opterr = 0;
	while ((c = getopt_long(argc, argv, p.letters, p.longs, NULL)) >= 0) {
		if (c == '?' || c == ':')
			return bad_option(c, argv);
		c = by_letter(c);
		if (o.value[c]) {
			fprintf(stderr, "ctmark-replay: --%s is given twice\n", specs[c].name);
			return OPTIONS_BAD;
		}
		o.value[c] = optarg ? optarg : "";
	}
	o.files = (const char *const *)(argv + optind);
	o.nfiles = (size_t)(argc - optind);
	*ret = o;
	if (o.value[OPTION_HELP])
		return OPTIONS_HELP;
	return o.value[OPTION_VERSION] ? OPTIONS_VERSION : OPTIONS_RUN;
}

const char *options_name(enum option_id id)
{
	return specs[id].name;
}

static void print_option(size_t i)
{
	int letter = specs[i].letter;
	char left[64];

	snprintf(left, sizeof(left), "%c%c%c --%s%s%s", letter ? '-' : ' ', letter ? letter : ' ',
		 letter ? ',' : ' ', specs[i].name, *specs[i].argument ? " " : "",
		 specs[i].argument);
	printf("  %-38s %s\n", left, specs[i].help);
}

void options_print_help(void)
{
	puts("usage: ctmark-replay [OPTION...] FILE...\n"
	     "       ctmark-replay [OPTION...] -i INTERFACE\n\n"
	     "Shows what ctmarkd would make of the packets of a capture.\n\nOptions:");
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		print_option(i);
	puts("\nSee ctmark-replay(1).");
}
