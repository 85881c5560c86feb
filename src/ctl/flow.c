/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/flow.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/message.h"
#include "util/clock.h"

/* ---- fields as members of an object ---- */

/* Who shows a field. */
enum shape { FLOW = 1, EVENT = 2, STEP = 4 };

enum kind { TEXT, NUMBER, LIST };

/* Those that are not here are of records only. */
static const struct {
	uint8_t shapes, kind;
} shown[FIELD_MAX] = {
	[FIELD_MESSAGE] = {EVENT | STEP, TEXT},
	[FIELD_EVENT] = {EVENT | STEP, TEXT},
	[FIELD_FLOW] = {FLOW | EVENT, TEXT},
	[FIELD_FAMILY] = {FLOW | EVENT, TEXT},
	[FIELD_PROTO] = {FLOW | EVENT, TEXT},
	[FIELD_SRC] = {FLOW | EVENT, TEXT},
	[FIELD_DST] = {FLOW | EVENT, TEXT},
	[FIELD_SPORT] = {FLOW | EVENT, NUMBER},
	[FIELD_DPORT] = {FLOW | EVENT, NUMBER},
	[FIELD_ICMP_TYPE] = {FLOW | EVENT, NUMBER},
	[FIELD_ICMP_CODE] = {FLOW | EVENT, NUMBER},
	[FIELD_ICMP_ID] = {FLOW | EVENT, NUMBER},
	[FIELD_REPLY_SRC] = {FLOW | EVENT, TEXT},
	[FIELD_REPLY_DST] = {FLOW | EVENT, TEXT},
	[FIELD_REPLY_SPORT] = {FLOW | EVENT, NUMBER},
	[FIELD_REPLY_DPORT] = {FLOW | EVENT, NUMBER},
	[FIELD_STATE_OLD] = {EVENT | STEP, TEXT},
	[FIELD_STATE_NEW] = {FLOW | EVENT | STEP, TEXT},
	[FIELD_STATUS] = {FLOW | EVENT | STEP, LIST},
	[FIELD_CTINFO] = {EVENT | STEP, TEXT},
	[FIELD_MARK] = {EVENT | STEP, TEXT},
	[FIELD_DIR] = {EVENT | STEP, TEXT},
	[FIELD_REASON] = {EVENT | STEP, TEXT},
	[FIELD_DETAIL] = {EVENT | STEP, TEXT},
	[FIELD_TIMEOUT] = {FLOW | EVENT | STEP, NUMBER},
	[FIELD_QUEUE] = {EVENT, NUMBER},
	[FIELD_HOOK] = {EVENT, TEXT},
	[FIELD_IIF] = {EVENT, TEXT},
	[FIELD_OIF] = {EVENT, TEXT},
	[FIELD_PACKETS_ORIG] = {FLOW | EVENT, NUMBER},
	[FIELD_PACKETS_REPLY] = {FLOW | EVENT, NUMBER},
	[FIELD_BYTES_ORIG] = {FLOW | EVENT, NUMBER},
	[FIELD_BYTES_REPLY] = {FLOW | EVENT, NUMBER},
	[FIELD_MASTER] = {FLOW | EVENT, TEXT},
	[FIELD_HELPER] = {FLOW | EVENT, TEXT},
	[FIELD_ZONE] = {FLOW | EVENT, NUMBER},
};

/* Digits, as they stand in the record. */
static uint64_t number_of(const char *text, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n = n * 10 + (uint64_t)(text[i] - '0');
	return n;
}

static void put_field(struct ctl_writer *w, const struct fields *f, unsigned int i,
		      enum shape shape)
{
	enum field id = f->id[i];
	char key[FIELDS_KEY_MAX];
	const char *value;
	size_t len;

	if (!(shown[id].shapes & shape))
		return;
	value = fields_value(f, i, &len);
	fields_key(id, key);
	if (id == FIELD_STATE_NEW && shape == FLOW) /* there is no other */
		key[sizeof("state") - 1] = '\0';
	switch ((enum kind)shown[id].kind) {
	case NUMBER:
		ctl_put_uint(w, key, number_of(value, len));
		break;
	case LIST:
		ctl_put_words(w, key, value, len, ',');
		break;
	case TEXT:
		ctl_put_text(w, key, value, len);
		break;
	}
}

static void put_fields(struct ctl_writer *w, const struct fields *f, enum shape shape)
{
	for (unsigned int i = 0; i < f->n; i++)
		put_field(w, f, i, shape);
}

/* ---- flows ---- */

void ctl_event_of_view(const struct ct_view *v, bool accounted, struct ct_event *ret)
{
	*ret = (struct ct_event){
		.flow = v->flow,
		.orig = v->orig,
		.reply = v->reply,
		.timeout_ns = v->timeout_ns,
		.packets = {v->packets[CT_DIR_ORIGINAL], v->packets[CT_DIR_REPLY]},
		.bytes = {v->bytes[CT_DIR_ORIGINAL], v->bytes[CT_DIR_REPLY]},
		.master = v->master,
		.status = v->status,
		.type = CT_EVENT_STATE,
		.hook = CT_HOOK_NONE,
		.state_old = v->state,
		.state_new = v->state,
		.has_tuple = true,
		.accounted = accounted,
		.l4proto = v->orig.proto,
		.family = v->orig.family,
		.helper = v->helper,
	};
}

