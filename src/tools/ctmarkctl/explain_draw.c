/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/explain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/text.h"
#include "tools/ctmarkctl/value.h"
#include "util/words.h"

#define INDENT 2
#define LABEL  15

static void heading(struct screen *s, const char *text)
{
	screen_tab(s, INDENT);
	screen_add(s, STYLE_HEAD, "%s", text);
	screen_line(s);
}

/* The rest of a line, broken where the terminal ends: nothing of it may be lost. */
static void __attribute__((format(printf, 4, 5)))
say(struct screen *s, unsigned int indent, enum style style, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	screen_wrap(s, indent, style, text ? text : "");
}

/* ---- the flow ---- */

static void label(struct screen *s, const char *text)
{
	screen_tab(s, INDENT);
	screen_field(s, LABEL, STYLE_HEAD, "%s", text);
}

static void draw_tuple(struct screen *s, const json_t *flow)
{
	char src[TEXT_STRLEN], dst[TEXT_STRLEN], icmp[64] = "", zone[32] = "";

	if (value_has(flow, "icmp_type"))
		snprintf(icmp, sizeof(icmp), " type %" PRId64 " code %" PRId64 " id %" PRId64,
			 value_number(flow, "icmp_type"), value_number(flow, "icmp_code"),
			 value_number(flow, "icmp_id"));
	if (value_has(flow, "zone"))
		snprintf(zone, sizeof(zone), " in zone %" PRId64, value_number(flow, "zone"));
	screen_add(s, STYLE_HEAD, "Flow %s", value_text(flow, "flow"));
	say(s, 2 * INDENT, STYLE_PLAIN, "%s %s > %s%s%s", value_text(flow, "proto"),
	    text_side(flow, "src", src), text_side(flow, "dst", dst), icmp, zone);
	if (!value_has(flow, "reply_src"))
		return;
	label(s, "replies");
	say(s, LABEL, STYLE_PLAIN, "%s > %s", text_side(flow, "reply_src", src),
	    text_side(flow, "reply_dst", dst));
}

static void draw_state(struct screen *s, const json_t *flow)
{
	const char *state = value_text(flow, "state");
	const json_t *bit;
	char text[TEXT_STRLEN];
	size_t i;

	if (*state) {
		label(s, "state");
		screen_add(s, style_of(state), "%s", state);
		screen_line(s);
	}
	label(s, "status");
	json_array_foreach(json_object_get(flow, "status"), i, bit)
		screen_add(s, STYLE_PLAIN, "%s%s", i ? "," : "",
			   json_is_string(bit) ? json_string_value(bit) : "?");
	screen_line(s);
	label(s, "ends in");
	say(s, LABEL, STYLE_PLAIN, "%s, if no packet comes",
	    text_duration(value_number(flow, "timeout"), text));
}

static void draw_packets(struct screen *s, const json_t *flow)
{
	if (!value_has(flow, "packets_orig"))
		return;
	label(s, "packets");
	say(s, LABEL, STYLE_PLAIN,
	    "%" PRId64 " out (%" PRId64 " bytes), %" PRId64 " back (%" PRId64 " bytes)",
	    value_number(flow, "packets_orig"), value_number(flow, "bytes_orig"),
	    value_number(flow, "packets_reply"), value_number(flow, "bytes_reply"));
}

static void draw_relations(struct screen *s, const json_t *explanation, const json_t *flow)
{
	const json_t *children = json_object_get(explanation, "children"), *child;
	size_t i;

	if (value_has(flow, "helper")) {
		label(s, "helper");
		screen_add(s, STYLE_PLAIN, "%s", value_text(flow, "helper"));
		screen_line(s);
	}
	if (value_has(flow, "master")) {
		label(s, "expected by");
		screen_add(s, STYLE_PLAIN, "flow %s", value_text(flow, "master"));
		screen_line(s);
	}
	json_array_foreach(children, i, child)
	{
		label(s, i ? "" : "expected");
		screen_add(s, STYLE_PLAIN, "flow %s",
			   json_is_string(child) ? json_string_value(child) : "?");
		screen_line(s);
	}
}

