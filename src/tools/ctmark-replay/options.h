/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The options of ctmark-replay(1). Help, completions and the manual are checked against this list.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Suffix, letter or 0, name, argument ("" for none), help. */
#define OPTION_LIST(X)                                                                             \
	X(FILTER, 'f', "filter", "EXPRESSION",                                                     \
	  "leave out frames that an expression of pcap-filter(7) does not match")                  \
	X(INTERFACE, 'i', "interface", "NAME", "watch an interface, or nflog:GROUP, not a file")   \
	X(COUNT, 'c', "count", "NUMBER", "stop after so many packets")                             \
	X(CONFIG, 0, "config", "FILE", "track as a ctmarkd would that has this configuration")     \
	X(HELPERS, 0, "helpers", "HELPERS",                                                        \
	  "instead of Helpers=, such as 'ftp tftp:6969'; or none")                                 \
	X(NO_CHECKSUMS, 'K', "no-checksums", "", "do not verify checksums")                        \
	X(FLOW, 0, "flow", "NUMBER,...", "show these flows only, such as 3,7-9")                   \
	X(ONLY, 0, "only", "CLASS,...", "show packets of these classes only: INVALID, NEW, ...")   \
	X(SUMMARY, 0, "summary", "", "show flows instead of packets")                              \
	X(EXPLAIN, 0, "explain", "NUMBER", "tell why a packet got its class")                      \
	X(COMPARE, 0, "compare", "", "count where recorded marks say something else")              \
	X(SVG, 0, "svg", "FILE", "draw the flows that are shown")                                  \
	X(HTML, 0, "html", "FILE", "the same as a page, with a list of flows")                     \
	X(JSON, 'j', "json", "", "JSON, an object in each line")                                   \
	X(TIME, 't', "time", "relative|local|utc|epoch", "how times are shown")                    \
	X(COLOR, 0, "color", "auto|always|never", "use colours")                                   \
	X(HELP, 'h', "help", "", "print help")                                                     \
	X(VERSION, 0, "version", "", "print version")

enum option_id {
#define X(id, letter, name, argument, help) OPTION_##id,
	OPTION_LIST(X)
#undef X
		OPTION_MAX
};

enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_BAD };

/* Exit codes. */
enum exit_status {
	STATUS_OK = 0,
	STATUS_FAILURE = 1,
	STATUS_USAGE = 2,
	STATUS_DIFFERS = 3, /* --compare has found something */
	STATUS_PERMISSION = 4,
	STATUS_CONFIG = 6,
};

/* The command line, as it was read. */
struct options {
	const char *value[OPTION_MAX]; /* NULL: not given; "" for those without an argument */
	const char *const *files;      /* NULL-terminated */
	size_t nfiles;
};

/* Reads a command line; argv is sorted. OPTIONS_BAD: what is wrong has been said. */
enum options_action options_parse(struct options *ret, int argc, char *argv[]);

void options_print_help(void);

/* "flow" of OPTION_FLOW. */
const char *options_name(enum option_id id);
