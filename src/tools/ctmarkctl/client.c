/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/client.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tools/ctmarkctl/fault.h"
#include "tools/ctmarkctl/value.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define INTERFACE "io.ctmark.Manager."

/* No reply is longer than this. */
#define REPLY_MAX (UINT32_C(64) << 20)
#define READ_SIZE 65536

struct client {
	const char *path;
	int fd, watched;
	const char *method;	       /* of the last call */
	char *buf;		       /* bytes begin .. end have come and are not used yet */
	size_t size, begin, end, seen; /* begin .. seen have no NUL */
};

static enum app_status __attribute__((format(printf, 3, 4)))
fail(struct client_error *ret, enum app_status status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(ret->text, sizeof(ret->text), format, ap);
	va_end(ap);
	return status;
}

struct client *client_new(const char *path)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c)
		*c = (struct client){.path = path, .fd = -1, .watched = -1, .method = ""};
	return c;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->begin = c->end = c->seen = 0;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	client_close(c);
	free(c->buf);
	free(c);
}

void client_watch(struct client *c, int fd)
{
	c->watched = fd;
}

/* ---- connecting ---- */

/* "the group ctmarkd" */
static void name_group(const char *path, char *buf, size_t size)
{
	const struct group *group = NULL;
	struct stat st;

	if (stat(path, &st) == 0)
		group = getgrgid(st.st_gid);
	snprintf(buf, size, "%s%s", group ? "the group " : "its group",
		 group ? group->gr_name : "");
}

static enum app_status not_connected(const struct client *c, int err, struct client_error *ret)
{
	char group[64];

	switch (err) {
	case ENOENT:
	case ECONNREFUSED:
		return fail(ret, APP_NOT_RUNNING,
			    "ctmarkd is not running (%s: %s); systemctl start ctmarkd, or --socket",
			    c->path, strerror(err));
	case EACCES:
	case EPERM:
		name_group(c->path, group, sizeof(group));
		return fail(ret, APP_PERMISSION,
			    "permission denied: only root and members of %s may connect to %s",
			    group, c->path);
	case EAGAIN:
		return fail(ret, APP_FAILURE, "the daemon does not answer: too many wait at %s",
			    c->path);
	default:
		return fail(ret, APP_FAILURE, "cannot connect to %s: %s", c->path, strerror(err));
	}
}

/* A unix socket connects at once, or its queue of clients is full. */
static int connect_patiently(int fd, const struct sockaddr_un *addr)
{
	uint64_t end_ns = clock_now_ns() + CLIENT_PATIENCE_MS * NS_PER_MS;

	while (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || clock_now_ns() > end_ns)
			return -errno;
		poll(NULL, 0, 50);
	}
	return 0;
}

static enum app_status connect_client(struct client *c, struct client_error *ret)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	int err;

	if (strlen(c->path) >= sizeof(addr.sun_path))
		return fail(ret, APP_USAGE, "--socket '%s' is longer than a socket's path may be",
			    c->path);
	strcpy(addr.sun_path, c->path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(ret, APP_FAILURE, "cannot make a socket: %s", strerror(errno));
	err = connect_patiently(fd, &addr);
	if (err < 0)
		return not_connected(c, -err, ret);
	c->fd = TAKE_FD(fd);
	return APP_OK;
}

/* ---- waiting ---- */

enum wait { WAIT_READY, WAIT_OVER, WAIT_WATCHED };

static enum wait wait_for(const struct client *c, short events, uint64_t end_ns)
{
	struct pollfd fds[] = {{.fd = c->fd, .events = events},
			       {.fd = c->watched, .events = POLLIN}};
	uint64_t now_ns;
	int timeout_ms, n;

	do {
		now_ns = clock_now_ns();
		if (end_ns == UINT64_MAX)
			timeout_ms = -1;
		else
			timeout_ms = now_ns < end_ns ? (int)((end_ns - now_ns) / NS_PER_MS) + 1 : 0;
		n = poll(fds, ARRAY_SIZE(fds), timeout_ms);
	} while (n < 0 && errno == EINTR);
	if (n > 0 && fds[1].revents)
		return WAIT_WATCHED;
	return n > 0 ? WAIT_READY : WAIT_OVER;
}

static enum app_status gone(struct client *c, struct client_error *ret)
{
	client_close(c);
	return fail(ret, APP_FAILURE, "the daemon has closed the connection during %s", c->method);
}

static enum app_status silent(struct client *c, struct client_error *ret)
{
	client_close(c);
	return fail(ret, APP_FAILURE, "the daemon does not answer: no reply to %s for %d s",
		    c->method, CLIENT_PATIENCE_MS / 1000);
}

static enum app_status garbled(struct client *c, const char *what, struct client_error *ret)
{
	client_close(c);
	return fail(ret, APP_FAILURE, "the reply to %s makes no sense: %s", c->method, what);
}

/* ---- sending ---- */

