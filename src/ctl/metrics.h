/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The daemon at one moment in Prometheus' text format, ctmarkd.metrics(7). */

#include "ctl/snapshot.h"

/*
 * Makes the text: each metric once with its help and type, then its samples; always in the same
 * order. What the snapshot does not know is left out. To be freed by the caller; NULL: no memory.
 */
char *ctl_metrics(const struct ctl_snapshot *s);
