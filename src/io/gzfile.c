/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/gzfile.h"

#include <errno.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

/* Headers of packets are read one by one: the more come with one call, the better. */
#define BUFFER (256u << 10)

struct gzfile {
	gzFile gz; /* NULL once the stream is closed */
	enum gzfile_state state;
	char buffer[BUFFER];
};

static void note_error(struct gzfile *g)
{
	int error;

	(void)gzerror(g->gz, &error);
	if (error == Z_BUF_ERROR)
		g->state = GZFILE_CUT;
	else if (error == Z_DATA_ERROR)
		g->state = GZFILE_DAMAGED;
}

static ssize_t read_more(void *cookie, char *buf, size_t size)
{
	struct gzfile *g = cookie;
	int n;

	n = gzread(g->gz, buf, size < BUFFER ? (unsigned int)size : BUFFER);
	if (n > 0)
		return n;
	note_error(g);
	if (g->state == GZFILE_DAMAGED)
		errno = EBADMSG;
	return n;
}

static int close_stream(void *cookie)
{
	struct gzfile *g = cookie;

	gzclose(g->gz);
	g->gz = NULL;
	return 0;
}

int gzfile_open(struct gzfile **ret, int fd, FILE **ret_stream)
{
	struct gzfile *g = malloc(sizeof(*g));
	FILE *stream;

	if (!g) {
		close(fd);
		return -ENOMEM;
	}
	g->state = GZFILE_GOOD;
	g->gz = gzdopen(fd, "rb");
	if (!g->gz) {
		close(fd);
		free(g);
		return -ENOMEM;
	}
	gzbuffer(g->gz, BUFFER / 2);
	stream = fopencookie(g, "rb",
			     (cookie_io_functions_t){.read = read_more, .close = close_stream});
	if (!stream) {
		gzclose(g->gz);
		free(g);
		return -ENOMEM;
	}
	setvbuf(stream, g->buffer, _IOFBF, sizeof(g->buffer));
	__fsetlocking(stream, FSETLOCKING_BYCALLER); /* one thread reads it */
	*ret = g;
	*ret_stream = stream;
	return 0;
}

enum gzfile_state gzfile_state(const struct gzfile *g)
{
	return g->state;
}

void gzfile_free(struct gzfile *g)
{
	free(g);
}
