/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/ifname.h"

#include <errno.h>
#include <libnfnetlink/libnfnetlink.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ifname {
	struct nlif_handle *handle;
	pthread_mutex_t lock; /* guards handle: the main thread updates, the log thread asks */
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

int ifname_catch_up(struct ifname *n)
{
	int r;

	pthread_mutex_lock(&n->lock);
	errno = 0;
	r = nlif_catch(n->handle);
	if (r < 0)
		r = errno > 0 ? -errno : -EIO;
	pthread_mutex_unlock(&n->lock);
	return r < 0 ? r : 0;
}

const char *ifname_get(struct ifname *n, uint32_t index, char buf[static IF_NAMESIZE])
{
	int r;

	pthread_mutex_lock(&n->lock);
	r = nlif_index2name(n->handle, index, buf);
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
