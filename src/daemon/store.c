/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A queue belongs to the socket that bound it. As long as a copy of that socket lies with the
 * service manager the kernel keeps queueing, whatever happens to the process; the next process gets
 * it back and goes on where the last one was. The same holds for memory without a name, in which
 * the flows are.
 *
 * A name stands for all descriptors under it when they are given up, so what is to be replaced is
 * given up first and handed over then. The manager must not watch them (FDPOLL=0): an overrun is an
 * error on the socket, for which it would drop it.
 *
 * A manager that has no room left closes what it gets and says nothing to us. So it is asked for
 * its room beforehand, and what does not fit is not handed over.
 */

#include "daemon/store.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/words.h"

#define SETTLE_USEC UINT64_C(2000000)

static const struct {
	const char *name;
	bool per_queue;
} kinds[STORE_MAX] = {
#define X(name, str, per_queue) [STORE_##name] = {str, per_queue},
	STORE_LIST(X)
#undef X
};

char *store_name(enum store_kind kind, unsigned int queue, char buf[static STORE_NAME_STRLEN])
{
	if (kinds[kind].per_queue)
		snprintf(buf, STORE_NAME_STRLEN, "%s-%u", kinds[kind].name, queue);
	else
		snprintf(buf, STORE_NAME_STRLEN, "%s", kinds[kind].name);
	return buf;
}

/* Only a name that we would write ourselves is one of ours. */
static bool parse_name(const char *name, struct store_item *ret)
{
	char own[STORE_NAME_STRLEN];
	const char *number = strchr(name, '-');
	unsigned long queue = number ? strtoul(number + 1, NULL, 10) : 0;

	for (enum store_kind kind = 0; kind < STORE_MAX && queue <= UINT16_MAX; kind++) {
		if (strcmp(name, store_name(kind, (unsigned int)queue, own)) != 0)
			continue;
		ret->kind = kind;
		ret->queue = (unsigned int)queue;
		return true;
	}
	return false;
}

static void give_up(const char *name)
{
	(void)sd_pid_notifyf(0, 0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

static void sort(struct store *s, char *const *names, size_t n,
		 char ret_strange[static STORE_STRANGE_STRLEN])
{
	struct words strange = {ret_strange, STORE_STRANGE_STRLEN, 0};

	for (size_t i = 0; i < n; i++) {
		struct store_item item = {.fd = SD_LISTEN_FDS_START + (int)i};

		if (parse_name(names[i], &item)) {
			s->items[s->n++] = item;
			continue;
		}
		close(item.fd);
		give_up(names[i]);
		words_add(&strange, "%s%s", strange.len > 0 ? ", " : "", names[i]);
	}
}

static size_t room(void)
{
	const char *max = getenv("FDSTORE");

	return max && getenv("NOTIFY_SOCKET") ? strtoul(max, NULL, 10) : 0;
}

static void free_names(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

int store_init(struct store *s, char ret_strange[static STORE_STRANGE_STRLEN])
{
	char **names = NULL;
	int n;

	*s = (struct store){.room = room()};
	ret_strange[0] = '\0';
	n = sd_listen_fds_with_names(1, &names);
	if (n > 0) {
		s->items = calloc((size_t)n, sizeof(s->items[0]));
		if (s->items)
			sort(s, names, (size_t)n, ret_strange);
		else
			n = -ENOMEM;
	}
	free_names(names);
	if (n < 0)
		s->room = 0;
	return n < 0 ? n : 0;
}

void store_done(struct store *s)
{
	for (size_t i = 0; i < s->n; i++)
		cleanup_close(&s->items[i].fd);
	free(s->items);
	*s = (struct store){};
}

int store_take(struct store *s, enum store_kind kind, unsigned int queue)
{
	for (size_t i = 0; i < s->n; i++) {
		struct store_item *item = &s->items[i];

		if (item->fd >= 0 && item->kind == kind && item->queue == queue)
			return TAKE_FD(item->fd);
	}
	return -1;
}

int store_any_queue(const struct store *s, enum store_kind kind)
{
	int lowest = -1;

	for (size_t i = 0; i < s->n; i++) {
		const struct store_item *item = &s->items[i];

		if (item->fd >= 0 && item->kind == kind &&
		    (lowest < 0 || (int)item->queue < lowest))
			lowest = (int)item->queue;
	}
	return lowest;
}

int store_keep(struct store *s, enum store_kind kind, unsigned int queue, int fd)
{
	char name[STORE_NAME_STRLEN], text[64];
	int r;

	if (s->room == 0)
		return 0;
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0",
		 store_name(kind, queue, name));
	r = sd_pid_notify_with_fds(0, 0, text, &fd, 1);
	if (r > 0)
		return 0;
	s->failed = true;
	return r < 0 ? r : -ENOTCONN;
}

int store_drop(const struct store *s, enum store_kind kind, unsigned int queue)
{
	char name[STORE_NAME_STRLEN];
	int r;

	if (s->room == 0 && s->n == 0)
		return 0;
	r = sd_pid_notifyf(0, 0, "FDSTOREREMOVE=1\nFDNAME=%s", store_name(kind, queue, name));
	return r < 0 ? r : 0;
}

int store_settle(const struct store *s)
{
	int r = s->room > 0 || s->n > 0 ? sd_notify_barrier(0, SETTLE_USEC) : 0;

	return r < 0 ? r : 0;
}

bool store_works(const struct store *s)
{
	return s->room > 0 && !s->failed;
}
