/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A loaded configuration as a list of what could have been written, and where it was. */

#include "conf/conf.h"

struct conf_setting {
	const char *section, *key; /* "Zone blue" for the section of a zone */
	const char *value;	   /* in force, as conf_print() writes it */
	const char *def;	   /* the default, likewise */
	const char *origin;	   /* FILE:LINE of value; NULL: nobody set it */
	const char *wanted; /* what was loaded since and waits for a restart; NULL: nothing */
};

/* Called for each setting; the texts end with the call. */
typedef void conf_tell(void *ctx, const struct conf_setting *setting);

/* A configuration, and where it comes from; origins may be NULL, which is nowhere. */
struct conf_source {
	const struct conf *conf;
	const struct conf_origins *origins;
};

/*
 * Tells all settings in the order of the table, then those of the zones. Keys that only change
 * with a restart are those of started, all others those of loaded, which may be the same. Returns 0
 * or -ENOMEM, with some of them told.
 */
int conf_settings_each(const struct conf_source *started, const struct conf_source *loaded,
		       conf_tell *tell, void *ctx);
