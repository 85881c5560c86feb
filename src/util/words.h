/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Text that grows in a buffer of its caller and is cut where that ends. */

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct words {
	char *buf;
	size_t size, len;
};

static inline void __attribute__((format(printf, 2, 3)))
words_add(struct words *w, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(w->buf + w->len, w->size - w->len, format, ap);
	va_end(ap);
	if (n > 0)
		w->len += (size_t)n < w->size - w->len ? (size_t)n : w->size - w->len - 1;
}
