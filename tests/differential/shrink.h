/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tests/differential/duel.h"

/*
 * Makes a talk that ended with a difference as small as it gets: steps are left out and fields put
 * back to what a plain packet has, as long as playing it again, between fresh addresses, still
 * differs. p is played a last time and then tells the smallest that was found. Returns 0 or -errno.
 */
int shrink(struct duel *d, struct play *p);
