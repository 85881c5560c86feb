/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A stop that is followed by a start finds the flows in a file. It is written by the process that
 * ends, so packets of a restart wait for it: the parts of the arena that are in use go out as they
 * are, checksum and all in one pass, and nobody waits for a disk. A process that dies meanwhile
 * leaves a file of another name; what a power cut leaves of the file is told by its checksum.
 *
 * A table is good for one start only: the second one would bring back flows that have ended since.
 * So the file gets another name before anything is read, and its own one back only if the start
 * came to nothing in an orderly way. A file that cannot be renamed is not used. Should the flows
 * in it be the death of a process, the next one does not find them.
 *
 * Deadlines in the arena are of a clock that begins anew with each boot. How long nobody was there
 * is told by the clock on the wall, which can have been set meanwhile, and is believed unless it
 * ran backwards.
 */

#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/crc32c.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define STATE_TEXT  "ctmarkd flow table, version 1\n"
#define STATE_ORDER UINT32_C(0x01020304) /* differs on a machine of the other byte order */
#define PAGE	    4096
#define CHUNK	    ((size_t)256 * 1024) /* stays in the cache between checksum and copy */

/* Before the parts, which follow in their order. */
struct state_header {
	char text[64]; /* for people */
	uint32_t order;
	uint32_t crc; /* of the whole file, this being 0 */
	uint32_t nparts;
	uint32_t reserved;
	uint64_t arena_size, realtime_ns, monotonic_ns;
	struct {
		uint64_t offset, len;
	} parts[CT_ARENA_PARTS];
};

_Static_assert(sizeof(struct state_header) <= PAGE, "header fits its page");

struct state_page {
	_Alignas(struct state_header) uint8_t bytes[PAGE];
};

static struct state_header *header_of(struct state_page *page)
{
	return (struct state_header *)(void *)page->bytes;
}

const char *state_text(enum state_result result)
{
	static const char *const texts[STATE_RESULT_MAX] = {
#define X(name, text) text,
		STATE_LIST(X)
#undef X
	};

	return texts[result];
}

static char *join(const char *a, size_t alen, const char *b)
{
	char *path;

	return asprintf(&path, "%.*s%s", (int)alen, a, b) < 0 ? NULL : path;
}

static char *beside(const char *path, const char *suffix)
{
	return join(path, strlen(path), suffix);
}

char *state_path(const char *setting)
{
	const char *dirs = getenv("STATE_DIRECTORY");

	if (*setting == '/')
		return strdup(setting);
	if (strcmp(setting, "auto") != 0 || !dirs || *dirs != '/')
		return NULL;
	return join(dirs, strcspn(dirs, ":"), "/flows");
}

/* --- writing ------------------------------------------------------------------------------------
 */

static int write_all(int fd, const uint8_t *bytes, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, bytes, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		bytes += done;
		n -= (size_t)done;
	}
	return 0;
}

static int write_part(int fd, const uint8_t *bytes, size_t n, uint32_t *crc)
{
	int r = 0;

	for (size_t done = 0; done < n && r == 0; done += CHUNK) {
		size_t some = n - done < CHUNK ? n - done : CHUNK;

		*crc = ct_crc32c(*crc, bytes + done, some);
		r = write_all(fd, bytes + done, some);
	}
	return r;
}

/* The first page of an arena is its header, which is written without its secret. */
static int write_parts(int fd, const uint8_t *arena, const struct state_header *h, uint32_t *crc)
{
	struct state_page first;
	int r;

	memcpy(first.bytes, arena, PAGE);
	ct_arena_forget_key(first.bytes);
	r = write_part(fd, first.bytes, PAGE, crc);
	for (size_t i = 0; i < h->nparts && r == 0; i++) {
		size_t skip = i == 0 ? PAGE : 0;

		r = write_part(fd, arena + h->parts[i].offset + skip, h->parts[i].len - skip, crc);
	}
	return r;
}