static char *call_text(const char *method, json_t *params, bool more)
{
	_cleanup_json_ json_t *call =
		json_pack("{s:s+, s:o*}", "method", INTERFACE, method, "parameters", params);

	if (more)
		json_object_set_new(call, "more", json_true());
	return json_dumps(call, JSON_COMPACT);
}

enum app_status client_send(struct client *c, const char *method, json_t *params, bool more,
			    struct client_error *ret_error)
{
	_cleanup_free_ char *text = call_text(method, params, more);
	uint64_t end_ns = clock_now_ns() + CLIENT_PATIENCE_MS * NS_PER_MS;
	enum app_status status = APP_OK;
	size_t len, sent = 0;

	if (!text)
		return fail(ret_error, APP_USAGE, "an argument is not valid UTF-8");
	c->method = method;
	if (c->fd < 0)
		status = connect_client(c, ret_error);
	for (len = strlen(text) + 1; status == APP_OK && sent < len;) {
		ssize_t n = send(c->fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN && wait_for(c, POLLOUT, end_ns) == WAIT_OVER)
			status = silent(c, ret_error);
		else if (errno != EAGAIN && errno != EINTR)
			status = gone(c, ret_error);
	}
	return status;
}

/* ---- receiving ---- */

static bool make_room(struct client *c)
{
	size_t size = c->size ? c->size * 2 : READ_SIZE;
	char *buf;

	if (c->begin) {
		memmove(c->buf, c->buf + c->begin, c->end - c->begin);
		c->end -= c->begin;
		c->seen -= c->begin;
		c->begin = 0;
	}
	if (c->size - c->end >= READ_SIZE / 2)
		return true;
	buf = size <= REPLY_MAX ? realloc(c->buf, size) : NULL;
	if (!buf)
		return false;
	c->buf = buf;
	c->size = size;
	return true;
}

/* The end of the message that begins at c->begin, NULL if it has not come. */
static char *message_end(struct client *c)
{
	char *nul = c->end > c->seen ? memchr(c->buf + c->seen, '\0', c->end - c->seen) : NULL;

	c->seen = nul ? (size_t)(nul - c->buf) + 1 : c->end;
	return nul;
}

/* Reads until a message is there. *ret is NULL if what is watched came first. */
static enum app_status read_message(struct client *c, int patience_ms, char **ret,
				    struct client_error *ret_error)
{
	uint64_t end_ns =
		patience_ms < 0 ? UINT64_MAX : clock_now_ns() + (uint64_t)patience_ms * NS_PER_MS;
	enum wait wait;
	char *nul;
	ssize_t n;

	for (*ret = NULL; !(nul = message_end(c));) {
		if (!make_room(c))
			return garbled(c, "it is too long", ret_error);
		wait = wait_for(c, POLLIN, end_ns);
		if (wait == WAIT_WATCHED)
			return APP_OK;
		if (wait == WAIT_OVER)
			return silent(c, ret_error);
		n = recv(c->fd, c->buf + c->end, c->size - c->end, 0);
		if (n > 0)
			c->end += (size_t)n;
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return gone(c, ret_error);
	}
	*ret = c->buf + c->begin;
	c->begin = c->seen;
	return APP_OK;
}

static enum app_status read_reply(struct client *c, json_t *reply, json_t **ret,
				  bool *ret_continues, struct client_error *ret_error)
{
	json_t *params = json_object_get(reply, "parameters");

	*ret_continues = value_true(reply, "continues");
	if (!json_is_object(reply))
		return garbled(c, "it is not an object", ret_error);
	if (value_has(reply, "error"))
		return fault_explain(c->method, value_text(reply, "error"), params, ret_error);
	if (params && !json_is_object(params))
		return garbled(c, "its parameters are not an object", ret_error);
	*ret = params ? json_incref(params) : json_object();
	return APP_OK;
}

enum app_status client_receive(struct client *c, int patience_ms, json_t **ret, bool *ret_continues,
			       struct client_error *ret_error)
{
	_cleanup_json_ json_t *reply = NULL;
	enum app_status status;
	json_error_t err;
	char *text;

	*ret = NULL;
	*ret_continues = false;
	status = read_message(c, patience_ms, &text, ret_error);
	if (status != APP_OK || !text)
		return status;
	reply = json_loads(text, JSON_DECODE_ANY, &err);
	if (!reply)
		return garbled(c, err.text, ret_error);
	return read_reply(c, reply, ret, ret_continues, ret_error);
}

enum app_status client_call(struct client *c, const char *method, json_t *params, json_t **ret,
			    struct client_error *ret_error)
{
	enum app_status status = client_send(c, method, params, false, ret_error);
	bool continues;

	*ret = NULL;
	if (status != APP_OK)
		return status;
	status = client_receive(c, CLIENT_PATIENCE_MS, ret, &continues, ret_error);
	if (status == APP_OK && continues) {
		json_decref(*ret);
		*ret = NULL;
		return garbled(c, "more of it would follow", ret_error);
	}
	return status;
}