void ctl_event_of_step(const struct ct_view *v, const struct ct_history_step *step,
		       struct ct_event *ret)
{
	ctl_event_of_view(v, false, ret);
	ret->time_ns = step->time_ns;
	memcpy(ret->detail, step->detail, sizeof(ret->detail));
	ret->mark = step->mark;
	ret->timeout_ns = (uint64_t)step->timeout_s * NS_PER_S;
	ret->status = step->status;
	ret->type = step->type;
	ret->reason = step->reason;
	ret->info = step->info;
	ret->dir = step->dir;
	ret->state_old = step->state_old;
	ret->state_new = step->state_new;
	ret->hook = step->hook;
	ret->begins = step->begins;
}

/* Packets are counted with the first one, which made the flow: none at all means Accounting=no. */
static bool is_accounted(const struct ct_view *v)
{
	return v->packets[CT_DIR_ORIGINAL] > 0 || v->packets[CT_DIR_REPLY] > 0;
}

void ctl_put_flow(struct ctl_writer *w, const char *key, const struct ct_view *v)
{
	struct ct_event ev;
	struct fields f;

	ctl_event_of_view(v, is_accounted(v), &ev);
	fields_from_flow(&f, &ev);
	ctl_open(w, key, '{');
	put_fields(w, &f, FLOW);
	ctl_put_uint(w, "protonum", v->orig.proto);
	if (v->status == 0)
		ctl_put_words(w, "status", "", 0, ',');
	ctl_close(w, '}');
}

/* ---- transitions ---- */

uint64_t ctl_wall_ns(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (uint64_t)wall.tv_sec * NS_PER_S + (uint64_t)wall.tv_nsec - clock_now_ns();
}

static void put_happened(struct ctl_writer *w, const struct fields *f, uint64_t ns,
			 enum shape shape)
{
	ctl_open(w, NULL, '{');
	ctl_put_uint(w, "time", ns / NS_PER_S);
	ctl_put_uint(w, "time_usec", ns % NS_PER_S / 1000);
	put_fields(w, f, shape);
	ctl_close(w, '}');
}

void ctl_put_event(struct ctl_writer *w, const struct ct_event *ev, uint64_t wall_ns,
		   const char *iif, const char *oif)
{
	struct fields f;

	fields_from_event(&f, ev, iif, oif);
	put_happened(w, &f, ev->time_ns + wall_ns, EVENT);
}

void ctl_put_step(struct ctl_writer *w, const struct ct_event *ev, uint64_t wall_ns)
{
	struct fields f;

	fields_from_event(&f, ev, NULL, NULL);
	put_happened(w, &f, ev->time_ns + wall_ns, STEP);
}

/* ---- expectations ---- */

const char *ctl_addr(uint8_t family, const union ct_addr *addr, unsigned int prefix,
		     char buf[static CTL_ADDR_STRLEN])
{
	unsigned int all = family == CT_AF_INET ? 32 : 128;
	size_t len;

	if (!inet_ntop(family, addr->b, buf, CTL_ADDR_STRLEN))
		snprintf(buf, CTL_ADDR_STRLEN, "?");
	len = strlen(buf);
	if (prefix < all)
		snprintf(buf + len, CTL_ADDR_STRLEN - len, "/%u", prefix);
	return buf;
}

void ctl_put_expectation(struct ctl_writer *w, const struct ct_view_expect *x)
{
	const struct ct_tuple *t = &x->tuple;
	char addr[CTL_ADDR_STRLEN], proto[MESSAGE_PROTO_MAX];

	ctl_open(w, NULL, '{');
	ctl_put_string(w, "family", t->family == CT_AF_INET ? "ipv4" : "ipv6");
	ctl_put_string(w, "proto", message_proto(t->proto, proto));
	if (!x->any_src)
		ctl_put_string(w, "src", ctl_addr(t->family, &t->src, 128, addr));
	ctl_put_string(w, "dst", ctl_addr(t->family, &t->dst, 128, addr));
	if (!x->any_src_id && message_proto_has_ports(t->proto))
		ctl_put_uint(w, "sport", ntohs(t->src_id_be));
	if (message_proto_has_ports(t->proto))
		ctl_put_uint(w, "dport", ntohs(t->dst_id_be));
	ctl_put_uint(w, "timeout", x->timeout_ns / NS_PER_S);
	ctl_put_id(w, "master", x->master);
	if (*ct_helper_name(x->helper))
		ctl_put_string(w, "helper", ct_helper_name(x->helper));
	ctl_put_bool(w, "permanent", x->permanent);
	ctl_put_bool(w, "inactive", x->inactive);
	if (t->zone)
		ctl_put_uint(w, "zone", t->zone);
	ctl_close(w, '}');
}
