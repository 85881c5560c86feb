/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A socket from the service manager stays there, with who may connect, and with clients that wait,
 * while the daemon is restarted. Made here it goes with the process. One that is left by a dead
 * process is replaced; one on which somebody answers is not: tracking goes on without the service,
 * for packets are more than questions about them.
 */

#include "daemon/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/store.h"
#include "log/oplog.h"
#include "util/cleanup.h"

#define BACKLOG	  128
#define RUNTIME	  "/run/ctmarkd"
#define MODE	  0660
#define MODE_DIRS 0755

/* ---- from the service manager ---- */

static int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

/* There may be several of that name; the first is as good as any. */
static bool take_passed(struct control_socket *s, struct store *store, const struct oplog *log)
{
	int fd;

	while ((fd = store_take(store, STORE_CONTROL, 0)) >= 0) {
		if (s->fd < 0 && sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0 &&
		    set_nonblocking(fd) == 0) {
			s->fd = fd;
			continue;
		}
		oplog(log, LOG_WARNING, 0, MSGID_CONTROL_ERROR,
		      "The service manager passed a control socket that cannot be used");
		close(fd);
	}
	return s->fd >= 0;
}

/* ---- made here ---- */

static bool answers(const struct sockaddr_un *addr)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* a full backlog is somebody's, too */
	return fd >= 0 &&
	       (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 || errno == EAGAIN);
}

static int bind_to(int fd, const struct sockaddr_un *addr)
{
	struct stat st;

	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (answers(addr))
		return -EADDRINUSE;
	if (lstat(addr->sun_path, &st) == 0 && !S_ISSOCK(st.st_mode)) /* somebody's file */
		return -ENOTSOCK;
	if (unlink(addr->sun_path) < 0 && errno != ENOENT)
		return -errno;
	return bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? -errno : 0;
}

/* It has its mode from the first moment; no path is followed a second time to give it one. */
static int bind_with_mode(int fd, const struct sockaddr_un *addr)
{
	mode_t old = umask(0777 & ~MODE);
	int r = bind_to(fd, addr);

	umask(old);
	return r;
}

static int make(struct control_socket *s, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (strncmp(path, RUNTIME "/", sizeof(RUNTIME)) == 0 && mkdir(RUNTIME, MODE_DIRS) < 0 &&
	    errno != EEXIST)
		return -errno;
	r = bind_with_mode(fd, &addr);
	if (r < 0)
		return r;
	if (lstat(path, &st) < 0 || listen(fd, BACKLOG) < 0) {
		r = -errno;
		(void)unlink(path);
		return r;
	}
	s->path = strdup(path);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->fd = TAKE_FD(fd);
	return 0;
}

void control_socket_open(struct control_socket *s, struct store *store, const char *setting,
			 const struct oplog *log)
{
	bool none = strcmp(setting, "none") == 0;
	int r;

	if (take_passed(s, store, log)) {
		if (!none)
			return;
		oplog(log, LOG_WARNING, 0, MSGID_CONTROL_ERROR,
		      "Socket=none, but the service manager listens: disable ctmarkd.socket, or "
		      "clients wait for nobody");
		control_socket_close(s);
	}
	if (none)
		return;
	r = make(s, setting);
	if (r == -EADDRINUSE)
		oplog(log, LOG_WARNING, 0, MSGID_CONTROL_ERROR,
		      "Another process answers on %s: packets are tracked, but there is no control "
		      "service",
		      setting);
	else if (r < 0)
		oplog(log, LOG_WARNING, -r, MSGID_CONTROL_ERROR,
		      "Packets are tracked, but there is no control service: cannot make %s",
		      setting);
}

void control_socket_close(struct control_socket *s)
{
	struct stat st;

	if (s->path && lstat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
		(void)unlink(s->path);
	free(s->path);
	cleanup_close(&s->fd);
	*s = (struct control_socket){.fd = -1};
}
