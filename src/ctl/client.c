/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/method.h"
#include "ctl/server.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define READ_MIN	    4096
#define STALL_ACCURACY_USEC UINT64_C(100000)

struct ctl_client {
	struct ctl_server *server;
	uint64_t id, calls;
	int fd;
	uid_t uid;
	pid_t pid;
	sd_event_source *io, *work, *stall;

	/* requests: what was read and not begun */
	char *in;
	size_t in_len, in_size;
	size_t in_seen; /* so far there is no NUL */
	bool eof;	/* the client sends nothing more */
	bool gone;	/* nobody reads any more; what was sent before is still done */
	bool broken;	/* the connection is over */

	struct ctl_writer out;
	struct ctl_call *call;
};

uint64_t ctl_client_id(const struct ctl_client *c)
{
	return c->id;
}

uid_t ctl_client_uid(const struct ctl_client *c)
{
	return c->uid;
}

pid_t ctl_client_pid(const struct ctl_client *c)
{
	return c->pid;
}

struct ctl_call *ctl_client_call(struct ctl_client *c)
{
	return c->call;
}

size_t ctl_client_waiting(const struct ctl_client *c)
{
	const char *bytes;

	return ctl_writer_waiting(&c->out, &bytes);
}

/* ---- calls ---- */

static json_t *drop(json_t *json)
{
	json_decref(json);
	return NULL;
}

static struct ctl_call *free_call(struct ctl_call *call)
{
	if (!call)
		return NULL;
	if (call->free)
		call->free(call->state);
	json_decref(call->params);
	free(call);
	return NULL;
}

/* "method": "INTERFACE.NAME" and the rest of a request. False: it is none. */
static bool read_request(struct ctl_call *call, json_t *message, const char **ret_method)
{
	json_t *method = json_object_get(message, "method");
	json_t *params = json_object_get(message, "parameters");

	if (!json_is_string(method) || (params && !json_is_object(params) && !json_is_null(params)))
		return false;
	*ret_method = json_string_value(method);
	call->params = json_is_object(params) ? json_incref(params) : json_object();
	call->more = json_is_true(json_object_get(message, "more"));
	call->oneway = json_is_true(json_object_get(message, "oneway"));
	return call->params;
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	while (*words) {
		size_t n = strcspn(words, " ");

		if (n == len && memcmp(words, word, n) == 0)
			return true;
		words += n;
		words += strspn(words, " ");
	}
	return false;
}

static const char *unknown_parameter(const struct ctl_call *call)
{
	const char *key;
	json_t *value;

	json_object_foreach(call->params, key,
			    value) if (!has_word(call->method->parameters, key)) return key;
	return NULL;
}

static bool may_change(const struct ctl_client *c)
{
	return c->uid == 0 || c->uid == ctl_server_owner(c->server);
}

static void start_call(struct ctl_call *call, bool upgrade)
{
	const struct ctl_method *method = call->method;
	const char *unknown = unknown_parameter(call);

	if (upgrade) /* there is no other protocol */
		ctl_bad_param(call, "upgrade");
	else if (unknown)
		ctl_bad_param(call, unknown);
	else if (method->flags & CTL_CHANGES && !may_change(call->client))
		ctl_error(call, CTL_SERVICE_ERROR("PermissionDenied"), NULL);
	else if (method->flags & CTL_STREAMS && !call->more)
		ctl_error(call, CTL_SERVICE_ERROR("ExpectedMore"), NULL);
	else
		method->start(call);
	call->params = drop(call->params); /* whoever goes on has read them */
}

static void find_method(struct ctl_call *call, const char *name, bool upgrade)
{
	const char *dot = strrchr(name, '.');
	size_t len = dot ? (size_t)(dot - name) : 0;
	char interface[64] = "";

	if (len < sizeof(interface))
		memcpy(interface, name, len);
	call->method = ctl_method_find(name);
	if (call->method)
		start_call(call, upgrade);
	else if (dot && ctl_interface_text(interface))
		ctl_error(call, CTL_SERVICE_ERROR("MethodNotFound"), "method", name, NULL);
	else
		ctl_error(call, CTL_SERVICE_ERROR("InterfaceNotFound"), "interface",
			  len < sizeof(interface) ? interface : name, NULL);
}

/* What cannot be understood has no answer. */
static void begin_call(struct ctl_client *c, const char *text, size_t len)
{
	json_t *message = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	struct ctl_call *call = calloc(1, sizeof(*call));
	const char *method;

	if (call && message && read_request(call, message, &method)) {
		call->client = c;
		call->server = c->server;
		call->id = ++c->calls;
		c->call = call;
		find_method(call, method, json_is_true(json_object_get(message, "upgrade")));
	} else {
		free_call(call);
		c->broken = true;
	}
	json_decref(message);
}

