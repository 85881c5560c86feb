/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "ctl/metrics.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/ctl/sample.h"

struct state {
	struct ctl_snapshot *s;
	char *text;
};

static int setup(void **state)
{
	struct state *t = calloc(1, sizeof(*t));

	t->s = sample_snapshot(true);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct state *t = *state;

	free(t->text);
	free(t->s);
	free(t);
	return 0;
}

static void render(struct state *t)
{
	free(t->text);
	t->text = ctl_metrics(t->s);
	assert_non_null(t->text);
}

/* Whether the text has this line, and only once. */
static bool has_line(const struct state *t, const char *line)
{
	size_t len = strlen(line);
	int n = 0;

	for (const char *p = t->text; (p = strstr(p, line)); p += len)
		n += (p == t->text || p[-1] == '\n') && p[len] == '\n';
	return n == 1;
}

__attribute__((format(printf, 2, 3))) static void expect(const struct state *t, const char *format,
							 ...)
{
	char line[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (!has_line(t, line))
		fail_msg("not there, or more than once: %s", line);
}

static void refuse(const struct state *t, const char *part)
{
	if (strstr(t->text, part))
		fail_msg("should not be there: %s", part);
}

/* --- what is in it ------------------------------------------------------------------------------
 */

static void test_lists(void **state)
{
	struct state *t = *state;
	uint64_t n = 1000;

	render(t);
#define X(suffix, name, help)                                                                      \
	expect(t, "# TYPE ctmarkd_" name "_total counter");                                        \
	expect(t, "ctmarkd_" name "_total %" PRIu64, n++);                                         \
	assert_non_null(strstr(t->text, (help) + 1));
	CT_STAT_LIST(X)
#undef X
#define X(suffix, value, name, class)                                                              \
	expect(t, "ctmarkd_ctinfo_packets_total{ctinfo=\"" name "\"} %d", 2000 + (value));
	CT_INFO_LIST(X)
#undef X
	for (int i = 1; i < CT_REASON_MAX; i++)
		expect(t, "ctmarkd_reason_packets_total{reason=\"%s\"} %d", ct_reason_name(i),
		       3000 + i);
	for (int i = 1; i < CT_DEATH_MAX; i++)
		expect(t, "ctmarkd_flow_deaths_total{death=\"%s\"} %d", ct_death_name(i), 4000 + i);
	refuse(t, "\"none\"");
}

static void test_queues(void **state)
{
	struct state *t = *state;
	uint64_t n = 10000;

	render(t);
#define X(field, name, help)                                                                       \
	expect(t, "# TYPE ctmarkd_queue_" name "_total counter");                                  \
	expect(t, "ctmarkd_queue_" name "_total{queue=\"0\"} %" PRIu64, n);                        \
	expect(t, "ctmarkd_queue_" name "_total{queue=\"65535\"} %" PRIu64, n++ + UINT16_MAX);     \
	assert_non_null(strstr(t->text, (help) + 1));
	DESK_TOTAL_LIST(X)
#undef X
	expect(t, "ctmarkd_queue_up{queue=\"0\"} 1");
	expect(t, "ctmarkd_queue_limit{queue=\"0\"} 8192");
	expect(t, "ctmarkd_queue_receive_buffer_bytes{queue=\"65535\"} 67108864");
	expect(t, "ctmarkd_queue_held{queue=\"0\"} 31");
	expect(t, "ctmarkd_queue_stranded{queue=\"0\"} 32");
	expect(t, "ctmarkd_queue_unaccounted{queue=\"0\"} 33");
	expect(t, "ctmarkd_queue_waiting{queue=\"65535\"} 21");
	expect(t, "ctmarkd_queue_dropped_total{queue=\"0\"} 10020");
	expect(t, "ctmarkd_queue_verdict_retries_total{queue=\"0\"} 10022");
	expect(t, "ctmarkd_queue_repeated_total{queue=\"0\"} 10023");
	expect(t, "ctmarkd_queue_circling_total{queue=\"0\"} 10024");
}

static void test_log(void **state)
{
	struct state *t = *state;

	render(t);
	for (int i = 0; i < CT_EVENT_MAX; i++) {
		const char *name = ct_event_name(i);

		expect(t, "ctmarkd_log_records_total{class=\"%s\",outcome=\"sent\"} %d", name,
		       5000 + i);
		expect(t, "ctmarkd_log_records_total{class=\"%s\",outcome=\"suppressed\"} %d", name,
		       5100 + i);
		expect(t, "ctmarkd_log_records_total{class=\"%s\",outcome=\"dropped\"} %d", name,
		       5200 + i);
		expect(t, "ctmarkd_log_records_total{class=\"%s\",outcome=\"failed\"} %d", name,
		       5300 + i);
		expect(t, "ctmarkd_log_class_enabled{class=\"%s\"} %d", name, i == CT_EVENT_NEW);
	}
	expect(t, "ctmarkd_log_info{target=\"journal\",level=\"info\"} 1");
}

static void test_process(void **state)
{
	struct state *t = *state;

	render(t);
	expect(t, "ctmarkd_up 1");
	assert_non_null(strstr(t->text, "\nctmarkd_build_info{version=\""));
	refuse(t, "version=\"\"");
	expect(t, "ctmarkd_start_time_seconds 1700000000.000");
	expect(t, "ctmarkd_uptime_seconds 3000.250");
	expect(t, "ctmarkd_mark_info{mask=\"0x7f0000\",encoding=\"flags\"} 1");
	expect(t, "ctmarkd_resident_memory_bytes 12345678");
	expect(t, "ctmarkd_shadow 0");
	expect(t, "ctmarkd_fail_open 0");
	expect(t, "ctmarkd_restart_needed_settings 2");
	expect(t, "ctmarkd_control_clients 56");
	expect(t, "ctmarkd_control_events_lost_total 57");
}

static void test_table(void **state)
{
	struct state *t = *state;

	render(t);
	expect(t, "ctmarkd_flows 100001");
	expect(t, "ctmarkd_flows_limit 262144");
	expect(t, "ctmarkd_expectations 51");
	expect(t, "ctmarkd_expectations_limit 4096");
	expect(t, "ctmarkd_fragments_waiting 52");
	expect(t, "ctmarkd_fragments_seen{family=\"ipv4\"} 0");
	expect(t, "ctmarkd_fragments_seen{family=\"ipv6\"} 1");
	expect(t, "ctmarkd_confirms_at_exit 1");
	expect(t, "ctmarkd_adopted_flows{source=\"store\"} 53");
	expect(t, "ctmarkd_adopted_flows_lost 54");
	expect(t, "ctmarkd_unwanted_drops_total 55");
	expect(t, "ctmarkd_unwanted_drops_exact 1");
}

/* --- form ---------------------------------------------------------------------------------------
 */

/* The name at the start of a line, up to a blank or a brace. */
static size_t name_len(const char *line)
{
	return strcspn(line, " {\n");
}

/* Help, type and samples of a metric follow each other, and do not come again. */
static void test_families(void **state)
{
	struct state *t = *state;
	const char *name = NULL;
	size_t len = 0;
	int families = 0;

	render(t);
	for (const char *line = t->text; *line; line = strchr(line, '\n') + 1) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			char again[128];

			name = line + 7;
			len = name_len(name);
			snprintf(again, sizeof(again), "# HELP %.*s ", (int)len, name);
			assert_null(strstr(line + 7, again));
			families++;
			line = strchr(line, '\n') + 1;
			assert_int_equal(strncmp(line, "# TYPE ", 7), 0);
			line += 7;
		}
		assert_non_null(name);
		assert_int_equal(name_len(line), len);
		assert_memory_equal(line, name, len);
	}
	assert_true(families > CT_STAT_MAX);
}