static uint64_t wall_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void describe(const void *arena, struct state_header *ret)
{
	struct ct_arena_part parts[CT_ARENA_PARTS] = {};
	size_t n = ct_arena_parts(arena, parts);

	*ret = (struct state_header){
		.text = STATE_TEXT,
		.order = STATE_ORDER,
		.nparts = (uint32_t)n,
		.realtime_ns = wall_now_ns(),
		.monotonic_ns = clock_now_ns(),
	};
	for (size_t i = 0; i < n; i++) {
		ret->parts[i].offset = parts[i].offset;
		ret->parts[i].len = parts[i].len;
	}
}

static int write_file(int fd, const void *arena, size_t size, uint64_t *ret_bytes)
{
	struct state_page page = {};
	struct state_header *h = header_of(&page);
	struct ct_arena_facts facts;
	uint32_t crc;
	int r;

	if (ct_arena_read(arena, size, &facts) != CT_ARENA_OK)
		return -EUCLEAN;
	describe(arena, h);
	h->arena_size = facts.size;
	crc = ct_crc32c(0, page.bytes, PAGE);
	r = lseek(fd, PAGE, SEEK_SET) < 0 ? -errno : write_parts(fd, arena, h, &crc);
	if (r < 0)
		return r;
	*ret_bytes = (uint64_t)lseek(fd, 0, SEEK_CUR);
	h->crc = crc;
	return pwrite(fd, page.bytes, PAGE, 0) == PAGE ? 0 : -EIO;
}

int state_writable(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? join(path, (size_t)(slash - path) + 1, ".") : NULL;

	if (!dir)
		return slash ? -ENOMEM : -EINVAL;
	return access(dir, W_OK | X_OK) < 0 ? -errno : 0;
}

