/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The verbs and the options of ctmarkctl(1). Help, completions and the manual are checked against
 * these lists.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;

/* Name in C, as it is typed, arguments for --help, what it does in a line. */
#define VERB_LIST(X)                                                                               \
	X(status, "status", "", "What the daemon does, on one screen")                             \
	X(list, "list", "[FILTER...]", "Flows")                                                    \
	X(get, "get", "FLOW", "One flow")                                                          \
	X(delete, "delete", "FILTER...", "End flows")                                              \
	X(flush, "flush", "", "End all flows")                                                     \
	X(events, "events", "[FILTER...]", "Transitions as they happen")                           \
	X(count, "count", "[FILTER...]", "Number of flows")                                        \
	X(stats, "stats", "", "Counters")                                                          \
	X(expect, "expect", "", "Expectations of helpers")                                         \
	X(top, "top", "", "Live screen of rates and talkers")                                      \
	X(explain, "explain", "FLOW|FILTER...", "What became of a flow, and why")                  \
	X(metrics, "metrics", "", "Counters for Prometheus")                                       \
	X(config, "config", "", "Configuration in force, with origins")                            \
	X(reload, "reload", "", "Read the configuration again")                                    \
	X(log_level, "log-level", "[LEVEL]", "Show or set what is worth a message")                \
	X(rules, "rules", "--iptables|--nft", "Rules for the running configuration")               \
	X(check_rules, "check-rules", "", "Look for mistakes in the loaded rules")

enum verb {
#define X(name, typed, arguments, help) VERB_##name,
	VERB_LIST(X)
#undef X
		VERB_MAX
};

#define ONLY(name) (UINT64_C(1) << VERB_##name)
#define ALL_VERBS  UINT64_MAX
#define FILTERED   (ONLY(list) | ONLY(delete) | ONLY(events) | ONLY(count) | ONLY(explain))
#define LAID_OUT   (ONLY(list) | ONLY(get) | ONLY(events) | ONLY(expect))
#define RULES	   (ONLY(rules) | ONLY(check_rules))

/*
 * Suffix, letter or 0, name, argument ("" for none, in brackets if it may be left out), the verbs
 * that have it, help. Those that all verbs have may stand before the verb as well.
 */
#define OPTION_LIST(X)                                                                             \
	X(PROTO, 'p', "proto", "PROTOCOL", FILTERED, "protocol, by name or number")                \
	X(SRC, 's', "src", "ADDRESS[/LENGTH]", FILTERED, "source of the original direction")       \
	X(DST, 'd', "dst", "ADDRESS[/LENGTH]", FILTERED, "its destination")                        \
	X(SPORT, 0, "sport", "PORT[-PORT]", FILTERED, "its source port")                           \
	X(DPORT, 0, "dport", "PORT[-PORT]", FILTERED, "its destination port")                      \
	X(REPLY_SRC, 'r', "reply-src", "ADDRESS[/LENGTH]", FILTERED,                               \
	  "source of the reply direction")                                                         \
	X(REPLY_DST, 'q', "reply-dst", "ADDRESS[/LENGTH]", FILTERED, "its destination")            \
	X(STATE, 0, "state", "STATE,...", FILTERED, "in any of these states of TCP or SCTP")       \
	X(STATUS, 'u', "status", "STATUS,...", FILTERED, "with all of these in the status")        \
	X(FAMILY, 'f', "family", "ipv4|ipv6", FILTERED | ONLY(rules), "address family")            \
	X(ZONE, 'w', "zone", "NUMBER", FILTERED, "conntrack zone")                                 \
	X(HELPER, 0, "helper", "HELPER", FILTERED, "watched by this helper")                       \
	X(MASTER, 0, "master", "FLOW", FILTERED, "expected by this flow")                          \
	X(FLOW, 0, "flow", "FLOW", FILTERED, "this flow")                                          \
	X(ICMP_TYPE, 0, "icmp-type", "NUMBER", FILTERED, "ICMP type of the original direction")    \
	X(ICMP_CODE, 0, "icmp-code", "NUMBER", FILTERED, "ICMP code")                              \
	X(ICMP_ID, 0, "icmp-id", "NUMBER", FILTERED, "ICMP id")                                    \
	X(OUTPUT, 'o', "output", "LAYOUT,...", LAID_OUT, "lines as of conntrack(8)")               \
	X(SORT, 0, "sort", "bytes|packets|timeout", ONLY(list), "the greatest first")              \
	X(LIMIT, 0, "limit", "NUMBER", ONLY(list) | ONLY(events) | ONLY(explain),                  \
	  "not more than these")                                                                   \
	X(CLASSES, 'e', "classes", "CLASS,...", ONLY(events), "only these classes of transitions") \
	X(SEQUENCE, 0, "sequence", "", ONLY(events), "show the number of each transition")         \
	X(RECONNECT, 0, "reconnect", "", ONLY(events), "wait for a daemon that went away")         \
	X(UTC, 0, "utc", "", ONLY(events) | ONLY(explain), "times in UTC, not in local time")      \
	X(ZEROS, 'a', "all", "", ONLY(stats), "show what is zero as well")                         \
	X(CHANGED, 0, "changed", "", ONLY(config), "only what differs from the default")           \
	X(DELAY, 'd', "delay", "SECONDS", ONLY(top), "time between two screens (1)")               \
	X(TIMES, 'n', "count", "NUMBER", ONLY(top), "end after so many screens")                   \
	X(BATCH, 'b', "batch", "", ONLY(top), "one screen below the other, for pipes")             \
	X(IPTABLES, 0, "iptables", "", ONLY(rules), "for iptables-restore, ip6tables-restore")     \
	X(NFT, 0, "nft", "", ONLY(rules), "for nft -f")                                            \
	X(HOOKS, 0, "hooks", "HOOK,...", ONLY(rules), "queue these; default prerouting,output")    \
	X(BYPASS, 0, "bypass", "", ONLY(rules), "packets pass without a daemon; default")          \
	X(NO_BYPASS, 0, "no-bypass", "", ONLY(rules), "packets are dropped without a daemon")      \
	X(PART, 0, "only", "queue|filter", ONLY(rules), "one part of the rules")                   \
	X(FILTER, 0, "filter", "HOOK,...", ONLY(rules), "use the filter by class there")           \
	X(ACCEPT, 0, "accept", "tcp/PORT,...", ONLY(rules), "NEW packets that the filter accepts") \
	X(UPDATE, 0, "update", "", ONLY(rules), "fill chains again, without their jumps")          \
	X(REMOVE, 0, "remove", "", ONLY(rules), "what takes the rules out again")                  \
	X(IPTABLES_FILE, 0, "iptables", "FILE", ONLY(check_rules), "output of iptables-save")      \
	X(IP6TABLES_FILE, 0, "ip6tables", "FILE", ONLY(check_rules), "output of ip6tables-save")   \
	X(NFT_FILE, 0, "nft", "FILE", ONLY(check_rules), "output of nft -j list ruleset")          \
	X(QUEUES, 0, "queues", "FIRST[-LAST]", RULES, "instead of Range=")                         \
	X(MASK, 0, "mask", "MASK", RULES, "instead of Mask=")                                      \
	X(ENCODING, 0, "encoding", "ctinfo|flags", RULES, "instead of Encoding=")                  \
	X(CONFIRM, 0, "confirm", "auto|entry|exit", RULES, "instead of Confirm=")                  \
	X(JSON, 'j', "json", "[pretty|short]", ALL_VERBS, "JSON, indented or in lines")            \
	X(SOCKET, 0, "socket", "PATH", ALL_VERBS, "talk to the daemon behind this socket")         \
	X(COLOR, 0, "color", "auto|always|never", ALL_VERBS, "use colours")                        \
	X(NO_PAGER, 0, "no-pager", "", ALL_VERBS, "do not pass output to a pager")                 \
	X(NO_LEGEND, 0, "no-legend", "", ALL_VERBS, "leave out headings and totals")               \
	X(HELP, 'h', "help", "", ALL_VERBS, "print help, also on a verb")                          \
	X(VERSION, 0, "version", "", ALL_VERBS, "print version and features")