/* ---- in ---- */

/* The first request, complete with its NUL; 0: there is none yet. */
static size_t request_len(struct ctl_client *c)
{
	const char *nul = NULL;

	if (c->in_len > c->in_seen)
		nul = memchr(c->in + c->in_seen, '\0', c->in_len - c->in_seen);
	c->in_seen = nul ? (size_t)(nul - c->in) : c->in_len;
	return nul ? c->in_seen + 1 : 0;
}

static void drop_request(struct ctl_client *c, size_t len)
{
	c->in_len -= len;
	c->in_seen = 0;
	if (c->in_len > 0) {
		memmove(c->in, c->in + len, c->in_len);
		return;
	}
	free(c->in);
	c->in = NULL;
	c->in_size = 0;
}

static bool make_room(struct ctl_client *c)
{
	size_t size = c->in_size ? 2 * c->in_size : READ_MIN;
	char *in;

	if (c->in_len < c->in_size)
		return true;
	if (c->in_size >= CTL_MESSAGE_MAX)
		return false;
	in = realloc(c->in, size);
	if (!in)
		return false;
	c->in = in;
	c->in_size = size;
	return true;
}

static void read_some(struct ctl_client *c)
{
	ssize_t n;

	if (request_len(c) > 0)
		return;
	if (!make_room(c)) {
		c->broken = true;
		return;
	}
	n = recv(c->fd, c->in + c->in_len, c->in_size - c->in_len, MSG_DONTWAIT);
	if (n > 0) {
		c->in_len += (size_t)n;
		c->broken = c->in_len == CTL_MESSAGE_MAX && request_len(c) == 0;
	} else if (n == 0) {
		c->eof = true;
	} else if (errno != EAGAIN && errno != EINTR) {
		c->broken = true;
	}
}

/* ---- out ---- */

