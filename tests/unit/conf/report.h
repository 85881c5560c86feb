/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Collects the loader's messages, one per line, errors as "E ..." and warnings as "W ...". */

#include <stdio.h>
#include <string.h>
#include <syslog.h>

struct messages {
	char text[8192];
};

static inline void collect(void *ctx, int priority, const char *text)
{
	struct messages *m = ctx;
	size_t used = strlen(m->text);

	snprintf(m->text + used, sizeof(m->text) - used, "%c %s\n", priority == LOG_ERR ? 'E' : 'W',
		 text);
}
