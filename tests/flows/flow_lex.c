/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_lex.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flows/flow_script.h"

#define BLANKS " \t\r\n"

/* Where the word ends, NULL if the '"' that ends it is missing. */
static char *end_of_word(char *w)
{
	if (*w != '"')
		return w + strcspn(w, BLANKS);
	for (w++; *w && *w != '"'; w++)
		if (*w == '\\' && w[1])
			w++;
	return *w ? w : NULL;
}

int flow_lex_line(struct flow_lex *l, char *line)
{
	l->nwords = l->at = 0;
	for (char *w = line + strspn(line, BLANKS); *w && *w != '#'; w += strspn(w, BLANKS)) {
		char *end = end_of_word(w);

		if (!end)
			return flow_lex_fail(l, "'\"' is missing at the end of %s", w);
		if (l->nwords == FLOW_WORDS_MAX)
			return flow_lex_fail(l, "more than %d words", FLOW_WORDS_MAX);
		l->word[l->nwords++] = w;
		w = end + (*end != '\0');
		*end = '\0';
	}
	return 0;
}

const char *flow_lex_peek(const struct flow_lex *l)
{
	return l->at < l->nwords ? l->word[l->at] : NULL;
}

const char *flow_lex_next(struct flow_lex *l)
{
	return l->at < l->nwords ? l->word[l->at++] : NULL;
}

bool flow_lex_take(struct flow_lex *l, const char *word)
{
	const char *w = flow_lex_peek(l);

	if (!w || strcmp(w, word) != 0)
		return false;
	l->at++;
	return true;
}

int flow_lex_fail(struct flow_lex *l, const char *format, ...)
{
	int n = snprintf(l->error, FLOW_ERROR_MAX, "%s:%u: ", l->file, l->line);
	va_list args;

	if (n < 0 || n >= FLOW_ERROR_MAX)
		return -EINVAL;
	va_start(args, format);
	vsnprintf(l->error + n, (size_t)(FLOW_ERROR_MAX - n), format, args);
	va_end(args);
	return -EINVAL;
}

int flow_lex_number(struct flow_lex *l, uint32_t max, uint32_t *ret)
{
	const char *w = flow_lex_next(l);
	unsigned long long n;
	char *end;

	if (!w)
		return flow_lex_fail(l, "a number is missing at the end of the line");
	errno = 0;
	n = strtoull(w, &end, 0);
	if (*w < '0' || *w > '9' || *end || errno || n > max)
		return flow_lex_fail(l, "'%s' is not a number of 0..%u", w, max);
	*ret = (uint32_t)n;
	return 0;
}

int flow_lex_time(struct flow_lex *l, uint64_t *ret_ns)
{
	const char *w = flow_lex_next(l);
	double n = 0;
	char *end = NULL;

	if (w)
		n = strtod(w, &end);
	if (!w || end == w || !(n > 0) || n > 1e6 ||
	    (strcmp(end, "s") != 0 && strcmp(end, "ms") != 0))
		return flow_lex_fail(l, "a time such as 2.2s or 250ms is expected");
	*ret_ns = (uint64_t)(n * (*end == 's' ? 1e9 : 1e6));
	return 0;
}

int flow_lex_find(struct flow_lex *l, const char *word, const char *what, const char *const names[],
		  size_t n, int *ret)
{
	for (size_t i = 0; word && i < n; i++) {
		if (names[i] && strcmp(names[i], word) == 0) {
			*ret = (int)i;
			return 0;
		}
	}
	return flow_lex_fail(l, "'%s' is not %s", word ? word : "end of line", what);
}

int flow_lex_name(struct flow_lex *l, const char *what, const char *const names[], size_t n,
		  int *ret)
{
	return flow_lex_find(l, flow_lex_next(l), what, names, n, ret);
}
