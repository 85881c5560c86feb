/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/server.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ctl/asking.h"
#include "ctl/client.h"
#include "ctl/mailbox.h"
#include "ctl/stream.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/thread.h"

#define NICENESS    10 /* behind packets, like the log */
#define ACCEPT_USEC UINT64_C(1000000)

struct ctl_server {
	struct ctl_parts parts;
	sd_event *event;
	sd_event_source *accept, *accept_again;
	struct ctl_asking *asking; /* NULL: there is no mailbox */
	int stop_fd;
	uint64_t next_id;
	size_t nclients;
	struct ctl_client *clients[CTL_CLIENTS_MAX];
	/* readable by all */
	_Atomic unsigned int connected;
	_Atomic uint64_t lost;
	/* between the threads */
	pthread_mutex_t lock;
	struct ct_config config;
	/* the main thread's */
	pthread_t id;
	bool running;
	sem_t done;
};

const struct ctl_parts *ctl_server_parts(const struct ctl_server *s)
{
	return &s->parts;
}

uid_t ctl_server_owner(const struct ctl_server *s)
{
	return s->parts.owner;
}

sd_event *ctl_server_event(const struct ctl_server *s)
{
	return s->event;
}

unsigned int ctl_server_clients(const struct ctl_server *s)
{
	return atomic_load_explicit(&s->connected, memory_order_relaxed);
}

uint64_t ctl_server_lost(const struct ctl_server *s)
{
	return atomic_load_explicit(&s->lost, memory_order_relaxed);
}

void ctl_server_count_lost(struct ctl_server *s, uint64_t n)
{
	atomic_fetch_add_explicit(&s->lost, n, memory_order_relaxed);
}

void ctl_server_configure(struct ctl_server *s, const struct ct_config *cfg)
{
	pthread_mutex_lock(&s->lock);
	s->config = *cfg;
	pthread_mutex_unlock(&s->lock);
}

void ctl_server_get_config(struct ctl_server *s, struct ct_config *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->config;
	pthread_mutex_unlock(&s->lock);
}

/* ---- clients ---- */

static void count_clients(struct ctl_server *s, size_t n)
{
	s->nclients = n;
	atomic_store_explicit(&s->connected, (unsigned int)n, memory_order_relaxed);
}

struct ctl_client *ctl_server_client(const struct ctl_server *s, uint64_t id)
{
	for (size_t i = 0; i < s->nclients; i++)
		if (ctl_client_id(s->clients[i]) == id)
			return s->clients[i];
	return NULL;
}

void ctl_server_forget(struct ctl_server *s, struct ctl_client *c)
{
	for (size_t i = 0; i < s->nclients; i++) {
		if (s->clients[i] != c)
			continue;
		s->clients[i] = s->clients[s->nclients - 1];
		count_clients(s, s->nclients - 1);
		break;
	}
	ctl_client_free(c);
}

/* Nobody but root can take the last places. */
static bool has_place(const struct ctl_server *s, uid_t uid)
{
	size_t same = 0, others = 0;

	for (size_t i = 0; i < s->nclients; i++) {
		same += ctl_client_uid(s->clients[i]) == uid;
		others += ctl_client_uid(s->clients[i]) != 0;
	}
	if (s->nclients == CTL_CLIENTS_MAX)
		return false;
	return uid == 0 || (same < CTL_CLIENTS_PER_USER && others < CTL_CLIENTS_OTHERS);
}

