/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Every metric is a line of a list: one of the engine's and the desk's, from which their counters
 * come by themselves, or one of those below. No label holds an address or anything else of which
 * there may be many.
 */

#include "ctl/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define PREFIX "ctmarkd_"

struct text {
	FILE *out;
	const struct ctl_snapshot *s;
};

/* --- the lists ----------------------------------------------------------------------------------
 *
 * Name, type, help, where the value is. Counters of the engine and of the desk have lists of their
 * own: CT_STAT_LIST, DESK_TOTAL_LIST.
 */

/* In struct ctl_snapshot. */
#define PROCESS_LIST(X)                                                                            \
	X("resident_memory_bytes", "gauge", "memory of the process", s->memory)                    \
	X("shadow", "gauge", "1: nothing is marked or dropped (--shadow)", s->shadow)              \
	X("fail_open", "gauge", "1: packets that find a queue full pass (FailOpen=)",              \
	  s->fail_open)                                                                            \
	X("restart_needed_settings", "gauge", "settings whose new values wait for a restart",      \
	  count_keys(s->restart_needed))                                                           \
	X("control_clients", "gauge", "clients of the control socket", s->clients)                 \
	X("control_events_lost_total", "counter", "events that streams to clients could not keep", \
	  s->events_lost)

#define TABLE_LIST(X)                                                                              \
	X("flows", "gauge", "flows in the table", s->flows)                                        \
	X("flows_limit", "gauge", "most flows that the table can hold", s->max_flows)              \
	X("expectations", "gauge", "connections that helpers expect", s->expects)                  \
	X("expectations_limit", "gauge", "most connections that helpers can expect",               \
	  s->max_expects)                                                                          \
	X("fragments_waiting", "gauge", "fragments that wait for the first of their datagram",     \
	  s->fragments_held)                                                                       \
	X("confirms_at_exit", "gauge", "1: new flows enter the table at the exit hook",            \
	  s->at_exit)                                                                              \
	X("adopted_flows_lost", "gauge", "flows that a predecessor left and that were not usable", \
	  s->adopted_lost)                                                                         \
	X("unwanted_drops_total", "counter", "packets dropped against anybody's will", s->drops)   \
	X("unwanted_drops_exact", "gauge", "0: there may have been more unwanted drops",           \
	  s->drops_exact)

/* In struct ctl_queue. */
#define QUEUE_LIST(X)                                                                              \
	X("queue_up", "gauge", "1: the thread of the queue comes back in time", alive)             \
	X("queue_limit", "gauge", "most packets that may wait in the queue", max_packets)          \
	X("queue_receive_buffer_bytes", "gauge", "memory of the socket", receive_buffer)           \
	X("queue_held", "gauge", "packets read that have no verdict yet", stats.waiting)           \
	X("queue_stranded", "gauge", "packets read whose verdict got lost", stats.stranded)        \
	X("queue_verdict_retries_total", "counter",                                                \
	  "times that verdicts could not be sent and were tried again", retries)                   \
	X("queue_repeated_total", "counter",                                                       \
	  "packets that came back from repeat with their class", rounds)                           \
	X("queue_circling_total", "counter",                                                       \
	  "packets that came back from repeat again and again and were let go", circles)

/* In struct ctl_queue, what only root may read. */
#define QUEUE_KERNEL_LIST(X)                                                                       \
	X("queue_waiting", "gauge", "packets without a verdict, as the kernel counts them",        \
	  in_kernel)                                                                               \
	X("queue_dropped_total", "counter", "packets that found the queue full", full)

/* In struct jlog_stats. */
#define OUTCOME_LIST(X) X(sent) X(suppressed) X(dropped) X(failed)

/* --- syntax -------------------------------------------------------------------------------------
 */

/* Text between quotes, or of a help line, where a quote means nothing. */
static void escape(FILE *out, const char *value, bool quoted)
{
	for (const char *p = value ? value : ""; *p; p++) {
		if (*p == '\n')
			fputs("\\n", out);
		else if (*p == '\\' || (quoted && *p == '"'))
			fprintf(out, "\\%c", *p);
		else
			fputc(*p, out);
	}
}

/* help is a line of a list, which begins small and has no full stop. */
static void family(struct text *t, const char *name, const char *type, const char *help)
{
	bool small = *help >= 'a' && *help <= 'z';

	fprintf(t->out, "# HELP " PREFIX "%s %c", name, small ? *help - 'a' + 'A' : *help);
	escape(t->out, help + 1, false);
	fprintf(t->out, ".\n# TYPE " PREFIX "%s %s\n", name, type);
}

struct label {
	const char *name, *value;
};

#define LABELS_MAX 2

