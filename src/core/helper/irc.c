/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * IRC: DCC between clients (semantics 6.5).
 *
 * A client asks another one, through the server, to connect to it: "PRIVMSG bob :\1DCC SEND
 * file 167837697 51201\1". Who that will be is not known here, so the connection may come from
 * anywhere; that is why a client can announce nothing but itself.
 *
 * Text that others have a say in must not be taken for a request. So only the beginning of a
 * segment is looked at, and only the first " :" of the message, where its text starts; a DCC of a
 * kind that nobody connects for is passed over. Nothing is ever dropped for what it says: whatever
 * is not a request is conversation.
 */

#include "core/helper/helper.h"
#include "core/helper/text.h"
#include "core/pkt.h"

#define SEARCH_MAX  4095 /* bytes of a segment that are looked at */
#define LINE_MIN    10	 /* "PRIVMSG x " */
#define MATCH_MIN   26	 /* " :\1DCC CHAT t AAAAAAAA P\1\n" */
#define NUMBERS_MIN 12	 /* "AAAAAAAA P\1\n" */

struct announced {
	uint32_t addr;
	uint16_t port;
};

/* Is there a newline somewhere in the rest? */
static bool has_newline(struct ct_text t)
{
	return ct_text_to(&t, '\n');
}

/* "file 167837697 51201", up to a newline. */
static bool read_numbers(struct ct_text t, struct announced *a)
{
	while (!ct_text_byte(&t, ' ')) {
		if (ct_text_left(t) <= NUMBERS_MIN)
			return false;
		t.p++;
	}
	if (!has_newline(t))
		return false;
	a->addr = ct_text_digits(&t);
	ct_text_skip(&t, " ");
	a->port = (uint16_t)ct_text_digits(&t);
	return true;
}

static bool is_own(const struct ct_help *h, const struct announced *a)
{
	return a->port != 0 && a->addr == ct_read_be32(h->tuple[CT_DIR_ORIGINAL].src.b);
}

static enum ct_help_result expect(struct ct_help *h, const struct announced *a)
{
	struct ct_expect_spec spec = ct_help_spec(h, CT_PROTO_TCP);

	spec.tuple.dst = h->tuple[CT_DIR_REPLY].dst;
	spec.tuple.dst_id_be = ct_be16(a->port);
	spec.any_src = spec.any_src_id = true;
	return ct_help_expect(h, &spec);
}

static bool read_kind(struct ct_text *t)
{
	static const char *const kinds[] = {"SEND ", "CHAT ", "MOVE ", "TSEND ", "SCHAT "};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (ct_text_word_exact(t, kinds[i]))
			return true;
	return false;
}

/* What can be searched of a segment, behind "PRIVMSG ". */
static bool begin(const struct ct_help *h, struct ct_text *ret)
{
	*ret = ct_text_of(h->payload, 0);
	if (ct_text_left(*ret) > SEARCH_MAX)
		ret->end = ret->p + SEARCH_MAX;
	ct_text_skip(ret, " \r\n");
	return ct_text_left(*ret) >= LINE_MIN && ct_text_word(ret, "PRIVMSG ");
}

static enum ct_help_result help(struct ct_help *h)
{
	struct announced a;
	struct ct_text t;

	if (h->info != CT_INFO_ESTABLISHED || !begin(h, &t))
		return CT_HELP_ACCEPT;
	while (ct_text_left(t) > MATCH_MIN) {
		if (!ct_text_word_exact(&t, " :")) {
			t.p++;
			continue;
		}
		if (!ct_text_word_exact(&t, "\1DCC "))
			return CT_HELP_ACCEPT;
		if (read_kind(&t))
			return read_numbers(t, &a) && is_own(h, &a) ? expect(h, &a)
								    : CT_HELP_ACCEPT;
	}
	return CT_HELP_ACCEPT;
}

const struct ct_helper ct_helper_irc = {
	.facts = &ct_helper_facts[CT_HELPER_IRC],
	.help = help,
};