static void send_some(struct ctl_client *c)
{
	const char *bytes;
	size_t len = ctl_writer_waiting(&c->out, &bytes);
	ssize_t n = 0;

	if (len > 0)
		n = c->gone ? (ssize_t)len : send(c->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		ctl_writer_sent(&c->out, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		c->broken = true;
}

struct ctl_writer *ctl_reply_begin(struct ctl_call *call)
{
	struct ctl_writer *w = &call->client->out;

	ctl_message_begin(w);
	ctl_open(w, "parameters", '{');
	return w;
}

struct ctl_writer *ctl_error_begin(struct ctl_call *call, const char *error)
{
	struct ctl_writer *w = &call->client->out;

	ctl_message_begin(w);
	ctl_put_string(w, "error", error);
	ctl_open(w, "parameters", '{');
	return w;
}

bool ctl_reply_end(struct ctl_call *call, bool continues)
{
	struct ctl_writer *w = &call->client->out;
	bool fits = true;

	ctl_close(w, '}');
	if (continues)
		ctl_put_bool(w, "continues", true);
	if (call->oneway)
		ctl_message_cancel(w);
	else
		fits = ctl_message_end(w);
	call->ended = !continues;
	if (!fits && !continues)
		call->client->broken = true;
	return fits;
}

void ctl_reply_empty(struct ctl_call *call)
{
	ctl_reply_begin(call);
	(void)ctl_reply_end(call, false);
}

void ctl_error(struct ctl_call *call, const char *error, ...)
{
	struct ctl_writer *w = ctl_error_begin(call, error);
	const char *key;
	va_list ap;

	va_start(ap, error);
	while ((key = va_arg(ap, const char *)))
		ctl_put_string(w, key, va_arg(ap, const char *));
	va_end(ap);
	(void)ctl_reply_end(call, false);
}

/* ---- parameters ---- */

void ctl_bad_param(struct ctl_call *call, const char *name)
{
	ctl_error(call, CTL_SERVICE_ERROR("InvalidParameter"), "parameter", name, NULL);
}

bool ctl_param_string(struct ctl_call *call, const char *name, const char **ret)
{
	json_t *value = json_object_get(call->params, name);

	*ret = NULL;
	if (!value || json_is_null(value))
		return true;
	if (json_is_string(value)) {
		*ret = json_string_value(value);
		return true;
	}
	ctl_bad_param(call, name);
	return false;
}

bool ctl_param_int(struct ctl_call *call, const char *name, int64_t min, int64_t max, int64_t *ret)
{
	json_t *value = json_object_get(call->params, name);

	if (!value || json_is_null(value))
		return true;
	if (json_is_integer(value) && json_integer_value(value) >= min &&
	    json_integer_value(value) <= max) {
		*ret = json_integer_value(value);
		return true;
	}
	ctl_bad_param(call, name);
	return false;
}

bool ctl_param_needed(struct ctl_call *call, const char *name, json_t **ret)
{
	*ret = json_object_get(call->params, name);
	if (*ret && !json_is_null(*ret))
		return true;
	ctl_bad_param(call, name);
	return false;
}

/* ---- what there is to do ---- */

/* A call has all the room for its reply, but one that goes on does not wait until all is read. */
static bool has_work(struct ctl_client *c)
{
	if (c->call)
		return c->call->slice && ctl_client_waiting(c) < CTL_OUT_PAUSE;
	return ctl_client_waiting(c) == 0 && (request_len(c) > 0 || c->gone);
}

static void watch_stall(struct ctl_client *c)
{
	uint64_t usec = ctl_server_parts(c->server)->stall_usec;
	bool halfway = c->in_len > 0 && request_len(c) == 0;

	if (halfway)
		(void)sd_event_source_set_time_relative(c->stall, usec ? usec : CTL_STALL_USEC);
	(void)sd_event_source_set_enabled(c->stall, halfway ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/* What has become of it decides what it waits for. Frees it if that is nothing. */
static void settle(struct ctl_client *c)
{
	uint32_t events = 0;
	bool idle;

	if (c->call && c->call->ended)
		c->call = free_call(c->call);
	send_some(c);
	if (c->gone && c->call && !c->call->oneway)
		c->broken = true;
	idle = !c->call && request_len(c) == 0 && ctl_client_waiting(c) == 0;
	if (c->broken || (c->eof && idle)) {
		ctl_server_forget(c->server, c);
		return;
	}
	if (!c->eof && request_len(c) == 0)
		events |= EPOLLIN;
	if (ctl_client_waiting(c) > 0)
		events |= EPOLLOUT;
	(void)sd_event_source_set_io_events(c->io, events);
	(void)sd_event_source_set_enabled(c->work, has_work(c) ? SD_EVENT_ON : SD_EVENT_OFF);
}

void ctl_client_touched(struct ctl_client *c)
{
	settle(c);
}

static void next_request(struct ctl_client *c)
{
	size_t len = request_len(c);

	begin_call(c, c->in, len - 1);
	drop_request(c, len);
	watch_stall(c);
}

/* As has_work() said: a slice, a request, or what is left to be read. */
static int on_work(sd_event_source *source, void *userdata)
{
	struct ctl_client *c = userdata;

	if (!has_work(c))
		;
	else if (c->call)
		c->call->slice(c->call, clock_now_ns() + CTL_SLICE_NS);
	else if (request_len(c) > 0)
		next_request(c);
	else
		read_some(c);
	settle(c);
	return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct ctl_client *c = userdata;

	if (revents & EPOLLIN) {
		read_some(c);
		watch_stall(c);
	}
	if (revents & EPOLLERR)
		c->broken = true;
	if (revents & EPOLLHUP) { /* would be told again and again */
		c->gone = true;
		(void)sd_event_source_set_enabled(c->io, SD_EVENT_OFF);
	}
	settle(c);
	return 0;
}

static int on_stall(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct ctl_client *c = userdata;

	c->broken = true;
	settle(c);
	return 0;
}

/* ---- life ---- */

static int read_peer(struct ctl_client *c)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -errno;
	c->uid = peer.uid;
	c->pid = peer.pid;
	return 0;
}

static int add_sources(struct ctl_client *c, sd_event *event)
{
	int r;

	r = sd_event_add_io(event, &c->io, c->fd, EPOLLIN, on_io, c);
	if (r >= 0)
		r = sd_event_source_set_priority(c->io, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_add_defer(event, &c->work, on_work, c);
	if (r >= 0)
		r = sd_event_source_set_priority(c->work, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_source_set_enabled(c->work, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &c->stall, CLOCK_MONOTONIC, CTL_STALL_USEC,
					       STALL_ACCURACY_USEC, on_stall, c);
	if (r >= 0)
		r = sd_event_source_set_enabled(c->stall, SD_EVENT_OFF);
	return r < 0 ? r : 0;
}

int ctl_client_new(struct ctl_client **ret, struct ctl_server *server, int fd, uint64_t id)
{
	struct ctl_client *c = calloc(1, sizeof(*c));
	int r;

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->server = server;
	c->id = id;
	c->fd = fd;
	ctl_writer_init(&c->out, CTL_OUT_MAX);
	r = read_peer(c);
	if (r == 0)
		r = add_sources(c, ctl_server_event(server));
	if (r < 0) {
		ctl_client_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct ctl_client *ctl_client_free(struct ctl_client *c)
{
	if (!c)
		return NULL;
	free_call(c->call);
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->work);
	sd_event_source_disable_unref(c->stall);
	ctl_writer_done(&c->out);
	free(c->in);
	cleanup_close(&c->fd);
	free(c);
	return NULL;
}
