/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * SIP: calls, and phones that register (RFC 3261; semantics 6.7).
 *
 * Two kinds of flows are announced. The media of a call go to the addresses and ports of its
 * session descriptions, which travel in INVITE, its answers and what follows them; they are
 * expected from the moment they are described, since either side may send at once, and forgotten
 * when the call is refused or hung up. And a phone that has registered is called: by a flow that
 * its registrar begins, to the Contact of the registration. That one is expected for as long as the
 * registrar says in its answer, any number of times, and not before that answer. Calls over it
 * announce media as well, so it gets this helper, too.
 *
 * Answers are matched to requests by CSeq alone, the last one of INVITE and that of REGISTER: a
 * helper that looked at more would know more about a dialogue than the router can be sure to see.
 *
 * A datagram is one message. A TCP segment is a sequence of whole messages, each as long as its
 * Content-Length says; what is begun in one segment and ended in another is not read. Neither is a
 * packet of which only the beginning was copied from the kernel: half a message would be a wrong
 * one.
 *
 * What cannot be read is let through as long as nothing depends on it. A request or an answer
 * without CSeq, an answer without a code, a lifetime or a media port out of range are dropped: that
 * is where the two ends would agree on something that the firewall did not understand.
 */

#include "core/helper/sip.h"

#include "core/pkt.h"

#define LIFE_NS	   (3600 * CT_NS_PER_S) /* of a flow that carries messages */
#define SHORTEST   11			/* bytes of a message: "SIP/2.0 200" */
#define EMPTY_LINE "\r\n\r\n"

/* One message in a packet. */
struct message {
	struct ct_help *h;
	struct ct_text text;
	uint32_t cseq;
	uint32_t code; /* of a response */
};

/* --- expectations --------------------------------------------------------------------------- */

static bool drop_media(struct ct_expect *e, void *ctx, bool *remove)
{
	(void)ctx;
	*remove = e->class != CT_SIP_SIGNALLING;
	return true;
}

static bool drop_signalling(struct ct_expect *e, void *ctx, bool *remove)
{
	(void)ctx;
	*remove = e->class == CT_SIP_SIGNALLING;
	return !*remove;
}

/* --- INVITE and what belongs to its call ---------------------------------------------------- */

static enum ct_help_result describes(struct message *m)
{
	return ct_sip_sdp(m->h, m->text);
}

static enum ct_help_result invite(struct message *m)
{
	enum ct_help_result result;

	ct_help_each(m->h, drop_media, NULL);
	result = ct_sip_sdp(m->h, m->text);
	if (result == CT_HELP_ACCEPT)
		m->h->kin->priv.sip.invite = m->cseq;
	return result;
}

static enum ct_help_result bye(struct message *m)
{
	ct_help_each(m->h, drop_media, NULL);
	return CT_HELP_ACCEPT;
}

static enum ct_help_result answers_invite(struct message *m)
{
	if (m->code >= 100 && m->code <= 299)
		return ct_sip_sdp(m->h, m->text);
	if (m->cseq == m->h->kin->priv.sip.invite)
		ct_help_each(m->h, drop_media, NULL);
	return CT_HELP_ACCEPT;
}

/* --- REGISTER ------------------------------------------------------------------------------- */

/* A contact is of use if it is reached the same way as the registrar. */
static bool same_transport(const struct message *m, struct ct_text uri)
{
	if (!ct_sip_param(&uri, "transport="))
		return true;
	return ct_text_word(&uri, m->h->flow->orig.proto == CT_PROTO_TCP ? "tcp" : "udp");
}

/* Seconds that a contact is to last, *ret if it says nothing. False: not a number. */
static bool read_expires(struct ct_text uri, uint32_t *ret)
{
	return !ct_sip_param(&uri, "expires=") || ct_sip_number(&uri, ret);
}

/* What the header says of all contacts. */
static uint32_t common_expires(struct ct_text message)
{
	uint32_t seconds = 0;

	(void)ct_sip_find_number(&message, CT_SIP_EXPIRES, &seconds);
	return seconds;
}

