/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/print.h"

#include <assert.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

#include "conf/conf.h"
#include "util/cleanup.h"
#include "util/clock.h"

typedef void printer(FILE *out, const struct conf_spec *spec, const void *field);

/* Reads an unsigned value of 1, 2, 4 or 8 bytes. */
static uint64_t fetch(const struct conf_spec *spec, const void *field)
{
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	switch (spec->size) {
	case sizeof(v8):
		memcpy(&v8, field, sizeof(v8));
		return v8;
	case sizeof(v16):
		memcpy(&v16, field, sizeof(v16));
		return v16;
	case sizeof(v32):
		memcpy(&v32, field, sizeof(v32));
		return v32;
	default:
		memcpy(&v64, field, sizeof(v64));
		return v64;
	}
}

static void print_boolean(FILE *out, const struct conf_spec *spec, const void *field)
{
	fputs(*(const bool *)field ? "yes" : "no", out);
}

/* 0 is no number of a zone, but what it has before it gets one. */
static void print_number(FILE *out, const struct conf_spec *spec, const void *field)
{
	uint64_t value = fetch(spec, field);

	if (value >= spec->min)
		fprintf(out, "%" PRIu64, value);
}

/* In the largest unit of which it is a whole number. */
struct unit {
	uint64_t factor;
	const char *name;
};

static void print_in_units(FILE *out, const struct unit *units, size_t n, uint64_t value)
{
	size_t i = 0;

	while (i + 1 < n && (value == 0 || value % units[i].factor != 0))
		i++;
	fprintf(out, "%" PRIu64 "%s", value / units[i].factor, units[i].name);
}

static void print_size(FILE *out, const struct conf_spec *spec, const void *field)
{
	static const struct unit units[] = {
		{UINT64_C(1) << 30, "G"}, {1 << 20, "M"}, {1 << 10, "K"}, {1, ""}};

	print_in_units(out, units, ARRAY_SIZE(units), fetch(spec, field));
}

static void print_size_or_auto(FILE *out, const struct conf_spec *spec, const void *field)
{
	if (fetch(spec, field) == 0)
		fputs("auto", out);
	else
		print_size(out, spec, field);
}

static void print_span(FILE *out, const struct conf_spec *spec, const void *field)
{
	static const struct unit units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};

	print_in_units(out, units, ARRAY_SIZE(units), fetch(spec, field) / NS_PER_S);
}

static void print_rate(FILE *out, const struct conf_spec *spec, const void *field)
{
	uint64_t value = fetch(spec, field);

	fprintf(out, "%" PRIu64 "%s", value, value ? "/s" : "");
}

static void print_word(FILE *out, const struct conf_spec *spec, const void *field)
{
	fputs(spec->words[fetch(spec, field) - spec->min], out);
}

static void print_word_set(FILE *out, const struct conf_spec *spec, const void *field)
{
	uint64_t set = fetch(spec, field) >> spec->min;
	const char *separator = "";

	for (int i = 0; spec->words[i]; i++) {
		if (!(set >> i & 1))
			continue;
		fprintf(out, "%s%s", separator, spec->words[i]);
		separator = " ";
	}
}

static void print_range(FILE *out, const char *separator, unsigned int first, unsigned int last)
{
	fprintf(out, "%s%u", separator, first);
	if (last != first)
		fprintf(out, "-%u", last);
}

static void print_queue_range(FILE *out, const struct conf_spec *spec, const void *field)
{
	const uint16_t *range = field;

	print_range(out, "", range[0], range[1]);
}

static void print_mask(FILE *out, const struct conf_spec *spec, const void *field)
{
	fprintf(out, "0x%" PRIx64, fetch(spec, field));
}

static void print_verdict(FILE *out, const struct conf_spec *spec, const void *field)
{
	const struct conf_verdict *verdict = field;

	switch ((enum conf_verdict_kind)verdict->kind) {
	case CONF_ACCEPT:
		fputs("accept", out);
		break;
	case CONF_DROP:
		fputs("drop", out);
		break;
	case CONF_QUEUE:
		fprintf(out, "queue:%u", verdict->queue);
		break;
	case CONF_REPEAT:
		fputs("repeat", out);
		break;
	}
}

static void print_cpus(FILE *out, const struct conf_spec *spec, const void *field)
{
	const cpu_set_t *set = field;
	const char *separator = "";

	for (unsigned int first = 0, last; first < CPU_SETSIZE; first = last + 1) {
		last = first;
		if (!CPU_ISSET(first, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		print_range(out, separator, first, last);
		separator = ",";
	}
}

/* Files and lists of interfaces are kept as text. */
static void print_text(FILE *out, const struct conf_spec *spec, const void *field)
{
	fprintf(out, "%.*s", (int)spec->size, (const char *)field);
}

static void print_queues(FILE *out, const struct conf_spec *spec, const void *field)
{
	const struct conf_ranges *ranges = field;

	for (unsigned int i = 0; i < ranges->n; i++)
		print_range(out, i ? "," : "", ranges->range[i].first, ranges->range[i].last);
}

/* The ports of a helper are neighbours. */
static void print_helpers(FILE *out, const struct conf_spec *spec, const void *field)
{
	const struct conf_helpers *list = field;

	for (unsigned int i = 0; i < list->n; i++) {
		const struct ct_helper_port *p = &list->ports[i];

		if (i > 0 && p[-1].helper == p->helper)
			fprintf(out, ",%u", p->port);
		else
			fprintf(out, "%s%s:%u", i ? " " : "", ct_helper_name(p->helper), p->port);
	}
}

static printer *printer_of(conf_parser *parse)
{
	static const struct {
		conf_parser *parse;
		printer *print;
	} pairs[] = {
		{conf_parse_boolean, print_boolean},
		{conf_parse_number, print_number},
		{conf_parse_size, print_size},
		{conf_parse_size_or_auto, print_size_or_auto},
		{conf_parse_span, print_span},
		{conf_parse_rate, print_rate},
		{conf_parse_word, print_word},
		{conf_parse_word_set, print_word_set},
		{conf_parse_queue_range, print_queue_range},
		{conf_parse_mask, print_mask},
		{conf_parse_verdict, print_verdict},
		{conf_parse_cpus, print_cpus},
		{conf_parse_file, print_text},
		{conf_parse_socket, print_text},
		{conf_parse_interfaces, print_text},
		{conf_parse_queues, print_queues},
		{conf_parse_helpers, print_helpers},
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (pairs[i].parse == parse)
			return pairs[i].print;
	assert(!"a parser of the table");
	return NULL;
}

void conf_print(FILE *out, const struct conf_key *key, const void *field)
{
	printer_of(key->parse)(out, &key->spec, field);
}

void conf_print_default(FILE *out, const struct conf_key *key)
{
	/* as large as any, and aligned for all */
	union {
		struct conf conf;
		struct conf_zone zone;
	} value;
	char why[CONF_WHY_MAX];

	memset(&value, 0, sizeof(value));
	if (*key->def && key->parse(&key->spec, key->def, &value, why) < 0)
		return; /* conf_init() would have asserted */
	conf_print(out, key, &value);
}
