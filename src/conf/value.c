/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "conf/conf.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* One worker thread each: a typing error must not start thousands. */
#define QUEUES_MAX 256

__attribute__((format(printf, 2, 3))) static int bad(char *why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, CONF_WHY_MAX, format, ap);
	va_end(ap);
	return -EINVAL;
}

/* Writes an unsigned value to a target of 1, 2, 4 or 8 bytes. */
static void store(const struct conf_spec *spec, void *ret, uint64_t value)
{
	uint8_t v8 = (uint8_t)value;
	uint16_t v16 = (uint16_t)value;
	uint32_t v32 = (uint32_t)value;

	switch (spec->size) {
	case sizeof(v8):
		memcpy(ret, &v8, sizeof(v8));
		break;
	case sizeof(v16):
		memcpy(ret, &v16, sizeof(v16));
		break;
	case sizeof(v32):
		memcpy(ret, &v32, sizeof(v32));
		break;
	default:
		memcpy(ret, &value, sizeof(value));
	}
}

/*
 * Reads decimal digits at *text and moves it behind them. Returns false if there is none or the
 * number does not fit (strtoull() would accept signs, spaces and other bases).
 */
static bool take_number(const char **text, uint64_t *ret)
{
	const char *p = *text;
	uint64_t value = 0;

	if (!isdigit((unsigned char)*p))
		return false;
	for (; isdigit((unsigned char)*p); p++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return false;
	}
	*text = p;
	*ret = value;
	return true;
}

static int check_range(const struct conf_spec *spec, uint64_t value, char *why)
{
	if (value < spec->min || value > spec->max)
		return bad(why, "must be from %" PRIu64 " to %" PRIu64, spec->min, spec->max);
	return 0;
}

int conf_parse_boolean(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	static const char *const words[][2] = {
		{"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		for (int value = 0; value < 2; value++) {
			if (strcasecmp(text, words[i][value]) == 0) {
				*(bool *)ret = value;
				return 0;
			}
		}
	}
	return bad(why, "must be yes or no");
}

int conf_parse_number(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	uint64_t value;

	if (!take_number(&text, &value) || *text)
		return bad(why, "not a decimal number");
	if (check_range(spec, value, why) < 0)
		return -EINVAL;
	store(spec, ret, value);
	return 0;
}

/* The factor of a size suffix, 0 if it is none. */
static uint64_t size_unit(const char *suffix)
{
	static const char units[] = "KMG";
	const char *unit;

	if (!*suffix)
		return 1;
	unit = strchr(units, toupper((unsigned char)*suffix));
	if (!unit || suffix[1])
		return 0;
	return UINT64_C(1024) << (10 * (unit - units));
}

int conf_parse_size(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	uint64_t value, unit;

	if (!take_number(&text, &value))
		return bad(why, "not a size (bytes, or a number with K, M or G)");
	unit = size_unit(text);
	if (!unit)
		return bad(why, "unknown unit \"%s\" (K, M or G)", text);
	if (__builtin_mul_overflow(value, unit, &value))
		value = UINT64_MAX;
	if (value < spec->min || value > spec->max)
		return bad(why, "must be from %" PRIu64 " to %" PRIu64 " bytes", spec->min,
			   spec->max);
	store(spec, ret, value);
	return 0;
}

int conf_parse_size_or_auto(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	if (strcmp(text, "auto") == 0) {
		store(spec, ret, 0);
		return 0;
	}
	if (!isdigit((unsigned char)*text))
		return bad(why, "must be auto or a size in bytes");
	return conf_parse_size(spec, text, ret, why);
}

/* Seconds of a time unit that ends at the next digit or space, 0 if it is unknown. */
static uint64_t span_unit(const char *unit, size_t len)
{
	static const struct {
		const char *names;
		uint64_t seconds;
	} units[] = {
		{" s sec second seconds ", 1},
		{" m min minute minutes ", 60},
		{" h hr hour hours ", 3600},
		{" d day days ", 86400},
		{" w week weeks ", UINT64_C(7) * 86400},
	};
	char word[16];

	if (len == 0)
		return 1;
	if (len > sizeof(word) - 3)
		return 0;
	snprintf(word, sizeof(word), " %.*s ", (int)len, unit);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strstr(units[i].names, word))
			return units[i].seconds;
	}
	return 0;
}

