/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MIN 4096

/* ---- memory ---- */

void ctl_writer_init(struct ctl_writer *w, size_t max)
{
	*w = (struct ctl_writer){.max = max};
}

void ctl_writer_done(struct ctl_writer *w)
{
	free(w->buf);
	*w = (struct ctl_writer){.max = w->max};
}

/* What is gone makes room. */
static void compact(struct ctl_writer *w)
{
	if (w->sent == 0)
		return;
	memmove(w->buf, w->buf + w->sent, w->len - w->sent);
	w->len -= w->sent;
	w->mark -= w->sent;
	w->sent = 0;
}

static bool grow(struct ctl_writer *w, size_t need)
{
	size_t size = w->size ? w->size : SIZE_MIN;
	char *buf;

	while (size < need)
		size *= 2;
	if (size > w->max)
		size = w->max;
	if (size < need)
		return false;
	buf = realloc(w->buf, size);
	if (!buf)
		return false;
	w->buf = buf;
	w->size = size;
	return true;
}

/* Room for so many more bytes; NULL: there is none, and the message has failed. */
static char *room(struct ctl_writer *w, size_t n)
{
	if (w->failed)
		return NULL;
	if (n > w->size - w->len)
		compact(w);
	if (n > w->size - w->len && !grow(w, w->len + n)) {
		w->failed = true;
		return NULL;
	}
	return w->buf + w->len;
}

static void put(struct ctl_writer *w, const char *bytes, size_t n)
{
	char *p = room(w, n);

	if (!p)
		return;
	memcpy(p, bytes, n);
	w->len += n;
}

size_t ctl_writer_waiting(const struct ctl_writer *w, const char **ret)
{
	*ret = w->buf ? w->buf + w->sent : NULL;
	return w->mark - w->sent;
}

/* An idle client keeps no memory. */
void ctl_writer_sent(struct ctl_writer *w, size_t n)
{
	w->sent += n;
	if (w->sent == w->len)
		ctl_writer_done(w);
}

/* ---- messages ---- */

void ctl_message_begin(struct ctl_writer *w)
{
	w->failed = false;
	w->comma = false;
	put(w, "{", 1);
}

void ctl_message_cancel(struct ctl_writer *w)
{
	w->len = w->mark;
	w->failed = false;
}

bool ctl_message_end(struct ctl_writer *w)
{
	put(w, "}", 2);
	if (w->failed) {
		ctl_message_cancel(w);
		return false;
	}
	w->mark = w->len;
	return true;
}

/* ---- values ---- */

/* Keys are our own: nothing in them has to be escaped. */
static void put_key(struct ctl_writer *w, const char *key)
{
	if (w->comma)
		put(w, ",", 1);
	w->comma = true;
	if (!key)
		return;
	put(w, "\"", 1);
	put(w, key, strlen(key));
	put(w, "\":", 2);
}

void ctl_open(struct ctl_writer *w, const char *key, char bracket)
{
	put_key(w, key);
	put(w, &bracket, 1);
	w->comma = false;
}

void ctl_close(struct ctl_writer *w, char bracket)
{
	put(w, &bracket, 1);
	w->comma = true;
}

/* Bytes of the well-formed UTF-8 sequence (RFC 3629) at p, 0: there is none. */
static size_t sequence(const unsigned char *p, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (len < n || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* One character that may need care. Returns how many bytes of the text it was. */
static size_t put_character(struct ctl_writer *w, const char *text, size_t len)
{
	size_t n = sequence((const unsigned char *)text, len);
	char escape[8];

	if (n == 0) {
		put(w, "?", 1);
		return 1;
	}
	if (*text == '"' || *text == '\\')
		put(w, "\\", 1);
	if (n > 1 || (unsigned char)*text >= 0x20) {
		put(w, text, n);
		return n;
	}
	snprintf(escape, sizeof(escape), "\\u%04x", (unsigned char)*text);
	put(w, escape, 6);
	return n;
}

static void put_quoted(struct ctl_writer *w, const char *text, size_t len)
{
	put(w, "\"", 1);
	while (len > 0 && !w->failed) {
		size_t n = 0;

		while (n < len && is_plain((unsigned char)text[n]))
			n++;
		put(w, text, n);
		if (n < len)
			n += put_character(w, text + n, len - n);
		text += n;
		len -= n;
	}
	put(w, "\"", 1);
}

void ctl_put_text(struct ctl_writer *w, const char *key, const char *text, size_t len)
{
	put_key(w, key);
	put_quoted(w, text, len);
}

void ctl_put_string(struct ctl_writer *w, const char *key, const char *text)
{
	ctl_put_text(w, key, text, strlen(text));
}

void ctl_put_int(struct ctl_writer *w, const char *key, int64_t value)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRId64, value);

	put_key(w, key);
	put(w, digits, (size_t)n);
}

void ctl_put_uint(struct ctl_writer *w, const char *key, uint64_t value)
{
	ctl_put_int(w, key, value < INT64_MAX ? (int64_t)value : INT64_MAX);
}

void ctl_put_bool(struct ctl_writer *w, const char *key, bool value)
{
	put_key(w, key);
	if (value)
		put(w, "true", 4);
	else
		put(w, "false", 5);
}

void ctl_put_id(struct ctl_writer *w, const char *key, uint64_t id)
{
	char digits[20];

	snprintf(digits, sizeof(digits), "%016" PRIx64, id);
	ctl_put_string(w, key, digits);
}

void ctl_put_words(struct ctl_writer *w, const char *key, const char *text, size_t len, char by)
{
	ctl_open(w, key, '[');
	while (len > 0) {
		const char *end = memchr(text, by, len);
		size_t n = end ? (size_t)(end - text) : len;

		ctl_put_text(w, NULL, text, n);
		n += end ? 1 : 0;
		text += n;
		len -= n;
	}
	ctl_close(w, ']');
}