/* Up to the value, labels end with one that has no name. */
static void sample(struct text *t, const char *name, const struct label labels[static LABELS_MAX])
{
	fprintf(t->out, PREFIX "%s", name);
	for (size_t i = 0; i < LABELS_MAX && labels[i].name; i++) {
		fprintf(t->out, "%c%s=\"", i ? ',' : '{', labels[i].name);
		escape(t->out, labels[i].value, true);
		fputc('"', t->out);
	}
	fputs(labels[0].name ? "} " : " ", t->out);
}

static void number(struct text *t, const char *name, const struct label labels[static LABELS_MAX],
		   uint64_t value)
{
	sample(t, name, labels);
	fprintf(t->out, "%" PRIu64 "\n", value);
}

/* A metric of one sample. */
static void single(struct text *t, const char *name, const char *type, const char *help,
		   uint64_t value)
{
	family(t, name, type, help);
	number(t, name, (struct label[LABELS_MAX]){}, value);
}

static void info(struct text *t, const char *name, const char *help,
		 const struct label labels[static LABELS_MAX])
{
	family(t, name, "gauge", help);
	number(t, name, labels, 1);
}

/* --- the process --------------------------------------------------------------------------------
 */

static uint64_t uptime_ns(const struct ctl_snapshot *s)
{
	return s->now_ns > s->started_ns ? s->now_ns - s->started_ns : 0;
}

static uint64_t start_ns(const struct ctl_snapshot *s)
{
	uint64_t wall = (uint64_t)s->wall.tv_sec * NS_PER_S + (uint64_t)s->wall.tv_nsec;

	return wall > uptime_ns(s) ? wall - uptime_ns(s) : 0;
}

static void seconds(struct text *t, const char *name, const char *help, uint64_t ns)
{
	family(t, name, "gauge", help);
	sample(t, name, (struct label[LABELS_MAX]){});
	fprintf(t->out, "%" PRIu64 ".%03" PRIu64 "\n", ns / NS_PER_S, ns % NS_PER_S / NS_PER_MS);
}

/* Of "Range=, MaxFlows=". */
static uint64_t count_keys(const char *keys)
{
	uint64_t n = 0;

	for (; *keys; keys++)
		n += *keys == '=';
	return n;
}

static void process(struct text *t)
{
	const struct ctl_snapshot *s = t->s;
	char mask[sizeof("0xffffffff")];

	snprintf(mask, sizeof(mask), "0x%" PRIx32, s->mark.mask);
	single(t, "up", "gauge", "the daemon gave these figures", 1);
	info(t, "build_info", "version of the program",
	     (struct label[LABELS_MAX]){{"version", PACKAGE_VERSION}});
	seconds(t, "start_time_seconds", "start of the process, in seconds since 1970",
		start_ns(s));
	seconds(t, "uptime_seconds", "age of the process", uptime_ns(s));
	info(t, "mark_info", "bits of the mark that are written, and how",
	     (struct label[LABELS_MAX]){
		     {"mask", mask},
		     {"encoding", s->mark.encoding == CT_ENCODING_FLAGS ? "flags" : "ctinfo"}});
	info(t, "log_info", "where records go, and the least important message that is written",
	     (struct label[LABELS_MAX]){{"target", s->log_target}, {"level", s->log_level}});
#define X(name, type, help, value) single(t, name, type, help, value);
	PROCESS_LIST(X)
#undef X
}

/* --- the table ----------------------------------------------------------------------------------
 */

static void adoption(struct text *t)
{
	const char *from = t->s->adopted_from;
	struct label labels[LABELS_MAX] = {{"source", from && *from ? from : "none"}};

	family(t, "adopted_flows", "gauge", "flows taken over at the start, by where they were");
	number(t, "adopted_flows", labels, t->s->adopted);
}

static void fragments_seen(struct text *t)
{
	static const struct {
		const char *family;
		unsigned int bit;
	} families[] = {{"ipv4", CT_FRAGMENTS_IPV4}, {"ipv6", CT_FRAGMENTS_IPV6}};

	family(t, "fragments_seen", "gauge", "1: fragments of the family arrive unassembled");
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		number(t, "fragments_seen",
		       (struct label[LABELS_MAX]){{"family", families[i].family}},
		       (t->s->fragments_seen & families[i].bit) != 0);
}

static void table(struct text *t)
{
	const struct ctl_snapshot *s = t->s;

#define X(name, type, help, value) single(t, name, type, help, value);
	TABLE_LIST(X)
#undef X
	adoption(t);
	fragments_seen(t);
}

/* --- packets and ends of flows ------------------------------------------------------------------
 */