int conf_parse_span(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	uint64_t sum = 0;

	for (const char *p = text; *p; p += strspn(p, " \t")) {
		uint64_t value, unit;
		size_t len;

		if (!take_number(&p, &value))
			return bad(why, "not a time span (such as 90, 30s, 10min, 5d or 1h30min)");
		p += strspn(p, " \t");
		len = strcspn(p, " \t0123456789");
		/* Without a unit it is seconds, but "1h30" is more likely to mean minutes. */
		if (len == 0 && (*p || strspn(text, "0123456789") != strlen(text)))
			return bad(why, "a number has no unit (s, min, h, d or w)");
		unit = span_unit(p, len);
		if (!unit)
			return bad(why, "unknown time unit \"%.*s\" (s, min, h, d or w)",
				   (int)(len < 32 ? len : 32), p);
		if (__builtin_mul_overflow(value, unit * NS_PER_S, &value) ||
		    __builtin_add_overflow(sum, value, &sum))
			sum = UINT64_MAX / 2; /* beyond every range */
		p += len;
	}
	if (sum < spec->min || sum > spec->max)
		return bad(why, "must be from %" PRIu64 "s to %" PRIu64 "s", spec->min / NS_PER_S,
			   spec->max / NS_PER_S);
	store(spec, ret, sum);
	return 0;
}

int conf_parse_rate(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	uint64_t value;

	if (!take_number(&text, &value))
		return bad(why, "not a rate (such as 2000/s, or 0 for no limit)");
	if (strcmp(text, "/s") != 0 && (*text || value != 0))
		return bad(why, "a rate is per second: write %" PRIu64 "/s", value);
	if (check_range(spec, value, why) < 0)
		return -EINVAL;
	store(spec, ret, value);
	return 0;
}

/* Joins the words for a message. */
static int bad_word(const struct conf_spec *spec, const char *word, size_t len, char *why)
{
	char list[CONF_WHY_MAX - 64] = "";
	size_t used = 0;

	for (size_t i = 0; spec->words[i] && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, " %s", spec->words[i]);
	return bad(why, "\"%.*s\" is none of%s", (int)(len < 32 ? len : 32), word, list);
}

static int find_word(const struct conf_spec *spec, const char *word, size_t len)
{
	for (int i = 0; spec->words[i]; i++) {
		if (strlen(spec->words[i]) == len && memcmp(spec->words[i], word, len) == 0)
			return i;
	}
	return -ENOENT;
}

int conf_parse_word(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	int i = find_word(spec, text, strlen(text));

	if (i < 0)
		return bad_word(spec, text, strlen(text), why);
	store(spec, ret, spec->min + (uint64_t)i);
	return 0;
}

int conf_parse_word_set(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	static const char separators[] = " \t,";
	uint64_t set = 0;

	for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
		size_t len = strcspn(text, separators);
		int i = find_word(spec, text, len);

		if (i < 0)
			return bad_word(spec, text, len, why);
		set |= UINT64_C(1) << (spec->min + (uint64_t)i);
		text += len;
	}
	if (!set)
		return bad(why, "no word in the list");
	store(spec, ret, set);
	return 0;
}

static int take_path(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	size_t len = strlen(text);

	if (text[len - 1] == '/')
		return bad(why, "a directory, where a file is to be named");
	if (len >= spec->size)
		return bad(why, "a path has at most %zu characters here", spec->size - 1);
	memset(ret, 0, spec->size);
	memcpy(ret, text, len);
	return 0;
}

int conf_parse_socket(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	if (*text != '/' && strcmp(text, "none") != 0)
		return bad(why, "must be none or an absolute path");
	return take_path(spec, text, ret, why);
}

int conf_parse_file(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	if (*text != '/' && strcmp(text, "auto") != 0 && strcmp(text, "none") != 0)
		return bad(why, "must be auto, none or an absolute path");
	return take_path(spec, text, ret, why);
}

/* Reads "N" or "N-M" and moves text behind it. */
static bool take_number_range(const char **text, uint64_t *first, uint64_t *last)
{
	if (!take_number(text, first))
		return false;
	*last = *first;
	if (**text != '-')
		return true;
	(*text)++;
	return take_number(text, last);
}

int conf_parse_queue_range(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	uint64_t first, last;
	uint16_t *range = ret;

	if (!take_number_range(&text, &first, &last) || *text)
		return bad(why, "not a queue number or range (such as 0 or 0-3)");
	if (first > UINT16_MAX || last > UINT16_MAX)
		return bad(why, "queue numbers end at %d", UINT16_MAX);
	if (first > last)
		return bad(why, "the range runs backwards");
	if (last - first >= QUEUES_MAX)
		return bad(why, "more than %d queues", QUEUES_MAX);
	range[0] = (uint16_t)first;
	range[1] = (uint16_t)last;
	return 0;
}

