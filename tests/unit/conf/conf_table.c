/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The table for tests/check/conf-docs.sh. Without an argument: one line per key, section, name,
 * default and help separated by tabs. With a file: whether loading it is silent and changes
 * nothing.
 */

#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/table.h"

static void say(void *ctx, int priority, const char *text)
{
	unsigned int *messages = ctx;

	puts(text);
	++*messages;
}

static int compare(const char *file)
{
	struct conf defaults, loaded;
	unsigned int findings = 0;

	conf_init(&defaults);
	if (conf_load(&loaded, NULL, "", file, say, &findings) < 0)
		return 1;
	for (size_t i = 0; i < conf_table_len; i++) {
		const struct conf_key *k = &conf_table[i];

		if (memcmp((char *)&defaults + k->offset, (char *)&loaded + k->offset,
			   k->spec.size) == 0)
			continue;
		printf("[%s] %s= is not its default, %s\n", k->section, k->name, k->def);
		findings++;
	}
	if (loaded.nzones > 0) {
		puts("there are zones");
		findings++;
	}
	return findings > 0;
}

static void print(const struct conf_key *table, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%s\t%s\t%s\t%s\n", table[i].section, table[i].name, table[i].def,
		       table[i].help);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return compare(argv[1]);
	print(conf_table, conf_table_len);
	print(conf_zone_table, conf_zone_table_len);
	return 0;
}