static void draw_words(struct screen *s, const json_t *explanation)
{
	const json_t *sentence;
	size_t i;

	json_array_foreach(json_object_get(explanation, "words"), i, sentence)
	{
		if (!json_is_string(sentence))
			continue;
		screen_tab(s, INDENT);
		screen_add(s, STYLE_DIM, "-");
		screen_wrap(s, INDENT + 2, STYLE_PLAIN, json_string_value(sentence));
	}
}

/* ---- TCP and SCTP ---- */

static void draw_flags(struct screen *s, const json_t *peer)
{
	const json_t *flags = json_object_get(peer, "flags"), *flag;
	char text[256];
	struct words w = {text, sizeof(text), 0};
	size_t i;

	if (json_array_size(flags) == 0)
		return;
	json_array_foreach(flags, i, flag) words_add(
		&w, "%s%s", i ? ", " : "", json_is_string(flag) ? json_string_value(flag) : "?");
	say(s, LABEL, STYLE_DIM, "%s", text);
}

static void draw_peer(struct screen *s, const json_t *tcp, const char *side)
{
	const json_t *peer = json_object_get(tcp, side);
	char ack[64] = "", seq[64] = "any";

	screen_tab(s, 2 * INDENT);
	screen_field(s, LABEL, STYLE_NOTE, "%s", side);
	say(s, LABEL, STYLE_PLAIN, "has sent up to %" PRId64 ", may send up to %" PRId64,
	    value_number(peer, "end"), value_number(peer, "maxend"));
	if (value_has(peer, "maxack"))
		snprintf(ack, sizeof(ack), ", acknowledged up to %" PRId64,
			 value_number(peer, "maxack"));
	say(s, LABEL, STYLE_PLAIN, "offers a window of %" PRId64 ", scale %" PRId64 "%s",
	    value_number(peer, "maxwin"), value_number(peer, "scale"), ack);
	draw_flags(s, peer);
	if (value_has(peer, "seq_max"))
		snprintf(seq, sizeof(seq), "%" PRId64 " .. %" PRId64, value_number(peer, "seq_min"),
			 value_number(peer, "seq_max"));
	say(s, LABEL, STYLE_PLAIN, "next: seq %s, ack %" PRId64 " .. %" PRId64, seq,
	    value_number(peer, "ack_min"), value_number(peer, "ack_max"));
}

static void draw_tcp(struct screen *s, const json_t *tcp)
{
	if (!json_is_object(tcp))
		return;
	heading(s, "What each side may send next");
	draw_peer(s, tcp, "original");
	draw_peer(s, tcp, "reply");
	screen_tab(s, 2 * INDENT);
	screen_add(s, STYLE_PLAIN, "last: %s in direction %s", value_text(tcp, "last_packet"),
		   value_text(tcp, "last_dir"));
	if (value_number(tcp, "retrans"))
		screen_add(s, STYLE_WARN, "; segments sent again: %" PRId64,
			   value_number(tcp, "retrans"));
	screen_line(s);
	if (!value_true(tcp, "liberal"))
		return;
	screen_tab(s, 2 * INDENT);
	screen_wrap(s, 2 * INDENT, STYLE_WARN,
		    "No sequence number is rejected: TCPBeLiberal= says so, or the connection was "
		    "met in its middle.");
}

static void draw_tag(struct screen *s, const json_t *sctp, const char *key, const char *side)
{
	screen_tab(s, 2 * INDENT);
	screen_field(s, LABEL, STYLE_NOTE, "%s", side);
	if (value_has(sctp, key))
		screen_add(s, STYLE_PLAIN, "0x%08" PRIx64, value_number(sctp, key));
	else
		screen_add(s, STYLE_DIM, "not known yet");
	screen_line(s);
}

static void draw_sctp(struct screen *s, const json_t *sctp)
{
	if (!json_is_object(sctp))
		return;
	heading(s, "Verification tags of its packets");
	draw_tag(s, sctp, "vtag_original", "original");
	draw_tag(s, sctp, "vtag_reply", "reply");
}

/* ---- what happened ---- */

/* The sentence of a step begins with the flow's addresses, which stand above already. */
static const char *message_of(const json_t *step, bool with_flow)
{
	const char *message = value_text(step, "message");
	const char *rest = with_flow ? strstr(message, ": ") : NULL;

	return rest ? rest + 2 : message;
}

