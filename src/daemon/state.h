/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The flow table as a file (StateFile=), from a stop to the next start.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/adopt.h"

/* Suffix, what is to be said of the file behind its name. */
#define STATE_LIST(X)                                                                              \
	X(GOOD, "is good")                                                                         \
	X(ABSENT, "does not exist")                                                                \
	X(UNREADABLE, "cannot be read")                                                            \
	X(STUCK, "cannot be set aside, and would be read again")                                   \
	X(TYPE, "is not a regular file")                                                           \
	X(OWNER, "belongs to another user")                                                        \
	X(FOREIGN, "was not written by ctmarkd")                                                   \
	X(VERSION, "was written by another version")                                               \
	X(CUT, "is cut short")                                                                     \
	X(DAMAGED, "is damaged, its checksum is wrong")

enum state_result {
#define X(name, text) STATE_##name,
	STATE_LIST(X)
#undef X
		STATE_RESULT_MAX
};

const char *state_text(enum state_result result);

/* A file that is being read. It is set aside while it is: see state_end(). */
struct state {
	const char *path; /* the caller's */
	int fd;		  /* -1: none */
	bool aside;	  /* it has another name for now */
	int error;	  /* errno behind a result, or 0 */
	size_t arena_size;
	uint64_t realtime_ns, monotonic_ns; /* when it was written */
	struct ct_arena_part parts[CT_ARENA_PARTS];
	size_t nparts;
	uint32_t crc; /* of all but the parts; then as the file says */
	uint32_t crc_wanted;
};

/*
 * Where the file is, to be freed: what StateFile= says, for "auto" below $STATE_DIRECTORY. NULL:
 * there is to be none, or no memory.
 */
char *state_path(const char *setting);

/*
 * Writes an arena of size bytes that no thread works on any more, without the secret of its hashes.
 * The file is there as a whole or as it was before. Returns 0 or -errno; *ret_bytes is its size.
 */
int state_write(const char *path, const void *arena, size_t size, uint64_t *ret_bytes);

/* Could a file be written there, as far as its directory tells? Returns 0 or -errno. */
int state_writable(const char *path);

/*
 * Opens a file, sets it aside so that no other start finds it, and reads its header. state_end() is
 * due unless the result is STATE_ABSENT.
 */
enum state_result state_open(struct state *s, const char *path);

/* Reads the arena into s->arena_size zeroed bytes. */
enum state_result state_load(struct state *s, void *arena);

/* What all times of the arena have to be shifted by, if these are the clocks now. */
int64_t state_shift_ns(const struct state *s, uint64_t realtime_ns, uint64_t monotonic_ns);

/* What becomes of the file: it is done with, or left to the next start, or to who wants to look. */
enum state_fate { STATE_REMOVE, STATE_PUT_BACK, STATE_LEAVE_ASIDE };
void state_end(struct state *s, enum state_fate fate);

/* Removes a file that nobody shall read any more. Returns 0, also if there is none, or -errno. */
int state_discard(const char *path);
