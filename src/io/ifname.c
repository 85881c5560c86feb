/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/ifname.h"

#include <errno.h>
#include <libnfnetlink/libnfnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Messages read at once; the caller's other work waits meanwhile. */
#define MESSAGES_MAX 256

struct ifname {
	struct nlif_handle *handle;
	bool missed;	      /* notifications were lost: ask for everything again */
	bool blind;	      /* changes cannot be followed any more: what is known may be wrong */
	pthread_mutex_t lock; /* guards all of it: the main thread updates, the log thread asks */
};

int ifname_new(struct ifname **ret)
{
	struct ifname *n = calloc(1, sizeof(*n));
	int r = -ENOMEM;

	if (!n)
		return r;
	pthread_mutex_init(&n->lock, NULL);
	errno = 0;
	n->handle = nlif_open();
	if (!n->handle || nlif_query(n->handle) < 0) {
		r = errno > 0 ? -errno : -EIO;
		ifname_free(n);
		return r;
	}
	*ret = n;
	return 0;
}

struct ifname *ifname_free(struct ifname *n)
{
	if (!n)
		return NULL;
	if (n->handle)
		nlif_close(n->handle);
	pthread_mutex_destroy(&n->lock);
	free(n);
	return NULL;
}

int ifname_fd(const struct ifname *n)
{
	return nlif_fd(n->handle);
}

static bool message_waits(const struct ifname *n)
{
	struct pollfd p = {.fd = nlif_fd(n->handle), .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

static int read_message(struct ifname *n)
{
	errno = 0;
	if (nlif_catch(n->handle) >= 0 || errno == EINTR || errno == EAGAIN)
		return 0;
	if (errno != ENOBUFS)
		return errno > 0 ? -errno : -EIO;
	n->missed = true;
	return 0;
}

/* The rest of an answer that was interrupted by another loss is left for read_message(). */
static int query_again(struct ifname *n)
{
	errno = 0;
	if (nlif_query(n->handle) < 0)
		return errno > 0 ? -errno : -EIO;
	n->missed = errno == ENOBUFS;
	return 0;
}

static int catch_up(struct ifname *n)
{
	int r = 0;

	for (int i = 0; r == 0 && i < MESSAGES_MAX && message_waits(n); i++)
		r = read_message(n);
	/* Only with an empty socket: else the answer would find no room in it. */
	if (r == 0 && n->missed && !message_waits(n))
		r = query_again(n);
	return r;
}

int ifname_catch_up(struct ifname *n)
{
	int r;

	pthread_mutex_lock(&n->lock);
	r = catch_up(n);
	n->blind = r < 0;
	pthread_mutex_unlock(&n->lock);
	return r;
}

const char *ifname_get(struct ifname *n, uint32_t index, char buf[static IF_NAMESIZE])
{
	int r;

	pthread_mutex_lock(&n->lock);
	r = n->blind ? -1 : nlif_index2name(n->handle, index, buf);
	pthread_mutex_unlock(&n->lock);
	if (r < 0)
		snprintf(buf, IF_NAMESIZE, "%u", index);
	return buf;
}

bool ifname_is_loopback(struct ifname *n, uint32_t index)
{
	unsigned int flags = 0;
	int r;

	pthread_mutex_lock(&n->lock);
	r = nlif_get_ifflags(n->handle, index, &flags);
	pthread_mutex_unlock(&n->lock);
	return r >= 0 && (flags & IFF_LOOPBACK);
}
