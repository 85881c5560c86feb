/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/loader.h"
#include "conf/print.h"
#include "util/cleanup.h"

/* --- origins ------------------------------------------------------------------------------------
 */

/* file is an index plus one, 0: it has its default. */
struct place {
	unsigned int file, line;
};

struct conf_origins {
	struct conf_paths files;
	struct place key[CONF_KEYS_MAX];
	struct place zone[CT_ZONES_MAX][CONF_ZONE_KEYS_MAX];
};

struct conf_origins *conf_origins_free(struct conf_origins *o)
{
	if (o) {
		conf_paths_done(&o->files);
		free(o);
	}
	return NULL;
}

static int note(struct conf_origins *o, const struct conf_origin *origin, struct place *ret)
{
	size_t i = 0;

	if (!origin->file)
		return 0;
	while (i < o->files.count && strcmp(o->files.path[i], origin->file) != 0)
		i++;
	if (i == o->files.count) {
		char *path = strdup(origin->file);

		if (!path || conf_paths_append(&o->files, path) < 0)
			return -ENOMEM;
	}
	*ret = (struct place){.file = (unsigned int)i + 1, .line = origin->line};
	return 0;
}

int conf_origins_new(struct conf_origins **ret, const struct conf_loader *l)
{
	struct conf_origins *o = calloc(1, sizeof(*o));
	int r = o ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < conf_table_len; i++)
		r = note(o, &l->origin[i], &o->key[i]);
	for (size_t z = 0; r == 0 && z < l->conf.nzones; z++)
		for (size_t i = 0; r == 0 && i < conf_zone_table_len; i++)
			r = note(o, &l->zones[z].key[i], &o->zone[z][i]);
	if (r < 0)
		conf_origins_free(o);
	else
		*ret = o;
	return r;
}

/* --- settings -----------------------------------------------------------------------------------
 */

/* What is told of one key. */
struct item {
	const char *section;
	const struct conf_key *key;
	const void *field, *wanted; /* wanted may be NULL */
	const struct conf_origins *origins;
	const struct place *place;
};

static char *text_of(const struct conf_key *key, const void *field)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (field)
		conf_print(out, key, field);
	else
		conf_print_default(out, key);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int origin_of(const struct item *item, char **ret)
{
	const struct place *p = item->place;

	if (!p || p->file == 0)
		return 0;
	if (asprintf(ret, "%s:%u", item->origins->files.path[p->file - 1], p->line) >= 0)
		return 0;
	*ret = NULL;
	return -ENOMEM;
}

static int tell_item(const struct item *item, conf_tell *tell, void *ctx)
{
	_cleanup_free_ char *value = text_of(item->key, item->field);
	_cleanup_free_ char *def = text_of(item->key, NULL);
	_cleanup_free_ char *wanted = NULL, *origin = NULL;

	if (!value || !def || origin_of(item, &origin) < 0)
		return -ENOMEM;
	if (item->wanted && memcmp(item->field, item->wanted, item->key->spec.size) != 0) {
		wanted = text_of(item->key, item->wanted);
		if (!wanted)
			return -ENOMEM;
	}
	tell(ctx, &(struct conf_setting){
			  .section = item->section,
			  .key = item->key->name,
			  .value = value,
			  .def = def,
			  .origin = origin,
			  .wanted = wanted,
		  });
	return 0;
}

static int tell_zone(const struct conf_source *source, unsigned int zone, conf_tell *tell,
		     void *ctx)
{
	const struct conf_zone *z = &source->conf->zones[zone];
	const struct conf_origins *o = source->origins;
	char section[sizeof("Zone ") + CONF_ZONE_NAME_MAX];
	int r = 0;

	snprintf(section, sizeof(section), "Zone %s", z->name);
	for (size_t i = 0; r == 0 && i < conf_zone_table_len; i++) {
		const struct conf_key *k = &conf_zone_table[i];

		r = tell_item(&(struct item){.section = section,
					     .key = k,
					     .field = (const char *)z + k->offset,
					     .origins = o,
					     .place = o ? &o->zone[zone][i] : NULL},
			      tell, ctx);
	}
	return r;
}

int conf_settings_each(const struct conf_source *started, const struct conf_source *loaded,
		       conf_tell *tell, void *ctx)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < conf_table_len; i++) {
		const struct conf_key *k = &conf_table[i];
		const struct conf_source *force = k->restart ? started : loaded;
		const struct conf_origins *o = force->origins;

		r = tell_item(&(struct item){.section = k->section,
					     .key = k,
					     .field = (const char *)force->conf + k->offset,
					     .wanted = (const char *)loaded->conf + k->offset,
					     .origins = o,
					     .place = o ? &o->key[i] : NULL},
			      tell, ctx);
	}
	for (unsigned int i = 0; r == 0 && i < loaded->conf->nzones; i++)
		r = tell_zone(loaded, i, tell, ctx);
	return r;
}
