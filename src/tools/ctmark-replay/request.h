/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a command line asks for: its words checked, and each against the others. */

#include "conf/conf.h"
#include "tools/ctmark-replay/look.h"
#include "tools/ctmark-replay/options.h"

struct request {
	uint64_t count;	  /* packets to stop after, 0: at the end */
	uint64_t explain; /* number of a packet, 0: none */
	bool colour;
	enum time_style time;
	struct choice choice;
};

/* Returns 0, or -EINVAL after what is wrong was said on stderr. */
int request_read(struct request *ret, const struct options *o);

/* Writes --helpers to the configuration. Returns as request_read(). */
int request_helpers(struct conf *conf, const char *text);
