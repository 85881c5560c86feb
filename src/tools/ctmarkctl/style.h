/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Colours, by what they mean: name, escape sequence. */

struct app;

#define STYLE_LIST(X)                                                                              \
	X(PLAIN, "")                                                                               \
	X(HEAD, "\033[1m")                                                                         \
	X(DIM, "\033[2m")                                                                          \
	X(GOOD, "\033[32m")                                                                        \
	X(NOTE, "\033[36m")                                                                        \
	X(WARN, "\033[33m")                                                                        \
	X(BAD, "\033[1;31m")

enum style {
#define X(name, sequence) STYLE_##name,
	STYLE_LIST(X)
#undef X
		STYLE_MAX
};

/* What to write before and behind text of a style; "" if stdout takes no colours. */
const char *style_on(const struct app *app, enum style style);
const char *style_off(const struct app *app, enum style style);

/* The style that suits a ctinfo, a class of transitions or a state. */
enum style style_of(const char *word);
