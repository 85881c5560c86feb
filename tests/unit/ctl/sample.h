/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/snapshot.h"

/*
 * A snapshot in which no two totals are the same and nothing is 0, with two queues, 0 and 65535, of
 * which the kernel's counters are known if kernel_known says so. To be freed.
 */
struct ctl_snapshot *sample_snapshot(bool kernel_known);
