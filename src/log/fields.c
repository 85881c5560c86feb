/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "log/fields.h"

#include "log/message.h"
#include "log/msgid.h"
#include "log/plain.h"
#include "util/clock.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

static const char *const field_name[FIELD_MAX] = {
#define X(name, journal) [FIELD_##name] = journal,
	FIELD_LIST(X)
#undef X
};

static const char prefix[] = "CTMARK_";
#define PREFIX_LEN (sizeof(prefix) - 1)

/* ---- building a record ---- */

void fields_add(struct fields *f, enum field id, const char *format, ...)
{
	char *start = f->scratch + f->used;
	size_t room = sizeof(f->scratch) - f->used;
	size_t name_len = strlen(field_name[id]) + 1;
	size_t len;
	va_list ap;
	int n;

	if (room < name_len + 2 || f->n == FIELD_MAX)
		return;
	memcpy(start, field_name[id], name_len - 1);
	start[name_len - 1] = '=';

	va_start(ap, format);
	n = vsnprintf(start + name_len, room - name_len, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	len = (size_t)n < room - name_len ? (size_t)n : room - name_len - 1;

	plain_text(start + name_len, '?');
	f->iov[f->n] = (struct iovec){.iov_base = start, .iov_len = name_len + len};
	f->id[f->n++] = (uint8_t)id;
	f->used += name_len + len;
}

void fields_init(struct fields *f, const char *msgid, int priority, const char *event)
{
	f->n = 0;
	f->used = 0;
	fields_add(f, FIELD_PRIORITY, "%d", priority);
	fields_add(f, FIELD_IDENTIFIER, "ctmarkd");
	if (msgid)
		fields_add(f, FIELD_MESSAGE_ID, "%s", msgid);
	if (*event)
		fields_add(f, FIELD_EVENT, "%s", event);
}

const char *fields_value(const struct fields *f, unsigned int i, size_t *ret_len)
{
	size_t name_len = strlen(field_name[f->id[i]]) + 1;

	*ret_len = f->iov[i].iov_len - name_len;
	return (const char *)f->iov[i].iov_base + name_len;
}

size_t fields_key(enum field id, char buf[static FIELDS_KEY_MAX])
{
	const char *name = field_name[id];
	size_t n = 0;

	if (strncmp(name, prefix, PREFIX_LEN) == 0)
		name += PREFIX_LEN;
	for (; n < FIELDS_KEY_MAX - 1 && name[n]; n++)
		buf[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] | 0x20 : name[n]);
	buf[n] = '\0';
	return n;
}

/* ---- an event, group by group ---- */

static void add_addr(struct fields *f, enum field id, uint8_t family, const union ct_addr *addr)
{
	char str[INET6_ADDRSTRLEN];

	if (inet_ntop(family, addr->b, str, sizeof(str)))
		fields_add(f, id, "%s", str);
}

static void add_proto(struct fields *f, const struct ct_event *ev)
{
	uint8_t proto = message_has_tuple(ev) ? ev->orig.proto : ev->l4proto;
	char buf[MESSAGE_PROTO_MAX];

	if (message_has_tuple(ev) || proto)
		fields_add(f, FIELD_PROTO, "%s", message_proto(proto, buf));
}

static void add_tuple(struct fields *f, const struct ct_event *ev)
{
	const struct ct_tuple *t = &ev->orig;

	if (!message_has_tuple(ev))
		return;
	add_addr(f, FIELD_SRC, t->family, &t->src);
	if (message_has_ports(ev, t))
		fields_add(f, FIELD_SPORT, "%u", ntohs(t->src_id_be));
	add_addr(f, FIELD_DST, t->family, &t->dst);
	if (message_has_ports(ev, t))
		fields_add(f, FIELD_DPORT, "%u", ntohs(t->dst_id_be));
	if (message_has_icmp(ev, t)) {
		fields_add(f, FIELD_ICMP_TYPE, "%u", ct_tuple_icmp_type(t));
		fields_add(f, FIELD_ICMP_CODE, "%u", ct_tuple_icmp_code(t));
		fields_add(f, FIELD_ICMP_ID, "%u", ntohs(t->src_id_be));
	}
}

/* Whether the reply direction is the original one turned round, as it is without NAT. */
static bool is_plain_reply(const struct ct_event *ev)
{
	const struct ct_tuple *o = &ev->orig, *r = &ev->reply;

	if (memcmp(&o->src, &r->dst, sizeof(o->src)) != 0 ||
	    memcmp(&o->dst, &r->src, sizeof(o->dst)) != 0)
		return false;
	if (message_has_ports(ev, o))
		return o->src_id_be == r->dst_id_be && o->dst_id_be == r->src_id_be;
	return true;
}

