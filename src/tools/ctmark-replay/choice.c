/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/choice.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "log/plain.h"
#include "util/cleanup.h"

static int bad(char why[static CHOICE_WHY_MAX], const char *what, const char *word, size_t len)
{
	int n = len < CHOICE_WHY_MAX ? (int)len : CHOICE_WHY_MAX;

	snprintf(why, CHOICE_WHY_MAX, "%s: '%.*s'", what, n, word);
	plain_text(why, '?');
	return -EINVAL;
}

/* ---- flows ---- */

/* Digits and nothing else, and not 0. Moves p behind them. */
static bool take_number(const char **p, const char *end, uint64_t *ret)
{
	uint64_t n = 0;
	const char *at = *p;

	for (; at < end && isdigit((unsigned char)*at); at++) {
		unsigned int digit = (unsigned int)(*at - '0');

		if (n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (at == *p || n == 0)
		return false;
	*p = at;
	*ret = n;
	return true;
}

static bool take_range(const char *word, size_t len, struct choice_range *ret)
{
	const char *end = word + len;

	if (!take_number(&word, end, &ret->first))
		return false;
	ret->last = ret->first;
	if (word < end && *word == '-') {
		word++;
		if (!take_number(&word, end, &ret->last))
			return false;
	}
	return word == end && ret->first <= ret->last;
}

static int take_flows(struct choice *c, const char *text, char why[static CHOICE_WHY_MAX])
{
	for (;;) {
		size_t len = strcspn(text, ",");

		if (c->nflows == CHOICE_FLOWS_MAX)
			return bad(why, "--flow has too many numbers before", text, len);
		if (!take_range(text, len, &c->flows[c->nflows++]))
			return bad(why, "--flow takes numbers and ranges such as 3,7-9, not", text,
				   len);
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

/* ---- classes ---- */

static uint8_t class_bits(const char *word, size_t len)
{
	static const struct {
		const char *name;
		uint8_t bits;
	} classes[] = {
#define X(name, bits) {name, bits},
		CHOICE_CLASS_LIST(X)
#undef X
	};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (strlen(classes[i].name) == len && strncasecmp(classes[i].name, word, len) == 0)
			return classes[i].bits;
	return 0;
}

static int take_classes(struct choice *c, const char *text, char why[static CHOICE_WHY_MAX])
{
	c->infos = 0;
	c->packets = true;
	for (;;) {
		size_t len = strcspn(text, ",");
		uint8_t bits = class_bits(text, len);

		if (!bits)
			return bad(why, "--only knows no such class", text, len);
		c->infos |= bits;
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

int choice_parse(struct choice *ret, const char *flows, const char *only,
		 char why[static CHOICE_WHY_MAX])
{
	struct choice c = {.infos = UINT8_MAX};

	if (flows && take_flows(&c, flows, why) < 0)
		return -EINVAL;
	if (only && take_classes(&c, only, why) < 0)
		return -EINVAL;
	*ret = c;
	return 0;
}

/* ---- what is shown ---- */

bool choice_has_flow(const struct choice *c, uint64_t flow)
{
	for (size_t i = 0; i < c->nflows; i++)
		if (c->flows[i].first <= flow && flow <= c->flows[i].last)
			return true;
	return c->nflows == 0;
}

bool choice_has_ending(const struct choice *c, uint64_t flow)
{
	return !c->packets && flow && choice_has_flow(c, flow);
}

bool choice_has_packet(const struct choice *c, const struct record *r)
{
	return choice_has_flow(c, r->flow) && c->infos >> r->out->info & 1;
}
