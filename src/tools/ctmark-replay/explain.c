/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * --explain: what became of one packet, and why.
 *
 * Up to that packet, what its flow will be is remembered of all flows (recall.c). With the packet
 * the account is written (explain_found.c, explain_rule.c, ...), except for two things: what
 * followed, for which the rest is counted, and what other settings would have made of it, for which
 * the capture is replayed once more (settings.c).
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/key.h"
#include "log/message.h"
#include "tools/ctmark-replay/decode.h"
#include "tools/ctmark-replay/settings.h"

/* What came behind the packet, of its flow or of its endpoints. */
struct sequel {
	uint64_t flow; /* 0: by endpoints */
	bool has_tuple;
	struct ct_tuple tuple;
	uint64_t valid, invalid;
	uint64_t first_valid;
	uint8_t state;
	uint8_t proto;
	bool ended;
	uint64_t ended_ns;
	uint8_t death;
};

struct explain {
	struct sink base;
	const struct look *look;
	bool json;
	uint64_t number; /* of the packet */
	bool found;
	uint64_t begin_ns, last_number;
	uint64_t reopened; /* ended by the packet that comes next, to make room for its flow */
	struct recall memory;
	struct account account;
	struct trials trials;
	struct sequel sequel;
	enum ct_info info;
	enum ct_reason reason;
};

/* ---- the head ---- */

static void head_contents(struct scene *s)
{
	const struct ct_input *in = s->record->in;
	const struct anatomy *p = s->packet;
	char summary[DECODE_SUMMARY_MAX], flags[DECODE_FLAGS_MAX];
	struct decoded d;

	decode_packet(&d, in->data, in->caplen, in->len, p->ip.family);
	account_head(s->account, "%s", decode_summary(&d, NULL, summary));
	account_put_string(s->account, "summary", summary);
	if (p->has_tcp) {
		account_put_string(s->account, "flags", decode_flags(p->tcp.flags, flags));
		account_put_in(s->account, "tcp", "seq", p->tcp.seq);
		account_put_in(s->account, "tcp", "ack", p->tcp.ack);
		account_put_in(s->account, "tcp", "end", p->tcp.end);
		account_put_in(s->account, "tcp", "window", p->tcp.win);
	} else if (p->has_icmp) {
		account_put_uint(s->account, "icmp_type", p->type);
		account_put_uint(s->account, "icmp_code", p->code);
	}
}

/* Addresses as the packet has them, as far as it could be read. */
static void head_endpoints(struct scene *s)
{
	const struct anatomy *p = s->packet;
	struct ct_tuple t = p->has_tuple ? p->tuple
					 : (struct ct_tuple){.src = p->ip.src,
							     .dst = p->ip.dst,
							     .family = p->ip.family,
							     .proto = p->ip.proto};
	char tuple[SCENE_STRLEN], text[SCENE_STRLEN], proto[MESSAGE_PROTO_MAX];

	if (!p->ip.has_addrs)
		return;
	account_head(s->account, "%s%s", scene_tuple(&t, tuple),
		     !s->record->out->has_flow		   ? ""
		     : s->record->out->dir == CT_DIR_REPLY ? ", to the initiator"
							   : ", from the initiator");
	account_put_string(s->account, "proto", message_proto(t.proto, proto));
	account_put_string(s->account, "src", scene_address(t.family, &t.src, text));
	account_put_string(s->account, "dst", scene_address(t.family, &t.dst, text));
	if (!message_proto_has_ports(t.proto) || !p->has_tuple)
		return;
	account_put_uint(s->account, "sport", ct_read_be16((const uint8_t *)&t.src_id_be));
	account_put_uint(s->account, "dport", ct_read_be16((const uint8_t *)&t.dst_id_be));
}

/* The flow behind the packet, as --json without --explain has it. */
static void put_flow(struct scene *s)
{
	const struct ct_result *out = s->record->out;
	const char *state = ct_state_name(s->packet->ip.proto, out->state);
	char status[CT_STATUS_STRLEN];

	if (!out->has_flow)
		return;
	account_put_string(s->account, "dir", out->dir ? "reply" : "original");
	if (state)
		account_put_string(s->account, "state", state);
	account_put_string(s->account, "status", ct_status_to_str(out->status, status));
	account_put_uint(s->account, "timeout", out->timeout_ns / CT_NS_PER_S);
}

