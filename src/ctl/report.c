/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "ctl/method.h"
#include "ctl/metrics.h"
#include "ctl/server.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* ---- asking ---- */

struct ctl_letter *ctl_letter_for(const struct ctl_call *call, enum ctl_ask ask)
{
	struct ctl_letter *l = ctl_letter_new(ask);

	if (!l)
		return NULL;
	l->client = ctl_client_id(call->client);
	l->call = call->id;
	l->uid = ctl_client_uid(call->client);
	l->pid = ctl_client_pid(call->client);
	snprintf(l->method, sizeof(l->method), "%s", call->method->name);
	return l;
}

static void send(struct ctl_call *call, struct ctl_letter *l, ctl_answered *answered)
{
	call->answered = answered;
	if (l && ctl_server_ask(call->server, l))
		return;
	ctl_letter_free(l);
	ctl_error(call, CTL_ERROR("Busy"), NULL);
}

static void ask(struct ctl_call *call, enum ctl_ask what, ctl_answered *answered)
{
	send(call, ctl_letter_for(call, what), answered);
}

/* ---- parts of a snapshot ---- */

static void put_counter(struct ctl_writer *w, const char *name, uint64_t value)
{
	ctl_open(w, NULL, '{');
	ctl_put_string(w, "name", name);
	ctl_put_uint(w, "value", value);
	ctl_close(w, '}');
}

static void put_queue(struct ctl_writer *w, const struct ctl_queue *q)
{
	ctl_open(w, NULL, '{');
	ctl_put_uint(w, "queue", q->queue);
	ctl_put_uint(w, "waiting", q->kernel_known ? q->in_kernel : q->stats.waiting);
	ctl_put_uint(w, "max", q->max_packets);
	ctl_put_uint(w, "received", q->stats.received);
	ctl_put_uint(w, "answered", q->stats.answered);
	if (q->kernel_known)
		ctl_put_uint(w, "dropped", q->full);
	ctl_put_uint(w, "user_dropped", q->stats.lost);
	ctl_put_uint(w, "receive_buffer", q->receive_buffer);
	ctl_put_bool(w, "alive", q->alive);
	ctl_close(w, '}');
}

static void put_queues(struct ctl_writer *w, const struct ctl_snapshot *s)
{
	ctl_open(w, "queues", '[');
	for (size_t i = 0; i < s->nqueues; i++)
		put_queue(w, &s->queues[i]);
	ctl_close(w, ']');
}

static void put_log(struct ctl_writer *w, const struct ctl_snapshot *s)
{
	ctl_open(w, "log", '[');
	for (enum ct_event_type type = 0; type < CT_EVENT_MAX; type++) {
		const struct jlog_stats *l = &s->log[type];

		ctl_open(w, NULL, '{');
		ctl_put_string(w, "class", ct_event_name(type));
		ctl_put_bool(w, "enabled", s->log_events & (1U << type));
		ctl_put_uint(w, "sent", l->sent);
		ctl_put_uint(w, "suppressed", l->suppressed);
		ctl_put_uint(w, "dropped", l->dropped);
		ctl_put_uint(w, "failed", l->failed);
		ctl_close(w, '}');
	}
	ctl_close(w, ']');
}

/* "Range=, MaxFlows=" as an array. */
static void put_keys(struct ctl_writer *w, const char *key, const char *keys)
{
	ctl_open(w, key, '[');
	while (*keys) {
		size_t len = strcspn(keys, "=");

		ctl_put_text(w, NULL, keys, len);
		keys += len;
		keys += strspn(keys, "=, ");
	}
	ctl_close(w, ']');
}

static void put_fragments(struct ctl_writer *w, unsigned int seen)
{
	ctl_open(w, "fragments", '[');
	if (seen & CT_FRAGMENTS_IPV4)
		ctl_put_string(w, NULL, "ipv4");
	if (seen & CT_FRAGMENTS_IPV6)
		ctl_put_string(w, NULL, "ipv6");
	ctl_close(w, ']');
}

