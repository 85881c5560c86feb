/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Operational messages come from the main thread, which feeds the watchdog and takes the signals:
 * it must not hang in the journal. sd_journal_sendv() blocks for as long as journald does not
 * read, so the record goes to journald's socket from here, with a wait that is bounded; no value
 * contains a line break, so each field is one line. If the journal does not take it, stderr gets
 * it, and only if that does not block.
 */

#include "log/oplog.h"

#include "log/plain.h"
#include "util/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define OPLOG_TEXT_MAX 1024
#define PATIENCE_MS    100

/* Whether stderr is the stream that the service manager connected to the journal. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uint64_t dev, ino;
	struct stat st;

	/* NOLINTNEXTLINE(cert-err34-c): the service manager wrote it */
	return stream && sscanf(stream, "%" SCNu64 ":%" SCNu64, &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

void oplog_init(struct oplog *log, enum log_target target, int level)
{
	bool journal = stderr_is_journal();

	if (target == LOG_TARGET_AUTO)
		target = journal ? LOG_TARGET_JOURNAL : LOG_TARGET_CONSOLE;
	*log = (struct oplog){
		.target = target,
		.level = level,
		/* service managers take the priority from there, whatever they do with the line */
		.prefix = journal || (getenv("INVOCATION_ID") && !isatty(STDERR_FILENO)),
	};
}

/* Sends one datagram, waiting at most PATIENCE_MS for journald to make room for it. */
static int send_patiently(int fd, const struct msghdr *m)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	for (bool waited = false;; waited = true) {
		if (sendmsg(fd, m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EAGAIN || waited)
			return -errno;
		if (poll(&p, 1, PATIENCE_MS) <= 0)
			return -EAGAIN;
	}
}

static int send_to_journal(const struct fields *f)
{
	const struct sockaddr_un journal = {.sun_family = AF_UNIX,
					    .sun_path = "/run/systemd/journal/socket"};
	struct iovec iov[2 * FIELD_MAX];
	char newline[] = "\n";
	struct msghdr m = {.msg_iov = iov};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* connected, because only then poll() tells whether the other side has room */
	if (fd < 0 || connect(fd, (const struct sockaddr *)&journal, sizeof(journal)) < 0)
		return -errno;
	for (unsigned int i = 0; i < f->n; i++) {
		iov[m.msg_iovlen++] = f->iov[i];
		iov[m.msg_iovlen++] = (struct iovec){.iov_base = newline, .iov_len = 1};
	}
	return send_patiently(fd, &m);
}

static void send_to_stderr(const struct oplog *log, int priority, const char *text)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[OPLOG_TEXT_MAX + 16];
	int len;

	if (log->prefix)
		len = snprintf(line, sizeof(line), "<%d>%s\n", priority, text);
	else
		len = snprintf(line, sizeof(line), "ctmarkd: %s\n", text);
	if (poll(&p, 1, 0) == 1 && p.revents == POLLOUT)
		(void)!write(STDERR_FILENO, line, (size_t)len);
}

/* A message on its way out. */
struct message {
	int priority, err;
	const char *id;
	const struct oplog_field *fields;
	size_t nfields;
};

static void send_message(const struct oplog *log, const struct message *m, const char *text)
{
	struct fields f;

	if (log->target == LOG_TARGET_JOURNAL) {
		fields_init(&f, m->id, m->priority, msgid_name(m->id));
		fields_add(&f, FIELD_MESSAGE, "%s", text);
		if (m->err)
			fields_add(&f, FIELD_ERRNO, "%d", m->err);
		for (size_t i = 0; i < m->nfields; i++)
			if (*m->fields[i].value)
				fields_add(&f, m->fields[i].id, "%s", m->fields[i].value);
		if (send_to_journal(&f) == 0)
			return;
	}
	send_to_stderr(log, m->priority, text);
}

static void __attribute__((format(printf, 3, 0)))
write_message(const struct oplog *log, const struct message *m, const char *format, va_list ap)
{
	bool silent = log->target == LOG_TARGET_NONE && m->priority > LOG_WARNING;
	char text[OPLOG_TEXT_MAX];
	size_t len;

	if ((m->priority > log->level || silent) && !log->also)
		return;
	vsnprintf(text, sizeof(text), format, ap);
	len = strlen(text);
	if (m->err)
		snprintf(text + len, sizeof(text) - len, ": %s", strerror(m->err));
	plain_text(text, ' ');
	if (log->also)
		log->also(log->also_ctx, m->priority, text);
	if (m->priority > log->level || silent)
		return;
	send_message(log, m, text);
}

int oplog(const struct oplog *log, int priority, int err, const char *id, const char *format, ...)
{
	const struct message m = {.priority = priority, .err = err, .id = id};
	va_list ap;

	va_start(ap, format);
	write_message(log, &m, format, ap);
	va_end(ap);
	return -err;
}

void oplog_with(const struct oplog *log, int priority, const char *id,
		const struct oplog_field *fields, size_t n, const char *format, ...)
{
	const struct message m = {.priority = priority, .id = id, .fields = fields, .nfields = n};
	va_list ap;

	va_start(ap, format);
	write_message(log, &m, format, ap);
	va_end(ap);
}
