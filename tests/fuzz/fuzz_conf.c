/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Any bytes as a configuration file: there is a configuration or there is an error message, never
 * both and never neither, and what is accepted keeps every promise the daemon builds on.
 */

#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "conf/conf.h"
#include "conf/settings.h"

struct seen {
	unsigned int errors, warnings;
};

static void see(void *ctx, int priority, const char *text)
{
	struct seen *s = ctx;

	FUZZ_CHECK(priority == LOG_ERR || priority == LOG_WARNING);
	FUZZ_CHECK(strncmp(text, "fuzz:", 5) == 0);
	for (const char *p = text; *p; p++)
		FUZZ_CHECK((unsigned char)*p >= ' ' && *p != '\x7f');
	if (priority == LOG_ERR)
		s->errors++;
	else
		s->warnings++;
}

static int load(struct conf *ret, const uint8_t *data, size_t size, struct seen *seen)
{
	FILE *f = fmemopen((void *)data, size, "r");
	int r;

	FUZZ_CHECK(f);
	*seen = (struct seen){0};
	r = conf_load_stream(ret, f, "fuzz", see, seen);
	fclose(f);
	return r;
}

static void check_verdict(const struct conf *c, const struct conf_verdict *v)
{
	FUZZ_CHECK(v->kind <= CONF_REPEAT);
	if (v->kind == CONF_QUEUE)
		FUZZ_CHECK(v->queue < c->queue_first || v->queue > c->queue_last);
}

static void check_zones(const struct conf *c)
{
	FUZZ_CHECK(c->nzones <= CT_ZONES_MAX && c->track.nzones == c->nzones);
	for (unsigned int i = 0; i < c->nzones; i++) {
		const struct conf_zone *z = &c->zones[i];

		FUZZ_CHECK(*z->name && z->id > 0 && c->track.zones[i] == z->id);
		FUZZ_CHECK(memchr(z->interfaces, '\0', sizeof(z->interfaces)));
		FUZZ_CHECK(z->queues.n <= CONF_RANGES_MAX);
		for (unsigned int j = 0; j < z->queues.n; j++)
			FUZZ_CHECK(conf_zone_of_queue(c, z->queues.range[j].first) == z->id);
	}
	(void)conf_zone_of_interface(c, "eth0");
}

static void check_conf(const struct conf *c)
{
	const struct ct_mark *m = &c->track.mark;
	uint32_t bits = m->mask >> m->shift;

	FUZZ_CHECK(c->queue_first <= c->queue_last);
	FUZZ_CHECK(c->queue_max_packets > 0);
	FUZZ_CHECK(c->queue_copy_range == CONF_COPY_AUTO ||
		   (c->queue_copy_range >= 128 && c->queue_copy_range <= 65535));
	FUZZ_CHECK(c->queue_receive_buffer == CONF_BUFFER_AUTO ||
		   (c->queue_receive_buffer >= 64 << 10 && c->queue_receive_buffer <= 1023 << 20));
	FUZZ_CHECK(m->encoding <= CT_ENCODING_FLAGS);
	FUZZ_CHECK(bits << m->shift == m->mask && !(bits & (bits + 1)));
	FUZZ_CHECK(bits >= (1u << ct_mark_bits(m->encoding)) - 1);
	FUZZ_CHECK(c->max_flows >= 64 && c->max_flows <= 1u << 28);
	FUZZ_CHECK(c->max_expect <= CT_EXPECT_MAX);
	FUZZ_CHECK(c->track.confirm < CT_CONFIRM_MAX);
	FUZZ_CHECK(c->track.nhelper_ports <= CT_HELPER_PORTS_MAX);
	for (unsigned int i = 0; i < c->track.nhelper_ports; i++)
		FUZZ_CHECK(c->track.helper_ports[i].port > 0 &&
			   *ct_helper_name(c->track.helper_ports[i].helper));
	check_zones(c);
	for (int i = 0; i < CT_TIMEOUT_MAX; i++)
		FUZZ_CHECK(c->track.timeout_ns[i] >= UINT64_C(1000000000));
	for (int i = 0; i < CT_CLASS_MAX; i++)
		check_verdict(c, &c->verdict[i]);
	FUZZ_CHECK(c->log_events != 0 && c->log_events < 1u << CT_EVENT_MAX);
	FUZZ_CHECK(c->log_burst > 0);
	FUZZ_CHECK(c->log_level >= LOG_ERR && c->log_level <= LOG_DEBUG);
}

static void write_setting(void *ctx, const struct conf_setting *s)
{
	fprintf(ctx, "[%s]\n%s=%s\n", s->section, s->key, s->value);
}

/* What is in force, written down, is a file that says the same. */
static void check_settings(const struct conf *c)
{
	const struct conf_source source = {c, NULL};
	struct conf again;
	struct seen seen;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	FUZZ_CHECK(f);
	FUZZ_CHECK(conf_settings_each(&source, &source, write_setting, f) == 0);
	FUZZ_CHECK(fclose(f) == 0);
	memset(&again, 0x5a, sizeof(again));
	FUZZ_CHECK(load(&again, (const uint8_t *)text, size, &seen) == 0);
	FUZZ_CHECK(memcmp(c, &again, sizeof(again)) == 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf one, two, untouched;
	struct seen first, second;
	int r;

	memset(&one, 0x5a, sizeof(one));
	memset(&two, 0x5a, sizeof(two));
	untouched = one;
	r = load(&one, data, size, &first);
	FUZZ_CHECK((r < 0) == (first.errors > 0));
	if (r < 0) {
		FUZZ_CHECK(memcmp(&one, &untouched, sizeof(one)) == 0);
	} else {
		check_conf(&one);
		check_settings(&one);
	}

	/* no state is left over from a file to the next */
	FUZZ_CHECK(load(&two, data, size, &second) == r);
	FUZZ_CHECK(memcmp(&one, &two, sizeof(one)) == 0);
	FUZZ_CHECK(first.errors == second.errors && first.warnings == second.warnings);
	return 0;
}
