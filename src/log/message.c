/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "log/message.h"

#include "util/cleanup.h"
#include "util/protocols.h"
#include "util/words.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(CT_AF_INET == AF_INET && CT_AF_INET6 == AF_INET6, "tuples go to inet_ntop()");

static bool has_ids(const struct ct_event *ev, const struct ct_tuple *t)
{
	return ev->flow || t->src_id_be || t->dst_id_be;
}

bool message_proto_has_ports(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
		return true;
	default:
		return false;
	}
}

bool message_has_ports(const struct ct_event *ev, const struct ct_tuple *t)
{
	return message_proto_has_ports(t->proto) && has_ids(ev, t);
}

bool message_has_icmp(const struct ct_event *ev, const struct ct_tuple *t)
{
	return (t->proto == IPPROTO_ICMP || t->proto == IPPROTO_ICMPV6) && has_ids(ev, t);
}

bool message_has_tuple(const struct ct_event *ev)
{
	return ev->flow || ev->has_tuple;
}

const char *message_proto(uint8_t proto, char buf[static MESSAGE_PROTO_MAX])
{
	const char *name = protocol_name(proto);

	if (name)
		return name;
	snprintf(buf, MESSAGE_PROTO_MAX, "%u", proto);
	return buf;
}

/* ---- the numbers behind a reason ---- */

static void add_tcp_flags(struct words *t, uint32_t flags)
{
	static const char names[][4] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (flags & (1U << i)) {
			words_add(t, "%s%s", comma, names[i]);
			comma = ",";
		}
	}
	if (!*comma)
		words_add(t, "NONE");
}

/* One number in the form that its name asks for. */
static void add_number(struct words *t, const struct ct_event *ev, const char *name, uint32_t value)
{
	const char *state = ct_state_name(ev->l4proto, (uint8_t)value);
	const char *chunk = ct_sctp_chunk_name((uint8_t)value);

	if (strcmp(name, "flags") == 0)
		add_tcp_flags(t, value);
	else if (strcmp(name, "state") == 0 && state)
		words_add(t, "%s", state);
	else if (strcmp(name, "chunk") == 0 && chunk)
		words_add(t, "%s", chunk);
	else if (strcmp(name, "helper") == 0 && *ct_helper_name((enum ct_helper_id)value))
		words_add(t, "%s", ct_helper_name((enum ct_helper_id)value));
	else if (strcmp(name, "found") == 0 || strcmp(name, "expected") == 0)
		words_add(t, "0x%04" PRIx32, value);
	else
		words_add(t, "%" PRIu32, value);
}

bool message_detail(const struct ct_event *ev, char buf[static MESSAGE_DETAIL_MAX])
{
	struct words t = {.buf = buf, .size = MESSAGE_DETAIL_MAX};
	const char *rest;

	buf[0] = '\0';
	if (ev->type != CT_EVENT_INVALID)
		return false;

	rest = ct_reason_details(ev->reason);
	for (unsigned int i = 0; i < CT_DETAIL_MAX && *rest; i++) {
		size_t len = strcspn(rest, ",");
		char name[24];

		snprintf(name, sizeof(name), "%.*s", (int)len, rest);
		words_add(&t, "%s%s=", i ? " " : "", name);
		add_number(&t, ev, name, ev->detail[i]);
		rest += rest[len] ? len + 1 : len;
	}
	return t.len > 0;
}

/* ---- who ---- */

static void add_proto(struct words *t, uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		words_add(t, "TCP");
		break;
	case IPPROTO_UDP:
		words_add(t, "UDP");
		break;
	case IPPROTO_ICMP:
		words_add(t, "ICMP");
		break;
	case IPPROTO_ICMPV6:
		words_add(t, "ICMPv6");
		break;
	case IPPROTO_SCTP:
		words_add(t, "SCTP");
		break;
	case IPPROTO_UDPLITE:
		words_add(t, "UDP-Lite");
		break;
	case IPPROTO_GRE:
		words_add(t, "GRE");
		break;
	default:
		words_add(t, "Protocol %u", proto);
	}
}

static void add_endpoint(struct words *t, const struct ct_event *ev, const union ct_addr *addr,
			 uint16_t port_be)
{
	char str[INET6_ADDRSTRLEN];

	if (!inet_ntop(ev->orig.family, addr->b, str, sizeof(str)))
		words_add(t, "?");
	else if (!message_has_ports(ev, &ev->orig))
		words_add(t, "%s", str);
	else if (ev->orig.family == CT_AF_INET6)
		words_add(t, "[%s]:%u", str, ntohs(port_be));
	else
		words_add(t, "%s:%u", str, ntohs(port_be));
}

static void add_icmp_kind(struct words *t, const struct ct_tuple *tuple)
{
	uint8_t type = ct_tuple_icmp_type(tuple);
	bool v6 = tuple->proto == IPPROTO_ICMPV6;

	if (type == (v6 ? 128 : 8))
		words_add(t, " echo request id %u", ntohs(tuple->src_id_be));
	else if (type == (v6 ? 129 : 0))
		words_add(t, " echo reply id %u", ntohs(tuple->src_id_be));
	else
		words_add(t, " type %u code %u", type, ct_tuple_icmp_code(tuple));
}