static void add_reply_tuple(struct fields *f, const struct ct_event *ev)
{
	if (!ev->flow || is_plain_reply(ev))
		return;
	add_addr(f, FIELD_REPLY_SRC, ev->reply.family, &ev->reply.src);
	add_addr(f, FIELD_REPLY_DST, ev->reply.family, &ev->reply.dst);
	if (!message_has_ports(ev, &ev->reply))
		return;
	fields_add(f, FIELD_REPLY_SPORT, "%u", ntohs(ev->reply.src_id_be));
	fields_add(f, FIELD_REPLY_DPORT, "%u", ntohs(ev->reply.dst_id_be));
}

static void add_state(struct fields *f, const struct ct_event *ev)
{
	const char *was = ct_state_name(ev->orig.proto, ev->state_old);
	const char *is = ct_state_name(ev->orig.proto, ev->state_new);
	char status[CT_STATUS_STRLEN];

	if (!ev->flow)
		return;
	if (was && ev->state_old != ev->state_new)
		fields_add(f, FIELD_STATE_OLD, "%s", was);
	if (is)
		fields_add(f, FIELD_STATE_NEW, "%s", is);
	if (*ct_status_to_str(ev->status, status))
		fields_add(f, FIELD_STATUS, "%s", status);
}

/* What is known only if a packet, not the clock, caused the event. */
static void add_class(struct fields *f, const struct ct_event *ev)
{
	if (ev->hook == CT_HOOK_NONE)
		return;
	fields_add(f, FIELD_CTINFO, "%s", ct_info_name(ev->info));
	fields_add(f, FIELD_MARK, "0x%" PRIx32, ev->mark);
	if (ev->flow)
		fields_add(f, FIELD_DIR, "%s", ev->dir == CT_DIR_REPLY ? "reply" : "original");
}

static void add_cause(struct fields *f, const struct ct_event *ev)
{
	char detail[MESSAGE_DETAIL_MAX];

	if (ev->type == CT_EVENT_INVALID)
		fields_add(f, FIELD_REASON, "%s", ct_reason_name(ev->reason));
	else if (ev->type == CT_EVENT_DESTROY)
		fields_add(f, FIELD_REASON, "%s", ct_death_name(ev->death));
	if (message_detail(ev, detail))
		fields_add(f, FIELD_DETAIL, "%s", detail);
}

static void add_interface(struct fields *f, enum field id, uint32_t index, const char *name)
{
	if (index && name)
		fields_add(f, id, "%s", name);
	else if (index)
		fields_add(f, id, "%" PRIu32, index);
}

static void add_path(struct fields *f, const struct ct_event *ev, const char *iif, const char *oif)
{
	if (ev->hook == CT_HOOK_NONE)
		return;
	fields_add(f, FIELD_QUEUE, "%u", ev->queue);
	fields_add(f, FIELD_HOOK, "%s", ct_hook_name(ev->hook));
	add_interface(f, FIELD_IIF, ev->iif, iif);
	add_interface(f, FIELD_OIF, ev->oif, oif);
}

static void add_counters(struct fields *f, const struct ct_event *ev)
{
	if (!ev->flow || !ev->accounted)
		return;
	fields_add(f, FIELD_PACKETS_ORIG, "%" PRIu64, ev->packets[CT_DIR_ORIGINAL]);
	fields_add(f, FIELD_BYTES_ORIG, "%" PRIu64, ev->bytes[CT_DIR_ORIGINAL]);
	fields_add(f, FIELD_PACKETS_REPLY, "%" PRIu64, ev->packets[CT_DIR_REPLY]);
	fields_add(f, FIELD_BYTES_REPLY, "%" PRIu64, ev->bytes[CT_DIR_REPLY]);
}

static void add_relations(struct fields *f, const struct ct_event *ev)
{
	if (ev->master)
		fields_add(f, FIELD_MASTER, "%016" PRIx64, ev->master);
	if (*ct_helper_name(ev->helper))
		fields_add(f, FIELD_HELPER, "%s", ct_helper_name(ev->helper));
	if (ev->orig.zone)
		fields_add(f, FIELD_ZONE, "%u", ev->orig.zone);
}

static void add_family(struct fields *f, const struct ct_event *ev)
{
	uint8_t family = message_has_tuple(ev) ? ev->orig.family : ev->family;

	if (family == CT_AF_INET || family == CT_AF_INET6)
		fields_add(f, FIELD_FAMILY, "%s", family == CT_AF_INET ? "ipv4" : "ipv6");
}

static const char *event_msgid(const struct ct_event *ev)
{
	static const char *const id[CT_EVENT_MAX] = {
		[CT_EVENT_NEW] = MSGID_FLOW_NEW,	   [CT_EVENT_RELATED] = MSGID_FLOW_RELATED,
		[CT_EVENT_REPLY] = MSGID_FLOW_REPLY,	   [CT_EVENT_ASSURED] = MSGID_FLOW_ASSURED,
		[CT_EVENT_STATE] = MSGID_FLOW_STATE,	   [CT_EVENT_DESTROY] = MSGID_FLOW_DESTROY,
		[CT_EVENT_INVALID] = MSGID_PACKET_INVALID,
	};

	return ev->type < CT_EVENT_MAX ? id[ev->type] : NULL;
}