/* Other names that conntrack(8) has for them. */
#define OPTION_ALIAS_LIST(X)                                                                       \
	X("protonum", PROTO)                                                                       \
	X("orig-src", SRC)                                                                         \
	X("orig-dst", DST)                                                                         \
	X("orig-port-src", SPORT)                                                                  \
	X("orig-port-dst", DPORT)                                                                  \
	X("event-mask", CLASSES)

/* What conntrack(8) filters by and we cannot: letter or 0, name, why. */
#define OPTION_REFUSED_LIST(X)                                                                     \
	X('m', "mark", "flows have no mark of their own, only packets")                            \
	X('l', "label", "flows have no labels")                                                    \
	X('n', "src-nat", "ctmarkd does not translate addresses")                                  \
	X('g', "dst-nat", "ctmarkd does not translate addresses")                                  \
	X(0, "any-nat", "ctmarkd does not translate addresses")                                    \
	X(0, "mask-src", "write --src ADDRESS/LENGTH")                                             \
	X(0, "mask-dst", "write --dst ADDRESS/LENGTH")                                             \
	X(0, "tuple-src", "expectations are not filtered")                                         \
	X(0, "tuple-dst", "expectations are not filtered")                                         \
	X(0, "reply-port-src", "write --dport: ports are not translated")                          \
	X(0, "reply-port-dst", "write --sport: ports are not translated")                          \
	X(0, "orig-zone", "write --zone: both directions are in the same")                         \
	X(0, "reply-zone", "write --zone: both directions are in the same")                        \
	X('c', "secmark", "flows have no security mark")                                           \
	X('t', "timeout", "a timeout changes all the time")

enum option_id {
#define X(id, letter, name, argument, verbs, help) OPTION_##id,
	OPTION_LIST(X)
#undef X
		OPTION_MAX
};

enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_BAD };

struct command {
	enum verb verb; /* VERB_MAX: none was given */
	int argc;	/* the words of it, itself first */
	char **argv;
};

/*
 * Reads a command line, in any order of options and words, into app and *ret; argv is sorted.
 * OPTIONS_BAD: what is wrong has been said.
 */
enum options_action options_parse(struct app *app, int argc, char *argv[], struct command *ret);

/* Name of a verb as it is typed: "log-level". */
const char *options_verb_name(enum verb verb);

/* Name of an option, without hyphens. */
const char *options_name(enum option_id id);

/* Writes the help of a verb, or with VERB_MAX of the program. */
void options_print_help(enum verb verb);
