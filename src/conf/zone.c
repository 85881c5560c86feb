/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Sections [Zone NAME]: there may be many of them, so their keys belong to the zone that the last
 * header named. A zone is known by its name: a drop-in can change or complete it.
 *
 * What is asked of a zone is answered here, too, by name and number alone: which interface has
 * which name is known elsewhere.
 */

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "conf/loader.h"

#define PREFIX	   "Zone"
#define PREFIX_LEN (sizeof(PREFIX) - 1)
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* --- sections -----------------------------------------------------------------------------------
 */

static int find_zone(const struct conf *c, const char *name, size_t len)
{
	for (unsigned int i = 0; i < c->nzones; i++)
		if (strlen(c->zones[i].name) == len && memcmp(c->zones[i].name, name, len) == 0)
			return (int)i;
	return -1;
}

static void bad_section(struct conf_loader *l, const char *why)
{
	l->section_bad = true;
	if (!l->first_error_line)
		l->first_error_line = l->line;
	conf_say(l, -EINVAL, l->file, l->line, "%s", why);
}

static void add_zone(struct conf_loader *l, const char *name, size_t len)
{
	unsigned int i = l->conf.nzones;

	if (i == CT_ZONES_MAX) {
		bad_section(l, "there are 64 zones already");
		return;
	}
	memcpy(l->conf.zones[i].name, name, len);
	l->zones[i] = (struct conf_zone_origin){.header = {.file = l->file, .line = l->line}};
	l->zone = (int)i;
	l->conf.nzones++;
}

_Static_assert(CT_ZONES_MAX == 64, "add_zone() tells the number");

void conf_enter_section(struct conf_loader *l, const char *section, size_t len)
{
	const char *name = section + PREFIX_LEN;

	l->zone = -1;
	if (len < PREFIX_LEN || memcmp(section, PREFIX, PREFIX_LEN) != 0 ||
	    (len > PREFIX_LEN && *name != ' ' && *name != '\t'))
		return;
	name += strspn(name, " \t");
	len -= (size_t)(name - section) < len ? (size_t)(name - section) : len;
	if (len == 0 || len >= CONF_ZONE_NAME_MAX || strspn(name, NAME_CHARS) < len) {
		bad_section(l, "a zone has a name of up to 31 letters, digits, dots, dashes and "
			       "underscores (such as [Zone blue])");
		return;
	}
	l->zone = find_zone(&l->conf, name, len);
	if (l->zone < 0)
		add_zone(l, name, len);
}

_Static_assert(CONF_ZONE_NAME_MAX == 32, "conf_enter_section() tells the length");

/* --- checks -------------------------------------------------------------------------------------
 */

/* The first word at *text; moves text behind it. Returns its length, 0 at the end. */
static size_t next_word(const char **text, const char **ret_word)
{
	size_t len;

	*ret_word = *text + strspn(*text, " ");
	len = strcspn(*ret_word, " ");
	*text = *ret_word + len;
	return len;
}

static bool has_word(const struct conf_zone *z, const char *wanted, size_t wanted_len)
{
	const char *list = z->interfaces, *word;
	size_t len;

	while ((len = next_word(&list, &word)) > 0)
		if (len == wanted_len && memcmp(word, wanted, len) == 0)
			return true;
	return false;
}

static bool share_queue(const struct conf_zone *a, const struct conf_zone *b, unsigned int *ret)
{
	for (unsigned int i = 0; i < a->queues.n; i++)
		for (unsigned int j = 0; j < b->queues.n; j++) {
			const struct conf_range *x = &a->queues.range[i], *y = &b->queues.range[j];

			*ret = x->first > y->first ? x->first : y->first;
			if (*ret <= x->last && *ret <= y->last)
				return true;
		}
	return false;
}

static const struct conf_origin *key_origin(const struct conf_loader *l, unsigned int zone,
					    size_t offset)
{
	for (size_t i = 0; i < conf_zone_table_len; i++)
		if (conf_zone_table[i].offset == offset)
			return &l->zones[zone].key[i];
	return &l->zones[zone].header;
}

#define ORIGIN(l, zone, member) key_origin((l), (zone), offsetof(struct conf_zone, member))

