/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Stage 3b: an ICMP error belongs to the flow of the packet it quotes.
 *
 * The quote is read like any packet, as far as its tuple needs; its checksum, flags and numbers are
 * not looked at, because a router may quote as little as eight bytes of the transport layer. The
 * error travels back to the sender of the quoted packet, so the flow is looked up by the inversion
 * of the quoted tuple: the direction in which that is found is the direction of the error.
 *
 * Anybody on the path may send an error, so its source proves nothing and is not checked. Its
 * destination must be the sender of the quoted packet, or it is about somebody else's traffic.
 *
 * An error does not refresh the flow, does not count, and is no reply.
 */

#include "core/icmp.h"
#include "core/related.h"

#define ICMP_HLEN	8
#define REDIRECT_HLEN	40
#define OPT_REDIRECTED	4
#define OPT_HLEN	8
#define HOPLIMIT_ONLINK 255

static bool refuse(struct ct_step *s)
{
	uint32_t unused[CT_DETAIL_MAX];

	s->info = CT_INFO_INVALID;
	(void)ct_tuple_build(&s->tuple, &s->pkt, s->in->zone, unused); /* for the record */
	ct_step_event(s, CT_EVENT_INVALID);
	return true;
}

static bool refuse_for(struct ct_step *s, enum ct_reason reason, uint32_t a, uint32_t b, uint32_t c)
{
	ct_step_invalid(s, reason, a, b, c, 0);
	return refuse(s);
}

/* The tuple of the quoted packet, inverted. False: s->reason says why not. */
static bool read_quote(struct ct_step *s, uint32_t off, struct ct_tuple *ret, struct ct_tuple *inv)
{
	struct ct_pkt inner;
	enum ct_reason reason;

	reason = ct_pkt_parse(&inner, ct_bytes_from(s->pkt.l4, off), s->pkt.family, s->detail);
	if (reason == CT_REASON_NONE)
		reason = ct_tuple_build(ret, &inner, s->in->zone, s->detail);
	if (reason == CT_REASON_NONE)
		ct_keymap_name(&s->th->ct->keymap, &inner, ret);
	switch (reason) {
	case CT_REASON_NONE:
		if (ct_tuple_invert(inv, ret))
			return true;
		ct_step_invalid(s, CT_REASON_ICMP_QUOTE_FORM, inner.proto, 0, 0, 0);
		return false;
	case CT_REASON_IP_FRAGMENT:
	case CT_REASON_IP6_NO_NEXT:
	case CT_REASON_GRE_PROTOCOL:
		ct_step_invalid(s, CT_REASON_ICMP_QUOTE_FORM, inner.proto, 0, 0, 0);
		return false;
	case CT_REASON_COPY_RANGE:
		s->reason = reason;
		return false;
	default:
		s->reason = CT_REASON_ICMP_QUOTE_SHORT;
		return false;
	}
}

/*
 * This host refuses a packet whose flow is not confirmed yet, and never will be: the error belongs
 * to it nevertheless (semantics 5.5).
 */
static uint32_t find_refused(struct ct_step *s, const struct ct_tuple *quoted)
{
	uint32_t index;

	if (s->in->hook != CT_HOOK_OUTPUT || !ct_confirms_at_exit(s->th->ct, s->th->cfg))
		return 0;
	index = ct_table_find_any_pending(s->th->ct, s->bucket, quoted);
	if (index)
		s->dir = CT_DIR_REPLY;
	return index;
}

/* With the lock held: finds the flow of the inverted quote and attaches the error to it. */
static void attach(struct ct_step *s, const struct ct_tuple *quoted, const struct ct_tuple *back)
{
	uint32_t index = ct_table_find(s->th->ct, s->bucket, back, &s->dir);

	if (index && s->th->ct->arena.slots[index].expires_ns <= s->in->now_ns)
		index = 0;
	if (!index)
		index = find_refused(s, quoted);
	if (!index) {
		refuse_for(s, CT_REASON_ICMP_NO_FLOW, quoted->proto,
			   ct_read_be16((const uint8_t *)&quoted->src_id_be),
			   ct_read_be16((const uint8_t *)&quoted->dst_id_be));
		return;
	}
	s->index = index;
	s->flow = &s->th->ct->arena.slots[index];
	if (memcmp(&s->pkt.dst, &back->dst, sizeof(back->dst)) != 0) {
		refuse_for(s, CT_REASON_ICMP_TARGET, 0, 0, 0);
	} else {
		s->info = s->dir == CT_DIR_ORIGINAL ? CT_INFO_RELATED : CT_INFO_RELATED_REPLY;
		ct_step_event(s, CT_EVENT_RELATED);
	}
	ct_step_describe(s);
}

