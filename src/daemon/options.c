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

enum options_action options_parse(struct options *ret, int argc, char *argv[])
{
	enum options_action action = OPTIONS_RUN;
	struct options opts = {};
	int c;

	optind = 0; /* glibc: start afresh, also for a second command line */
	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
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
		default: /* getopt_long has named it */
			return OPTIONS_BAD;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument '%s'\n", argv[0], argv[optind]);
		return OPTIONS_BAD;
	}
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
