/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "util/cleanup.h"

struct box {
	int fd; /* eventfd */
	struct ctl_letter *first, **end;
};

struct ctl_mailbox {
	pthread_mutex_t lock;
	struct box box[CTL_BOX_MAX];
};

bool ctl_ask_changes(enum ctl_ask ask)
{
	static const bool changes[CTL_ASK_MAX] = {
#define X(name, changes) [CTL_ASK_##name] = changes,
		CTL_ASK_LIST(X)
#undef X
	};

	return changes[ask];
}

struct ctl_letter *ctl_letter_new(enum ctl_ask ask)
{
	struct ctl_letter *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->ask = ask;
	l->settings_end = &l->settings;
	return l;
}

static void free_setting(struct ctl_setting *s)
{
	if (!s)
		return;
	free(s->section);
	free(s->key);
	free(s->value);
	free(s->def);
	free(s->origin);
	free(s->wanted);
	free(s);
}

struct ctl_letter *ctl_letter_free(struct ctl_letter *l)
{
	if (!l)
		return NULL;
	for (size_t i = 0; i < l->nmessages; i++)
		free(l->messages[i]);
	while (l->settings) {
		struct ctl_setting *next = l->settings->next;

		free_setting(l->settings);
		l->settings = next;
	}
	free(l->snapshot);
	free(l);
	return NULL;
}

void ctl_letter_message(struct ctl_letter *l, const char *text)
{
	char *copy = l->nmessages < CTL_MESSAGES_MAX ? strdup(text) : NULL;

	if (copy)
		l->messages[l->nmessages++] = copy;
}

static char *copy(struct ctl_letter *l, const char *text)
{
	char *ret = text ? strdup(text) : NULL;

	if (text && !ret)
		l->error = -ENOMEM;
	return ret;
}

void ctl_letter_setting(void *letter, const struct conf_setting *setting)
{
	struct ctl_letter *l = letter;
	struct ctl_setting *s = calloc(1, sizeof(*s));

	if (!s) {
		l->error = -ENOMEM;
		return;
	}
	s->section = copy(l, setting->section);
	s->key = copy(l, setting->key);
	s->value = copy(l, setting->value);
	s->def = copy(l, setting->def);
	s->origin = copy(l, setting->origin);
	s->wanted = copy(l, setting->wanted);
	*l->settings_end = s;
	l->settings_end = &s->next;
}

int ctl_mailbox_new(struct ctl_mailbox **ret)
{
	struct ctl_mailbox *m = calloc(1, sizeof(*m));
	int r = 0;

	if (!m)
		return -ENOMEM;
	pthread_mutex_init(&m->lock, NULL);
	for (int i = 0; i < CTL_BOX_MAX; i++) {
		struct box *box = &m->box[i];

		box->end = &box->first;
		box->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (box->fd < 0)
			r = -errno;
	}
	if (r < 0) {
		ctl_mailbox_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

static void free_letters(struct ctl_letter *l)
{
	while (l) {
		struct ctl_letter *next = l->next;

		ctl_letter_free(l);
		l = next;
	}
}

struct ctl_mailbox *ctl_mailbox_free(struct ctl_mailbox *m)
{
	if (!m)
		return NULL;
	for (int i = 0; i < CTL_BOX_MAX; i++) {
		free_letters(m->box[i].first);
		cleanup_close(&m->box[i].fd);
	}
	pthread_mutex_destroy(&m->lock);
	free(m);
	return NULL;
}

int ctl_mailbox_fd(const struct ctl_mailbox *m, enum ctl_box box)
{
	return m->box[box].fd;
}

void ctl_mailbox_put(struct ctl_mailbox *m, enum ctl_box which, struct ctl_letter *l)
{
	struct box *box = &m->box[which];

	l->next = NULL;
	pthread_mutex_lock(&m->lock);
	*box->end = l;
	box->end = &l->next;
	pthread_mutex_unlock(&m->lock);
	(void)eventfd_write(box->fd, 1);
}

struct ctl_letter *ctl_mailbox_take(struct ctl_mailbox *m, enum ctl_box which)
{
	struct box *box = &m->box[which];
	struct ctl_letter *l;
	eventfd_t n;

	(void)eventfd_read(box->fd, &n);
	pthread_mutex_lock(&m->lock);
	l = box->first;
	box->first = NULL;
	box->end = &box->first;
	pthread_mutex_unlock(&m->lock);
	return l;
}
