/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/line.h"

#include <arpa/inet.h>

#define NUMBER_STRLEN 20

void line_bytes(struct words *w, const char *bytes, size_t len)
{
	size_t room = w->size - w->len - 1;

	if (len > room)
		len = room;
	memcpy(w->buf + w->len, bytes, len);
	w->len += len;
	w->buf[w->len] = '\0';
}

static void in_base(struct words *w, uint64_t n, unsigned int base, unsigned int digits)
{
	char buf[NUMBER_STRLEN], *p = buf + sizeof(buf);

	do {
		*--p = "0123456789abcdef"[n % base];
		n /= base;
	} while (p > buf && (n || (size_t)(buf + sizeof(buf) - p) < digits));
	line_bytes(w, p, (size_t)(buf + sizeof(buf) - p));
}

void line_number(struct words *w, uint64_t n)
{
	in_base(w, n, 10, 1);
}

void line_hex(struct words *w, uint64_t n)
{
	line_bytes(w, "0x", 2);
	in_base(w, n, 16, 1);
}

void line_digits(struct words *w, uint64_t n, unsigned int digits)
{
	in_base(w, n, 10, digits);
}

void line_value(struct words *w, const char *name, uint64_t n)
{
	line_text(w, name);
	line_number(w, n);
}

void line_address(struct words *w, uint8_t family, const union ct_addr *addr)
{
	char str[INET6_ADDRSTRLEN];

	if (family == CT_AF_INET) {
		for (int i = 0; i < 4; i++) {
			if (i)
				line_char(w, '.');
			line_number(w, addr->b[i]);
		}
	} else if (inet_ntop(AF_INET6, addr->b, str, sizeof(str))) {
		line_text(w, str);
	}
}

void line_endpoint(struct words *w, uint8_t family, const union ct_addr *addr, uint16_t port)
{
	if (family == CT_AF_INET6)
		line_char(w, '[');
	line_address(w, family, addr);
	if (family == CT_AF_INET6)
		line_char(w, ']');
	line_char(w, ':');
	line_number(w, port);
}