static void head(struct scene *s)
{
	const struct record *r = s->record;
	const struct ct_result *out = r->out;
	char when[SCENE_STRLEN], flow[48] = "no flow", detail[MESSAGE_DETAIL_MAX];

	if (r->flow)
		snprintf(flow, sizeof(flow), "flow %" PRIu64, r->flow);
	account_head(s->account, "Packet %" PRIu64 " is %s%s%s%s", r->packet->number,
		     ct_info_name((enum ct_info)out->info), out->drop ? ", and dropped" : "",
		     out->reason ? ": " : "",
		     out->reason ? ct_reason_text((enum ct_reason)out->reason) : "");
	head_endpoints(s);
	head_contents(s);
	account_head(s->account, "at %s, %s, mark 0x%" PRIx32 "%s%s",
		     scene_time(s, r->packet->time_ns, when), flow, out->mark,
		     out->reason ? ", reason " : "",
		     out->reason ? ct_reason_name((enum ct_reason)out->reason) : "");
	account_put_uint(s->account, "packet", r->packet->number);
	account_put(s->account, "time", json_real((double)r->packet->time_ns / 1e9));
	if (r->flow)
		account_put_uint(s->account, "flow", r->flow);
	account_put_string(s->account, "ctinfo", ct_info_name((enum ct_info)out->info));
	account_put(s->account, "mark", json_sprintf("0x%" PRIx32, out->mark));
	if (s->event && message_detail(s->event, detail))
		account_put_string(s->account, "detail", detail);
	put_flow(s);
	if (out->drop)
		account_put(s->account, "drop", json_true());
}

/* ---- the packet ---- */

static const struct ct_event *event_of(const struct ct_result *out)
{
	for (unsigned int i = 0; i < out->nevents; i++)
		if (out->events[i].type == CT_EVENT_INVALID)
			return &out->events[i];
	return NULL;
}

/* Which flow's or whose packets are counted from now on. */
static void begin_sequel(struct explain *e, const struct scene *s)
{
	e->sequel = (struct sequel){
		.flow = s->record->flow,
		.has_tuple = s->packet->has_tuple && !s->packet->has_icmp,
		.tuple = s->packet->tuple,
		.state = s->record->out->state,
		.proto = s->packet->ip.proto,
	};
}

static void tell(struct explain *e, const struct record *r, const struct anatomy *packet)
{
	struct scene s = {
		.look = e->look,
		.record = r,
		.event = event_of(r->out),
		.packet = packet,
		.memory = &e->memory,
		.flow = r->first ? NULL : recall_flow(&e->memory, r->flow),
		.reopened = r->first ? e->reopened : 0,
		.begin_ns = e->begin_ns,
		.account = &e->account,
	};

	e->found = true;
	e->info = (enum ct_info)r->out->info;
	e->reason = (enum ct_reason)r->out->reason;
	head(&s);
	explain_found(&s);
	if (packet->ip.proto == CT_PROTO_TCP)
		explain_tcp_sent(&s);
	else if (packet->ip.proto == CT_PROTO_SCTP)
		explain_sctp_sent(&s);
	explain_rule(&s);
	trials_choose(&e->trials, &s);
	begin_sequel(e, &s);
	recall_done(&e->memory); /* it was for this packet */
}

static bool in_sequel(const struct sequel *q, const struct record *r, const struct anatomy *a)
{
	if (q->flow)
		return r->flow == q->flow;
	return q->has_tuple && a->has_tuple &&
	       (ct_tuple_equal(&a->tuple, &q->tuple) || ct_tuple_is_inverse(&a->tuple, &q->tuple));
}

static void count_sequel(struct sequel *q, const struct record *r, const struct anatomy *a)
{
	if (!in_sequel(q, r, a))
		return;
	if (r->out->info == CT_INFO_INVALID) {
		q->invalid++;
		return;
	}
	if (q->valid++ == 0)
		q->first_valid = r->packet->number;
	q->state = r->out->state;
}

static int explain_packet(struct sink *s, const struct record *r)
{
	struct explain *e = (struct explain *)s;
	struct anatomy a;
	int err = 0;

	e->begin_ns = r->begin_ns;
	if (r->packet->number > e->last_number)
		e->last_number = r->packet->number;
	anatomy_read(&a, r->in);
	if (e->found)
		count_sequel(&e->sequel, r, &a);
	else if (r->packet->number == e->number)
		tell(e, r, &a);
	else
		err = recall_note(&e->memory, r, &a);
	e->reopened = 0;
	return err;
}

