/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Text of control connections.
 *
 * What helpers read is written by anybody who can open a connection, so each of them would have to
 * prove for each byte that it is there. Here it is proven once: two pointers, of which the first
 * never passes the second. Helpers look at single bytes through ct_text_peek() and at nothing
 * directly.
 *
 * The notation of addresses is taken as the kernel's helpers take it: any number of leading zeros,
 * IPv4 at the end of IPv6, and an end wherever no further byte can belong to it.
 */

#include "core/helper/text.h"

#define GROUPS 8 /* of 16 bits in an IPv6 address */

struct ct_text ct_text_of(struct ct_bytes v, uint32_t off)
{
	v = ct_bytes_from(v, off);
	return (struct ct_text){v.data, v.data + v.cap};
}

int ct_text_peek(struct ct_text t)
{
	return t.p < t.end ? *t.p : -1;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool starts(struct ct_text t, const char *word, size_t n)
{
	if (n > ct_text_left(t))
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(t.p[i]) != lower((uint8_t)word[i]))
			return false;
	return true;
}

bool ct_text_word(struct ct_text *t, const char *word)
{
	size_t n = strlen(word);

	if (!starts(*t, word, n))
		return false;
	t->p += n;
	return true;
}

bool ct_text_word_exact(struct ct_text *t, const char *word)
{
	size_t n = strlen(word);

	if (n > ct_text_left(*t) || memcmp(t->p, word, n) != 0)
		return false;
	t->p += n;
	return true;
}

bool ct_text_is_part(struct ct_text t, const char *word)
{
	size_t n = ct_text_left(t);

	return n <= strlen(word) && starts(t, word, n);
}

bool ct_text_byte(struct ct_text *t, uint8_t byte)
{
	if (ct_text_peek(*t) != byte)
		return false;
	t->p++;
	return true;
}

bool ct_text_find(struct ct_text *t, const char *word)
{
	struct ct_text at = *t;
	size_t n = strlen(word);

	for (; ct_text_left(at) >= n; at.p++) {
		if (!starts(at, word, n))
			continue;
		t->p = at.p + n;
		return true;
	}
	return false;
}

bool ct_text_find_exact(struct ct_text *t, const char *word)
{
	for (struct ct_text at = *t; at.p < at.end; at.p++) {
		if (!ct_text_word_exact(&at, word))
			continue;
		*t = at;
		return true;
	}
	return false;
}

bool ct_text_to(struct ct_text *t, uint8_t byte)
{
	for (const uint8_t *p = t->p; p < t->end; p++) {
		if (*p != byte)
			continue;
		t->p = p + 1;
		return true;
	}
	return false;
}

static bool among(const char *bytes, uint8_t c)
{
	for (; *bytes; bytes++)
		if ((uint8_t)*bytes == c)
			return true;
	return false;
}

void ct_text_skip(struct ct_text *t, const char *bytes)
{
	while (t->p < t->end && among(bytes, *t->p))
		t->p++;
}

/* --- numbers ------------------------------------------------------------------------------ */

bool ct_text_number(struct ct_text *t, uint32_t max, uint32_t *ret)
{
	struct ct_text at = *t;
	uint64_t n = 0;

	for (; at.p < at.end && ct_text_is_digit(*at.p); at.p++) {
		n = n * 10 + (uint64_t)(*at.p - '0');
		if (n > max)
			return false;
	}
	if (at.p == t->p)
		return false;
	*t = at;
	*ret = (uint32_t)n;
	return true;
}

uint32_t ct_text_digits(struct ct_text *t)
{
	uint32_t n = 0;

	for (; t->p < t->end && ct_text_is_digit(*t->p); t->p++)
		n = n * 10 + (uint32_t)(*t->p - '0');
	return n;
}

/* --- addresses ------------------------------------------------------------------------------ */

static int hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool dotted(struct ct_text *t, uint8_t ret[4])
{
	struct ct_text at = *t;

	for (int i = 0; i < 4; i++) {
		uint32_t n;

		if ((i > 0 && !ct_text_byte(&at, '.')) || !ct_text_number(&at, 255, &n))
			return false;
		ret[i] = (uint8_t)n;
	}
	if (ct_text_peek(at) == '.' || hex(ct_text_peek(at)) >= 0)
		return false;
	*t = at;
	return true;
}

static bool hex_group(struct ct_text *t, uint8_t ret[2])
{
	const uint8_t *start = t->p;
	uint32_t n = 0;
	int digit;

	for (; (digit = hex(ct_text_peek(*t))) >= 0; t->p++) {
		n = n << 4 | (uint32_t)digit;
		if (n > 0xffff)
			return false;
	}
	ret[0] = (uint8_t)(n >> 8);
	ret[1] = (uint8_t)n;
	return t->p > start;
}

/* Groups and where "::" stands among them. */
struct groups {
	uint8_t b[2 * GROUPS];
	int n, gap; /* gap -1: none */
	bool ended; /* with an IPv4 address */
};

/* A group, or an IPv4 address in place of two; the text stays where it was if there is neither. */
static bool one_group(struct ct_text *t, struct groups *g)
{
	struct ct_text at = *t;

	if (g->n == GROUPS || !hex_group(&at, &g->b[2 * (size_t)g->n]))
		return false;
	if (ct_text_peek(at) != '.') {
		g->n++;
		*t = at;
		return true;
	}
	if (g->n > GROUPS - 2 || !dotted(t, &g->b[2 * (size_t)g->n]))
		return false;
	g->n += 2;
	g->ended = true;
	return true;
}

static bool read_groups(struct ct_text *t, struct groups *g)
{
	if (ct_text_word(t, "::"))
		g->gap = 0;
	else if (!one_group(t, g))
		return false;
	if (g->n == 0 && hex(ct_text_peek(*t)) >= 0 && !one_group(t, g))
		return false;
	while (!g->ended && ct_text_byte(t, ':')) {
		if (ct_text_byte(t, ':')) {
			if (g->gap >= 0)
				return false;
			g->gap = g->n;
			if (hex(ct_text_peek(*t)) < 0)
				break;
		}
		if (!one_group(t, g))
			return false;
	}
	return (g->ended || ct_text_peek(*t) != ':') &&
	       (g->gap < 0 ? g->n == GROUPS : g->n < GROUPS);
}

static bool colons(struct ct_text *t, union ct_addr *ret)
{
	struct groups g = {.gap = -1};
	struct ct_text at = *t;
	size_t head, tail;

	if (!read_groups(&at, &g))
		return false;
	head = 2 * (size_t)(g.gap < 0 ? g.n : g.gap);
	tail = 2 * (size_t)g.n - head;
	*ret = (union ct_addr){0};
	memcpy(ret->b, g.b, head);
	memcpy(ret->b + sizeof(ret->b) - tail, g.b + head, tail);
	*t = at;
	return true;
}

bool ct_text_addr(struct ct_text *t, uint8_t family, union ct_addr *ret)
{
	union ct_addr addr = {0};

	if (family == CT_AF_INET6)
		return colons(t, ret);
	if (!dotted(t, addr.b))
		return false;
	*ret = addr;
	return true;
}
