/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_data.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flows/flow_packet.h"
#include "util/cleanup.h"

/* A text on its way to bytes. */
struct expansion {
	const char *at; /* the rest of the text */
	uint8_t family;
	uint16_t number;
	uint8_t *ret;
	size_t n, cap;
};

static int put(struct expansion *x, const void *bytes, size_t n)
{
	if (n > x->cap - x->n)
		return -EINVAL;
	memcpy(x->ret + x->n, bytes, n);
	x->n += n;
	return 0;
}

static int put_text(struct expansion *x, const char *text)
{
	return put(x, text, strlen(text));
}

/* --- escapes ----------------------------------------------------------------------------- */

static int hex_byte(const char *two)
{
	char digits[3] = {two[0], two[0] ? two[1] : '\0'};

	if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
		return -EINVAL;
	return (int)strtol(digits, NULL, 16);
}

static int put_escape(struct expansion *x)
{
	static const char names[] = "rnt0\\\"{", bytes[] = "\r\n\t\0\\\"{";
	const char *known = *x->at ? strchr(names, *x->at) : NULL;
	int byte = known ? bytes[known - names] : -EINVAL;

	if (*x->at == 'x')
		byte = hex_byte(x->at + 1);
	if (byte < 0)
		return -EINVAL;
	x->at += *x->at == 'x' ? 3 : 1;
	return put(x, &(uint8_t){(uint8_t)byte}, 1);
}

/* --- placeholders -------------------------------------------------------------------------- */

/* An address: "" as text, "]" as in a URI, "," in the form of FTP, "#" as one number. */
static int put_address(struct expansion *x, enum flow_host host, const char *form)
{
	union ct_addr a = flow_host_addr(host, x->family, x->number);
	char text[INET6_ADDRSTRLEN], uri[INET6_ADDRSTRLEN + 2];

	inet_ntop(x->family, &a, text, sizeof(text));
	snprintf(uri, sizeof(uri), x->family == CT_AF_INET ? "%s" : "[%s]", text);
	if (!*form || strcmp(form, "]") == 0)
		return put_text(x, *form ? uri : text);
	if (x->family != CT_AF_INET || form[1])
		return -EINVAL;
	if (*form == ',')
		snprintf(text, sizeof(text), "%u,%u,%u,%u", a.b[0], a.b[1], a.b[2], a.b[3]);
	else if (*form == '#')
		snprintf(text, sizeof(text), "%u", ntohl(a.w[0]));
	else
		return -EINVAL;
	return put_text(x, text);
}

/* {hex:0d0a} */
static int put_hex(struct expansion *x, const char *digits)
{
	for (; *digits; digits += 2) {
		int byte = hex_byte(digits);

		if (byte < 0 || put(x, &(uint8_t){(uint8_t)byte}, 1) < 0)
			return -EINVAL;
	}
	return 0;
}

/* {300*x} */
static int put_repeated(struct expansion *x, const char *word)
{
	char *star;
	unsigned long n = strtoul(word, &star, 10);

	if (*star != '*' || !star[1] || star[2] || n > x->cap)
		return -EINVAL;
	while (n--)
		if (put(x, star + 1, 1) < 0)
			return -EINVAL;
	return 0;
}

/* {body}: how many bytes there are behind the next empty line, up to {end} or the end. */
static int put_body_length(struct expansion *x)
{
	const char *end = strstr(x->at, "{end}"), *empty = strstr(x->at, "\\r\\n\\r\\n");
	_cleanup_free_ char *body = NULL;
	uint8_t bytes[FLOW_BYTES_MAX];
	char text[16];
	int n;

	if (!empty || (end && empty > end))
		return -EINVAL;
	empty += strlen("\\r\\n\\r\\n");
	body = end ? strndup(empty, (size_t)(end - empty)) : strdup(empty);
	n = body ? flow_data_expand(body, x->family, x->number, bytes, sizeof(bytes)) : -EINVAL;
	if (n < 0)
		return n;
	snprintf(text, sizeof(text), "%d", n);
	return put_text(x, text);
}

static int put_named(struct expansion *x, const char *word)
{
#define X(name, str) str,
	static const char *const hosts[] = {FLOW_HOST_LIST(X)};
#undef X
	size_t name = strcspn(word, ",#]");

	if (strncmp(word, "hex:", 4) == 0)
		return put_hex(x, word + 4);
	if ((*word == '4' || *word == '6') && word[1] == ':')
		return *word == (x->family == CT_AF_INET ? '4' : '6') ? put_text(x, word + 2) : 0;
	if (isdigit((unsigned char)*word))
		return put_repeated(x, word);
	if (strcmp(word, "body") == 0)
		return put_body_length(x);
	if (strcmp(word, "end") == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		if (strlen(hosts[i]) == name && memcmp(hosts[i], word, name) == 0)
			return put_address(x, (enum flow_host)i, word + name);
	return -EINVAL;
}

static int put_placeholder(struct expansion *x)
{
	const char *close = strchr(x->at, '}');
	_cleanup_free_ char *word = close ? strndup(x->at, (size_t)(close - x->at)) : NULL;

	if (!word)
		return -EINVAL;
	x->at = close + 1;
	return put_named(x, word);
}

int flow_data_expand(const char *text, uint8_t family, uint16_t number, uint8_t *ret, size_t cap)
{
	struct expansion x = {
		.at = text, .family = family, .number = number, .ret = ret, .cap = cap};

	while (*x.at) {
		char c = *x.at++;
		int r;

		if (c == '\\')
			r = put_escape(&x);
		else if (c == '{')
			r = put_placeholder(&x);
		else
			r = put(&x, &c, 1);
		if (r < 0)
			return r;
	}
	return (int)x.n;
}