static int explain_ending(struct sink *s, const struct ending *end)
{
	struct explain *e = (struct explain *)s;

	if (!e->found) {
		recall_end(&e->memory, end);
		e->reopened = end->event->death == CT_DEATH_TCP_REOPEN ? end->flow : 0;
	} else if (e->sequel.flow && end->flow == e->sequel.flow) {
		e->sequel.ended = true;
		e->sequel.ended_ns = end->time_ns;
		e->sequel.death = end->event->death;
	}
	return 0;
}

/* ---- the end ---- */

static void tell_sequel(struct explain *e)
{
	const struct sequel *q = &e->sequel;
	const struct scene s = {.look = e->look, .begin_ns = e->begin_ns};
	const char *state = ct_state_name(q->proto, q->state);
	char when[SCENE_STRLEN];

	account_put_in(&e->account, "after", "valid", q->valid);
	account_put_in(&e->account, "after", "invalid", q->invalid);
	if (!q->flow && !q->has_tuple)
		return;
	if (q->valid + q->invalid == 0)
		account_say(&e->account, SECTION_AFTER, "No other packet of %s was captured.",
			    q->flow ? "the flow" : "these endpoints");
	else
		account_say(&e->account, SECTION_AFTER,
			    "Later packets of %s: %" PRIu64 ", of these INVALID: %" PRIu64 ".",
			    q->flow ? "the flow" : "these endpoints", q->valid + q->invalid,
			    q->invalid);
	if (!q->flow && q->first_valid)
		account_say(&e->account, SECTION_AFTER,
			    "The first of them that was not INVALID was packet %" PRIu64 ".",
			    q->first_valid);
	if (!q->flow)
		return;
	if (q->ended)
		account_say(&e->account, SECTION_AFTER, "The flow ended%s%s at %s: %s.",
			    state ? " in " : "", state ? state : "",
			    scene_time(&s, q->ended_ns, when),
			    ct_death_text((enum ct_death)q->death));
	else
		account_say(&e->account, SECTION_AFTER,
			    "At the end of the capture the flow was there%s%s.",
			    state ? ", in " : "", state ? state : "");
}

static int not_found(const struct explain *e, const struct replay_totals *t)
{
	const struct capture_totals *c = t->capture;
	uint64_t all = c->frames + c->filtered;
	const char *why = c->other && !c->too_short ? "is not IP"
			  : c->too_short && !c->other
				  ? "was cut off before its IP header"
				  : "is not IP, or was cut off before its IP header";

	if (all < e->last_number)
		all = e->last_number;
	if (e->number > all)
		fprintf(stderr,
			"ctmark-replay: there is no packet %" PRIu64
			"; the last one that was read is %" PRIu64 "\n",
			e->number, all);
	else
		fprintf(stderr, "ctmark-replay: packet %" PRIu64 " %s%s: nothing was tracked\n",
			e->number, why, c->filtered ? ", or is left out by the filter" : "");
	return -ENOENT;
}

static int explain_done(struct sink *s, const struct replay_totals *t)
{
	struct explain *e = (struct explain *)s;

	if (!e->found)
		return not_found(e, t);
	trials_run(&e->trials, e->look, e->info, e->reason, &e->account);
	tell_sequel(e);
	if (e->json)
		account_print_json(&e->account, e->look->out);
	else
		account_print(&e->account, e->look->out, e->look->width, e->look->colour);
	return 0;
}

static void explain_free(struct sink *s)
{
	struct explain *e = (struct explain *)s;

	recall_done(&e->memory);
	account_done(&e->account);
	free(e);
}

static const struct sink_ops explain_ops = {
	.packet = explain_packet,
	.ending = explain_ending,
	.done = explain_done,
	.free = explain_free,
};

struct sink *explain_new(const struct look *look, uint64_t number, bool json)
{
	struct explain *e = calloc(1, sizeof(*e));

	if (!e || account_init(&e->account) < 0) {
		free(e);
		return NULL;
	}
	e->base.ops = &explain_ops;
	e->look = look;
	e->number = number;
	e->json = json;
	return &e->base;
}
