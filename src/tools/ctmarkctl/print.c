/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/plain.h"
#include "util/cleanup.h"

/* A piece without lines and tabs. */
static void print_piece(const char *text, size_t len)
{
	_cleanup_free_ char *copy = strndup(text, len);

	if (!copy)
		return;
	plain_text(copy, '?');
	fputs(copy, stdout);
}

void print_text(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n\t");

		print_piece(text, len);
		text += len;
		if (*text)
			putchar(*text++);
	}
}