int state_write(const char *path, const void *arena, size_t size, uint64_t *ret_bytes)
{
	_cleanup_free_ char *tmp = beside(path, ".tmp");
	_cleanup_close_ int fd = -1;
	int r;

	if (!tmp)
		return -ENOMEM;
	(void)unlink(tmp); /* of somebody who died over it */
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_file(fd, arena, size, ret_bytes);
	if (r == 0 && rename(tmp, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(tmp);
	return r;
}

/* --- reading ------------------------------------------------------------------------------------
 */

static enum state_result failed(struct state *s, enum state_result result, int error)
{
	s->error = error;
	return result;
}

/* Bytes of the file, as its header says; 0: it contradicts itself. */
static uint64_t whole_size(const struct state_header *h)
{
	uint64_t end = 0, sum = PAGE;

	if (h->nparts == 0 || h->nparts > CT_ARENA_PARTS || h->parts[0].offset != 0)
		return 0;
	for (uint32_t i = 0; i < h->nparts; i++) {
		uint64_t offset = h->parts[i].offset, len = h->parts[i].len;

		if (offset < end || offset > h->arena_size || len > h->arena_size - offset ||
		    len == 0 || offset % PAGE != 0 || len % PAGE != 0)
			return 0;
		end = offset + len;
		sum += len;
	}
	return sum;
}

static void take_header(struct state *s, struct state_page *page)
{
	struct state_header *h = header_of(page);

	s->arena_size = (size_t)h->arena_size;
	s->realtime_ns = h->realtime_ns;
	s->monotonic_ns = h->monotonic_ns;
	s->nparts = h->nparts;
	for (size_t i = 0; i < s->nparts; i++) {
		s->parts[i].offset = (size_t)h->parts[i].offset;
		s->parts[i].len = (size_t)h->parts[i].len;
	}
	s->crc_wanted = h->crc;
	h->crc = 0;
	s->crc = ct_crc32c(0, page->bytes, PAGE);
}

static enum state_result read_header(struct state *s, uint64_t size)
{
	struct state_page page = {};
	struct state_header *h = header_of(&page);
	ssize_t n = pread(s->fd, page.bytes, PAGE, 0);
	uint64_t whole;

	if (n < 0)
		return failed(s, STATE_UNREADABLE, errno);
	if (memcmp(h->text, STATE_TEXT, strcspn(STATE_TEXT, ",")) != 0)
		return n < PAGE ? STATE_CUT : STATE_FOREIGN;
	if (memcmp(h->text, STATE_TEXT, sizeof(STATE_TEXT)) != 0 || h->order != STATE_ORDER)
		return STATE_VERSION;
	whole = whole_size(h);
	if (whole != size)
		return whole > size ? STATE_CUT : STATE_DAMAGED;
	take_header(s, &page);
	return STATE_GOOD;
}

static enum state_result check_file(struct state *s, uint64_t *ret_size)
{
	struct stat st;

	if (fstat(s->fd, &st) < 0)
		return failed(s, STATE_UNREADABLE, errno);
	if (!S_ISREG(st.st_mode))
		return STATE_TYPE;
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return STATE_OWNER;
	*ret_size = (uint64_t)st.st_size;
	return STATE_GOOD;
}

static int set_aside(const char *path)
{
	_cleanup_free_ char *aside = beside(path, ".old");

	if (!aside)
		return -ENOMEM;
	return rename(path, aside) < 0 ? -errno : 0;
}

static enum state_result open_file(struct state *s)
{
	s->fd = open(s->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (s->fd >= 0)
		return STATE_GOOD;
	if (errno == ELOOP)
		return STATE_TYPE;
	return failed(s, errno == ENOENT || errno == ENOTDIR ? STATE_ABSENT : STATE_UNREADABLE,
		      errno);
}

enum state_result state_open(struct state *s, const char *path)
{
	enum state_result result;
	uint64_t size = 0;
	int r;

	*s = (struct state){.path = path, .fd = -1};
	result = open_file(s);
	if (result == STATE_GOOD)
		result = check_file(s, &size);
	if (result != STATE_GOOD)
		return result; /* who put that there may want to have it there */
	r = set_aside(path);
	if (r < 0)
		return failed(s, STATE_STUCK, -r);
	s->aside = true;
	return read_header(s, size);
}

static enum state_result load_part(struct state *s, uint8_t *to, size_t n, off_t from)
{
	for (size_t done = 0; done < n;) {
		size_t some = n - done < CHUNK ? n - done : CHUNK;
		ssize_t got = pread(s->fd, to + done, some, from + (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed(s, STATE_UNREADABLE, errno);
		if (got == 0)
			return STATE_CUT;
		s->crc = ct_crc32c(s->crc, to + done, (size_t)got);
		done += (size_t)got;
	}
	return STATE_GOOD;
}

enum state_result state_load(struct state *s, void *arena)
{
	off_t from = PAGE;

	for (size_t i = 0; i < s->nparts; i++) {
		enum state_result result =
			load_part(s, (uint8_t *)arena + s->parts[i].offset, s->parts[i].len, from);

		if (result != STATE_GOOD)
			return result;
		from += (off_t)s->parts[i].len;
	}
	return s->crc == s->crc_wanted ? STATE_GOOD : STATE_DAMAGED;
}

int64_t state_shift_ns(const struct state *s, uint64_t realtime_ns, uint64_t monotonic_ns)
{
	uint64_t away = realtime_ns > s->realtime_ns ? realtime_ns - s->realtime_ns : 0;

	return (int64_t)(monotonic_ns - s->monotonic_ns - away);
}

void state_end(struct state *s, enum state_fate fate)
{
	_cleanup_free_ char *aside = s->aside ? beside(s->path, ".old") : NULL;

	if (aside && fate == STATE_REMOVE)
		(void)unlink(aside);
	if (aside && fate == STATE_PUT_BACK)
		(void)rename(aside, s->path);
	cleanup_close(&s->fd);
	*s = (struct state){.fd = -1};
}

int state_discard(const char *path)
{
	struct stat st;

	/* where nothing may be removed that is an error even if there is nothing */
	if (lstat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return unlink(path) < 0 ? -errno : 0;
}
