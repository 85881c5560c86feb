/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/ctmarkctl/app.h"
#include "util/cleanup.h"

struct option_spec {
	int letter;
	const char *name, *argument;
	uint64_t verbs;
	const char *help;
};

static const struct option_spec specs[OPTION_MAX] = {
#define X(id, letter, name, argument, verbs, help)                                                 \
	[OPTION_##id] = {letter, name, argument, verbs, help},
	OPTION_LIST(X)
#undef X
};

static const struct {
	const char *name;
	enum option_id id;
} aliases[] = {
#define X(name, id) {name, OPTION_##id},
	OPTION_ALIAS_LIST(X)
#undef X
};

static const struct {
	int letter;
	const char *name, *why;
} refused[] = {
#define X(letter, name, why) {letter, name, why},
	OPTION_REFUSED_LIST(X)
#undef X
};

static const struct {
	const char *name, *arguments, *help;
} verbs[VERB_MAX] = {
#define X(name, typed, arguments, help) [VERB_##name] = {typed, arguments, help},
	VERB_LIST(X)
#undef X
};

/* ---- tables for getopt_long(), which returns FIRST + option_id or REFUSED + index ---- */

enum { FIRST = 256, REFUSED = 512 };

struct parser {
	struct option longs[OPTION_MAX + ARRAY_SIZE(aliases) + ARRAY_SIZE(refused) + 1];
	char letters[2 * (OPTION_MAX + ARRAY_SIZE(refused)) + 3];
	int n;
	char *end; /* of letters */
};

static int argument_kind(const char *argument)
{
	if (!*argument)
		return no_argument;
	return *argument == '[' ? optional_argument : required_argument;
}

static void add_long(struct parser *p, const char *name, int kind, int value)
{
	p->longs[p->n++] = (struct option){name, kind, NULL, value};
}

static void add_letter(struct parser *p, int letter, int kind)
{
	if (!letter)
		return;
	*p->end++ = (char)letter;
	/* a letter whose argument may be left out never has one */
	if (kind == required_argument)
		*p->end++ = ':';
}

/* The options of the verbs in the set. */
static void parser_init(struct parser *p, const char *mode, uint64_t set)
{
	*p = (struct parser){.n = 0};
	p->end = stpcpy(p->letters, mode);
	for (int i = 0; i < OPTION_MAX; i++) {
		if ((specs[i].verbs & set) != set)
			continue;
		add_long(p, specs[i].name, argument_kind(specs[i].argument), FIRST + i);
		add_letter(p, specs[i].letter, argument_kind(specs[i].argument));
	}
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if ((specs[aliases[i].id].verbs & set) == set)
			add_long(p, aliases[i].name, required_argument, FIRST + (int)aliases[i].id);
	for (size_t i = 0; i < ARRAY_SIZE(refused) && (set & ~(uint64_t)(FILTERED)) == 0; i++) {
		add_long(p, refused[i].name, optional_argument, REFUSED + (int)i);
		if (refused[i].letter && !strchr(p->letters, refused[i].letter))
			add_letter(p, refused[i].letter, no_argument);
	}
	*p->end = '\0';
}

/* ---- what is wrong with a command line ---- */

static enum options_action bad(enum verb verb, const char *what, const char *word)
{
	const char *name = verb < VERB_MAX ? options_verb_name(verb) : "";

	app_fail(APP_USAGE, "%s '%s'; see ctmarkctl %s%s--help", what, word, name,
		 *name ? " " : "");
	return OPTIONS_BAD;
}

/* Says what getopt_long() did not like; c is what it returned. */
static enum options_action bad_option(enum verb verb, int c, char *argv[])
{
	const char *word = argv[optind - 1];
	const char letter[] = {'-', (char)optopt, '\0'};

	if (c == ':')
		return bad(verb, "argument missing for option", word);
	if (optopt != 0 && word[0] == '-' && word[1] == '-')
		return bad(verb, "no argument is allowed for option", word);
	return bad(verb, "unknown option", optopt > 0 && optopt < FIRST ? letter : word);
}

static enum options_action bad_refused(int i)
{
	app_fail(APP_USAGE, "--%s is not possible: %s", refused[i].name, refused[i].why);
	return OPTIONS_BAD;
}

/* ---- parsing ---- */

/* Letters of conntrack(8) that are no options here are told why as well. */
static int refused_letter(int c)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (refused[i].letter == c)
			return REFUSED + (int)i;
	return c;
}

static int by_letter(int c, uint64_t set)
{
	if (c <= 0 || c >= FIRST || c == '?' || c == ':')
		return c;
	for (int i = 0; i < OPTION_MAX; i++)
		if (specs[i].letter == c && (specs[i].verbs & set) == set)
			return FIRST + i;
	return refused_letter(c);
}

static bool is_repeatable(enum option_id id)
{
	return specs[id].verbs == ALL_VERBS;
}

