/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What others may see of the configuration in force, and change of it until the next reload. */

#include <errno.h>

#include "daemon/daemon.h"

int daemon_settings_each(const struct daemon *d, conf_tell *tell, void *ctx)
{
	const struct conf_source started = {&d->started, d->started_origins};
	struct conf conf = d->conf->conf;
	/* before the first reload both are the same */
	const struct conf_source loaded = {&conf, d->origins ? d->origins : d->started_origins};

	conf.log_level = d->oplog.level;
	return conf_settings_each(&started, &loaded, tell, ctx);
}

int daemon_set_log_level(struct daemon *d, int level)
{
	if (!conf_level_name(level))
		return -EINVAL;
	d->oplog.level = level;
	return 0;
}
