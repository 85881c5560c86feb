/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/asking.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "ctl/client.h"
#include "ctl/mailbox.h"
#include "ctl/server.h"

#define SHARE	      9 /* a pause is so many times as long as what was before it */
#define ACCURACY_USEC 1000
#define NS_PER_USEC   1000

struct ctl_asking {
	struct ctl_server *server;
	sd_event_source *timer; /* the end of a pause */
	bool pause;
	unsigned int out;		 /* letters that have not come back */
	uint64_t took_ns;		 /* for those of this batch that have */
	struct ctl_letter *first, **end; /* that wait */
};

/* Nobody waits for what a client would have read that is gone; what it wanted done is done. */
static bool is_wanted(const struct ctl_asking *a, const struct ctl_letter *l)
{
	struct ctl_client *c = ctl_server_client(a->server, l->client);
	const struct ctl_call *call = c ? ctl_client_call(c) : NULL;

	return (call && call->id == l->call) || ctl_ask_changes(l->ask);
}

static void send_batch(struct ctl_asking *a)
{
	struct ctl_mailbox *mailbox = ctl_server_parts(a->server)->mailbox;
	struct ctl_letter *l = a->first;

	a->first = NULL;
	a->end = &a->first;
	while (l) {
		struct ctl_letter *next = l->next;

		if (is_wanted(a, l)) {
			a->out++;
			ctl_mailbox_put(mailbox, CTL_TO_MAIN, l);
		} else {
			ctl_letter_free(l);
		}
		l = next;
	}
}

static void go_on(struct ctl_asking *a)
{
	if (a->out == 0 && !a->pause)
		send_batch(a);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct ctl_asking *a = userdata;

	a->pause = false;
	go_on(a);
	return 0;
}

void ctl_asking_put(struct ctl_asking *a, struct ctl_letter *l)
{
	l->next = NULL;
	*a->end = l;
	a->end = &l->next;
	go_on(a);
}

/* Without a timer there is no pause. */
static void begin_pause(struct ctl_asking *a, uint64_t ns)
{
	if (ns > CTL_ASKING_PAUSE_MAX_NS)
		ns = CTL_ASKING_PAUSE_MAX_NS;
	a->pause = sd_event_source_set_time_relative(a->timer, ns / NS_PER_USEC) >= 0 &&
		   sd_event_source_set_enabled(a->timer, SD_EVENT_ONESHOT) >= 0;
}

void ctl_asking_answered(struct ctl_asking *a, const struct ctl_letter *l)
{
	a->took_ns += l->took_ns;
	if (--a->out > 0)
		return;
	if (a->took_ns > 0)
		begin_pause(a, SHARE * a->took_ns);
	a->took_ns = 0;
	go_on(a);
}

int ctl_asking_new(struct ctl_asking **ret, struct ctl_server *server)
{
	struct ctl_asking *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->server = server;
	a->end = &a->first;
	r = sd_event_add_time_relative(ctl_server_event(server), &a->timer, CLOCK_MONOTONIC, 0,
				       ACCURACY_USEC, on_timer, a);
	if (r >= 0)
		r = sd_event_source_set_enabled(a->timer, SD_EVENT_OFF);
	if (r < 0) {
		ctl_asking_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

struct ctl_asking *ctl_asking_free(struct ctl_asking *a)
{
	if (!a)
		return NULL;
	while (a->first) {
		struct ctl_letter *next = a->first->next;

		ctl_letter_free(a->first);
		a->first = next;
	}
	sd_event_source_disable_unref(a->timer);
	free(a);
	return NULL;
}
