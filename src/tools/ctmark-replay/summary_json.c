/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/summary.h"

#include "tools/ctmark-replay/who.h"

#define OBJECT_MAX 4096

static void write_object(FILE *out, struct words *w)
{
	line_text(w, "}\n");
	fwrite(w->buf, 1, w->len, out);
}

static void add_states(struct words *w, const struct life *l)
{
	if (!ct_state_name(l->orig.proto, l->states[0]))
		return;
	line_text(w, ",\"states\":[");
	for (unsigned int i = 0; i < l->nstates && i < LIFE_STATES_MAX; i++) {
		const char *name = ct_state_name(l->orig.proto, l->states[i]);

		line_text(w, i ? ",\"" : "\"");
		line_text(w, name ? name : "?");
		line_char(w, '"');
	}
	line_char(w, ']');
	if (l->nstates > LIFE_STATES_MAX)
		line_text(w, ",\"more_states\":true");
}

static void add_invalid(struct words *w, const struct life *l)
{
	who_json_number(w, "invalid", l->invalid);
	if (!l->nreasons)
		return;
	line_text(w, ",\"reasons\":{");
	for (unsigned int i = 0; i < l->nreasons; i++) {
		line_text(w, i ? ",\"" : "\"");
		line_text(w, ct_reason_name((enum ct_reason)l->reasons[i].reason));
		line_value(w, "\":", l->reasons[i].packets);
	}
	line_char(w, '}');
}

static void add_end(struct words *w, int end)
{
	if (end == LIFE_ALIVE)
		line_text(w, ",\"end\":null");
	else
		who_json_text(w, "end",
			      end == LIFE_UNCONFIRMED ? "unconfirmed"
						      : ct_death_name((enum ct_death)end));
}

void summary_json_flow(FILE *out, const struct life *l, int end)
{
	char buf[OBJECT_MAX];
	struct words w = {.buf = buf, .size = sizeof(buf)};

	line_value(&w, "{\"flow\":", l->flow);
	who_json_flow(&w, &l->orig);
	who_json_time(&w, "begin", l->first_ns);
	who_json_time(&w, "until", l->last_ns);
	who_json_number(&w, "packets_orig", l->packets[CT_DIR_ORIGINAL]);
	who_json_number(&w, "bytes_orig", l->bytes[CT_DIR_ORIGINAL]);
	who_json_number(&w, "packets_reply", l->packets[CT_DIR_REPLY]);
	who_json_number(&w, "bytes_reply", l->bytes[CT_DIR_REPLY]);
	who_json_number(&w, "errors", l->errors);
	add_invalid(&w, l);
	add_states(&w, l);
	who_json_status(&w, l->status);
	if (l->helper != CT_HELPER_NONE)
		who_json_text(&w, "helper", ct_helper_name((enum ct_helper_id)l->helper));
	if (l->master)
		who_json_number(&w, "master", l->master);
	add_end(&w, end);
	write_object(out, &w);
}

/* ---- totals ---- */

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Members of an object, without those that are 0. */
static void add_count(struct words *w, const char *name, uint64_t n)
{
	if (!n)
		return;
	line_text(w, w->buf[w->len - 1] == '{' ? "\"" : ",\"");
	line_text(w, name);
	line_value(w, "\":", n);
}

void summary_json_totals(FILE *out, const struct replay_totals *t)
{
	char buf[OBJECT_MAX];
	struct words w = {.buf = buf, .size = sizeof(buf)};

	line_value(&w, "{\"packets\":", t->packets);
	who_json_number(&w, "flows", t->flows);
	who_json_number(&w, "alive", t->alive);
	who_json_number(&w, "expectations", get(&t->stats.count[CT_STAT_EXPECTED]));
	line_text(&w, ",\"ctinfo\":{");
	for (int i = 0; i < CT_INFO_MAX; i++)
		add_count(&w, ct_info_name((enum ct_info)i), get(&t->stats.info[i]));
	line_text(&w, "},\"reasons\":{");
	for (int i = 0; i < CT_REASON_MAX; i++)
		add_count(&w, ct_reason_name((enum ct_reason)i), get(&t->stats.reason[i]));
	line_text(&w, "},\"ends\":{");
	for (int i = 0; i < CT_DEATH_MAX; i++)
		add_count(&w, ct_death_name((enum ct_death)i), get(&t->stats.death[i]));
	line_char(&w, '}');
	write_object(out, &w);
}
