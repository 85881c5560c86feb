/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Words of one line, and complaints that name it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOW_WORDS_MAX 96

struct flow_lex {
	const char *file;
	unsigned int line;
	char *error; /* FLOW_ERROR_MAX bytes */
	char *word[FLOW_WORDS_MAX];
	size_t nwords, at;
	unsigned int ports[2]; /* of client and server if the line names none; 0: the usual ones */
};

/*
 * Splits a line at blanks, in place, up to a comment. A word that begins with '"' goes on to the
 * next '"' without a backslash before it; it keeps the first of them, which tells it from others.
 * Returns 0 or -EINVAL (too many words, no second '"').
 */
int flow_lex_line(struct flow_lex *l, char *line);

/* The next word, or NULL at the end of the line; peek leaves it there. */
const char *flow_lex_next(struct flow_lex *l);
const char *flow_lex_peek(const struct flow_lex *l);

/* Takes the next word if it is this one. */
bool flow_lex_take(struct flow_lex *l, const char *word);

/* Writes "file:line: ..." to error and returns -EINVAL. */
int flow_lex_fail(struct flow_lex *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The next word as a number, decimal or 0x..., at most max. */
int flow_lex_number(struct flow_lex *l, uint32_t max, uint32_t *ret);

/* The next word as a time: 2s, 2.2s, 250ms. */
int flow_lex_time(struct flow_lex *l, uint64_t *ret_ns);

/* The next word as one of n names; what says what they name. */
int flow_lex_name(struct flow_lex *l, const char *what, const char *const names[], size_t n,
		  int *ret);

/* The same for a given word. */
int flow_lex_find(struct flow_lex *l, const char *word, const char *what, const char *const names[],
		  size_t n, int *ret);
