/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/history.h"
#include "ctl/mailbox.h"
#include "ctl/server.h"
#include "ctl/stream.h"
#include "daemon/daemon.h"
#include "daemon/status.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define STOP_MS 3000 /* where CPUs are short; it comes at once otherwise */
/* Packets without a flow that are kept of each queue. */
#define STRAYS 256

/* ---- what is asked of the main thread ---- */

static void record(const struct daemon *d, const struct ctl_letter *l, const char *result)
{
	char uid[16], pid[16];
	const struct oplog_field fields[] = {
		{FIELD_METHOD, l->method}, {FIELD_UID, uid}, {FIELD_PID, pid}};

	snprintf(uid, sizeof(uid), "%u", l->uid);
	snprintf(pid, sizeof(pid), "%d", l->pid);
	oplog_with(&d->oplog, LOG_NOTICE, MSGID_CONTROL, fields, ARRAY_SIZE(fields),
		   "%s for user %s (process %s): %s", l->method, uid, pid, result);
}

static void record_deleted(const struct daemon *d, const struct ctl_letter *l)
{
	char n[STATUS_NUMBER_STRLEN], result[STATUS_NUMBER_STRLEN + 32];

	snprintf(result, sizeof(result), "%s flow%s ended", status_number(l->deleted, n),
		 l->deleted == 1 ? "" : "s");
	record(d, l, result);
}

static void collect(void *ctx, int priority, const char *text)
{
	if (priority <= LOG_WARNING)
		ctl_letter_message(ctx, text);
}

static void answer_reload(struct daemon *d, struct ctl_letter *l)
{
	l->error = daemon_reload(d, collect, l);
	(void)conf_restart_keys(&d->started, &d->conf->conf, l->restart_needed,
				sizeof(l->restart_needed));
	record(d, l, l->error ? "refused, the configuration is bad" : "done");
}

static void answer_level(struct daemon *d, struct ctl_letter *l)
{
	char result[64];

	l->error = daemon_set_log_level(d, l->level);
	snprintf(result, sizeof(result), "messages up to %s, until the next reload",
		 conf_level_name(l->level));
	record(d, l, result);
}

static void answer(struct daemon *d, struct ctl_letter *l)
{
	switch (l->ask) {
	case CTL_ASK_SNAPSHOT:
		l->snapshot = control_snapshot(d);
		break;
	case CTL_ASK_SETTINGS:
		if (daemon_settings_each(d, ctl_letter_setting, l) < 0)
			l->error = -ENOMEM;
		break;
	case CTL_ASK_RELOAD:
		answer_reload(d, l);
		break;
	case CTL_ASK_LEVEL:
		answer_level(d, l);
		break;
	case CTL_ASK_TOLD:
		record_deleted(d, l);
		break;
	case CTL_ASK_MAX:
		break;
	}
}

/* Those that only tell something want no answer. */
static void answer_all(struct daemon *d)
{
	struct ctl_letter *l = ctl_mailbox_take(d->control.mailbox, CTL_TO_MAIN);

	while (l) {
		struct ctl_letter *next = l->next;

		answer(d, l);
		if (l->ask == CTL_ASK_TOLD)
			ctl_letter_free(l);
		else
			ctl_mailbox_put(d->control.mailbox, CTL_TO_CONTROL, l);
		l = next;
	}
}

static int on_letters(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	answer_all(userdata);
	return 0;
}

/* ---- life ---- */

static void make_history(struct daemon *d)
{
	const struct ct_history_params params = {
		.slots = ct_max_flows(d->ct),
		.depth = d->started.history,
		.strays = STRAYS,
	};
	struct control *c = &d->control;

	if (params.depth == 0)
		return;
	c->history_size = ct_history_size(&params);
	c->history_memory = mmap(NULL, c->history_size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (c->history_memory == MAP_FAILED) {
		c->history_memory = NULL;
		oplog(&d->oplog, LOG_WARNING, errno, MSGID_CONTROL_ERROR,
		      "History=: no memory, nothing is kept of what flows go through");
		return;
	}
	/* as the table: too much for a core, and no help in it */
	(void)madvise(c->history_memory, c->history_size, MADV_DONTDUMP);
	c->history = ct_history_init(c->history_memory, &params);
}

/* Its counters go on in the next process, as those of workers do. */
static int make_thread(struct daemon *d)
{
	struct control *c = &d->control;

	if (d->posts[0].seat.worker)
		c->thread = &d->posts[0].seat.worker->control;
	else
		c->thread = c->private = calloc(1, sizeof(*c->private));
	if (!c->thread)
		return -ENOMEM;
	worker_begin_thread(c->thread, d->ct, UINT32_MAX, (uint32_t)d->nqueues);
	c->thread->trace = (struct ct_trace){};
	return 0;
}

int control_setup(struct daemon *d)
{
	int r;

	r = make_thread(d);
	if (r < 0)
		return r;
	make_history(d);
	return ctl_stream_new(&d->control.stream, d->nqueues + 2);
}

static int serve(struct daemon *d)
{
	struct control *c = &d->control;
	struct ctl_parts parts = {
		.listen_fd = c->socket.fd,
		.owner = geteuid(),
		.ct = d->ct,
		.thread = c->thread,
		.history = c->history,
		.log = d->log,
		.ring = CONTROL_RING(d),
		.names = d->names,
		.stream = c->stream,
	};
	int r;

	r = ctl_mailbox_new(&c->mailbox);
	if (r < 0)
		return r;
	parts.mailbox = c->mailbox;
	r = ctl_server_new(&c->server, &parts);
	if (r < 0)
		return r;
	control_configure(d);
	r = sd_event_add_io(d->event, NULL, ctl_mailbox_fd(c->mailbox, CTL_TO_MAIN), EPOLLIN,
			    on_letters, d);
	return r < 0 ? r : ctl_server_start(c->server);
}

void control_start(struct daemon *d)
{
	struct control *c = &d->control;
	int r;

	control_socket_open(&c->socket, &d->store, d->started.control_socket, &d->oplog);
	if (c->socket.fd < 0)
		return;
	r = serve(d);
	if (r == 0)
		return;
	oplog(&d->oplog, LOG_WARNING, -r, MSGID_CONTROL_ERROR,
	      "Packets are tracked, but there is no control service");
	c->server = ctl_server_free(c->server);
	control_socket_close(&c->socket);
}

void control_configure(struct daemon *d)
{
	if (d->control.server)
		ctl_server_configure(d->control.server, &d->conf->conf.track);
}

bool control_stop(struct daemon *d)
{
	struct control *c = &d->control;

	if (c->server && !ctl_server_stop(c->server, STOP_MS)) {
		oplog(&d->oplog, LOG_ERR, 0, MSGID_CONTROL_ERROR,
		      "The control thread does not come back");
		return false;
	}
	c->server = ctl_server_free(c->server);
	if (c->mailbox) /* what was done meanwhile has its record */
		answer_all(d);
	control_socket_close(&c->socket);
	return true;
}

void control_done(struct control *c)
{
	ctl_server_free(c->server);
	ctl_mailbox_free(c->mailbox);
	ctl_stream_free(c->stream);
	control_socket_close(&c->socket);
	if (c->history_memory)
		munmap(c->history_memory, c->history_size);
	free(c->private);
	*c = (struct control){.socket.fd = -1};
}
