/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_sctp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define BODY_MAX 9000

struct kind {
	const char *name;
	unsigned int type, body;
};

#define X(name, type, body) {name, type, body},
static const struct kind kinds[] = {FLOW_CHUNK_LIST(X)};
#undef X

static const struct kind *kind_of(unsigned int type)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].type == type)
			return &kinds[i];
	return NULL;
}

void flow_chunk_init(struct flow_chunk *c, unsigned int type)
{
	const struct kind *k = kind_of(type);

	*c = (struct flow_chunk){.type = type, .body = k ? k->body : 0, .length = FLOW_UNSET};
}

/* --- words -------------------------------------------------------------------------- */

/* The kind that a word begins with, up to '(' or its end; "chunk" is any type. */
static bool find_kind(const char *word, unsigned int *ret_type)
{
	size_t n = strcspn(word, "(");

	*ret_type = 255;
	if (n == 5 && memcmp(word, "chunk", n) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strlen(kinds[i].name) == n && memcmp(kinds[i].name, word, n) == 0) {
			*ret_type = kinds[i].type;
			return true;
		}
	}
	return false;
}

bool flow_chunk_is(const char *word)
{
	unsigned int type;

	return find_kind(word, &type);
}

static int take_number(const char *text, uint32_t max, uint32_t *ret)
{
	unsigned long long n;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return -EINVAL;
	n = strtoull(text, &end, 0);
	if (*end || n > max)
		return -EINVAL;
	*ret = (uint32_t)n;
	return 0;
}

/* One of the words in the brackets. */
static int take_field(struct flow_chunk *c, const char *name, const char *value)
{
	uint32_t n;

	if (strcmp(name, "t") == 0 && !value) {
		c->flags |= 1;
		return 0;
	}
	if (take_number(value, UINT32_MAX, &n) < 0)
		return -EINVAL;
	if (strcmp(name, "tag") == 0)
		c->tag = n;
	else if (strcmp(name, "type") == 0 && n < 256)
		c->type = n;
	else if (strcmp(name, "flags") == 0 && n < 256)
		c->flags = n;
	else if (strcmp(name, "len") == 0 && n <= BODY_MAX)
		c->body = n;
	else if (strcmp(name, "length") == 0 && n < 65536)
		c->length = (int)n;
	else
		return -EINVAL;
	return 0;
}

/* "(tag=7,len=20)" */
static int take_fields(struct flow_chunk *c, char *text)
{
	size_t n = strlen(text);
	char *save = NULL;

	if (n == 0)
		return 0;
	if (text[n - 1] != ')')
		return -EINVAL;
	text[n - 1] = '\0';
	for (char *f = strtok_r(text + 1, ",", &save); f; f = strtok_r(NULL, ",", &save)) {
		char *value = strchr(f, '=');

		if (value)
			*value++ = '\0';
		if (take_field(c, f, value) < 0)
			return -EINVAL;
	}
	return 0;
}

int flow_chunk_take(struct flow_lex *l, const char *word, struct flow_packet *p)
{
	_cleanup_free_ char *fields = strdup(word + strcspn(word, "("));
	unsigned int type;

	if (p->nchunks == FLOW_CHUNKS_MAX)
		return flow_lex_fail(l, "more than %d chunks", FLOW_CHUNKS_MAX);
	if (!fields || !find_kind(word, &type))
		return flow_lex_fail(l, "'%s' is no chunk", word);
	flow_chunk_init(&p->chunk[p->nchunks], type);
	if (take_fields(&p->chunk[p->nchunks++], fields) < 0)
		return flow_lex_fail(l, "'%s' is no chunk", word);
	return 0;
}

static void print_field(FILE *f, const char **sep, const char *name, unsigned int value)
{
	fprintf(f, "%s%s=%u", *sep, name, value);
	*sep = ",";
}

void flow_chunk_print(FILE *f, const struct flow_packet *p)
{
	for (unsigned int i = 0; i < p->nchunks; i++) {
		const struct flow_chunk *c = &p->chunk[i];
		const struct kind *k = kind_of(c->type);
		const char *sep = "(";

		fprintf(f, " %s", k ? k->name : "chunk");
		if (!k)
			print_field(f, &sep, "type", c->type);
		if (c->tag)
			print_field(f, &sep, "tag", c->tag);
		if (c->flags)
			print_field(f, &sep, "flags", c->flags);
		if (c->body != (k ? k->body : 0))
			print_field(f, &sep, "len", c->body);
		if (c->length != FLOW_UNSET)
			print_field(f, &sep, "length", (unsigned int)c->length);
		if (*sep == ',')
			fputc(')', f);
	}
}

/* --- bytes -------------------------------------------------------------------------- */

/* Byte i behind the header of a chunk: a tag where there is room for one, then numbers. */
static uint8_t body_byte(const struct flow_chunk *c, size_t i)
{
	if (i < 4 && (c->type == 1 || c->type == 2))
		return (uint8_t)(c->tag >> (24 - 8 * i));
	return (uint8_t)(i + 1);
}

size_t flow_chunk_bytes(const struct flow_packet *p, uint8_t *ret, size_t cap)
{
	size_t at = 0;

	for (unsigned int n = 0; n < p->nchunks; n++) {
		const struct flow_chunk *c = &p->chunk[n];
		unsigned int length =
			c->length == FLOW_UNSET ? 4 + c->body : (unsigned int)c->length;
		size_t padded = (c->body + 3u) / 4 * 4;

		if (at + 4 + padded > cap)
			return cap;
		ret[at++] = (uint8_t)c->type;
		ret[at++] = (uint8_t)c->flags;
		ret[at++] = (uint8_t)(length >> 8);
		ret[at++] = (uint8_t)length;
		for (size_t i = 0; i < padded; i++)
			ret[at++] = i < c->body ? body_byte(c, i) : 0;
	}
	return at;
}

uint32_t flow_sctp_checksum(const uint8_t *bytes, size_t n)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}