static enum ct_help_result expect_calls(struct ct_help *h, const struct ct_sip_uri *to)
{
	struct ct_expect_spec spec = ct_help_spec(h, h->flow->orig.proto);

	spec.tuple.src = h->tuple[!h->dir].src;
	spec.any_src_id = true;
	spec.tuple.dst = to->addr;
	spec.tuple.dst_id_be = to->port_be;
	spec.class = CT_SIP_SIGNALLING;
	spec.flags = CT_EXPECT_PERMANENT | CT_EXPECT_INACTIVE;
	spec.helper = CT_HELPER_SIP;
	return ct_help_expect(h, &spec);
}

static enum ct_help_result registers(struct message *m)
{
	struct ct_help *h = m->h;
	uint8_t family = h->flow->orig.family;
	struct ct_sip_contacts contacts = ct_sip_contacts(m->text, family);
	uint32_t seconds = common_expires(m->text);
	struct ct_sip_uri uri;

	if (h->flow->status & CT_STATUS_EXPECTED || !ct_sip_next_contact(&contacts, &uri))
		return CT_HELP_ACCEPT;
	if (memcmp(&uri.addr, &h->tuple[h->dir].src, sizeof(uri.addr)) != 0 ||
	    !same_transport(m, uri.rest))
		return CT_HELP_ACCEPT;
	if (!read_expires(uri.rest, &seconds))
		return ct_help_unreadable(h);
	if (seconds > 0 && expect_calls(h, &uri) != CT_HELP_ACCEPT)
		return CT_HELP_DROP;
	h->kin->priv.sip.reg = m->cseq;
	return CT_HELP_ACCEPT;
}

/* A registration that was granted. */
struct grant {
	struct ct_tuple to;
	uint64_t expires_ns;
	bool found;
};

static bool activate(struct ct_expect *e, void *ctx, bool *remove)
{
	struct grant *g = ctx;

	(void)remove;
	if (e->class != CT_SIP_SIGNALLING || e->tuple.proto != g->to.proto ||
	    e->tuple.dst_id_be != g->to.dst_id_be ||
	    memcmp(&e->tuple.dst, &g->to.dst, sizeof(g->to.dst)) != 0)
		return true;
	e->expires_ns = g->expires_ns;
	e->flags &= (uint8_t)~CT_EXPECT_INACTIVE;
	g->found = true;
	return false;
}

static bool granted(struct ct_help *h, const struct ct_sip_uri *uri, uint32_t seconds)
{
	struct grant g = {
		.to = {.dst = uri->addr, .dst_id_be = uri->port_be, .proto = h->flow->orig.proto},
		.expires_ns = h->now_ns + seconds * CT_NS_PER_S,
	};

	ct_help_each(h, activate, &g);
	return g.found;
}

/*
 * An answer lists all contacts of the user. The first of this phone that was asked for is taken;
 * one that is not to last ends the search, and the registration with it.
 */
static enum ct_help_result read_grants(struct message *m)
{
	struct ct_help *h = m->h;
	uint32_t common = common_expires(m->text);
	struct ct_sip_contacts contacts = ct_sip_contacts(m->text, h->flow->orig.family);
	struct ct_sip_uri uri;

	while (ct_sip_next_contact(&contacts, &uri)) {
		uint32_t seconds = common;

		if (memcmp(&uri.addr, &h->tuple[h->dir].dst, sizeof(uri.addr)) != 0 ||
		    !same_transport(m, uri.rest))
			continue;
		if (!read_expires(uri.rest, &seconds))
			return ct_help_unreadable(h);
		if (seconds == 0)
			break;
		if (granted(h, &uri, seconds))
			return CT_HELP_ACCEPT;
	}
	ct_help_each(h, drop_signalling, NULL);
	return CT_HELP_ACCEPT;
}

static enum ct_help_result answers_register(struct message *m)
{
	if (m->cseq != m->h->kin->priv.sip.reg || (m->code >= 100 && m->code <= 199))
		return CT_HELP_ACCEPT;
	if (m->code >= 200 && m->code <= 299)
		return read_grants(m);
	ct_help_each(m->h, drop_signalling, NULL);
	return CT_HELP_ACCEPT;
}