static void add_tuple(struct words *t, const struct ct_event *ev)
{
	add_proto(t, ev->orig.proto);
	words_add(t, " ");
	add_endpoint(t, ev, &ev->orig.src, ev->orig.src_id_be);
	words_add(t, " > ");
	add_endpoint(t, ev, &ev->orig.dst, ev->orig.dst_id_be);
	if (message_has_icmp(ev, &ev->orig))
		add_icmp_kind(t, &ev->orig);
	if (ev->orig.zone)
		words_add(t, " in zone %u", ev->orig.zone);
}

/* A packet that could not be read as far as its addresses. */
static void add_bare_packet(struct words *t, const struct ct_event *ev, const char *iif)
{
	if (ev->l4proto) {
		add_proto(t, ev->l4proto);
		words_add(t, " packet");
	} else if (ev->family == CT_AF_INET || ev->family == CT_AF_INET6) {
		words_add(t, "IPv%c packet", ev->family == CT_AF_INET ? '4' : '6');
	} else {
		words_add(t, "Packet");
	}
	if (iif)
		words_add(t, " from %s", iif);
}

/* ---- what happened ---- */

/* The state, or the change of state, for protocols that have one. */
static void add_state(struct words *t, const struct ct_event *ev, const char *before)
{
	const char *was = ct_state_name(ev->orig.proto, ev->state_old);
	const char *is = ct_state_name(ev->orig.proto, ev->state_new);

	if (is && ev->type == CT_EVENT_STATE)
		words_add(t, "%s%s > %s", before, was ? was : "?", is);
	else if (is)
		words_add(t, "%s%s", before, is);
}

static void say_new(struct words *t, const struct ct_event *ev)
{
	words_add(t, "new flow");
	if (ev->master)
		words_add(t, ", expected by flow %016" PRIx64, ev->master);
	if (*ct_helper_name(ev->helper))
		words_add(t, ", read by helper %s", ct_helper_name(ev->helper));
	add_state(t, ev, ", ");
}

static void say_related(struct words *t, const struct ct_event *ev)
{
	if (ev->begins)
		say_new(t, ev);
	else
		words_add(t, "ICMP error about this flow, on its way to the %s",
			  ev->dir == CT_DIR_REPLY ? "initiator" : "responder");
}

static void say_reply(struct words *t, const struct ct_event *ev)
{
	words_add(t, "first reply");
	add_state(t, ev, ", ");
}

static void say_assured(struct words *t, const struct ct_event *ev)
{
	words_add(t, "assured, both sides have taken part");
}

static void say_state(struct words *t, const struct ct_event *ev)
{
	add_state(t, ev, "");
	words_add(t, " (%s)", ev->dir == CT_DIR_REPLY ? "reply" : "original");
}

static void add_count(struct words *t, const struct ct_event *ev, enum ct_dir dir)
{
	words_add(t, "%" PRIu64 " packet%s, %" PRIu64 " bytes", ev->packets[dir],
		  ev->packets[dir] == 1 ? "" : "s", ev->bytes[dir]);
}

static void say_destroy(struct words *t, const struct ct_event *ev)
{
	words_add(t, "ended");
	add_state(t, ev, " in ");
	words_add(t, ", %s", ct_death_text(ev->death));
	if (!ev->accounted)
		return;
	words_add(t, " (out ");
	add_count(t, ev, CT_DIR_ORIGINAL);
	words_add(t, "; back ");
	add_count(t, ev, CT_DIR_REPLY);
	words_add(t, ")");
}

static void say_invalid(struct words *t, const struct ct_event *ev)
{
	char detail[MESSAGE_DETAIL_MAX];

	/* some reasons are not the packet's own: it has a class, but may not go on */
	words_add(t, "%s%s, %s", ev->info == CT_INFO_INVALID && !ev->drop ? "INVALID" : "dropped",
		  ev->flow && ev->dir == CT_DIR_REPLY ? " (reply)" : "",
		  ct_reason_text(ev->reason));
	if (message_detail(ev, detail))
		words_add(t, " (%s)", detail);
}

void message_from_event(const struct ct_event *ev, const char *iif, char buf[static MESSAGE_MAX])
{
	static void (*const say[CT_EVENT_MAX])(struct words *, const struct ct_event *) = {
		[CT_EVENT_NEW] = say_new,	  [CT_EVENT_RELATED] = say_related,
		[CT_EVENT_REPLY] = say_reply,	  [CT_EVENT_ASSURED] = say_assured,
		[CT_EVENT_STATE] = say_state,	  [CT_EVENT_DESTROY] = say_destroy,
		[CT_EVENT_INVALID] = say_invalid,
	};
	struct words t = {.buf = buf, .size = MESSAGE_MAX};

	buf[0] = '\0';
	if (message_has_tuple(ev))
		add_tuple(&t, ev);
	else
		add_bare_packet(&t, ev, iif);
	words_add(&t, ": ");
	if (ev->type < CT_EVENT_MAX)
		say[ev->type](&t, ev);
}
