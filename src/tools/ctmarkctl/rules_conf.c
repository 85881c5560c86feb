/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The configuration as rules see it. The daemon has checked its values; they are checked here once
 * more because options can give them, too.
 */

#include "tools/ctmarkctl/rules_conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

struct class
{
	const char *name;
	uint32_t ctinfo, flags;
	const char *key;
};

static const struct class classes[RULES_CLASS_MAX] = {
#define X(name, ctinfo, flags, key) {#name, ctinfo, flags, key},
	RULES_CLASS_LIST(X)
#undef X
};

void rules_conf_init(struct rules_conf *c)
{
	memset(c, 0, sizeof(*c));
	c->mask = 0xf;
}

/* A number up to max that ends where text does or at one of the stops; moves *text there. */
static bool number(const char **text, int base, unsigned long max, const char *stops,
		   unsigned long *ret)
{
	char *end;

	if (!strchr("0123456789", **text) || !**text)
		return false;
	errno = 0;
	*ret = strtoul(*text, &end, base);
	if (errno || *ret > max || (*end && !strchr(stops, *end)))
		return false;
	*text = end;
	return true;
}

static int parse_range(const char **text, const char *stops, struct rules_range *ret)
{
	char both[8] = "-";
	unsigned long first, last;

	strncat(both, stops, sizeof(both) - 2);
	if (!number(text, 10, UINT16_MAX, both, &first))
		return -EINVAL;
	last = first;
	if (**text == '-') {
		++*text;
		if (!number(text, 10, UINT16_MAX, stops, &last))
			return -EINVAL;
	}
	if (last < first)
		return -EINVAL;
	*ret = (struct rules_range){(uint16_t)first, (uint16_t)last};
	return 0;
}

static int set_range(struct rules_conf *c, const char *value)
{
	return parse_range(&value, "", &c->range);
}

static int set_mask(struct rules_conf *c, const char *value)
{
	unsigned long mask;

	if (!number(&value, 0, UINT32_MAX, "", &mask) || !mask)
		return -EINVAL;
	c->mask = (uint32_t)mask;
	c->shift = (unsigned int)__builtin_ctz(c->mask);
	return 0;
}

/* The index of value in a list of words, or -EINVAL. */
static int choice(const char *value, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(value, words[i]) == 0)
			return (int)i;
	return -EINVAL;
}

static int set_encoding(struct rules_conf *c, const char *value)
{
	static const char *const words[] = {"ctinfo", "flags"};
	int i = choice(value, words, ARRAY_SIZE(words));

	if (i >= 0)
		c->encoding = (enum rules_encoding)i;
	return i < 0 ? i : 0;
}

static int set_confirm(struct rules_conf *c, const char *value)
{
	static const char *const words[] = {"auto", "entry", "exit"};
	int i = choice(value, words, ARRAY_SIZE(words));

	if (i >= 0)
		c->confirm = (enum rules_confirm)i;
	return i < 0 ? i : 0;
}

static int set_fail_open(struct rules_conf *c, const char *value)
{
	static const char *const words[] = {"no", "yes", "off", "on", "false", "true", "0", "1"};
	int i = choice(value, words, ARRAY_SIZE(words));

	if (i >= 0)
		c->fail_open = i & 1;
	return i < 0 ? i : 0;
}

/* What gets into the printed rules must not become another line or word of them. */
static bool plain(const char *text, const char *more)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr(more, *text))
			return false;
	return true;
}

static int set_helpers(struct rules_conf *c, const char *value)
{
	if (strlen(value) >= sizeof(c->helpers) || !plain(value, " ,:"))
		return -EINVAL;
	strcpy(c->helpers, value);
	return 0;
}

static int set_verdict(struct rules_conf *c, const char *key, const char *value)
{
	static const char *const words[] = {"accept", "drop", "queue", "repeat"};
	unsigned long queue = 0;
	int kind;

	if (strncmp(value, "queue:", 6) == 0) {
		value += 6;
		if (!number(&value, 10, UINT16_MAX, "", &queue))
			return -EINVAL;
		kind = RULES_QUEUE;
	} else {
		kind = choice(value, words, ARRAY_SIZE(words));
		if (kind < 0 || kind == RULES_QUEUE)
			return -EINVAL;
	}
	for (int i = 0; i < RULES_CLASS_MAX; i++) {
		if (strcmp(classes[i].key, key) != 0)
			continue;
		c->verdict[i] = (enum rules_verdict)kind;
		c->verdict_queue[i] = (uint16_t)queue;
	}
	return 0;
}

static int set_zone_queues(struct rules_zone *z, const char *value)
{
	z->nqueues = 0;
	for (;;) {
		value += strspn(value, ", \t");
		if (!*value)
			return 0;
		if (z->nqueues == RULES_RANGES_MAX ||
		    parse_range(&value, ", \t", &z->queues[z->nqueues]) < 0)
			return -EINVAL;
		z->nqueues++;
	}
}