int conf_parse_mask(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	uint64_t mask = 0;
	const char *p = text;
	bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');

	if (!hex || strspn(p + 2, "0123456789abcdefABCDEF") != strlen(p + 2) || !p[2])
		return bad(why, "not a hexadecimal mask (such as 0xf or 0x7f)");
	for (p += 2; *p; p++) {
		int digit = isdigit((unsigned char)*p) ? *p - '0'
						       : tolower((unsigned char)*p) - 'a' + 10;

		mask = mask << 4 | (unsigned int)digit;
		if (mask > UINT32_MAX)
			return bad(why, "a mark has 32 bits");
	}
	if (mask == 0)
		return bad(why, "no bit is set");
	/* Adding the lowest bit to a contiguous run carries out of it and leaves no bit behind. */
	if (mask & (mask + (mask & -mask)))
		return bad(why, "bits are not contiguous");
	store(spec, ret, mask);
	return 0;
}

int conf_parse_verdict(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	static const char *const words[] = {
		[CONF_ACCEPT] = "accept", [CONF_DROP] = "drop", [CONF_REPEAT] = "repeat"};
	struct conf_verdict *verdict = ret;
	uint64_t queue;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i] && strcmp(text, words[i]) == 0) {
			*verdict = (struct conf_verdict){.kind = (uint8_t)i};
			return 0;
		}
	}
	if (strncmp(text, "queue:", 6) != 0)
		return bad(why, "must be accept, drop, queue:N or repeat");
	text += 6;
	if (!take_number(&text, &queue) || *text || queue > UINT16_MAX)
		return bad(why, "queue: takes a queue number from 0 to %d", UINT16_MAX);
	*verdict = (struct conf_verdict){.kind = CONF_QUEUE, .queue = (uint16_t)queue};
	return 0;
}

int conf_parse_cpus(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	static const char separators[] = " \t,";
	cpu_set_t set;

	CPU_ZERO(&set);
	for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
		uint64_t first, last;

		if (!take_number_range(&text, &first, &last) || !strchr(" \t,", *text))
			return bad(why, "not a list of CPUs (such as 0-3,8)");
		if (first >= CPU_SETSIZE || last >= CPU_SETSIZE)
			return bad(why, "CPU numbers end at %d", CPU_SETSIZE - 1);
		if (first > last)
			return bad(why, "the range %" PRIu64 "-%" PRIu64 " runs backwards", first,
				   last);
		for (; first <= last; first++)
			CPU_SET(first, &set);
	}
	if (CPU_COUNT(&set) == 0)
		return bad(why, "no CPU in the list");
	memcpy(ret, &set, sizeof(set));
	return 0;
}

/* --- zones ------------------------------------------------------------------------------------ */

/* The kernel's rules for names, and room for a pattern. */
static bool is_interface(const char *word, size_t len)
{
	bool pattern = strcspn(word, "*?[") < len;

	if (strcspn(word, "/:,") < len || len > (pattern ? 2 * IF_NAMESIZE : IF_NAMESIZE - 1))
		return false;
	return strncmp(word, ".", len) != 0 && strncmp(word, "..", len) != 0;
}

/* Is the word in a list of words that are each followed by a space? */
static bool has_word(const char *list, const char *word, size_t len)
{
	for (; *list; list += strcspn(list, " ") + 1)
		if (strncmp(list, word, len) == 0 && list[len] == ' ')
			return true;
	return false;
}

int conf_parse_interfaces(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	static const char blanks[] = " \t";
	char list[CONF_LIST_MAX + 1] = "";
	size_t used = 0;

	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		size_t len = strcspn(text, blanks);
		int shown = (int)(len < 40 ? len : 40);

		if (!is_interface(text, len))
			return bad(why, "\"%.*s\" is no name of an interface", shown, text);
		if (has_word(list, text, len))
			return bad(why, "%.*s comes twice", shown, text);
		if (used + len + 1 >= sizeof(list))
			return bad(why, "the list is too long");
		memcpy(list + used, text, len);
		list[used + len] = ' ';
		used += len + 1;
		text += len;
	}
	memset(ret, 0, spec->size);
	memcpy(ret, list, used - 1); /* without the last space */
	return 0;
}

static int add_range(struct conf_ranges *r, uint64_t first, uint64_t last, char *why)
{
	for (unsigned int i = 0; i < r->n; i++) {
		uint64_t both = first > r->range[i].first ? first : r->range[i].first;

		if (both <= last && both <= r->range[i].last)
			return bad(why, "queue %" PRIu64 " comes twice", both);
	}
	if (r->n == CONF_RANGES_MAX)
		return bad(why, "more than %d numbers and ranges", CONF_RANGES_MAX);
	r->range[r->n++] = (struct conf_range){(uint16_t)first, (uint16_t)last};
	return 0;
}

