/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the generated rules do, whatever the language they are written in: which packets go to which
 * queues, and which marks are a class. The writers (rules_iptables.c, rules_nft.c) put it in words.
 */

#include <stdbool.h>
#include <stdio.h>

#include "tools/ctmarkctl/rules_conf.h"

/* Hooks that can be queued; at an exit flows are confirmed.
 * Name in iptables, name in nft, whether it is an exit. */
#define RULES_HOOK_LIST(X)                                                                         \
	X(PREROUTING, "prerouting", false)                                                         \
	X(INPUT, "input", true)                                                                    \
	X(FORWARD, "forward", false)                                                               \
	X(OUTPUT, "output", false)                                                                 \
	X(POSTROUTING, "postrouting", true)

enum rules_hook {
#define X(name, nft, exit) RULES_HOOK_##name,
	RULES_HOOK_LIST(X)
#undef X
		RULES_HOOK_MAX,
};

#define RULES_IPV4 1u
#define RULES_IPV6 2u

#define RULES_ACCEPT_MAX 32

/* NEW packets that the example accepts. */
struct rules_accept {
	enum { RULES_TCP, RULES_UDP, RULES_PING } proto;
	struct rules_range ports;
};

struct rules_wanted {
	unsigned int hooks;	   /* to be queued, bits 1 << enum rules_hook */
	unsigned int filter_hooks; /* to be filtered; none: the example is commented out */
	unsigned int families;	   /* RULES_IPV4, RULES_IPV6 */
	bool queue, filter;	   /* the parts that are wanted */
	bool bypass;
	bool update; /* iptables: refill the chains, leave the jumps */
	bool remove; /* take it out again */
	unsigned int naccept;
	struct rules_accept accept[RULES_ACCEPT_MAX];
};

/* Packets that go to some queues. */
struct rules_feed {
	const char *interface; /* not terminated; NULL: any */
	size_t len;
	const char *zone; /* NULL: in none */
	struct rules_range queues;
};

#define RULES_FEEDS_MAX 1024

/*
 * Who feeds which queue at a hook, in the order in which rules have to ask. At the entries the
 * queues of zones get what comes from their interfaces, or leaves by them where the machine sends
 * it, and the longest run of queues that are in no zone gets the rest. At the exits that run gets
 * all if there is one: what comes by a queue of no zone is looked for in all of them. Returns how
 * many there are.
 */
unsigned int rules_feeds(const struct rules_conf *c, enum rules_hook hook,
			 struct rules_feed feeds[RULES_FEEDS_MAX]);

/* Whether a pattern of InputInterface= can be said in rules: a name, or one that ends in "*". */
bool rules_interface_plain(const char *interface, size_t len);

/* A group of classes that an example treats alike, with both directions. */
enum rules_group {
	RULES_GROUP_ESTABLISHED,
	RULES_GROUP_RELATED,
	RULES_GROUP_UNTRACKED,
	RULES_GROUP_INVALID,
	RULES_GROUP_NEW,
};

struct rules_match {
	uint32_t value, mask;
	const char *name;
};

/* The matches that find a group: one each for both directions with Encoding=ctinfo, else one. */
unsigned int rules_matches(const struct rules_conf *c, enum rules_group group,
			   struct rules_match ret[2]);

/* Whether a class is sent through the rules again. */
bool rules_repeats(const struct rules_conf *c);

/* Name of a hook as iptables or nft write it. */
const char *rules_hook_name(enum rules_hook hook);
const char *rules_hook_nft(enum rules_hook hook);
bool rules_hook_exit(enum rules_hook hook);

/* "prerouting,output" in any case; returns 0 or -EINVAL. */
int rules_parse_hooks(const char *text, unsigned int *ret);

/* "tcp/22,udp/500:510,ping"; returns 0 or -EINVAL. */
int rules_parse_accept(struct rules_wanted *w, const char *text);

/*
 * What the configuration and the wish do not agree on, as "# NOTE: ..." lines, and what the
 * verdicts of [Verdict] mean for the rules.
 */
void rules_notes(FILE *out, const struct rules_conf *c, const struct rules_wanted *w);

/* Where the writers' lines go; an example that is not to be used has a comment's prefix. */
struct rules_pen {
	FILE *out;
	const char *prefix;
	const struct rules_wanted *w;
};

void rules_line(const struct rules_pen *pen, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The writers. */
void rules_write_iptables(FILE *out, const struct rules_conf *c, const struct rules_wanted *w);
void rules_write_nft(FILE *out, const struct rules_conf *c, const struct rules_wanted *w);
