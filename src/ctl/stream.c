/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/stream.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/filter.h"
#include "ctl/flow.h"
#include "ctl/method.h"
#include "ctl/server.h"
#include "ctl/walk.h"
#include "io/ifname.h"
#include "log/ring.h"
#include "util/clock.h"

#define RING_SIZE      16384
#define BATCH_MAX      64 /* events of one reply */
#define PAUSE_USEC_MIN UINT64_C(5000)
#define PAUSE_USEC_MAX UINT64_C(40000)
/* Between two turns while there is more, so that others have theirs. */
#define PAUSE_USEC_BUSY UINT64_C(1000)

/* No reply is begun for a client with more than this to read. */
#define ROOM (CTL_OUT_MAX - 131072)

/* A call of Events(). */
struct subscription {
	struct subscription *next;
	struct ctl_stream *stream;
	struct ctl_call *call;
	struct ctl_filter filter;
	uint32_t classes; /* bits 1 << enum ct_event_type */
	uint64_t since_ns;
	uint64_t sequence;     /* number of the next event */
	uint64_t lost;	       /* that it has not been told of */
	uint64_t dropped_seen; /* of the rings' losses */
	struct ctl_writer *w;  /* of the reply that is being written, NULL: none */
	unsigned int n;	       /* events in it */
	bool unsent;	       /* there are replies that nobody has tried to send */
};

struct ctl_stream {
	_Atomic bool active;
	struct ctl_server *server;
	sd_event_source *timer;
	uint64_t pause_usec;
	struct subscription *first;
	size_t nrings;
	struct ring *rings;
};

/* ---- those who push ---- */

int ctl_stream_new(struct ctl_stream **ret, size_t nrings)
{
	struct ctl_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->nrings = nrings;
	s->rings = rings_new(nrings, RING_SIZE);
	if (!s->rings) {
		ctl_stream_free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

struct ctl_stream *ctl_stream_free(struct ctl_stream *s)
{
	if (!s)
		return NULL;
	rings_free(s->rings, s->nrings);
	free(s);
	return NULL;
}

void ctl_stream_push(struct ctl_stream *s, size_t ring, const struct ct_event *ev)
{
	if (s && atomic_load_explicit(&s->active, memory_order_relaxed))
		ring_push(&s->rings[ring], ev);
}

bool ctl_stream_crowded(const struct ctl_stream *s, size_t ring)
{
	return s && s->first && ring_fill(&s->rings[ring]) > RING_SIZE / 2;
}

/* ---- replies ---- */

/* Events of some classes that found no room in a ring so far. */
static uint64_t dropped(const struct ctl_stream *s, uint32_t classes)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->nrings; i++)
		for (int type = 0; type < CT_EVENT_MAX; type++)
			if (classes & (1U << type))
				n += ring_dropped(&s->rings[i], type);
	return n;
}

static void lose(struct subscription *sub, uint64_t n)
{
	if (n == 0)
		return;
	sub->lost += n;
	ctl_server_count_lost(sub->stream->server, n);
}

static void begin_reply(struct subscription *sub)
{
	sub->n = 0;
	sub->w = ctl_reply_begin(sub->call);
	ctl_put_uint(sub->w, "sequence", sub->sequence);
	if (sub->lost > 0)
		ctl_put_uint(sub->w, "lost", sub->lost);
	ctl_open(sub->w, "events", '[');
}

static void end_reply(struct subscription *sub)
{
	ctl_close(sub->w, ']');
	if (ctl_reply_end(sub->call, true))
		sub->lost = 0;
	else
		lose(sub, sub->n);
	sub->w = NULL;
	sub->unsent = true;
}

static bool has_room(const struct subscription *sub)
{
	return ctl_client_waiting(sub->call->client) < ROOM;
}

static void put_event(struct subscription *sub, const struct ct_event *ev, uint64_t wall_ns)
{
	struct ifname *names = ctl_server_parts(sub->stream->server)->names;
	char iif[IF_NAMESIZE], oif[IF_NAMESIZE];

	ctl_put_event(sub->w, ev, wall_ns,
		      names && ev->iif ? ifname_get(names, ev->iif, iif) : NULL,
		      names && ev->oif ? ifname_get(names, ev->oif, oif) : NULL);
}

static void offer(struct subscription *sub, const struct ct_event *ev, uint64_t wall_ns)
{
	if (ev->time_ns < sub->since_ns || !(sub->classes & (1U << ev->type)) ||
	    !ctl_filter_event(&sub->filter, ev))
		return;
	if (!sub->w && has_room(sub))
		begin_reply(sub);
	sub->sequence++;
	if (!sub->w) {
		lose(sub, 1);
		return;
	}
	put_event(sub, ev, wall_ns);
	if (++sub->n == BATCH_MAX)
		end_reply(sub);
}

/* ---- turns ---- */

static void note_dropped(struct ctl_stream *s)
{
	for (struct subscription *sub = s->first; sub; sub = sub->next) {
		uint64_t total = dropped(s, sub->classes);

		lose(sub, total - sub->dropped_seen);
		sub->dropped_seen = total;
	}
}

static bool take(struct ctl_stream *s, uint64_t before_ns, struct ct_event *ret)
{
	uint64_t time_ns = 0;
	struct ring *ring = ring_oldest(s->rings, s->nrings, &time_ns);

	return ring && time_ns < before_ns && ring_pop(ring, ret);
}