static void refuse(int fd)
{
	static const char busy[] = "{\"error\":\"" CTL_ERROR("Busy") "\",\"parameters\":{}}";

	(void)send(fd, busy, sizeof(busy), MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

int ctl_server_add(struct ctl_server *s, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct ctl_client *c;
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	if (!has_place(s, peer.uid)) {
		refuse(fd);
		return -EBUSY;
	}
	r = ctl_client_new(&c, s, fd, ++s->next_id);
	if (r < 0)
		return r;
	s->clients[s->nclients] = c;
	count_clients(s, s->nclients + 1);
	return 0;
}

/* Without descriptors or memory the next attempt has to wait: the socket stays readable. */
static int on_accept(sd_event_source *source, int listen_fd, uint32_t revents, void *userdata)
{
	struct ctl_server *s = userdata;
	/* cppcheck-suppress nullPointer ; nobody asks for the address */
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0) {
		(void)ctl_server_add(s, fd);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		(void)sd_event_source_set_enabled(s->accept, SD_EVENT_OFF);
		(void)sd_event_source_set_time_relative(s->accept_again, ACCEPT_USEC);
		(void)sd_event_source_set_enabled(s->accept_again, SD_EVENT_ONESHOT);
	}
	return 0;
}

static int on_accept_again(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct ctl_server *s = userdata;

	(void)sd_event_source_set_enabled(s->accept, SD_EVENT_ON);
	return 0;
}

/* ---- the main thread's answers ---- */

bool ctl_server_ask(struct ctl_server *s, struct ctl_letter *l)
{
	if (!s->asking)
		return false;
	ctl_asking_put(s->asking, l);
	return true;
}

static void deliver(struct ctl_server *s, const struct ctl_letter *l)
{
	struct ctl_client *c = ctl_server_client(s, l->client);
	struct ctl_call *call = c ? ctl_client_call(c) : NULL;

	if (!call || call->id != l->call || !call->answered)
		return;
	call->answered(call, l);
	ctl_client_touched(c);
}

static int on_letters(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct ctl_server *s = userdata;
	struct ctl_letter *l = ctl_mailbox_take(s->parts.mailbox, CTL_TO_CONTROL);

	while (l) {
		struct ctl_letter *next = l->next;

		ctl_asking_answered(s->asking, l);
		deliver(s, l);
		ctl_letter_free(l);
		l = next;
	}
	return 0;
}

/* ---- the thread ---- */

static int on_stop(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct ctl_server *s = userdata;

	return sd_event_exit(s->event, 0);
}

/* As urgent as what clients ask for, and in turn with that: a flood of them stops nobody's work. */
static int add_listen(struct ctl_server *s)
{
	int r;

	if (s->parts.listen_fd < 0)
		return 0;
	r = sd_event_add_io(s->event, &s->accept, s->parts.listen_fd, EPOLLIN, on_accept, s);
	if (r >= 0)
		r = sd_event_source_set_priority(s->accept, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_add_time_relative(s->event, &s->accept_again, CLOCK_MONOTONIC,
					       ACCEPT_USEC, 0, on_accept_again, s);
	if (r >= 0)
		r = sd_event_source_set_enabled(s->accept_again, SD_EVENT_OFF);
	return r;
}

static int add_mailbox(struct ctl_server *s)
{
	int r = ctl_asking_new(&s->asking, s);

	if (r < 0)
		return r;
	return sd_event_add_io(s->event, NULL, ctl_mailbox_fd(s->parts.mailbox, CTL_TO_CONTROL),
			       EPOLLIN, on_letters, s);
}

static int add_sources(struct ctl_server *s)
{
	int r;

	r = sd_event_new(&s->event);
	if (r >= 0)
		r = sd_event_add_io(s->event, NULL, s->stop_fd, EPOLLIN, on_stop, s);
	if (r >= 0 && s->parts.mailbox)
		r = add_mailbox(s);
	if (r >= 0)
		r = add_listen(s);
	if (r >= 0 && s->parts.stream)
		r = ctl_stream_attach(s->parts.stream, s);
	return r < 0 ? r : 0;
}

int ctl_server_new(struct ctl_server **ret, const struct ctl_parts *parts)
{
	struct ctl_server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->parts = *parts;
	pthread_mutex_init(&s->lock, NULL);
	sem_init(&s->done, 0, 0);
	s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = s->stop_fd < 0 ? -errno : add_sources(s);
	if (r < 0) {
		ctl_server_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct ctl_server *ctl_server_free(struct ctl_server *s)
{
	if (!s)
		return NULL;
	while (s->nclients > 0)
		ctl_server_forget(s, s->clients[0]);
	if (s->parts.stream)
		ctl_stream_detach(s->parts.stream);
	ctl_asking_free(s->asking);
	sd_event_source_disable_unref(s->accept);
	sd_event_source_disable_unref(s->accept_again);
	sd_event_unref(s->event);
	sem_destroy(&s->done);
	pthread_mutex_destroy(&s->lock);
	cleanup_close(&s->stop_fd);
	free(s);
	return NULL;
}

static void *server_main(void *arg)
{
	struct ctl_server *s = arg;

	(void)setpriority(PRIO_PROCESS, 0, NICENESS); /* of this thread, in Linux */
	(void)sd_event_loop(s->event);
	sem_post(&s->done);
	return NULL;
}

int ctl_server_start(struct ctl_server *s)
{
	int r = thread_start(&s->id, NULL, server_main, s);

	if (r < 0)
		return r;
	pthread_setname_np(s->id, "control");
	s->running = true;
	return 0;
}

bool ctl_server_stop(struct ctl_server *s, int timeout_ms)
{
	struct timespec until =
		clock_to_timespec(clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS);
	int r;

	if (!s->running)
		return true;
	(void)eventfd_write(s->stop_fd, 1);
	do
		r = sem_clockwait(&s->done, CLOCK_MONOTONIC, &until);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return false;
	pthread_join(s->id, NULL);
	s->running = false;
	return true;
}
