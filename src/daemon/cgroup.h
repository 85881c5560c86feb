/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Limits of the control group that a service manager put us into (cgroup v2), which its sandbox
 * lets us read but not change.
 */

#include <stdint.h>

/*
 * The lowest of memory.max and memory.high of our group and those around it, in bytes; UINT64_MAX
 * if there is none or they cannot be read. proc is /proc/self/cgroup, root where the groups are
 * mounted.
 */
#define CGROUP_PROC "/proc/self/cgroup"
#define CGROUP_ROOT "/sys/fs/cgroup"
uint64_t cgroup_memory_limit(const char *proc, const char *root);