static struct rules_zone *zone_of(struct rules_conf *c, const char *name)
{
	for (unsigned int i = 0; i < c->nzones; i++)
		if (strcmp(c->zones[i].name, name) == 0)
			return &c->zones[i];
	if (c->nzones == RULES_ZONES_MAX || strlen(name) >= sizeof(c->zones[0].name) ||
	    !plain(name, "._-"))
		return NULL;
	strcpy(c->zones[c->nzones].name, name);
	return &c->zones[c->nzones++];
}

static int set_zone(struct rules_conf *c, const char *name, const char *key, const char *value)
{
	struct rules_zone *z = zone_of(c, name);

	if (!z)
		return -EINVAL;
	if (strcmp(key, "Queue") == 0)
		return set_zone_queues(z, value);
	if (strcmp(key, "InputInterface") == 0) {
		if (strlen(value) >= sizeof(z->interfaces))
			return -EINVAL;
		strcpy(z->interfaces, value);
	}
	return 0;
}

int rules_conf_set(struct rules_conf *c, const char *section, const char *key, const char *value)
{
	static const struct {
		const char *section, *key;
		int (*set)(struct rules_conf *c, const char *value);
	} keys[] = {
		{"Queue", "Range", set_range},	   {"Queue", "FailOpen", set_fail_open},
		{"Mark", "Mask", set_mask},	   {"Mark", "Encoding", set_encoding},
		{"Track", "Confirm", set_confirm}, {"Track", "Helpers", set_helpers},
	};

	if (strcmp(section, "Verdict") == 0)
		return set_verdict(c, key, value);
	if (strncmp(section, "Zone ", 5) == 0)
		return set_zone(c, section + 5, key, value);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(section, keys[i].section) == 0 && strcmp(key, keys[i].key) == 0)
			return keys[i].set(c, value);
	return 0;
}

static void read_status(struct rules_conf *c, const json_t *status)
{
	const char *confirms = json_string_value(json_object_get(status, "confirms"));
	const json_t *list = json_object_get(status, "fragments");
	const json_t *family;
	size_t i;

	c->exits = confirms && strcmp(confirms, "exit") == 0;
	c->fragments_known = json_is_array(list);
	json_array_foreach((json_t *)list, i, family)
	{
		const char *name = json_string_value(family);

		c->fragments4 |= name && strcmp(name, "ipv4") == 0;
		c->fragments6 |= name && strcmp(name, "ipv6") == 0;
	}
}

int rules_conf_read(struct rules_conf *c, const json_t *config, const json_t *status, char *why,
		    size_t size)
{
	const json_t *list = json_object_get(config, "settings");
	const json_t *setting;
	size_t i;

	json_array_foreach((json_t *)list, i, setting)
	{
		const char *section = json_string_value(json_object_get(setting, "section"));
		const char *key = json_string_value(json_object_get(setting, "key"));
		const char *value = json_string_value(json_object_get(setting, "value"));

		if (!section || !key || !value)
			continue;
		if (rules_conf_set(c, section, key, value) < 0) {
			snprintf(why, size, "[%s] %s=%s", section, key, value);
			return -EINVAL;
		}
	}
	if (status)
		read_status(c, json_object_get(status, "status"));
	if (rules_conf_sound(c))
		return 0;
	snprintf(why, size, "Mask=0x%x", c->mask);
	return -EINVAL;
}

bool rules_conf_sound(const struct rules_conf *c)
{
	uint32_t run = c->mask >> c->shift;
	int bits = __builtin_popcount(c->mask);

	return c->mask && !(run & (run + 1)) && bits >= (c->encoding == RULES_FLAGS ? 7 : 4);
}

static uint32_t class_value(const struct rules_conf *c, enum rules_class class)
{
	return c->encoding == RULES_FLAGS ? classes[class].flags : classes[class].ctinfo;
}

uint32_t rules_mark(const struct rules_conf *c, enum rules_class class)
{
	return class_value(c, class) << c->shift;
}

uint32_t rules_classified(const struct rules_conf *c)
{
	uint32_t bits = c->encoding == RULES_FLAGS ? RULES_CLASS_FLAGS : RULES_CLASSIFIED;

	return bits << c->shift;
}

/*
 * Bits outside Mask= are anything: there is a mark with these bits of ours between lo and hi if the
 * bits of the match that are not ours can make up for the difference.
 */
static bool finds(const struct rules_conf *c, uint32_t ours, uint32_t lo, uint32_t hi,
		  uint32_t mask)
{
	uint32_t free = mask & ~c->mask;

	ours &= mask;
	if (lo == hi)
		return ours == (lo & c->mask) && !(lo & ~mask);
	return ours <= hi && (ours | free) >= lo;
}

struct rules_found rules_find(const struct rules_conf *c, uint32_t lo, uint32_t hi, uint32_t mask)
{
	struct rules_found found = {.unseen = finds(c, 0, lo, hi, mask)};

	for (int i = 0; i < RULES_CLASS_MAX; i++) {
		uint32_t mark = rules_mark(c, (enum rules_class)i);

		if (finds(c, mark, lo, hi, mask) ||
		    (c->encoding == RULES_FLAGS &&
		     finds(c, mark | RULES_ASSURED << c->shift, lo, hi, mask)))
			found.classes |= 1u << i;
	}
	return found;
}

const char *rules_class_name(enum rules_class class)
{
	return classes[class].name;
}
