/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * An account of one packet in the making: facts, which JSON shows, and sentences in sections, which
 * both forms show. Out of memory, something is missing in it; nothing else happens.
 */

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Suffix, key, heading: in the order in which they are shown. */
#define SECTION_LIST(X)                                                                            \
	X(BEFORE, "before", "What it found")                                                       \
	X(SENT, "sent", "What was sent before")                                                    \
	X(RULE, "rule", "What decided")                                                            \
	X(ACCEPTED, "accepted", "What would have been accepted")                                   \
	X(CAUSES, "causes", "What is mostly the cause")                                            \
	X(SETTINGS, "settings", "What would change it")                                            \
	X(AFTER, "after", "What followed")

enum section {
#define X(suffix, key, heading) SECTION_##suffix,
	SECTION_LIST(X)
#undef X
		SECTION_MAX
};

struct account {
	json_t *facts;		       /* an object */
	json_t *headline;	       /* lines */
	json_t *sections[SECTION_MAX]; /* sentences */
};

/* Returns 0 or -ENOMEM. */
int account_init(struct account *a);
void account_done(struct account *a);

/* Adds a line to the head, or a sentence to a section. */
void __attribute__((format(printf, 2, 3))) account_head(struct account *a, const char *format, ...);
void __attribute__((format(printf, 3, 4)))
account_say(struct account *a, enum section s, const char *format, ...);

/* Facts, at the top level. */
void account_put_uint(struct account *a, const char *key, uint64_t value);
void account_put_string(struct account *a, const char *key, const char *value);

/* A number of an object within the facts: "numbers", "seq" */
void account_put_in(struct account *a, const char *object, const char *key, uint64_t value);

/* Adds a word to a list within an object of the facts. */
void account_put_word(struct account *a, const char *object, const char *key, const char *word);

/* A fact of any form; value becomes its property. */
void account_put(struct account *a, const char *key, json_t *value);

/* Prints it for people, in lines of at most width columns (0: 80), or as a line of JSON. */
void account_print(const struct account *a, FILE *out, unsigned int width, bool colour);
void account_print_json(const struct account *a, FILE *out);
