/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tests/differential/duel.h"

/*
 * Writes a talk as it was played up to its last step as a packet script (tests/flows/README.md)
 * that expects what the kernel said; what engine and ctmarkd said of it otherwise is a comment.
 */
void tell_play(FILE *f, const struct duel *d, const struct play *p);

/* Sums of a run, one line each beginning with "#". */
void tell_sums(FILE *f, const struct duel *d);
