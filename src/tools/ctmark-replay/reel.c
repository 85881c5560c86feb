/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/reel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log/message.h"
#include "tools/ctmark-replay/line.h"

void reel_free(struct reel *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->nshots; i++)
		free(r->shots[i].detail);
	for (size_t i = 0; i < r->ntail; i++)
		free(r->tail[i].detail);
	free(r->shots);
	free(r->tail);
	free(r);
}

static void add_base(struct reel *reel, const struct shot *s)
{
	const struct decoded_tcp *tcp = &s->packet.tcp;
	enum ct_dir from = shot_goes_right(reel, s) ? CT_DIR_ORIGINAL : CT_DIR_REPLY;

	if (s->packet.kind != DECODE_TCP)
		return;
	if (!reel->has_base[from])
		reel->base[from] = tcp->seq;
	reel->has_base[from] = true;
	if (!reel->has_base[!from] && tcp->ack) {
		reel->base[!from] = tcp->ack;
		reel->has_base[!from] = true;
	}
}

static bool is_notable(const struct shot *s)
{
	return s->reason || s->begins || s->info == CT_INFO_INVALID ||
	       s->state != s->before.state || s->status != s->before.status;
}

/* A packet leaves the ring at the end. */
static void retire(struct reel *reel, struct shot *s)
{
	if (is_notable(s) && reel->nshots < REEL_HEAD + REEL_KEPT)
		reel->shots[reel->nshots++] = *s;
	else
		free(s->detail);
}

static int put_tail(struct reel *reel, const struct shot *s)
{
	if (!reel->tail)
		reel->tail = calloc(REEL_TAIL, sizeof(*reel->tail));
	if (!reel->tail)
		return -ENOMEM;
	if (reel->ntail < REEL_TAIL) {
		reel->tail[reel->ntail++] = *s;
		return 0;
	}
	retire(reel, &reel->tail[reel->tail_at]);
	reel->tail[reel->tail_at] = *s;
	reel->tail_at = (reel->tail_at + 1) % REEL_TAIL;
	return 0;
}

/* Room for packets comes in three steps: most flows are short. */
static int grow(struct reel *reel)
{
	size_t n = reel->nshots;
	size_t want = n < 8 ? 8 : n < 32 ? 32 : REEL_HEAD + REEL_KEPT;
	struct shot *shots;

	if (n != 0 && n != 8 && n != 32)
		return 0;
	shots = reallocarray(reel->shots, want, sizeof(*shots));
	if (!shots)
		return -ENOMEM;
	reel->shots = shots;
	return 0;
}

int reel_put(struct reel *reel, struct shot *s)
{
	int r;

	add_base(reel, s);
	s->nth = ++reel->packets;
	reel->invalid += s->info == CT_INFO_INVALID;
	reel->last_ns = s->at_ns;
	if (s->has_flow) {
		reel->timeout_ns = s->timeout_ns;
		reel->assured = s->status & CT_STATUS_ASSURED;
	}
	if (reel->nshots < REEL_HEAD && !reel->tail) {
		r = grow(reel);
		if (r == 0)
			reel->shots[reel->nshots++] = *s;
	} else {
		r = put_tail(reel, s);
	}
	if (r < 0)
		free(s->detail);
	return r;
}

size_t reel_length(const struct reel *r)
{
	return r->nshots + r->ntail;
}

const struct shot *reel_shot(const struct reel *r, size_t i)
{
	if (i < r->nshots)
		return &r->shots[i];
	return &r->tail[(r->tail_at + i - r->nshots) % r->ntail];
}

/* ---- what a packet is ---- */

bool shot_goes_right(const struct reel *r, const struct shot *s)
{
	if (s->has_flow)
		return s->dir == CT_DIR_ORIGINAL;
	return memcmp(&s->packet.src, &r->orig.src, sizeof(r->orig.src)) == 0;
}

bool shot_is_foreign(const struct reel *r, const struct shot *s)
{
	const struct decoded *d = &s->packet;
	const union ct_addr *sender = shot_goes_right(r, s) ? &r->orig.src : &r->orig.dst;

	return (d->kind == DECODE_ICMP || d->kind == DECODE_ICMP6) && r->has_tuple && s->has_flow &&
	       memcmp(&d->src, sender, sizeof(*sender)) != 0;
}

/* Without a flow the ports are not those at the head, and there is nothing to be relative to. */
static void say_lost(const struct shot *s, struct words *w)
{
	const struct decoded *d = &s->packet;
	char proto[MESSAGE_PROTO_MAX];

	line_text(w, message_proto(d->proto, proto));
	if (d->has_ports) {
		line_value(w, " ", d->sport);
		line_value(w, " > ", d->dport);
	}
	line_char(w, ' ');
}

const char *shot_summary(const struct reel *r, const struct shot *s, bool full,
			 char buf[static DECODE_SUMMARY_MAX])
{
	struct decoded d = s->packet;
	enum ct_dir from = shot_goes_right(r, s) ? CT_DIR_ORIGINAL : CT_DIR_REPLY;
	const struct decode_base base = {r->base[from], r->base[!from]};
	bool relative = d.kind == DECODE_TCP && !full && r->number;
	struct words w = {buf, DECODE_SUMMARY_MAX, 0};
	char text[DECODE_SUMMARY_MAX];

	buf[0] = '\0';
	if (d.kind == DECODE_TCP && !full) {
		d.tcp.has_mss = d.tcp.has_scale = d.tcp.sack_permitted = d.tcp.has_stamp = false;
		d.tcp.nsacks = 0;
	}
	if (r->number == 0 && d.has_addrs)
		say_lost(s, &w);
	else if (d.kind == DECODE_UDP)
		line_text(&w, "UDP ");
	line_text(&w, decode_summary(&d, relative ? &base : NULL, text));
	return buf;
}