static int event_priority(const struct ct_event *ev)
{
	return ev->type == CT_EVENT_INVALID ? LOG_NOTICE : LOG_INFO;
}

/* All that is known of it, but for the sentence. */
static void add_event(struct fields *f, const struct ct_event *ev, const char *iif, const char *oif)
{
	if (ev->flow)
		fields_add(f, FIELD_FLOW, "%016" PRIx64, ev->flow);
	add_proto(f, ev);
	add_tuple(f, ev);
	add_reply_tuple(f, ev);
	add_state(f, ev);
	add_class(f, ev);
	add_cause(f, ev);
	if (ev->flow && ev->type != CT_EVENT_DESTROY)
		fields_add(f, FIELD_TIMEOUT, "%" PRIu64, ev->timeout_ns / NS_PER_S);
	add_path(f, ev, iif, oif);
	add_counters(f, ev);
	add_relations(f, ev);
	add_family(f, ev);
}

void fields_from_event(struct fields *f, const struct ct_event *ev, const char *iif,
		       const char *oif)
{
	char message[MESSAGE_MAX], in[PLAIN_NAME_STRLEN], out[PLAIN_NAME_STRLEN];

	iif = iif ? plain_name(iif, in) : NULL;
	oif = oif ? plain_name(oif, out) : NULL;
	fields_init(f, event_msgid(ev), event_priority(ev), ct_event_name(ev->type));
	message_from_event(ev, iif, message);
	fields_add(f, FIELD_MESSAGE, "%s", message);
	add_event(f, ev, iif, oif);
}

void fields_from_flow(struct fields *f, const struct ct_event *ev)
{
	f->n = 0;
	f->used = 0;
	add_event(f, ev, NULL, NULL);
}

/* ---- what is missing from the log ---- */

void fields_from_suppressed(struct fields *f, enum ct_event_type type, uint64_t suppressed)
{
	fields_init(f, MSGID_LOG_SUPPRESSED, LOG_NOTICE, msgid_name(MSGID_LOG_SUPPRESSED));
	fields_add(f, FIELD_MESSAGE,
		   "%" PRIu64 " more records of class %s kept out by RateLimit=", suppressed,
		   ct_event_name(type));
	fields_add(f, FIELD_CLASS, "%s", ct_event_name(type));
	fields_add(f, FIELD_SUPPRESSED, "%" PRIu64, suppressed);
}

void fields_from_dropped(struct fields *f, uint64_t ring, uint64_t refused)
{
	fields_init(f, MSGID_LOG_DROPPED, LOG_WARNING, msgid_name(MSGID_LOG_DROPPED));
	fields_add(f, FIELD_MESSAGE,
		   "%" PRIu64 " records lost: %" PRIu64 " found the ring full, %" PRIu64
		   " were refused by the journal",
		   ring + refused, ring, refused);
	fields_add(f, FIELD_DROPPED, "%" PRIu64, ring + refused);
}

/* ---- console form ---- */

static bool console_shows(const struct fields *f, unsigned int i)
{
	return f->iov[i].iov_len > PREFIX_LEN &&
	       memcmp(f->iov[i].iov_base, prefix, PREFIX_LEN) == 0;
}

/* Appends len bytes; the caller knows that they fit (see fields_to_line()). */
static char *put(char *p, const char *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

static char *put_key(char *p, enum field id, const char *name, size_t len)
{
	if (id == FIELD_STATE_OLD || id == FIELD_STATE_NEW)
		return put(p, "state", 5);
	for (size_t i = 0; i < len; i++)
		*p++ = (char)tolower((unsigned char)name[i]);
	return p;
}

/* "key=value" of a field, in quotes if it has spaces; the two states become "old>new". */
static char *put_field(char *p, const struct fields *f, unsigned int i)
{
	const char *name = (const char *)f->iov[i].iov_base + PREFIX_LEN;
	size_t len = f->iov[i].iov_len - PREFIX_LEN;
	const char *value = (const char *)memchr(name, '=', len) + 1;
	size_t value_len = len - (size_t)(value - name);
	bool quoted = memchr(value, ' ', value_len);

	if (f->id[i] == FIELD_STATE_NEW && i && f->id[i - 1] == FIELD_STATE_OLD) {
		p[-1] = '>';
	} else {
		p = put_key(p, f->id[i], name, len - value_len - 1);
		*p++ = '=';
	}
	if (quoted)
		*p++ = '"';
	p = put(p, value, value_len);
	if (quoted)
		*p++ = '"';
	*p++ = ' ';
	return p;
}

/* Each field gets shorter by its prefix and longer by at most three, so the line fits. */
size_t fields_to_line(const struct fields *f, char buf[static FIELDS_LINE_MAX])
{
	char *p = buf;

	for (unsigned int i = 0; i < f->n; i++)
		if (console_shows(f, i))
			p = put_field(p, f, i);
	if (p > buf)
		p--;
	*p++ = '\n';
	*p = '\0';
	return (size_t)(p - buf);
}
