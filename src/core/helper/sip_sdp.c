/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Media announced by a session description (RFC 8866) in a SIP message.
 *
 * Whoever describes a session says where it wants to receive: an address for all of it or for one
 * medium, and a port for each medium. RTP comes to the even port, RTCP to the odd one above. The
 * other end of the signalling is taken as the only sender, and a description that names a third
 * host is believed by nobody: otherwise anybody who can call could open ports of other hosts.
 *
 * Proxies and forking calls carry the same description over several connections. What another flow
 * expects already is not expected twice, and is no failure.
 */

#include "core/helper/sip.h"

#include "core/key.h"

#define MEDIA_MAX 3 /* taken from one description */
#define PORT_MIN  1024

/* To behind the name of the next line of that type, unless one of type stop comes before it. */
static bool find_line(struct ct_text *t, const char *type, const char *stop)
{
	struct ct_text at = *t;

	for (; ct_sip_next_line(&at); at.p++) {
		struct ct_text here = at;

		if (stop && ct_text_word(&here, stop))
			return false;
		if (!ct_text_word(&at, type))
			continue;
		*t = at;
		return true;
	}
	return false;
}

/* To behind a word in this line, with at least one byte behind it. */
static bool find_in_line(struct ct_text *t, const char *word)
{
	struct ct_text at = *t;

	for (; ct_text_left(at) > 0 && *at.p != '\r' && *at.p != '\n'; at.p++) {
		struct ct_text here = at;

		if (!ct_text_word_exact(&here, word))
			continue;
		*t = here;
		return ct_text_left(here) > 0;
	}
	return false;
}

/* The address of the first connection line before the next medium. */
static bool connection(struct ct_text t, uint8_t family, union ct_addr *ret)
{
	return find_line(&t, "c=", "m=") &&
	       find_in_line(&t, family == CT_AF_INET ? "IN IP4 " : "IN IP6 ") &&
	       ct_text_addr(&t, family, ret);
}

/* --- what is expected ----------------------------------------------------------------------- */

/* To take back the first of a pair. */
static bool take_back(struct ct_expect *e, void *ctx, bool *remove)
{
	const struct ct_expect_spec *spec = ctx;

	*remove = e->class == spec->class && ct_tuple_equal(&e->tuple, &spec->tuple);
	return !*remove;
}

static enum ct_help_result expect_pair(struct ct_help *h, struct ct_expect_spec *rtp, uint16_t port)
{
	struct ct_expect_spec rtcp = *rtp;

	rtp->tuple.dst_id_be = ct_be16(port & 0xfffe);
	rtcp.tuple.dst_id_be = ct_be16(port | 1);
	if (ct_help_expect(h, rtp) != CT_HELP_ACCEPT)
		return CT_HELP_DROP;
	if (ct_help_expect(h, &rtcp) == CT_HELP_ACCEPT)
		return CT_HELP_ACCEPT;
	ct_help_each(h, take_back, rtp);
	return CT_HELP_DROP;
}

static enum ct_help_result expect_media(struct ct_help *h, const union ct_addr *addr, uint16_t port,
					uint8_t class)
{
	struct ct_expect_spec spec = ct_help_spec(h, CT_PROTO_UDP);

	if (memcmp(addr, &h->tuple[h->dir].src, sizeof(*addr)) != 0)
		return CT_HELP_ACCEPT;
	spec.tuple.src = h->tuple[!h->dir].src;
	spec.tuple.dst = *addr;
	spec.tuple.dst_id_be = ct_be16(port);
	spec.any_src_id = true;
	spec.skip_master = true;
	spec.class = class;
	if (ct_help_foreign(h, &spec))
		return CT_HELP_ACCEPT;
	return expect_pair(h, &spec, port);
}

/* --- media lines ---------------------------------------------------------------------------- */

enum medium {
	NO_LINE,   /* not a line of a medium */
	NO_MEDIUM, /* of a kind that is not known, or not in use */
	MEDIUM,
	NO_PORT, /* nobody can expect anything there */
};

static bool known_kind(struct ct_text *t, uint8_t *ret_class)
{
	static const struct {
		const char *word;
		uint8_t class;
	} kinds[] = {
		{"audio ", CT_SIP_AUDIO},
		{"video ", CT_SIP_VIDEO},
		{"image ", CT_SIP_IMAGE},
	};

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!ct_text_word_exact(t, kinds[i].word))
			continue;
		*ret_class = kinds[i].class;
		return true;
	}
	return false;
}

static enum medium read_medium(struct ct_text *t, uint8_t *ret_class, uint32_t *ret_port)
{
	if (!known_kind(t, ret_class)) {
		while (ct_sip_is_letter(ct_text_peek(*t)))
			t->p++;
		return ct_text_byte(t, ' ') ? NO_MEDIUM : NO_LINE;
	}
	if (!ct_sip_number(t, ret_port) || *ret_port == 0)
		return NO_MEDIUM;
	return *ret_port < PORT_MIN || *ret_port > UINT16_MAX ? NO_PORT : MEDIUM;
}

enum ct_help_result ct_sip_sdp(struct ct_help *h, struct ct_text t)
{
	union ct_addr session, addr;
	uint8_t family = h->flow->orig.family, class = 0;
	uint32_t port = 0;
	bool known;

	if (!find_line(&t, "v=", NULL) || !ct_text_is_digit((uint8_t)ct_text_peek(t)))
		return CT_HELP_ACCEPT;
	known = connection(t, family, &session);
	for (int n = 0; n < MEDIA_MAX && find_line(&t, "m=", NULL);) {
		enum medium medium = read_medium(&t, &class, &port);

		if (medium == NO_LINE)
			break;
		if (medium == NO_MEDIUM)
			continue;
		if (medium == NO_PORT)
			return ct_help_unreadable(h);
		if (!connection(t, family, &addr)) {
			if (!known)
				return ct_help_unreadable(h);
			addr = session;
		}
		if (expect_media(h, &addr, (uint16_t)port, class) != CT_HELP_ACCEPT)
			return CT_HELP_DROP;
		n++;
	}
	return CT_HELP_ACCEPT;
}
