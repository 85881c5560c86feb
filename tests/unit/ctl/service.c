/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/ctl/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/view.h"
#include "tests/unit/core/packet.h"
#include "tests/unit/ctl/sample.h"
#include "util/clock.h"

#define IDLE_ROUNDS 3

static void *zeroed(size_t size)
{
	void *p = NULL;

	if (posix_memalign(&p, 4096, size) != 0)
		abort();
	return memset(p, 0, size);
}

static void make_engine(struct service *s)
{
	static const uint8_t key[16] = {1, 2, 3};
	const struct ct_params params = {
		.max_flows = SERVICE_FLOWS, .max_expect = 16, .key = key, .id_salt = 7};
	const struct ct_history_params history = {.slots = SERVICE_FLOWS, .depth = 4, .strays = 32};

	s->arena = zeroed(ct_arena_size(&params));
	s->ct = ct_new(s->arena, ct_arena_size(&params), &params);
	ct_config_init(&s->cfg);
	s->worker = (struct ct_thread){.ct = s->ct, .cfg = &s->cfg};
	s->control = (struct ct_thread){.ct = s->ct, .share = UINT32_MAX, .shares = 1};
	s->memory = zeroed(ct_history_size(&history));
	s->history = ct_history_init(s->memory, &history);
}

void service_init(struct service *s)
{
	service_init_with(s, -1, 0);
}

void service_init_with(struct service *s, int listen_fd, uint64_t stall_usec)
{
	struct ctl_parts parts;

	*s = (struct service){.now_ns = clock_now_ns()};
	make_engine(s);
	if (ctl_stream_new(&s->stream, SERVICE_RINGS) < 0 || ctl_mailbox_new(&s->mailbox) < 0)
		abort();
	parts = (struct ctl_parts){
		.listen_fd = listen_fd,
		.owner = geteuid(),
		.ct = s->ct,
		.thread = &s->control,
		.history = s->history,
		.ring = 1,
		.stream = s->stream,
		.mailbox = s->mailbox,
		.stall_usec = stall_usec,
	};
	if (ctl_server_new(&s->server, &parts) < 0)
		abort();
	ctl_server_configure(s->server, &s->cfg);
}

void service_done(struct service *s)
{
	ctl_server_free(s->server);
	ctl_mailbox_free(s->mailbox);
	ctl_stream_free(s->stream);
	ct_free(s->ct);
	free(s->memory);
	free(s->arena);
}

void service_track(struct service *s, const struct pk *p)
{
	struct ct_input in = pk_input(p, clock_now_ns());
	struct ct_result res;

	ct_track(&s->worker, &in, &res);
	for (unsigned int i = 0; i < res.nevents; i++) {
		const struct ct_event *ev = &res.events[i];

		ctl_stream_push(s->stream, 0, ev);
		ct_history_note(s->history, ct_flow_slot(s->ct, ev->flow), ev);
	}
}

void service_fill(struct service *s, unsigned int n)
{
	struct pk p;

	for (unsigned int i = 0; i < n; i++) {
		pk_udp(&p, CT_AF_INET, 1, 2, (uint16_t)(1000 + i), 53);
		service_track(s, &p);
	}
	pk_tcp(&p, CT_AF_INET, 1, 2, 7, 8, PK_RST, 1, 1); /* belongs to nothing */
	service_track(s, &p);
}

void service_push(struct service *s, enum ct_event_type type, uint64_t flow)
{
	const struct ct_event ev = {.type = (uint8_t)type,
				    .flow = flow,
				    .time_ns = clock_now_ns(),
				    .hook = CT_HOOK_NONE,
				    .orig = {.family = CT_AF_INET, .proto = 17},
				    .has_tuple = true};

	ctl_stream_push(s->stream, 0, &ev);
}

static bool answer_letters(struct service *s)
{
	struct ctl_letter *l = s->silent ? NULL : ctl_mailbox_take(s->mailbox, CTL_TO_MAIN);
	bool any = l;

	while (l) {
		struct ctl_letter *next = l->next;

		if (l->ask == CTL_ASK_TOLD) {
			s->told++;
			s->deleted = l->deleted;
			ctl_letter_free(l);
		} else {
			if (l->ask == CTL_ASK_SNAPSHOT)
				l->snapshot = sample_snapshot(true);
			l->took_ns = s->took_ns;
			s->answered++;
			ctl_mailbox_put(s->mailbox, CTL_TO_CONTROL, l);
		}
		l = next;
	}
	return any;
}

void service_run(struct service *s)
{
	for (int idle = 0; idle < IDLE_ROUNDS;) {
		bool any = sd_event_run(ctl_server_event(s->server), 0) > 0;

		idle = answer_letters(s) || any ? 0 : idle + 1;
	}
}

int service_connect(struct service *s)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		abort();
	(void)ctl_server_add(s->server, fds[0]);
	return fds[1];
}

size_t service_send(int fd, const void *bytes, size_t len)
{
	ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

void service_ask(int fd, const char *text)
{
	(void)service_send(fd, text, strlen(text) + 1);
}

static json_t *take(struct inbox *in)
{
	char *nul = memchr(in->buf, '\0', in->len);
	size_t len = nul ? (size_t)(nul - in->buf) + 1 : 0;
	json_t *message;

	if (!nul)
		return NULL;
	message = json_loads(in->buf, JSON_REJECT_DUPLICATES, NULL);
	if (!message) /* a service may not send such */
		abort();
	memmove(in->buf, in->buf + len, in->len - len);
	in->len -= len;
	return message;
}

json_t *service_next(struct service *s, int fd, struct inbox *in)
{
	json_t *message;
	ssize_t n;

	for (;;) {
		message = take(in);
		if (message || in->closed)
			return message;
		service_run(s);
		n = recv(fd, in->buf + in->len, sizeof(in->buf) - in->len, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return NULL;
		if (n <= 0)
			in->closed = true;
		else
			in->len += (size_t)n;
	}
}
