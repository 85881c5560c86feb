/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Operational messages: start, reload, queue trouble, errors. Never called on the packet path.
 *
 * To the journal with MESSAGE_ID and CTMARK_* fields, or to stderr: plain on a terminal, with a
 * <N> priority prefix under a service manager that is not the journal.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

#include "log/fields.h"
#include "log/msgid.h"

enum log_target { LOG_TARGET_AUTO, LOG_TARGET_JOURNAL, LOG_TARGET_CONSOLE, LOG_TARGET_NONE };

struct oplog {
	enum log_target target; /* resolved: never AUTO */
	int level;		/* highest syslog priority that is written */
	bool prefix;		/* console lines start with <N> */
	/* is told of each message, too, whatever its priority; NULL: nobody is */
	void (*also)(void *ctx, int priority, const char *text);
	void *also_ctx;
};

/*
 * AUTO becomes JOURNAL if stderr is connected to the journal ($JOURNAL_STREAM names it), else
 * CONSOLE. NONE silences transitions, but operational errors and warnings still go to stderr.
 */
void oplog_init(struct oplog *log, enum log_target target, int level);

/*
 * Writes one message. err is a positive errno whose text is appended as ": reason", or 0. id is
 * one of log/msgid.h or NULL. Returns -err, so that a caller can write `return oplog(...)`.
 */
int oplog(const struct oplog *log, int priority, int err, const char *id, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* What a program wants to read without taking the sentence apart. */
struct oplog_field {
	enum field id;
	const char *value; /* "": left out */
};

/* The same with n fields of its own; stderr gets the sentence only. */
void oplog_with(const struct oplog *log, int priority, const char *id,
		const struct oplog_field *fields, size_t n, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
