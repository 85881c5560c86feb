/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A rule set as far as ctmarkd is concerned, whichever program has loaded it.
 *
 * The parsers (check_iptables.c, check_nft.c) fill it, check_walk.c follows the packets through
 * it, and the checks look at nothing else. Everything belongs to the rule set and is freed with it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/ctmarkctl/rules_plan.h"

/* What a rule asks for besides the mark, each a bit. */
enum check_limit {
	LIMIT_IIF = 1 << 0,
	LIMIT_OIF = 1 << 1,
	LIMIT_PROTO = 1 << 2,
	LIMIT_PORT = 1 << 3,
	LIMIT_ADDRESS = 1 << 4,
	LIMIT_CTSTATE = 1 << 5, /* of the kernel's conntrack */
	LIMIT_MARK = 1 << 6,
	LIMIT_FRAGMENT = 1 << 7,
	LIMIT_OTHER = 1 << 8,
	LIMIT_LOOPBACK = 1 << 9, /* LIMIT_IIF or LIMIT_OIF, and it is lo */
};

/* States that a match of the kernel's conntrack names. */
enum check_state {
	STATE_NEW = 1 << 0,
	STATE_ESTABLISHED = 1 << 1,
	STATE_RELATED = 1 << 2,
	STATE_INVALID = 1 << 3,
	STATE_UNTRACKED = 1 << 4,
};

enum check_target {
	TARGET_ACCEPT,
	TARGET_DROP,
	TARGET_REJECT,
	TARGET_RETURN,
	TARGET_JUMP,
	TARGET_GOTO,
	TARGET_QUEUE,
};

/* A match of the mark: lo <= (mark & mask) <= hi, or not. */
struct check_mark {
	struct check_mark *next;
	uint32_t lo, hi, mask;
	bool invert;
};

struct check_verdict {
	struct check_verdict *next;
	enum check_target target;
	const char *chain;	   /* of a jump or goto */
	bool unless;		   /* a verdict map: only for some of the packets */
	struct rules_range queues; /* of TARGET_QUEUE */
	bool any_queue;		   /* the number is computed */
	bool bypass, fanout;
};

struct check_rule {
	struct check_rule *next;
	const char *text;
	unsigned int number; /* in its chain, from 1 */
	unsigned int families;
	unsigned int limits;
	unsigned int states; /* of LIMIT_CTSTATE */
	struct check_mark *marks;
	struct check_verdict *verdicts, *last_verdict;
	const struct check_verdict *queue; /* the first of them that queues, or NULL */
	unsigned int targets;		   /* bits 1 << enum check_target of all */
	uint32_t writes;		   /* bits of the mark that it changes... */
	uint32_t sets;			   /* ...and those of them that may be 1 afterwards */
	uint64_t found;			   /* bits 1 << enum check_code: mistakes that were noted */
	bool notrack;
	char interface[16]; /* the one it asks for, if it is one */
	char proto[8];
};

struct check_chain {
	struct check_chain *next, *same; /* in the table, in the bucket */
	struct check_table *table;
	const char *name;
	bool base;
	enum rules_hook hook; /* of a base chain */
	int priority;
	bool nat, drops; /* type nat; the policy is to drop */
	struct check_rule *rules, **tail;
};

struct check_table {
	struct check_table *next, *same; /* in the set, in the bucket */
	const char *name;
	const char *family; /* "ip", "ip6", "inet" */
	unsigned int families;
	bool iptables;
	bool legacy; /* of the iptables whose tables nft does not see */
	unsigned int source;
	struct check_chain *chains, **tail;
};

#define CHECK_BUCKETS 16384u

struct check_set {
	struct check_table *tables, **tail;
	unsigned int families; /* those of which rules were read */
	unsigned int source; /* counts the texts that were read: their tables are different ones */
	struct check_block *blocks;
	size_t nrules;
	size_t nmapped; /* verdicts out of maps by name, which many rules may share */
	bool cut;	/* there were more of them than are kept */
	struct check_table *tables_by_name[CHECK_BUCKETS];
	struct check_chain *chains_by_name[CHECK_BUCKETS]; /* of all tables */
};

/* No rule set has more; what goes beyond is refused, or said not to have been followed. */
#define CHECK_RULES_MAX	 500000u
#define CHECK_MAPPED_MAX 500000u
#define CHECK_LINE_MAX	 65536u

void check_set_init(struct check_set *set);
void check_set_done(struct check_set *set);

/* Zeroed memory that lives as long as the set. Ends the program if there is none. */
void *check_alloc(struct check_set *set, size_t size);
char *check_text(struct check_set *set, const char *text, size_t len);

/* The table of that name in the text that is read, made if it is not there. */
struct check_table *check_table(struct check_set *set, const char *family, const char *name,
				unsigned int families, bool iptables);
/* The next table of that name, whatever its family, or the first one for NULL. */
struct check_table *check_next_table(const struct check_set *set, const char *name,
				     const struct check_table *last);
/* The chain of that name, made if it is not there. */
struct check_chain *check_chain(struct check_set *set, struct check_table *table, const char *name);
struct check_chain *check_find_chain(const struct check_set *set, const struct check_table *table,
				     const char *name);
/* Appends a rule to a chain, or puts it first; NULL if there are too many. */
struct check_rule *check_rule(struct check_set *set, struct check_chain *chain, bool first);
/* Numbers the rules of each chain from 1. */
void check_number(struct check_set *set);
struct check_verdict *check_verdict(struct check_set *set, struct check_rule *rule,
				    enum check_target target);
/* The queues of a verdict; numbers are made to fit, and a range that runs backwards is its first.
 */
void check_range_of(struct check_verdict *v, uint64_t first, uint64_t last);
void check_mark(struct check_set *set, struct check_rule *rule, struct check_mark mark);

/* Notes that a rule changes the mark to (mark & keep) | sets, or ^ sets. */
void check_writes(struct check_rule *rule, uint32_t keep, uint32_t sets);

/*
 * What iptables-save or ip6tables-save say, or a file for iptables-restore. text is changed.
 * Returns 0, or -EINVAL with what is wrong, and where, in why (size bytes).
 */
int check_read_iptables(struct check_set *set, unsigned int family, char *text, char *why,
			size_t size);

/* What `nft -j list ruleset` says. Tables that iptables has made are left out if it was asked. */
int check_read_nft(struct check_set *set, const char *text, size_t len, char *why, size_t size);