static void put_table(struct ctl_writer *w, const struct ctl_snapshot *s)
{
	ctl_put_uint(w, "flows", s->flows);
	ctl_put_uint(w, "max_flows", s->max_flows);
	ctl_put_uint(w, "expectations", s->expects);
	ctl_put_uint(w, "max_expectations", s->max_expects);
	ctl_put_uint(w, "fragments_held", s->fragments_held);
	ctl_put_string(w, "confirms", s->at_exit ? "exit" : "entry");
	put_fragments(w, s->fragments_seen);
	ctl_put_string(w, "adopted_from", s->adopted_from);
	ctl_put_uint(w, "adopted", s->adopted);
	ctl_put_uint(w, "adopted_lost", s->adopted_lost);
}

/* ---- GetStatus, GetTotals ---- */

static void put_status(struct ctl_writer *w, const struct ctl_snapshot *s)
{
	char mask[16];

	snprintf(mask, sizeof(mask), "0x%" PRIx32, s->mark.mask);
	ctl_put_string(w, "version", PACKAGE_VERSION);
	ctl_put_int(w, "pid", s->pid);
	ctl_put_uint(w, "uptime", (s->now_ns - s->started_ns) / NS_PER_S);
	ctl_put_bool(w, "shadow", s->shadow);
	put_queues(w, s);
	put_table(w, s);
	ctl_put_uint(w, "drops", s->drops);
	ctl_put_bool(w, "drops_exact", s->drops_exact);
	ctl_put_string(w, "log_target", s->log_target);
	ctl_put_string(w, "log_level", s->log_level);
	put_log(w, s);
	ctl_put_uint(w, "clients", s->clients);
	ctl_put_uint(w, "events_lost", s->events_lost);
	ctl_put_uint(w, "memory", s->memory);
	ctl_put_string(w, "mask", mask);
	ctl_put_string(w, "encoding", s->mark.encoding == CT_ENCODING_FLAGS ? "flags" : "ctinfo");
	put_keys(w, "restart_needed", s->restart_needed);
}

/* Without memory there is no snapshot. */
static const struct ctl_snapshot *snapshot_of(struct ctl_call *call, const struct ctl_letter *l)
{
	if (!l->snapshot)
		ctl_error(call, CTL_ERROR("Busy"), NULL);
	return l->snapshot;
}

static void got_status(struct ctl_call *call, const struct ctl_letter *l)
{
	const struct ctl_snapshot *s = snapshot_of(call, l);
	struct ctl_writer *w;

	if (!s)
		return;
	w = ctl_reply_begin(call);
	ctl_open(w, "status", '{');
	put_status(w, s);
	ctl_close(w, '}');
	(void)ctl_reply_end(call, false);
}

void ctl_start_get_status(struct ctl_call *call)
{
	ask(call, CTL_ASK_SNAPSHOT, got_status);
}

static void put_infos(struct ctl_writer *w, const struct ctl_snapshot *s)
{
	ctl_open(w, "ctinfo", '[');
#define X(name, value, str, class) put_counter(w, str, s->info[value]);
	CT_INFO_LIST(X)
#undef X
	ctl_close(w, ']');
}

static void put_totals(struct ctl_writer *w, const struct ctl_snapshot *s)
{
	ctl_put_uint(w, "time_ns", s->now_ns);
	ctl_open(w, "counters", '[');
	for (enum ct_stat i = 0; i < CT_STAT_MAX; i++)
		put_counter(w, ct_stat_name(i), s->count[i]);
	ctl_close(w, ']');
	put_infos(w, s);
	ctl_open(w, "reasons", '[');
	for (enum ct_reason i = CT_REASON_NONE + 1; i < CT_REASON_MAX; i++)
		put_counter(w, ct_reason_name(i), s->reason[i]);
	ctl_close(w, ']');
	ctl_open(w, "deaths", '[');
	for (enum ct_death i = CT_DEATH_NONE + 1; i < CT_DEATH_MAX; i++)
		put_counter(w, ct_death_name(i), s->death[i]);
	ctl_close(w, ']');
}