/* What was written goes out; what was lost is told even if nothing else comes. */
static void send_all(struct ctl_stream *s)
{
	for (struct subscription *sub = s->first, *next; sub; sub = next) {
		next = sub->next;
		if (!sub->w && sub->lost > 0 && has_room(sub))
			begin_reply(sub);
		if (sub->w)
			end_reply(sub);
		if (!sub->unsent)
			continue;
		sub->unsent = false;
		ctl_client_touched(sub->call->client); /* which may be the end of sub */
	}
}

/* Returns whether there may be more to take now. */
static bool turn(struct ctl_stream *s, bool *ret_any)
{
	uint64_t now_ns = clock_now_ns(), until_ns = now_ns + CTL_SLICE_NS;
	uint64_t before_ns = now_ns - RING_HOLD_NS, wall_ns = ctl_wall_ns();
	struct ct_event ev;
	bool more;

	note_dropped(s);
	*ret_any = false;
	while ((more = take(s, before_ns, &ev))) {
		*ret_any = true;
		for (struct subscription *sub = s->first; sub; sub = sub->next)
			offer(sub, &ev, wall_ns);
		if (clock_now_ns() >= until_ns)
			break;
	}
	send_all(s);
	return more;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct ctl_stream *s = userdata;
	bool any, more = turn(s, &any);

	if (!s->first)
		return 0;
	s->pause_usec = any ? PAUSE_USEC_MIN : 2 * s->pause_usec;
	if (s->pause_usec > PAUSE_USEC_MAX)
		s->pause_usec = PAUSE_USEC_MAX;
	(void)sd_event_source_set_time_relative(source, more ? PAUSE_USEC_BUSY : s->pause_usec);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

int ctl_stream_attach(struct ctl_stream *s, struct ctl_server *server)
{
	int r;

	s->server = server;
	r = sd_event_add_time_relative(ctl_server_event(server), &s->timer, CLOCK_MONOTONIC, 0, 1,
				       on_timer, s);
	if (r >= 0)
		r = sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	return r < 0 ? r : 0;
}

void ctl_stream_detach(struct ctl_stream *s)
{
	s->timer = sd_event_source_disable_unref(s->timer);
	s->server = NULL;
}

/* ---- coming and going ---- */

/* A thread may still be about to push what it made before: it is left out at the next start. */
static void start(struct ctl_stream *s)
{
	for (size_t i = 0; i < s->nrings; i++)
		ring_forget(&s->rings[i]);
	atomic_store_explicit(&s->active, true, memory_order_relaxed);
	s->pause_usec = PAUSE_USEC_MIN;
	(void)sd_event_source_set_time_relative(s->timer, PAUSE_USEC_MIN);
	(void)sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

static void stop(struct ctl_stream *s)
{
	atomic_store_explicit(&s->active, false, memory_order_relaxed);
	(void)sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	for (size_t i = 0; i < s->nrings; i++)
		ring_forget(&s->rings[i]);
}

static void free_subscription(void *state)
{
	struct subscription *sub = state;
	struct ctl_stream *s = sub->stream;

	for (struct subscription **p = &s->first; *p; p = &(*p)->next) {
		if (*p != sub)
			continue;
		*p = sub->next;
		break;
	}
	free(sub);
	if (!s->first)
		stop(s);
}

/* Names of classes of events; absent: all. False: the call has ended with an error. */
static bool read_classes(struct ctl_call *call, uint32_t *ret)
{
	json_t *names = json_object_get(call->params, "events"), *name;
	size_t i;

	*ret = names && !json_is_null(names) ? 0 : UINT32_MAX;
	if (*ret == 0 && !json_is_array(names)) {
		ctl_bad_param(call, "events");
		return false;
	}
	json_array_foreach(names, i, name)
	{
		const char *text = json_is_string(name) ? json_string_value(name) : "";
		enum ct_event_type type = 0;

		while (type < CT_EVENT_MAX && strcmp(ct_event_name(type), text) != 0)
			type++;
		if (type == CT_EVENT_MAX) {
			ctl_error(call, CTL_ERROR("BadValue"), "parameter", "events", "value", text,
				  NULL);
			return false;
		}
		*ret |= 1U << type;
	}
	return true;
}

/* The first reply comes at once, so that the client knows from when on it is told. */
void ctl_start_events(struct ctl_call *call)
{
	struct ctl_stream *s = ctl_server_parts(call->server)->stream;
	struct ctl_filter filter;
	struct subscription *sub;
	uint32_t classes;

	if (!ctl_read_filter(call, &filter) || !read_classes(call, &classes))
		return;
	sub = calloc(1, sizeof(*sub));
	if (!sub || !s) {
		free(sub);
		ctl_error(call, CTL_ERROR("Busy"), NULL);
		return;
	}
	if (!s->first)
		start(s);
	*sub = (struct subscription){
		.next = s->first,
		.stream = s,
		.call = call,
		.filter = filter,
		.classes = classes,
		.since_ns = clock_now_ns(),
		.dropped_seen = dropped(s, classes),
	};
	s->first = sub;
	call->state = sub;
	call->free = free_subscription;
	begin_reply(sub);
	end_reply(sub);
}
