/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Signals as something to be read, for verbs that run until they are told to end. */

#include <stdbool.h>

/* What came. */
struct signals {
	bool end;    /* SIGINT, SIGTERM, SIGHUP */
	bool stop;   /* SIGTSTP */
	bool resize; /* SIGWINCH */
};

/* Takes the signals from now on: a descriptor that becomes readable, or -errno. screen: also those
 * that a full screen has to know of. */
int signals_open(bool screen);

/* What has come since the last time. */
struct signals signals_read(int fd);