/* What two zones cannot both have; later is complained about. */
static void check_pair(struct conf_loader *l, unsigned int earlier, unsigned int later)
{
	const struct conf_zone *a = &l->conf.zones[earlier], *b = &l->conf.zones[later];
	const struct conf_origin *id = ORIGIN(l, later, id);
	const struct conf_origin *queues = ORIGIN(l, later, queues);
	const struct conf_origin *interfaces = ORIGIN(l, later, interfaces);
	const char *list = b->interfaces, *word;
	unsigned int queue;
	size_t len;

	if (b->id > 0 && a->id == b->id)
		conf_say(l, -EINVAL, id->file, id->line, "[Zone %s] Id=%u: is that of [Zone %s]",
			 b->name, b->id, a->name);
	while ((len = next_word(&list, &word)) > 0)
		if (has_word(a, word, len))
			conf_say(l, -EINVAL, interfaces->file, interfaces->line,
				 "[Zone %s] InputInterface=: %.*s belongs to [Zone %s]", b->name,
				 (int)len, word, a->name);
	if (share_queue(a, b, &queue))
		conf_say(l, -EINVAL, queues->file, queues->line,
			 "[Zone %s] Queue=: queue %u belongs to [Zone %s]", b->name, queue,
			 a->name);
}

/* What no queue of ours brings cannot be meant. */
static void check_served(struct conf_loader *l, unsigned int zone)
{
	const struct conf *c = &l->conf;
	const struct conf_zone *z = &c->zones[zone];
	const struct conf_origin *origin = ORIGIN(l, zone, queues);
	bool served = true;

	for (unsigned int i = 0; i < z->queues.n; i++)
		served &= z->queues.range[i].first >= c->queue_first &&
			  z->queues.range[i].last <= c->queue_last;
	if (!served)
		conf_say(l, 0, origin->file, origin->line,
			 "[Zone %s] Queue=: not all of them are queues of ours (Range=%u-%u)",
			 z->name, c->queue_first, c->queue_last);
}

static void check_zone(struct conf_loader *l, unsigned int zone)
{
	const struct conf_zone *z = &l->conf.zones[zone];
	const struct conf_zone_origin *origin = &l->zones[zone];

	if (z->id == 0 && !ORIGIN(l, zone, id)->bad)
		conf_say(l, -EINVAL, origin->header.file, origin->header.line,
			 "[Zone %s]: has no Id=", z->name);
	if (z->queues.n == 0 && !*z->interfaces && !ORIGIN(l, zone, interfaces)->bad &&
	    !ORIGIN(l, zone, queues)->bad)
		conf_say(l, 0, origin->header.file, origin->header.line,
			 "[Zone %s]: without InputInterface= and Queue= no packet belongs to it",
			 z->name);
}

void conf_check_zones(struct conf_loader *l, bool range_is_good)
{
	for (unsigned int i = 0; i < l->conf.nzones; i++) {
		check_zone(l, i);
		if (range_is_good)
			check_served(l, i);
		for (unsigned int j = 0; j < i; j++)
			check_pair(l, j, i);
	}
}

/* --- questions ----------------------------------------------------------------------------------
 */

uint16_t conf_zone_of_queue(const struct conf *c, uint16_t queue)
{
	for (unsigned int i = 0; i < c->nzones; i++)
		for (unsigned int j = 0; j < c->zones[i].queues.n; j++) {
			const struct conf_range *r = &c->zones[i].queues.range[j];

			if (queue >= r->first && queue <= r->last)
				return c->zones[i].id;
		}
	return 0;
}

static bool matches(const struct conf_zone *z, const char *name)
{
	const char *list = z->interfaces, *word;
	char pattern[CONF_LIST_MAX];
	size_t len;

	while ((len = next_word(&list, &word)) > 0) {
		memcpy(pattern, word, len);
		pattern[len] = '\0';
		if (fnmatch(pattern, name, FNM_NOESCAPE) == 0)
			return true;
	}
	return false;
}

uint16_t conf_zone_of_interface(const struct conf *c, const char *name)
{
	for (unsigned int i = 0; i < c->nzones; i++)
		if (has_word(&c->zones[i], name, strlen(name)))
			return c->zones[i].id;
	for (unsigned int i = 0; i < c->nzones; i++)
		if (matches(&c->zones[i], name))
			return c->zones[i].id;
	return 0;
}