static enum options_action parse(struct app *app, enum verb verb, int argc, char *argv[],
				 const char *mode)
{
	uint64_t set = verb < VERB_MAX ? UINT64_C(1) << verb : ALL_VERBS;
	struct parser p;
	int c;

	parser_init(&p, mode, set);
	optind = 0; /* glibc: start afresh */
	opterr = 0;
	while ((c = getopt_long(argc, argv, p.letters, p.longs, NULL)) >= 0) {
		c = by_letter(c, set);
		if (c >= REFUSED)
			return bad_refused(c - REFUSED);
		if (c < FIRST)
			return bad_option(verb, c, argv);
		c -= FIRST;
		/* cppcheck-suppress arrayIndexOutOfBoundsCond ; no option has a code in between */
		if (app->option[c] && !is_repeatable((enum option_id)c))
			return app_fail(APP_USAGE, "--%s is given twice", specs[c].name),
			       OPTIONS_BAD;
		app->option[c] = optarg ? optarg : "";
	}
	return OPTIONS_RUN;
}

static enum verb find_verb(const char *word)
{
	for (int i = 0; i < VERB_MAX; i++)
		if (strcmp(verbs[i].name, word) == 0)
			return (enum verb)i;
	return VERB_MAX;
}

/* "": no words, "[X]": one at most, "X": exactly one; filters are options. */
static enum options_action check_words(const struct command *c)
{
	const char *arguments = verbs[c->verb].arguments;
	bool filter = strstr(arguments, "FILTER");
	int most = *arguments && (!filter || strchr(arguments, '|')) && *arguments != '-';

	if (c->argc - 1 > most)
		return bad(c->verb, "unexpected word", c->argv[1 + most]);
	if (c->argc - 1 < most && *arguments != '[' && !filter)
		return bad(c->verb, "missing after the verb:", arguments);
	return OPTIONS_RUN;
}

static enum options_action parse_verb(struct app *app, int argc, char *argv[], struct command *ret)
{
	enum options_action action;

	ret->verb = find_verb(argv[0]);
	if (ret->verb == VERB_MAX)
		return bad(VERB_MAX, "unknown verb", argv[0]);
	action = parse(app, ret->verb, argc, argv, ":");
	if (action != OPTIONS_RUN)
		return action;
	/* getopt_long() has sorted the words behind the options */
	argv[optind - 1] = argv[0];
	ret->argv = argv + optind - 1;
	ret->argc = argc - optind + 1;
	return OPTIONS_RUN;
}

enum options_action options_parse(struct app *app, int argc, char *argv[], struct command *ret)
{
	struct command command = {.verb = VERB_MAX};
	enum options_action action = parse(app, VERB_MAX, argc, argv, "+:");
	int at = optind;

	if (action == OPTIONS_RUN && at < argc)
		action = parse_verb(app, argc - at, argv + at, &command);
	*ret = command;
	if (action != OPTIONS_RUN)
		return action;
	if (app->option[OPTION_HELP])
		return OPTIONS_HELP;
	if (app->option[OPTION_VERSION])
		return OPTIONS_VERSION;
	if (command.verb == VERB_MAX)
		return app_fail(APP_USAGE, "no verb given; see ctmarkctl --help"), OPTIONS_BAD;
	return check_words(&command);
}

/* ---- help ---- */

const char *options_verb_name(enum verb verb)
{
	return verbs[verb].name;
}

const char *options_name(enum option_id id)
{
	return specs[id].name;
}

static void print_option(const struct option_spec *s)
{
	bool maybe = *s->argument == '[';
	char left[64];

	snprintf(left, sizeof(left), "%c%c%c --%s%s%s", s->letter ? '-' : ' ',
		 s->letter ? s->letter : ' ', s->letter ? ',' : ' ', s->name,
		 maybe		? "[="
		 : *s->argument ? " "
				: "",
		 s->argument + maybe);
	printf("  %-33s %s\n", left, s->help);
}

static void print_options(const char *heading, uint64_t set, bool global)
{
	bool any = false;

	for (int i = 0; i < OPTION_MAX; i++) {
		if ((specs[i].verbs == ALL_VERBS) != global || (specs[i].verbs & set) == 0)
			continue;
		if (!any)
			printf("\n%s:\n", heading);
		any = true;
		print_option(&specs[i]);
	}
}

static void print_verb(enum verb verb)
{
	printf("  %-12s%-20s%s\n", options_verb_name(verb), verbs[verb].arguments,
	       verbs[verb].help);
}

void options_print_help(enum verb verb)
{
	if (verb < VERB_MAX) {
		printf("usage: ctmarkctl [OPTIONS] %s%s%s\n\n%s.\n", options_verb_name(verb),
		       *verbs[verb].arguments ? " " : "", verbs[verb].arguments, verbs[verb].help);
		print_options("Options of this verb", UINT64_C(1) << verb, false);
		print_options("Options of all verbs", ALL_VERBS, true);
		puts("\nSee ctmarkctl(1).");
		return;
	}
	puts("usage: ctmarkctl [OPTIONS] VERB [ARGUMENTS]\n\n"
	     "Asks ctmarkd what it tracks, and why.\n\nVerbs:");
	for (int i = 0; i < VERB_MAX; i++)
		print_verb((enum verb)i);
	print_options("Options", ALL_VERBS, true);
	puts("\nctmarkctl VERB --help tells of one verb, ctmarkctl(1) of all.");
}
