/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Text in a buffer (util/words.h), for what is written for each packet: without a format to be
 * read. What does not fit is cut off.
 */

#include <stdint.h>
#include <string.h>

#include "core/tuple.h"
#include "util/words.h"

void line_bytes(struct words *w, const char *bytes, size_t len);

static inline void line_text(struct words *w, const char *text)
{
	line_bytes(w, text, strlen(text));
}

static inline void line_char(struct words *w, char c)
{
	if (w->size - w->len < 2)
		return;
	w->buf[w->len++] = c;
	w->buf[w->len] = '\0';
}

void line_number(struct words *w, uint64_t n);
/* "0x1f" */
void line_hex(struct words *w, uint64_t n);
/* At least so many digits, zeros in front. */
void line_digits(struct words *w, uint64_t n, unsigned int digits);

/* " name=n", the space and the name as given: line_value(w, " seq=", 1). */
void line_value(struct words *w, const char *name, uint64_t n);

/* An address, with brackets round one of IPv6 if a port is to follow. */
void line_address(struct words *w, uint8_t family, const union ct_addr *addr);
void line_endpoint(struct words *w, uint8_t family, const union ct_addr *addr, uint16_t port);