/* A number of the detail, "seq=1 end=2 ..." */
static bool number_of(const char *detail, const char *name, uint32_t *ret)
{
	size_t len = strlen(name);
	const char *at = detail;

	while (strncmp(at, name, len) != 0 || at[len] != '=') {
		at = strchr(at, ' ');
		if (!at)
			return false;
		at++;
	}
	*ret = (uint32_t)strtoul(at + len + 1, NULL, 10);
	return true;
}

/* By how much a sequence number is out of its bounds, for those who do not like to subtract. */
static void measure(const char *reason, const char *detail, char buf[static TEXT_STRLEN])
{
	static const struct {
		const char *reason, *large, *small, *before, *behind;
	} bounds[] = {
		{"tcp-seq-over", "seq", "maxend", "begins ", "beyond what it may send"},
		{"tcp-ack-over", "sack", "end", "", "beyond all that was sent"},
		{"tcp-rst-stale", "maxack", "seq", "", "below what is acknowledged"},
	};
	uint32_t large, small;

	*buf = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++)
		if (strcmp(reason, bounds[i].reason) == 0 &&
		    number_of(detail, bounds[i].large, &large) &&
		    number_of(detail, bounds[i].small, &small))
			snprintf(buf, TEXT_STRLEN, "%s%" PRIu32 " %s", bounds[i].before,
				 large - small, bounds[i].behind);
}

/* The numbers themselves are in the sentence. */
static void draw_reason(struct screen *s, const json_t *step, unsigned int indent)
{
	const char *reason = value_text(step, "reason");
	char text[TEXT_STRLEN];

	if (!*reason)
		return;
	measure(reason, value_text(step, "detail"), text);
	say(s, indent, STYLE_DIM, "%s%s%s", reason, *text ? ": " : "", text);
}

static void draw_step(struct screen *s, const json_t *step, bool with_flow)
{
	const char *event = value_text(step, "event");
	char when[TEXT_STRLEN];
	unsigned int indent;

	screen_tab(s, 2 * INDENT);
	screen_add(s, STYLE_DIM, "%s ",
		   text_time(value_number(step, "time"), value_number(step, "time_usec"),
			     s->app->option[OPTION_UTC], true, when));
	indent = s->column + 9;
	screen_field(s, indent, style_of(event), "%s", event);
	/* narrow: the sentence gets lines of its own */
	if (s->width && indent + 24 > s->width) {
		indent = 3 * INDENT;
		screen_line(s);
	}
	screen_wrap(s, indent, STYLE_PLAIN, message_of(step, with_flow));
	draw_reason(s, step, indent);
}

static void draw_history(struct screen *s, const json_t *explanation, const char *flow)
{
	int64_t forgotten = value_number(explanation, "forgotten");
	const json_t *steps = json_object_get(explanation, "history"), *step;
	size_t i;

	heading(s, *flow ? "What happened to it" : "Packets that belong to no flow");
	if (forgotten) {
		screen_tab(s, 2 * INDENT);
		screen_add(s, STYLE_DIM, "%" PRId64 " older %s not kept", forgotten,
			   forgotten == 1 ? "step was" : "steps were");
		screen_line(s);
	}
	json_array_foreach(steps, i, step) draw_step(s, step, *flow);
	if (i == 0) {
		screen_tab(s, 2 * INDENT);
		screen_add(s, STYLE_DIM, "nothing since the daemon started");
		screen_line(s);
	}
	if (!*flow)
		return;
	say(s, 2 * INDENT, STYLE_DIM, "All that was logged: journalctl CTMARK_FLOW=%s", flow);
}

void explain_draw(struct screen *s, const json_t *explanation)
{
	const json_t *flow = json_object_get(explanation, "flow");

	if (json_is_object(flow)) {
		draw_tuple(s, flow);
		draw_state(s, flow);
		draw_packets(s, flow);
		draw_relations(s, explanation, flow);
	}
	draw_words(s, explanation);
	draw_tcp(s, json_object_get(explanation, "tcp"));
	draw_sctp(s, json_object_get(explanation, "sctp"));
	draw_history(s, explanation, value_text(flow, "flow"));
}
