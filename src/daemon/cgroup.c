/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/cgroup.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"

/* Appends the path of our group, "0::/path" in a list of all hierarchies. */
static bool append_own_group(char path[static PATH_MAX], const char *proc)
{
	_cleanup_fclose_ FILE *list = fopen(proc, "re");
	size_t len = strlen(path);
	char line[PATH_MAX];

	while (list && fgets(line, sizeof(line), list)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		return (size_t)snprintf(path + len, PATH_MAX - len, "%s", line + 3) <
		       PATH_MAX - len;
	}
	return false;
}

/* "max", as well as a file that is not there, is no limit. */
static uint64_t limit_in(const char *group, const char *name)
{
	char path[PATH_MAX + 16];
	_cleanup_fclose_ FILE *file = NULL;
	uint64_t limit;

	snprintf(path, sizeof(path), "%s/%s", group, name);
	file = fopen(path, "re");
	/* NOLINTNEXTLINE(cert-err34-c): the kernel wrote it */
	return file && fscanf(file, "%" SCNu64, &limit) == 1 ? limit : UINT64_MAX;
}

uint64_t cgroup_memory_limit(const char *proc, const char *root)
{
	char group[PATH_MAX];
	uint64_t lowest = UINT64_MAX;

	snprintf(group, sizeof(group), "%s", root);
	if (!append_own_group(group, proc))
		return UINT64_MAX;
	for (;;) {
		uint64_t max = limit_in(group, "memory.max"), high = limit_in(group, "memory.high");
		char *slash = strrchr(group, '/');

		lowest = max < lowest ? max : lowest;
		lowest = high < lowest ? high : lowest;
		if (!slash || (size_t)(slash - group) < strlen(root))
			return lowest;
		*slash = '\0';
	}
}
