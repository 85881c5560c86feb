/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Amanda: backups over the network (semantics 6.5).
 *
 * The backup server asks by UDP, and the host that is to be saved answers, maybe minutes later,
 * with a line like "CONNECT DATA 51201 MESG 51202 INDEX 51203": ports of its own, to which the
 * server connects. Since a host may take that long to find out what there is to save, every answer
 * keeps the flow for five minutes.
 *
 * The words are looked for in a fixed order, each anywhere in the line. The first one without a
 * port ends the search.
 */

#include "core/helper/helper.h"
#include "core/helper/text.h"
#include "core/pkt.h"

#define ANSWERED_NS (300 * CT_NS_PER_S)
#define DIGITS	    5 /* of a port */

/* What stands behind "CONNECT " up to the end of that line. */
static bool find_line(const struct ct_help *h, struct ct_text *ret)
{
	struct ct_text end;

	*ret = ct_text_of(h->payload, 0);
	if (!ct_text_find_exact(ret, "CONNECT "))
		return false;
	end = *ret;
	if (!ct_text_to(&end, '\n'))
		return false;
	ret->end = end.p - 1;
	return true;
}

/* The port at the beginning of t; like all numbers there, modulo 2^16. */
static uint16_t read_port(struct ct_text t)
{
	if (ct_text_left(t) > DIGITS)
		t.end = t.p + DIGITS;
	return (uint16_t)ct_text_digits(&t);
}

static enum ct_help_result expect(struct ct_help *h, uint16_t port)
{
	struct ct_expect_spec spec = ct_help_spec(h, CT_PROTO_TCP);

	spec.tuple.src = h->tuple[CT_DIR_ORIGINAL].src;
	spec.tuple.dst = h->tuple[CT_DIR_ORIGINAL].dst;
	spec.tuple.dst_id_be = ct_be16(port);
	spec.any_src_id = true;
	return ct_help_expect(h, &spec);
}

static enum ct_help_result help(struct ct_help *h)
{
	static const char *const words[] = {"DATA ", "MESG ", "INDEX ", "STATE "};
	enum ct_help_result result = CT_HELP_ACCEPT;
	struct ct_text line;

	if (h->dir == CT_DIR_ORIGINAL)
		return CT_HELP_ACCEPT;
	h->timeout_ns = ANSWERED_NS;
	if (!find_line(h, &line))
		return CT_HELP_ACCEPT;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct ct_text t = line;
		uint16_t port;

		if (!ct_text_find_exact(&t, words[i]))
			continue;
		port = read_port(t);
		if (port == 0)
			break;
		if (expect(h, port) != CT_HELP_ACCEPT)
			result = CT_HELP_DROP;
	}
	return result;
}

const struct ct_helper ct_helper_amanda = {
	.facts = &ct_helper_facts[CT_HELPER_AMANDA],
	.help = help,
};
