/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/conntrack.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "log/plain.h"
#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/value.h"
#include "util/protocols.h"
#include "util/words.h"

bool conntrack_read_layout(const char *text, struct conntrack_layout *ret)
{
	struct conntrack_layout layout = {.wanted = text != NULL};
	_cleanup_free_ char *copy = text ? strdup(text) : NULL;
	char *word, *rest = copy;

	while (rest && (word = strsep(&rest, ","))) {
		if (strcmp(word, "extended") == 0)
			layout.extended = true;
		else if (strcmp(word, "id") == 0)
			layout.id = true;
		else if (strcmp(word, "conntrack") != 0) {
			app_fail(APP_USAGE, "--output '%s' is none of conntrack, extended and id",
				 word);
			return false;
		}
	}
	*ret = layout;
	return true;
}

/* ---- protocols ---- */

/* An event has the name only. */
static int number_of(const json_t *flow)
{
	const char *name = value_text(flow, "proto");
	int number = protocol_number(name);

	if (value_has(flow, "protonum"))
		return (int)value_number(flow, "protonum");
	return number < 0 ? (int)strtol(name, NULL, 10) : number;
}

/* As conntrack(8) has it. */
static const char *name_of(int number)
{
	const char *name = number == IPPROTO_DCCP ? "dccp" : protocol_name(number);

	return name ? name : "unknown";
}

/* The type that answers an ICMP message (semantics 5.4, 5.6). */
static int64_t answer_type(int64_t type)
{
	static const uint8_t pairs[][2] = {{8, 0},   {13, 14},	 {15, 16},
					   {17, 18}, {128, 129}, {139, 140}};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (pairs[i][0] == type)
			return pairs[i][1];
		if (pairs[i][1] == type)
			return pairs[i][0];
	}
	return type;
}

/* ---- pieces of a line, each with a space behind it ---- */

struct direction {
	const char *src, *dst;
	int64_t sport, dport;
	bool reply, ports;
};

/* The reply direction is told only if it is not the plain inversion. */
static struct direction direction_of(const json_t *flow, bool reply)
{
	if (!reply)
		return (struct direction){value_text(flow, "src"),
					  value_text(flow, "dst"),
					  value_number(flow, "sport"),
					  value_number(flow, "dport"),
					  reply,
					  value_has(flow, "sport")};
	if (!value_has(flow, "reply_src"))
		return (struct direction){value_text(flow, "dst"),
					  value_text(flow, "src"),
					  value_number(flow, "dport"),
					  value_number(flow, "sport"),
					  reply,
					  value_has(flow, "sport")};
	return (struct direction){value_text(flow, "reply_src"),
				  value_text(flow, "reply_dst"),
				  value_number(flow, "reply_sport"),
				  value_number(flow, "reply_dport"),
				  reply,
				  value_has(flow, "reply_sport")};
}

static void put_ids(struct words *w, const json_t *flow, int proto, const struct direction *d)
{
	int64_t type = value_number(flow, "icmp_type");

	if (proto == IPPROTO_GRE)
		words_add(w, "srckey=0x%" PRIx64 " dstkey=0x%" PRIx64 " ", d->sport, d->dport);
	else if (value_has(flow, "icmp_type"))
		words_add(w, "type=%" PRId64 " code=%" PRId64 " id=%" PRId64 " ",
			  d->reply ? answer_type(type) : type, value_number(flow, "icmp_code"),
			  value_number(flow, "icmp_id"));
	else if (d->ports)
		words_add(w, "sport=%" PRId64 " dport=%" PRId64 " ", d->sport, d->dport);
}

static void put_counters(struct words *w, const json_t *flow, bool reply)
{
	const char *packets = reply ? "packets_reply" : "packets_orig";
	const char *bytes = reply ? "bytes_reply" : "bytes_orig";

	if (value_has(flow, packets))
		words_add(w, "packets=%" PRId64 " bytes=%" PRId64 " ", value_number(flow, packets),
			  value_number(flow, bytes));
}

