/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A stdio stream for reading a file that may be compressed (gzip): what it is shows in its first
 * bytes, not in its name, so that a pipe can be either.
 */

#include <stdio.h>

struct gzfile;

enum gzfile_state {
	GZFILE_GOOD,	/* so far */
	GZFILE_CUT,	/* the compressed data ended too early; what there was has been read */
	GZFILE_DAMAGED, /* it is no data that a compressor wrote, or its checksum is another one */
};

/*
 * Takes over fd, also when it fails. Returns 0 with the stream, which has to be closed before
 * gzfile_free(), or -ENOMEM.
 */
int gzfile_open(struct gzfile **ret, int fd, FILE **ret_stream);

/* Why reading ended. */
enum gzfile_state gzfile_state(const struct gzfile *g);

/* NULL is fine. */
void gzfile_free(struct gzfile *g);
