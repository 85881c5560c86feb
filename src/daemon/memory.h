/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Memory for the flow table: a memfd for the flows, which can outlive the process, and private
 * memory for the index, in large pages where the kernel has them. The flows take theirs on demand;
 * a large index has all of it from the start. Both are left out of core dumps.
 */

#include <stdbool.h>
#include <stddef.h>

struct memory {
	void *arena, *index;
	size_t arena_size, index_size; /* as asked for */
	int arena_fd;
	size_t settled; /* bytes of the arena that were seen to */
	bool large;	/* the rest is worth it, as far as is known */
};

/*
 * Maps zeroed bytes for both. Returns 0 or -errno; memory_unmap() is due in either case.
 */
int memory_map(struct memory *m, size_t arena_size, size_t index_size);

/* The same for the flows only. */
int memory_arena(struct memory *m, size_t arena_size);

/*
 * Maps what another process left behind, whatever is in it; arena_size is at least what the arena
 * takes. The descriptor is closed with the memory. Returns 0, -EBADF or -EINVAL if that is no
 * memory of memory_arena(), or another -errno; memory_unmap() is due in either case.
 */
int memory_adopt(struct memory *m, int fd);

/* Adds zeroed bytes for the index. Returns 0 or -errno. */
int memory_index(struct memory *m, size_t index_size);
void memory_unmap(struct memory *m);

/*
 * Notes in the memory that its flows are about to be taken over, and returns how often that was
 * begun and came to no end since the last memory_attempt_done().
 */
unsigned int memory_attempt(struct memory *m);
void memory_attempt_done(struct memory *m);

/* A word beside the flows to whoever has to do with them next; "": none, or it is too long. */
#define MEMORY_NOTE_MAX 1024
void memory_note(struct memory *m, const char *text);
void memory_read_note(const struct memory *m, char ret[static MEMORY_NOTE_MAX]);

/*
 * Puts what lies ahead of the part of the arena that is in use into large pages, MEMORY_AHEAD of
 * them, at most MEMORY_CHUNKS in one call. For a thread that no packet waits for. used: bytes from
 * the start of the arena; 0: none, and nobody is about to. Returns whether there was something to
 * do, so that there may soon be again.
 */
#define MEMORY_AHEAD  8
#define MEMORY_CHUNKS 4
bool memory_settle(struct memory *m, size_t used);
