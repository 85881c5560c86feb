/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/plain.h"
#include "util/cleanup.h"
#include "util/words.h"

static int say_error(const struct picture *p, int error)
{
	char name[256];

	snprintf(name, sizeof(name), "%s", p->file);
	plain_text(name, '?');
	fprintf(stderr, "ctmark-replay: %s: %s\n", name, strerror(error));
	return -error;
}

static int picture_packet(struct sink *s, const struct record *r)
{
	struct picture *p = (struct picture *)s;
	int err = film_packet(&p->film, r);

	return err < 0 ? say_error(p, -err) : 0;
}

static int picture_ending(struct sink *s, const struct ending *e)
{
	struct picture *p = (struct picture *)s;

	film_ending(&p->film, e);
	return 0;
}

static int picture_done(struct sink *s, const struct replay_totals *t)
{
	struct picture *p = (struct picture *)s;
	FILE *f = p->out ? p->out : stdout;
	int err;

	film_end(&p->film, t);
	if (p->out) /* devices and pipes cannot, and need not */
		(void)!ftruncate(fileno(p->out), 0);
	err = p->draw(f, &p->film, p);
	if (err < 0)
		return say_error(p, -err);
	if (!p->out) /* main() writes what is left, and tells if that cannot be done */
		return ferror(f) ? -EIO : 0;
	errno = EIO;
	if (fflush(f) != 0 || ferror(f))
		return say_error(p, errno);
	return 0;
}

static void picture_free(struct sink *s)
{
	struct picture *p = (struct picture *)s;

	film_done(&p->film);
	if (p->out)
		fclose(p->out);
	free(p);
}

static const struct sink_ops picture_ops = {
	.packet = picture_packet,
	.ending = picture_ending,
	.done = picture_done,
	.free = picture_free,
};

/* What is in the file stays until there is a picture to put there. */
static FILE *open_file(const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f && fd >= 0)
		close(fd);
	return f;
}

struct sink *picture_new(const struct look *look, const char *file, const struct picture *kind)
{
	_cleanup_free_ struct picture *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	*p = *kind;
	p->base.ops = &picture_ops;
	p->file = file;
	if (strcmp(file, "-") != 0) {
		p->out = open_file(file);
		if (!p->out) {
			say_error(p, errno);
			return NULL;
		}
	}
	if (film_init(&p->film, look->choice, look->max_flows) < 0) {
		say_error(p, ENOMEM);
		if (p->out)
			fclose(p->out);
		return NULL;
	}
	return &TAKE_PTR(p)->base;
}

/* ---- what is drawn ---- */

/* What is left of the room in a picture. */
struct room {
	size_t ladders, packets;
	int height;
};

/* Pixels; INT_MAX if there is no memory to find out, for then there is none to draw it either. */
static int height_of(const struct film *film, const struct reel *r)
{
	struct ladder l;
	int height;

	if (ladder_init(&l, film, r) < 0)
		return INT_MAX;
	height = l.height;
	ladder_done(&l);
	return height;
}

static bool fits(const struct film *film, const struct reel *r, struct room *room)
{
	int height;

	if (room->ladders == 0 || reel_length(r) > room->packets)
		return false;
	height = height_of(film, r);
	if (height > room->height)
		return false;
	room->ladders--;
	room->packets -= reel_length(r);
	room->height -= height;
	return true;
}

void picture_choose(const struct picture *p, bool *drawn)
{
	struct room room = {p->max_ladders, p->max_packets, p->max_height};
	const struct film *film = &p->film;

	for (size_t i = film->npairs; i < film->nreels; i++)
		drawn[i] = film->reels[i]->invalid && fits(film, film->reels[i], &room);
	for (size_t i = 0; i < film->nreels; i++)
		if (!drawn[i])
			drawn[i] = fits(film, film->reels[i], &room);
}

const char *picture_left_out(const struct film *film, const bool *drawn,
			     char buf[static LADDER_WORDS_MAX])
{
	uint64_t flows = film->flows_left, packets = film->packets_left;
	struct words w = {buf, LADDER_WORDS_MAX, 0};

	for (size_t i = 0; i < film->nreels; i++) {
		flows += !drawn[i] && i >= film->npairs;
		packets += drawn[i] || i >= film->npairs ? 0 : film->reels[i]->packets;
	}
	buf[0] = '\0';
	if (flows)
		words_add(&w, "%" PRIu64 " more %s not drawn (--flow and --only choose). ", flows,
			  flows == 1 ? "flow is" : "flows are");
	if (packets)
		words_add(&w, "%" PRIu64 " more packet%s without a flow %s not drawn.", packets,
			  packets == 1 ? "" : "s", packets == 1 ? "is" : "are");
	return buf;
}

const char *picture_sum(const struct film *film, char buf[static LADDER_WORDS_MAX])
{
	uint64_t flows = film->nreels - film->npairs + film->flows_left;

	snprintf(buf, LADDER_WORDS_MAX,
		 "%" PRIu64 " flow%s, %" PRIu64 " packet%s, %" PRIu64 " of them INVALID", flows,
		 flows == 1 ? "" : "s", film->packets, film->packets == 1 ? "" : "s",
		 film->invalid);
	return buf;
}
