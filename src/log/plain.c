/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "log/plain.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

static bool controls(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

/* Bytes of the character that s begins with, by its first one; 0: none begins so. */
static size_t length(uint8_t first)
{
	if (first < 0x80)
		return 1;
	for (size_t n = 2; n <= 4; n++)
		if ((unsigned int)first >> (7 - n) == (1U << (n + 1)) - 2)
			return n;
	return 0;
}

/* Bytes of the character that s begins with; 0 if it is malformed or controls something. */
static size_t plain_length(const uint8_t *s)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = length(*s);
	uint32_t c = n > 1 ? *s & (0x7fU >> n) : *s;

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (n == 0 || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || controls(c))
		return 0;
	return n;
}

void plain_text(char *text, char instead)
{
	while (*text) {
		size_t n = plain_length((const uint8_t *)text);

		if (n == 0) {
			*text = instead;
			n = 1;
		}
		text += n;
	}
}

const char *plain_name(const char *name, char buf[static PLAIN_NAME_STRLEN])
{
	char *p = buf;

	for (size_t i = 0; i < PLAIN_NAME_MAX && name[i]; i++) {
		uint8_t c = (uint8_t)name[i];

		if (c > ' ' && c < 0x7f && c != '"' && c != '\\')
			*p++ = name[i];
		else
			p += snprintf(p, 5, "\\x%02x", c);
	}
	*p = '\0';
	return buf;
}