/* An error whose quote starts at offset off of the ICMP message. */
static bool error_about(struct ct_step *s, uint32_t off)
{
	struct ct_tuple quoted, back;
	struct ct_stripe *stripe;

	if (!read_quote(s, off, &quoted, &back))
		return refuse(s);
	s->bucket = ct_table_bucket(s->th->ct, ct_tuple_hash(&back, &s->th->ct->key));
	stripe = ct_table_stripe(s->th->ct, s->bucket);
	ct_lock(&stripe->lock);
	attach(s, &quoted, &back);
	ct_unlock(&stripe->lock);
	return true;
}

static bool related_icmp4(struct ct_step *s, uint8_t type, uint8_t code)
{
	if (type > CT_ICMP_TYPE_MAX)
		return refuse_for(s, CT_REASON_ICMP_TYPE, type, code, 0);
	switch (type) {
	case CT_ICMP_UNREACH:
	case CT_ICMP_QUENCH:
	case CT_ICMP_REDIRECT:
	case CT_ICMP_EXCEEDED:
	case CT_ICMP_PARAMETER:
		return error_about(s, ICMP_HLEN);
	default:
		return false;
	}
}

static bool link_local(const union ct_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* Only the router on the link may redirect, and it says what (RFC 4861, 8.1). */
static bool redirect6(struct ct_step *s, uint8_t code)
{
	const uint8_t *h = ct_step_header(s, REDIRECT_HLEN + OPT_HLEN);

	if (!h)
		return refuse(s);
	if (code != 0 || s->pkt.hoplimit != HOPLIMIT_ONLINK || !link_local(&s->pkt.src) ||
	    h[REDIRECT_HLEN] != OPT_REDIRECTED || h[REDIRECT_HLEN + 1] == 0)
		return refuse_for(s, CT_REASON_ICMP6_REDIRECT, code, s->pkt.hoplimit,
				  h[REDIRECT_HLEN]);
	return error_about(s, REDIRECT_HLEN + OPT_HLEN);
}

/* Neighbour, router and multicast listener discovery have no flows (semantics 1.7). */
static bool untracked6(uint8_t type)
{
	switch (type) {
	case CT_ICMP6_MLD_QUERY:
	case CT_ICMP6_MLD_REPORT:
	case CT_ICMP6_MLD_DONE:
	case CT_ICMP6_ROUTER_SOLICIT:
	case CT_ICMP6_ROUTER_ADVERT:
	case CT_ICMP6_NEIGHBOUR_SOLICIT:
	case CT_ICMP6_NEIGHBOUR_ADVERT:
	case CT_ICMP6_MLD2_REPORT:
	case CT_ICMP6_MRD_ADVERT:
	case CT_ICMP6_MRD_SOLICIT:
		return true;
	default:
		return false;
	}
}

static bool related_icmp6(struct ct_step *s, uint8_t type, uint8_t code)
{
	if (untracked6(type)) {
		s->info = CT_INFO_UNTRACKED;
		return true;
	}
	if (type == CT_ICMP6_REDIRECT)
		return redirect6(s, code);
	if (type <= CT_ICMP6_ERROR_MAX)
		return error_about(s, ICMP_HLEN);
	return false;
}

bool ct_related(struct ct_step *s)
{
	const uint8_t *h = s->pkt.l4.data; /* 8 bytes: checked by the tracker's check() */

	return s->pkt.family == CT_AF_INET ? related_icmp4(s, h[0], h[1])
					   : related_icmp6(s, h[0], h[1]);
}