static void got_totals(struct ctl_call *call, const struct ctl_letter *l)
{
	const struct ctl_snapshot *s = snapshot_of(call, l);
	struct ctl_writer *w;

	if (!s)
		return;
	w = ctl_reply_begin(call);
	ctl_open(w, "totals", '{');
	put_totals(w, s);
	ctl_close(w, '}');
	put_queues(w, s);
	(void)ctl_reply_end(call, false);
}

void ctl_start_get_totals(struct ctl_call *call)
{
	ask(call, CTL_ASK_SNAPSHOT, got_totals);
}

/* ---- Reload, SetLogLevel ---- */

static void put_messages(struct ctl_writer *w, const struct ctl_letter *l)
{
	ctl_open(w, "messages", '[');
	for (size_t i = 0; i < l->nmessages; i++)
		ctl_put_string(w, NULL, l->messages[i]);
	ctl_close(w, ']');
}

static void reloaded(struct ctl_call *call, const struct ctl_letter *l)
{
	struct ctl_writer *w =
		l->error ? ctl_error_begin(call, CTL_ERROR("BadConfig")) : ctl_reply_begin(call);

	put_messages(w, l);
	if (!l->error)
		put_keys(w, "restart_needed", l->restart_needed);
	(void)ctl_reply_end(call, false);
}

void ctl_start_reload(struct ctl_call *call)
{
	ask(call, CTL_ASK_RELOAD, reloaded);
}

static void level_set(struct ctl_call *call, const struct ctl_letter *l)
{
	ctl_reply_empty(call);
}

void ctl_start_set_log_level(struct ctl_call *call)
{
	struct ctl_letter *l;
	const char *level;
	int value;

	if (!ctl_param_string(call, "level", &level))
		return;
	if (!level) {
		ctl_bad_param(call, "level");
		return;
	}
	value = conf_level(level);
	if (value < 0) {
		ctl_error(call, CTL_ERROR("BadValue"), "parameter", "level", "value", level, NULL);
		return;
	}
	l = ctl_letter_for(call, CTL_ASK_LEVEL);
	if (l)
		l->level = value;
	send(call, l, level_set);
}

/* ---- Metrics, GetConfig ---- */

static void got_metrics(struct ctl_call *call, const struct ctl_letter *l)
{
	const struct ctl_snapshot *s = snapshot_of(call, l);
	_cleanup_free_ char *text = s ? ctl_metrics(s) : NULL;

	if (call->ended)
		return;
	if (!text) {
		ctl_error(call, CTL_ERROR("Busy"), NULL);
		return;
	}
	ctl_put_string(ctl_reply_begin(call), "text", text);
	(void)ctl_reply_end(call, false);
}

void ctl_start_metrics(struct ctl_call *call)
{
	ask(call, CTL_ASK_SNAPSHOT, got_metrics);
}

static void put_setting(struct ctl_writer *w, const struct ctl_setting *s)
{
	ctl_open(w, NULL, '{');
	ctl_put_string(w, "section", s->section);
	ctl_put_string(w, "key", s->key);
	ctl_put_string(w, "value", s->value);
	ctl_put_string(w, "default", s->def);
	if (s->origin)
		ctl_put_string(w, "origin", s->origin);
	if (s->wanted)
		ctl_put_string(w, "wanted", s->wanted);
	ctl_close(w, '}');
}

static void got_settings(struct ctl_call *call, const struct ctl_letter *l)
{
	struct ctl_writer *w;

	if (l->error) {
		ctl_error(call, CTL_ERROR("Busy"), NULL);
		return;
	}
	w = ctl_reply_begin(call);
	ctl_open(w, "settings", '[');
	for (const struct ctl_setting *s = l->settings; s; s = s->next)
		put_setting(w, s);
	ctl_close(w, ']');
	(void)ctl_reply_end(call, false);
}

void ctl_start_get_config(struct ctl_call *call)
{
	ask(call, CTL_ASK_SETTINGS, got_settings);
}