/* --- messages ------------------------------------------------------------------------------- */

struct method {
	const char *name;
	enum ct_help_result (*request)(struct message *m);
	enum ct_help_result (*response)(struct message *m); /* NULL: not looked at */
};

static const struct method methods[] = {
	{"invite", invite, answers_invite},
	{"update", describes, answers_invite},
	{"ack", describes, NULL},
	{"prack", describes, answers_invite},
	{"bye", bye, NULL},
	{"register", registers, answers_register},
};

#define NMETHODS (sizeof(methods) / sizeof(*methods))

/* "METHOD sip:…" */
static bool asks(struct ct_text t, const char *method)
{
	return ct_text_word(&t, method) && ct_text_byte(&t, ' ') &&
	       ct_sip_is_letter(ct_text_peek(t));
}

static enum ct_help_result request(struct message *m)
{
	struct ct_text t = m->text;

	for (const struct method *method = methods; method < methods + NMETHODS; method++) {
		if (!asks(m->text, method->name))
			continue;
		if (!ct_sip_find_number(&t, CT_SIP_CSEQ, &m->cseq))
			return ct_help_unreadable(m->h);
		return method->request(m);
	}
	return CT_HELP_ACCEPT;
}

/* t is behind "SIP/2.0 ". */
static enum ct_help_result response(struct message *m, struct ct_text t)
{
	if (ct_text_left(m->text) < SHORTEST)
		return CT_HELP_ACCEPT;
	if (!ct_sip_number(&t, &m->code) || m->code == 0)
		return ct_help_unreadable(m->h);
	t = m->text;
	if (!ct_sip_find_number(&t, CT_SIP_CSEQ, &m->cseq))
		return ct_help_unreadable(m->h);
	if (ct_text_left(t) > 0)
		t.p++;
	for (const struct method *method = methods; method < methods + NMETHODS; method++)
		if (method->response && ct_text_word(&t, method->name))
			return method->response(m);
	return CT_HELP_ACCEPT;
}

static enum ct_help_result read_message(struct ct_help *h, struct ct_text text)
{
	struct message m = {.h = h, .text = text};
	struct ct_text t = text;

	return ct_text_word(&t, "sip/2.0 ") ? response(&m, t) : request(&m);
}

/* Takes the first message out of a stream. False: it is not whole. */
static bool split(struct ct_text *stream, struct ct_text *ret)
{
	struct ct_text t = *stream;
	uint32_t length;

	if (!ct_sip_find_number(&t, CT_SIP_CONTENT_LENGTH, &length) ||
	    !ct_text_find(&t, EMPTY_LINE) || length > ct_text_left(t))
		return false;
	t.p += length;
	*ret = (struct ct_text){stream->p, t.p};
	*stream = t;
	return true;
}

static enum ct_help_result help_tcp(struct ct_help *h, struct ct_text stream)
{
	enum ct_help_result result = CT_HELP_ACCEPT;
	struct ct_text one;

	while (result == CT_HELP_ACCEPT && split(&stream, &one))
		result = read_message(h, one);
	return result;
}

static enum ct_help_result help(struct ct_help *h)
{
	bool tcp = h->flow->orig.proto == CT_PROTO_TCP;
	struct ct_text text = ct_text_of(h->payload, 0);

	if (h->payload.len == 0)
		return CT_HELP_ACCEPT;
	if (tcp && h->info != CT_INFO_ESTABLISHED && h->info != CT_INFO_ESTABLISHED_REPLY)
		return CT_HELP_ACCEPT;
	h->timeout_ns = LIFE_NS;
	if (h->payload.len < SHORTEST || ct_text_left(text) < h->payload.len)
		return CT_HELP_ACCEPT;
	return tcp ? help_tcp(h, text) : read_message(h, text);
}

const struct ct_helper ct_helper_sip = {
	.facts = &ct_helper_facts[CT_HELPER_SIP],
	.help = help,
};