static void engine(struct text *t)
{
#define X(suffix, name, help)                                                                      \
	single(t, name "_total", "counter", help, t->s->count[CT_STAT_##suffix]);
	CT_STAT_LIST(X)
#undef X

	family(t, "ctinfo_packets_total", "counter", "packets judged, by their class");
#define X(suffix, value, name, class)                                                              \
	number(t, "ctinfo_packets_total", (struct label[LABELS_MAX]){{"ctinfo", name}},            \
	       t->s->info[value]);
	CT_INFO_LIST(X)
#undef X

	family(t, "reason_packets_total", "counter",
	       "packets that were INVALID or dropped, by the reason for that");
	for (int i = CT_REASON_NONE + 1; i < CT_REASON_MAX; i++)
		number(t, "reason_packets_total",
		       (struct label[LABELS_MAX]){{"reason", ct_reason_name(i)}}, t->s->reason[i]);

	family(t, "flow_deaths_total", "counter", "flows that ended, by how");
	for (int i = CT_DEATH_NONE + 1; i < CT_DEATH_MAX; i++)
		number(t, "flow_deaths_total",
		       (struct label[LABELS_MAX]){{"death", ct_death_name(i)}}, t->s->death[i]);
}

/* --- queues -------------------------------------------------------------------------------------
 */

static void queue_number(struct text *t, const char *name, const struct ctl_queue *q,
			 uint64_t value)
{
	char queue[sizeof("65535")];

	snprintf(queue, sizeof(queue), "%" PRIu16, q->queue);
	number(t, name, (struct label[LABELS_MAX]){{"queue", queue}}, value);
}

static bool kernel_is_known(const struct ctl_snapshot *s)
{
	for (size_t i = 0; i < s->nqueues; i++)
		if (s->queues[i].kernel_known)
			return true;
	return false;
}

/* What only root may read is no zero for others. */
static void queues_kernel(struct text *t)
{
	if (!kernel_is_known(t->s))
		return;
#define X(name, type, help, member)                                                                \
	family(t, name, type, help);                                                               \
	for (const struct ctl_queue *q = t->s->queues; q < t->s->queues + t->s->nqueues; q++)      \
		if (q->kernel_known)                                                               \
			queue_number(t, name, q, q->member);
	QUEUE_KERNEL_LIST(X)
#undef X
}

static void queues(struct text *t)
{
#define X(name, type, help, member)                                                                \
	family(t, name, type, help);                                                               \
	for (const struct ctl_queue *q = t->s->queues; q < t->s->queues + t->s->nqueues; q++)      \
		queue_number(t, name, q, q->member);
	QUEUE_LIST(X)
#undef X
#define X(field, name, help)                                                                       \
	family(t, "queue_" name "_total", "counter", help);                                        \
	for (const struct ctl_queue *q = t->s->queues; q < t->s->queues + t->s->nqueues; q++)      \
		queue_number(t, "queue_" name "_total", q, q->stats.field);
	DESK_TOTAL_LIST(X)
#undef X
}

/* Packets that came less those known of: not 0 is a mistake of ours, in either direction. */
static void accounts(struct text *t)
{
	static const char name[] = "queue_unaccounted";

	family(t, name, "gauge", "packets that came and of which nobody knows what became");
	for (size_t i = 0; i < t->s->nqueues; i++) {
		const struct ctl_queue *q = &t->s->queues[i];
		int64_t off = q->stats.off;

		queue_number(t, name, q, off < 0 ? -(uint64_t)off : (uint64_t)off);
	}
}

/* --- log ----------------------------------------------------------------------------------------
 */

static void logs(struct text *t)
{

	family(t, "log_records_total", "counter", "transitions, by what became of their records");
	for (int i = 0; i < CT_EVENT_MAX; i++) {
#define X(outcome)                                                                                 \
	number(t, "log_records_total",                                                             \
	       (struct label[LABELS_MAX]){{"class", ct_event_name(i)}, {"outcome", #outcome}},     \
	       t->s->log[i].outcome);
		OUTCOME_LIST(X)
#undef X
	}
	family(t, "log_class_enabled", "gauge", "1: the class is among Events=");
	for (int i = 0; i < CT_EVENT_MAX; i++)
		number(t, "log_class_enabled",
		       (struct label[LABELS_MAX]){{"class", ct_event_name(i)}},
		       t->s->log_events >> i & 1);
}

char *ctl_metrics(const struct ctl_snapshot *s)
{
	struct text t = {.s = s};
	char *text = NULL;
	size_t size;
	bool bad;

	t.out = open_memstream(&text, &size);
	if (!t.out)
		return NULL;
	process(&t);
	table(&t);
	engine(&t);
	queues(&t);
	queues_kernel(&t);
	accounts(&t);
	logs(&t);
	bad = ferror(t.out);
	if (fclose(t.out) != 0 || bad) {
		free(text);
		return NULL;
	}
	return text;
}
