/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/memory.h"

/*
 * A look-up in a large table goes to one place of the index and one of the flows, both by chance.
 * In pages of 4 KiB nearly each of them costs a walk through the page tables beside the miss of the
 * cache. The index is private memory and gets pages of 2 MiB if it is marked so. Shared memory does
 * not, as most systems are set up (shmem_enabled is "never"), and marking it is no help; but what
 * is there can be collapsed into a large page. That can take milliseconds in which nobody gets at
 * it; so it is done ahead of the flows only, where no packet comes yet. What a table never comes
 * near to stays untouched, and what it reaches faster than that is in small pages.
 *
 * The first flows come to nearly all pages of the index, and a large one can take the kernel a
 * tenth of a second to find. So these are taken at the start, when no packet waits for it.
 *
 * None of it is needed for anything else: where it fails, pages are small.
 *
 * The flows of another process are mapped where it left them, in the pages that they have. Taking
 * them over goes through all of them, and what is wrong with them must not end one process after
 * another: so the memory counts how often that was begun, in a page of its own behind the arena.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

#define SMALL ((size_t)4096)
#define LARGE ((size_t)2 << 20)
/* On the page behind the arena; before it is a number. */
#define NOTE_AT 64
/* Below that the flows do well enough with small ones; an index that fills one gets it. */
#define WORTH ((size_t)64 << 20)
/* Linux 5.14 and 6.1, which the headers may be older than. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static size_t round_up(size_t n)
{
	return (n + LARGE - 1) / LARGE * LARGE;
}

/* Maps a multiple of large pages where one could begin. Returns NULL with errno set. */
static void *map(size_t size, int flags, int fd)
{
	size_t whole = round_up(size), room = whole + LARGE;
	uint8_t *start, *from;

	start = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		return NULL;
	from = start + (round_up((uintptr_t)start) - (uintptr_t)start);
	if (from > start)
		munmap(start, (size_t)(from - start));
	munmap(from + whole, (size_t)(start + room - (from + whole)));
	if (mmap(from, whole, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0) == MAP_FAILED) {
		munmap(from, whole);
		return NULL;
	}
	/* a dump of it would only delay the restart, while packets wait */
	(void)madvise(from, whole, MADV_DONTDUMP);
	return from;
}

/* Behind the arena and out of reach of who works on it. */
static off_t label_at(const struct memory *m)
{
	return (off_t)round_up(m->arena_size);
}

static int map_arena(struct memory *m)
{
	m->large = m->arena_size >= WORTH;
	m->arena = map(m->arena_size, MAP_SHARED, m->arena_fd);
	if (!m->arena)
		return -errno;
	if (m->large)
		(void)madvise(m->arena, round_up(m->arena_size), MADV_HUGEPAGE);
	return 0;
}

int memory_arena(struct memory *m, size_t arena_size)
{
	*m = (struct memory){.arena_size = arena_size, .arena_fd = -1};
	m->arena_fd = memfd_create("ctmarkd-flows", MFD_CLOEXEC);
	if (m->arena_fd < 0 || ftruncate(m->arena_fd, label_at(m) + (off_t)SMALL) < 0)
		return -errno;
	return map_arena(m);
}

int memory_adopt(struct memory *m, int fd)
{
	struct stat st;

	*m = (struct memory){.arena_fd = fd};
	/* only memory has seals, if none */
	if (fcntl(fd, F_GET_SEALS) < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= (off_t)SMALL ||
	    (size_t)st.st_size % LARGE != SMALL)
		return -EBADF;
	m->arena_size = (size_t)st.st_size - SMALL;
	return map_arena(m);
}

int memory_index(struct memory *m, size_t index_size)
{
	m->index_size = index_size;
	m->index = map(index_size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (!m->index)
		return -errno;
	if (index_size >= LARGE) {
		(void)madvise(m->index, round_up(index_size), MADV_HUGEPAGE);
		(void)madvise(m->index, round_up(index_size), MADV_POPULATE_WRITE);
	}
	return 0;
}

int memory_map(struct memory *m, size_t arena_size, size_t index_size)
{
	int r = memory_arena(m, arena_size);

	return r < 0 ? r : memory_index(m, index_size);
}

unsigned int memory_attempt(struct memory *m)
{
	uint32_t before = 0, now;

	if (pread(m->arena_fd, &before, sizeof(before), label_at(m)) != sizeof(before))
		return 0;
	now = before + 1;
	(void)!pwrite(m->arena_fd, &now, sizeof(now), label_at(m));
	return before;
}

void memory_attempt_done(struct memory *m)
{
	uint32_t none = 0;

	(void)!pwrite(m->arena_fd, &none, sizeof(none), label_at(m));
}

void memory_note(struct memory *m, const char *text)
{
	char note[MEMORY_NOTE_MAX] = "";

	if (strlen(text) < sizeof(note))
		memcpy(note, text, strlen(text) + 1);
	(void)!pwrite(m->arena_fd, note, sizeof(note), label_at(m) + NOTE_AT);
}

void memory_read_note(const struct memory *m, char ret[static MEMORY_NOTE_MAX])
{
	ssize_t n = pread(m->arena_fd, ret, MEMORY_NOTE_MAX, label_at(m) + NOTE_AT);

	if (n != MEMORY_NOTE_MAX || !memchr(ret, 0, MEMORY_NOTE_MAX))
		*ret = '\0';
}

void memory_unmap(struct memory *m)
{
	if (m->arena)
		munmap(m->arena, round_up(m->arena_size));
	if (m->index)
		munmap(m->index, round_up(m->index_size));
	cleanup_close(&m->arena_fd);
	*m = (struct memory){.arena_fd = -1};
}

/* There has to be a page to collapse, though only one. False: there are no large pages. */
static bool settle(void *at)
{
	return madvise(at, SMALL, MADV_POPULATE_READ) == 0 &&
	       madvise(at, LARGE, MADV_COLLAPSE) == 0;
}

bool memory_settle(struct memory *m, size_t used)
{
	/* flows may come into the next one while it is worked on */
	size_t start = used > 0 ? round_up(used) + LARGE : 0;
	size_t end = start + MEMORY_AHEAD * LARGE;
	int done = 0;

	if (!m->large)
		return false;
	if (end > m->arena_size)
		end = m->arena_size / LARGE * LARGE;
	if (m->settled < start)
		m->settled = start;
	for (; done < MEMORY_CHUNKS && m->large && m->settled < end; done++) {
		m->large = settle((uint8_t *)m->arena + m->settled);
		m->settled += LARGE;
	}
	return done > 0;
}
