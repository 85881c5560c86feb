/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Each packet and each end of a flow as an object in a line. */

#include <stdlib.h>

#include "log/message.h"
#include "tools/ctmark-replay/sinks.h"
#include "tools/ctmark-replay/who.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define OBJECT_MAX 2048

struct json {
	struct sink base;
	const struct look *look;
};

static void add_mark(struct words *w, uint32_t mark)
{
	line_text(w, ",\"mark\":\"");
	line_hex(w, mark);
	line_char(w, '"');
}

static const char *dir_name(uint8_t dir)
{
	return dir == CT_DIR_REPLY ? "reply" : "original";
}

/* ---- packets ---- */

static void add_state(struct words *w, const struct record *r, uint8_t proto)
{
	const char *is = ct_state_name(proto, r->out->state);
	const char *was = ct_state_name(proto, r->before.state);

	if (was && r->before.known && r->before.state != r->out->state)
		who_json_text(w, "state_old", was);
	if (is)
		who_json_text(w, "state", is);
}

static void add_flow(struct words *w, const struct record *r, const struct decoded *d)
{
	if (!r->flow)
		return;
	who_json_text(w, "dir", dir_name(r->out->dir));
	add_state(w, r, who_record_proto(r, d));
	who_json_status(w, r->out->status);
	who_json_number(w, "timeout", r->out->timeout_ns / NS_PER_S);
	if (r->helper != CT_HELPER_NONE)
		who_json_text(w, "helper", ct_helper_name((enum ct_helper_id)r->helper));
	if (r->master)
		who_json_number(w, "master", r->master);
}

static void add_reason(struct words *w, const struct ct_result *out)
{
	char detail[MESSAGE_DETAIL_MAX];

	if (out->drop)
		line_text(w, ",\"drop\":true");
	if (out->reason == CT_REASON_NONE || (out->info != CT_INFO_INVALID && !out->drop))
		return;
	who_json_text(w, "reason", ct_reason_name((enum ct_reason)out->reason));
	for (unsigned int i = 0; i < out->nevents; i++)
		if (message_detail(&out->events[i], detail))
			who_json_text(w, "detail", detail);
}

static void add_events(struct words *w, const struct ct_result *out)
{
	const char *comma = "\"";

	if (!out->nevents)
		return;
	line_text(w, ",\"events\":[");
	for (unsigned int i = 0; i < out->nevents; i++) {
		line_text(w, comma);
		line_text(w, ct_event_name((enum ct_event_type)out->events[i].type));
		line_char(w, '"');
		comma = ",\"";
	}
	line_char(w, ']');
}

static void add_vlans(struct words *w, const struct link_packet *link)
{
	if (!link->nvlans)
		return;
	line_text(w, ",\"vlan\":[");
	for (unsigned int i = 0; i < link->nvlans && i < ARRAY_SIZE(link->vlan); i++)
		line_value(w, i ? "," : "", link->vlan[i]);
	line_char(w, ']');
}

static void write_object(const struct json *j, struct words *w)
{
	line_text(w, "}\n");
	fwrite(w->buf, 1, w->len, j->look->out);
}

static int json_packet(struct sink *s, const struct record *r)
{
	const struct json *j = (const struct json *)s;
	char buf[OBJECT_MAX], summary[DECODE_SUMMARY_MAX];
	struct words w = {.buf = buf, .size = sizeof(buf)};
	struct decoded d;

	if (!choice_has_packet(j->look->choice, r))
		return 0;
	decode_packet(&d, r->in->data, r->in->caplen, r->in->len, r->in->family);
	line_value(&w, "{\"packet\":", r->packet->number);
	who_json_time(&w, "time", r->packet->time_ns);
	if (r->flow)
		who_json_number(&w, "flow", r->flow);
	who_json_packet(&w, &d);
	who_json_number(&w, "len", d.len);
	add_vlans(&w, &r->packet->link);
	who_json_text(&w, "summary", decode_summary(&d, NULL, summary));
	who_json_text(&w, "ctinfo", ct_info_name((enum ct_info)r->out->info));
	add_mark(&w, r->out->mark);
	add_flow(&w, r, &d);
	add_reason(&w, r->out);
	add_events(&w, r->out);
	write_object(j, &w);
	return look_written(j->look);
}

/* ---- ends of flows ---- */

static int json_ending(struct sink *s, const struct ending *e)
{
	const struct json *j = (const struct json *)s;
	const struct ct_event *ev = e->event;
	const char *state = ct_state_name(ev->orig.proto, ev->state_new);
	char buf[OBJECT_MAX];
	struct words w = {.buf = buf, .size = sizeof(buf)};

	if (!choice_has_ending(j->look->choice, e->flow))
		return 0;
	line_text(&w, "{\"event\":\"destroy\"");
	who_json_time(&w, "time", e->time_ns);
	who_json_number(&w, "flow", e->flow);
	who_json_flow(&w, &ev->orig);
	if (state)
		who_json_text(&w, "state", state);
	who_json_status(&w, ev->status);
	who_json_text(&w, "reason", ct_death_name((enum ct_death)ev->death));
	if (*ct_helper_name((enum ct_helper_id)ev->helper))
		who_json_text(&w, "helper", ct_helper_name((enum ct_helper_id)ev->helper));
	if (e->master)
		who_json_number(&w, "master", e->master);
	write_object(j, &w);
	return look_written(j->look);
}

static void json_free(struct sink *s)
{
	free(s);
}

static const struct sink_ops json_ops = {
	.packet = json_packet,
	.ending = json_ending,
	.free = json_free,
};

struct sink *json_new(const struct look *look)
{
	struct json *j = malloc(sizeof(*j));

	if (!j)
		return NULL;
	*j = (struct json){{&json_ops}, look};
	return &j->base;
}