int conf_parse_queues(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	static const char separators[] = " \t,";
	struct conf_ranges ranges;

	memset(&ranges, 0, sizeof(ranges));
	for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
		uint64_t first, last;

		if (!take_number_range(&text, &first, &last) || !strchr(separators, *text))
			return bad(why, "not a list of queues (such as 0-3,8)");
		if (first > UINT16_MAX || last > UINT16_MAX)
			return bad(why, "queue numbers end at %d", UINT16_MAX);
		if (first > last)
			return bad(why, "the range %" PRIu64 "-%" PRIu64 " runs backwards", first,
				   last);
		if (add_range(&ranges, first, last, why) < 0)
			return -EINVAL;
	}
	if (ranges.n == 0)
		return bad(why, "no queue in the list");
	memcpy(ret, &ranges, sizeof(ranges));
	return 0;
}

/* --- helpers ---------------------------------------------------------------------------------- */

_Static_assert((CT_HELPER_MAX - 1) * CONF_HELPER_PORTS_MAX <= CT_HELPER_PORTS_MAX,
	       "every helper with all its ports");

#define PROTOS_BOTH 23 /* CT_HELPER_LIST */

static const struct {
	uint8_t protos;
	uint16_t port;
} helpers[CT_HELPER_MAX] = {
#define X(name, str, families, protos, port, ...) [CT_HELPER_##name] = {(protos), (port)},
	CT_HELPER_LIST(X)
#undef X
};

static const struct conf_spec helper_names = {.words = (const char *const[]){
#define X(name, str, ...) str,
						      CT_HELPER_LIST(X)
#undef X
							      NULL}};

/* All helpers know IPv4, so that two of one protocol cannot share a port. */
static bool share_protocol(uint8_t one, uint8_t other)
{
	uint8_t a = helpers[one].protos, b = helpers[other].protos;

	return a == b || a == PROTOS_BOTH || b == PROTOS_BOTH;
}

static int add_port(struct conf_helpers *list, uint8_t helper, uint64_t port, char *why)
{
	const char *name = ct_helper_name(helper);
	unsigned int own = 0;

	for (unsigned int i = 0; i < list->n; i++) {
		const struct ct_helper_port *p = &list->ports[i];

		if (p->port == port && p->helper == helper)
			return bad(why, "%s has port %" PRIu64 " twice", name, port);
		if (p->port == port && share_protocol(p->helper, helper))
			return bad(why, "port %" PRIu64 " of %s is that of %s already", port, name,
				   ct_helper_name(p->helper));
		own += p->helper == helper;
	}
	if (own == CONF_HELPER_PORTS_MAX)
		return bad(why, "%s has more than %d ports", name, CONF_HELPER_PORTS_MAX);
	list->ports[list->n++] = (struct ct_helper_port){.port = (uint16_t)port, .helper = helper};
	return 0;
}

/* Reads "port[,port...]" and moves text behind it. */
static int take_ports(const char **text, struct conf_helpers *list, uint8_t helper, char *why)
{
	const char *p = *text;
	uint64_t port;

	do {
		if (!take_number(&p, &port) || port == 0 || port > UINT16_MAX ||
		    !strchr(" \t,", *p))
			return bad(why, "%s: takes ports from 1 to %d (such as %s:%u)",
				   ct_helper_name(helper), UINT16_MAX, ct_helper_name(helper),
				   helpers[helper].port);
		if (add_port(list, helper, port, why) < 0)
			return -EINVAL;
	} while (*p++ == ',');
	*text = p - 1;
	return 0;
}

static bool has_helper(const struct conf_helpers *list, uint8_t helper)
{
	for (unsigned int i = 0; i < list->n; i++)
		if (list->ports[i].helper == helper)
			return true;
	return false;
}

/* Reads "name" or "name:ports" and moves text behind it. */
static int take_helper(const char **text, struct conf_helpers *list, char *why)
{
	size_t len = strcspn(*text, ": \t,");
	int word = find_word(&helper_names, *text, len);
	uint8_t helper = (uint8_t)(word + 1); /* CT_HELPER_NONE has no word */

	if (word < 0)
		return bad_word(&helper_names, *text, len, why);
	*text += len;
	if (has_helper(list, helper))
		return bad(why, "%s comes twice", ct_helper_name(helper));
	if (**text == ',')
		return bad(why, "not a list of helpers (such as ftp:21,2121 tftp)");
	if (**text != ':')
		return add_port(list, helper, helpers[helper].port, why);
	++*text;
	return take_ports(text, list, helper, why);
}

int conf_parse_helpers(const struct conf_spec *spec, const char *text, void *ret, char *why)
{
	static const char blanks[] = " \t";
	struct conf_helpers list;

	memset(&list, 0, sizeof(list)); /* configurations are compared byte by byte */
	for (text += strspn(text, blanks); *text; text += strspn(text, blanks))
		if (take_helper(&text, &list, why) < 0)
			return -EINVAL;
	memcpy(ret, &list, sizeof(list));
	return 0;
}