static void put_direction(struct words *w, const json_t *flow, int proto, bool reply)
{
	struct direction d = direction_of(flow, reply);

	words_add(w, "src=%s dst=%s ", d.src, d.dst);
	put_ids(w, flow, proto, &d);
	put_counters(w, flow, reply);
}

static void put_family(struct words *w, const json_t *flow)
{
	bool six = strcmp(value_text(flow, "family"), "ipv6") == 0;

	words_add(w, "%-8s %u ", six ? "ipv6" : "ipv4", six ? 10U : 2U);
}

static void put_protocol(struct words *w, const json_t *flow, int proto)
{
	const char *state = value_text(flow, value_has(flow, "state_new") ? "state_new" : "state");

	words_add(w, "%-8s %d ", name_of(proto), proto);
	if (value_has(flow, "timeout"))
		words_add(w, "%" PRId64 " ", value_number(flow, "timeout"));
	if (*state)
		words_add(w, "%s ", state);
}

static void put_id(struct words *w, const json_t *flow)
{
	words_add(w, "id=0x%s ", value_text(flow, "flow"));
}

static const char *finish(struct words *w)
{
	if (w->len && w->buf[w->len - 1] == ' ')
		w->buf[--w->len] = '\0';
	plain_text(w->buf, '?');
	return w->buf;
}

const char *conntrack_line(const json_t *flow, const struct conntrack_layout *layout,
			   char buf[static CONNTRACK_LINE_MAX])
{
	struct words w = {buf, CONNTRACK_LINE_MAX, 0};
	int proto = number_of(flow);

	*buf = '\0';
	if (layout->extended)
		put_family(&w, flow);
	put_protocol(&w, flow, proto);
	put_direction(&w, flow, proto, false);
	if (!value_lists(flow, "status", "SEEN_REPLY"))
		words_add(&w, "[UNREPLIED] ");
	put_direction(&w, flow, proto, true);
	if (value_lists(flow, "status", "ASSURED"))
		words_add(&w, "[ASSURED] ");
	words_add(&w, "mark=0 ");
	if (value_number(flow, "zone"))
		words_add(&w, "zone=%" PRId64 " ", value_number(flow, "zone"));
	words_add(&w, "use=1 ");
	if (layout->id)
		put_id(&w, flow);
	if (value_has(flow, "helper"))
		words_add(&w, "helper=%s ", value_text(flow, "helper"));
	return finish(&w);
}

/* ---- expectations ---- */

/* What does not have to match is all zeros, and so is its mask. */
static void put_expected(struct words *w, const json_t *e)
{
	bool six = strcmp(value_text(e, "family"), "ipv6") == 0;
	const char *zeros = six ? "::" : "0.0.0.0";
	const char *ones = six ? "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "255.255.255.255";
	bool any = !value_has(e, "src");

	words_add(w, "src=%s dst=%s sport=%" PRId64 " dport=%" PRId64 " ",
		  any ? zeros : value_text(e, "src"), value_text(e, "dst"),
		  value_number(e, "sport"), value_number(e, "dport"));
	words_add(w, "mask-src=%s mask-dst=%s sport=%d dport=65535 ", any ? zeros : ones, ones,
		  value_has(e, "sport") ? 65535 : 0);
}

const char *conntrack_expect_line(const json_t *expectation, char buf[static CONNTRACK_LINE_MAX])
{
	struct words w = {buf, CONNTRACK_LINE_MAX, 0};

	*buf = '\0';
	words_add(&w, "%" PRId64 " proto=%d ", value_number(expectation, "timeout"),
		  number_of(expectation));
	put_expected(&w, expectation);
	words_add(&w, "master-id=0x%s ", value_text(expectation, "master"));
	if (value_true(expectation, "permanent"))
		words_add(&w, "PERMANENT ");
	if (value_true(expectation, "inactive"))
		words_add(&w, "INACTIVE ");
	words_add(&w, "class=0 ");
	if (value_has(expectation, "helper"))
		words_add(&w, "helper=%s ", value_text(expectation, "helper"));
	return finish(&w);
}
