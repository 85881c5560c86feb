/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/options.h"

#include <getopt.h>

#include "config.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZER_FEATURE "+SANITIZER"
#else
#define SANITIZER_FEATURE "-SANITIZER"
#endif

enum { OPT_CONFIG = 256, OPT_CHECK_CONFIG, OPT_SHADOW, OPT_VERSION };

static const struct option long_options[] = {
	{"config", required_argument, NULL, OPT_CONFIG},
	{"check-config", no_argument, NULL, OPT_CHECK_CONFIG},
	{"shadow", no_argument, NULL, OPT_SHADOW},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, 'h'},
	{},
};

/* One line, with the name of the service whatever the program is called as. */
static enum options_action bad_usage(const char *what, const char *word)
{
	fprintf(stderr, "ctmarkd: %s '%s'; see ctmarkd --help\n", what, word);
	return OPTIONS_BAD;
}

/* Says what getopt_long() did not like; c is what it returned. */
static enum options_action bad_option(int c, char *argv[])
{
	const char *word = argv[optind - 1];
	const char letter[] = {'-', (char)optopt, '\0'};

	if (c == ':')
		return bad_usage("argument missing for option", word);
	if (optopt != 0 && word[0] == '-' && word[1] == '-')
		return bad_usage("no argument is allowed for option", word);
	return bad_usage("unknown option", optopt != 0 ? letter : word);
}

enum options_action options_parse(struct options *ret, int argc, char *argv[])
{
	enum options_action action = OPTIONS_RUN;
	struct options opts = {};
	int c;

	optind = 0; /* glibc: start afresh, also for a second command line */
	opterr = 0;
	/* ":": a missing argument is not an unknown option */
	while ((c = getopt_long(argc, argv, ":h", long_options, NULL)) >= 0) {
		switch (c) {
		case OPT_CONFIG:
			opts.config = optarg;
			break;
		case OPT_CHECK_CONFIG:
			action = OPTIONS_CHECK_CONFIG;
			break;
		case OPT_SHADOW:
			opts.shadow = true;
			break;
		case OPT_VERSION:
			return OPTIONS_VERSION;
		case 'h':
			return OPTIONS_HELP;
		default:
			return bad_option(c, argv);
		}
	}
	if (optind < argc)
		return bad_usage("unexpected argument", argv[optind]);
	*ret = opts;
	return action;
}

void options_print_help(FILE *out)
{
	fputs("usage: ctmarkd [OPTIONS]\n"
	      "\n"
	      "Tracks the connections of the packets in an NFQUEUE and marks each packet with its\n"
	      "ctinfo.\n"
	      "\n"
	      "      --config FILE   read FILE and no other configuration\n"
	      "      --check-config  check the configuration and exit\n"
	      "      --shadow        compute and log, but accept all and leave the mark alone\n"
	      "      --version       print version and features\n"
	      "  -h, --help          print this\n"
	      "\n"
	      "See ctmarkd(8).\n",
	      out);
}

void options_print_version(FILE *out)
{
	fputs("ctmarkd " PACKAGE_VERSION "\n"
	      "+IPV4 +IPV6 +TCP +UDP +ICMP +ICMPV6 +GENERIC +JOURNAL " SANITIZER_FEATURE "\n",
	      out);
}
