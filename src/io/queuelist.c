/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/queuelist.h"

#include <errno.h>
#include <inttypes.h>

#include "util/cleanup.h"

#define LINE_LEN 256

int queuelist_next(FILE *list, struct queuelist_entry *ret)
{
	struct queuelist_entry e;
	char line[LINE_LEN];

	while (fgets(line, sizeof(line), list)) {
		/* the fourth and fifth column are copy mode and copy range */
		/* NOLINTNEXTLINE(cert-err34-c): the kernel wrote it */
		if (sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %*u %*u %" SCNu32 " %" SCNu32,
			   &e.queue, &e.portid, &e.waiting, &e.full, &e.lost) != 5)
			continue;
		*ret = e;
		return 1;
	}
	return ferror(list) ? -EIO : 0;
}

int queuelist_holder(const char *path, uint16_t queue, uint32_t *ret_portid)
{
	_cleanup_fclose_ FILE *list = fopen(path, "re");
	struct queuelist_entry e;
	int r;

	if (!list)
		return errno == ENOENT ? -ENOTSUP : -errno;
	while ((r = queuelist_next(list, &e)) > 0) {
		if (e.queue == queue) {
			*ret_portid = e.portid;
			return 0;
		}
	}
	return r < 0 ? r : -ENOENT;
}