static void test_escaping(void **state)
{
	struct state *t = *state;

	t->s->log_target = "a\"b\\c\nd{e}";
	t->s->log_level = NULL;
	render(t);
	expect(t, "ctmarkd_log_info{target=\"a\\\"b\\\\c\\nd{e}\",level=\"\"} 1");
}

/* --- what is not known --------------------------------------------------------------------------
 */

static void test_kernel_unknown(void **state)
{
	struct state *t = *state;

	t->s->queues[1].kernel_known = false;
	render(t);
	expect(t, "ctmarkd_queue_waiting{queue=\"0\"} 21");
	refuse(t, "ctmarkd_queue_waiting{queue=\"65535\"}");
	refuse(t, "ctmarkd_queue_dropped_total{queue=\"65535\"}");

	t->s->queues[0].kernel_known = false;
	render(t);
	refuse(t, "ctmarkd_queue_waiting");
	refuse(t, "ctmarkd_queue_dropped_total");
	expect(t, "ctmarkd_queue_user_dropped_total{queue=\"0\"} 10005");
}

/* A snapshot that nobody filled in, and clocks that contradict each other. */
static void test_nothing(void **state)
{
	struct state *t = *state;

	memset(t->s, 0, sizeof(*t->s));
	render(t);
	expect(t, "ctmarkd_adopted_flows{source=\"none\"} 0");
	expect(t, "ctmarkd_start_time_seconds 0.000");
	expect(t, "ctmarkd_flows 0");
	refuse(t, "queue=");

	t->s->started_ns = 5;
	t->s->now_ns = 4;
	render(t);
	expect(t, "ctmarkd_uptime_seconds 0.000");

	t->s->now_ns = UINT64_MAX;
	render(t);
	expect(t, "ctmarkd_start_time_seconds 0.000");
}

static void test_largest(void **state)
{
	struct state *t = *state;

	t->s->count[CT_STAT_PACKETS] = UINT64_MAX;
	t->s->queues[0].stats.off = INT64_MIN;
	render(t);
	expect(t, "ctmarkd_packets_total 18446744073709551615");
	expect(t, "ctmarkd_queue_unaccounted{queue=\"0\"} 9223372036854775808");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_lists),    TEST(test_queues),		TEST(test_log),
		TEST(test_process),  TEST(test_table),		TEST(test_families),
		TEST(test_escaping), TEST(test_kernel_unknown), TEST(test_nothing),
		TEST(test_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
