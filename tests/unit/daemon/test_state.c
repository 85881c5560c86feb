/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The flow table as a file: what was written is read again, and whatever else is in the file, or
 * happens to it, is noticed.
 */

#include "daemon/state.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/memory.h"
#include "tests/unit/core/packet.h"
#include "util/cleanup.h"

#define FLOWS	  300
#define MAX_FLOWS 1024
#define PAGE	  4096

static const uint8_t key[16] = "fifteen letters";
static const struct ct_params params = {.max_flows = MAX_FLOWS, .max_expect = 16, .key = key};

struct bench {
	char dir[32], path[48], tmp[56], old[56];
	struct memory memory;
	struct ct_thread th;
	struct ct_config cfg;
	uint64_t bytes;
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	*state = b;
	strcpy(b->dir, "/tmp/ctmarkd-state-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/flows", b->dir);
	snprintf(b->tmp, sizeof(b->tmp), "%s.tmp", b->path);
	snprintf(b->old, sizeof(b->old), "%s.old", b->path);
	assert_int_equal(memory_arena(&b->memory, ct_arena_size(&params)), 0);
	ct_config_init(&b->cfg);
	b->th.cfg = &b->cfg;
	b->th.ct = ct_new(b->memory.arena, b->memory.arena_size, &params);
	assert_non_null(b->th.ct);
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct ct_result res;
		struct ct_input in;
		struct pk p;

		pk_udp(&p, CT_AF_INET, i + 1, 0xffff, 1000, 53);
		in = pk_input(&p, SEC);
		ct_track(&b->th, &in, &res);
	}
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	ct_free(b->th.ct);
	memory_unmap(&b->memory);
	(void)unlink(b->path);
	(void)rmdir(b->path);
	(void)unlink(b->tmp);
	(void)unlink(b->old);
	assert_int_equal(rmdir(b->dir), 0);
	free(b);
	return 0;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int save(struct bench *b)
{
	return state_write(b->path, b->memory.arena, b->memory.arena_size, &b->bytes);
}

/* The file as bytes, to be freed. */
static uint8_t *slurp(const struct bench *b)
{
	_cleanup_fclose_ FILE *f = fopen(b->path, "re");
	uint8_t *bytes = malloc(b->bytes);

	assert_non_null(f);
	assert_int_equal(fread(bytes, 1, b->bytes, f), b->bytes);
	return bytes;
}

static void spill(const struct bench *b, const uint8_t *bytes, size_t n)
{
	_cleanup_fclose_ FILE *f = fopen(b->path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
}

/* What a start would say of the file; the file is gone then. */
static enum state_result try(const struct bench *b)
{
	enum state_result result;
	struct memory memory = {.arena_fd = -1};
	struct state s;

	result = state_open(&s, b->path);
	if (result == STATE_GOOD && s.arena_size != b->memory.arena_size)
		result = STATE_DAMAGED; /* memory of that size would be made */
	if (result == STATE_GOOD) {
		assert_int_equal(memory_arena(&memory, s.arena_size), 0);
		result = state_load(&s, memory.arena);
		memory_unmap(&memory);
	}
	state_end(&s, STATE_REMOVE);
	return result;
}

static void test_round_trip(void **state)
{
	struct bench *b = *state;
	struct ct_adopted done;
	struct memory memory;
	struct ct *ct;
	struct stat st;
	struct state s;

	assert_int_equal(save(b), 0);
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, b->bytes);
	assert_true(b->bytes < 2 * FLOWS * 192 + 8 * PAGE);
	assert_false(exists(b->tmp));

	assert_int_equal(state_open(&s, b->path), STATE_GOOD);
	assert_false(exists(b->path));
	assert_int_equal(s.arena_size, ct_arena_size(&params));
	assert_int_equal(memory_map(&memory, s.arena_size, ct_index_size(&params)), 0);
	assert_int_equal(state_load(&s, memory.arena), STATE_GOOD);
	ct = ct_adopt(memory.arena, memory.arena_size, &params,
		      &(struct ct_estate){.arena = memory.arena, .now_ns = 2 * SEC, .rekey = true},
		      &done);
	assert_non_null(ct);
	assert_int_equal(done.flows, FLOWS);
	assert_int_equal(done.damaged, 0);
	state_end(&s, STATE_REMOVE);
	assert_false(exists(b->path) || exists(b->old));
	ct_free(ct);
	memory_unmap(&memory);
}

static void test_text_for_people_and_no_secret(void **state)
{
	struct bench *b = *state;
	_cleanup_free_ uint8_t *bytes = NULL;

	assert_int_equal(save(b), 0);
	bytes = slurp(b);
	assert_memory_equal(bytes, "ctmarkd flow table, version 1\n", 30);
	for (size_t i = 0; i + 8 <= b->bytes; i++)
		assert_true(memcmp(bytes + i, key, 8) != 0 && memcmp(bytes + i, key + 8, 7) != 0);
}

static void test_cut_short(void **state)
{
	struct bench *b = *state;
	_cleanup_free_ uint8_t *bytes = NULL;

	assert_int_equal(save(b), 0);
	bytes = slurp(b);
	for (size_t n = 0; n < b->bytes; n += n < 256 ? 1 : 509) {
		enum state_result result;

		spill(b, bytes, n);
		result = try(b);
		assert_true(result == STATE_CUT || (n < PAGE && result != STATE_GOOD));
	}
	spill(b, bytes, b->bytes);
	assert_int_equal(try(b), STATE_GOOD);
}

static void test_every_byte_counts(void **state)
{
	struct bench *b = *state;
	_cleanup_free_ uint8_t *bytes = NULL;

	assert_int_equal(save(b), 0);
	bytes = slurp(b);
	for (size_t at = 0; at < b->bytes; at += at < 256 ? 1 : 251) {
		bytes[at] ^= 0x40;
		spill(b, bytes, b->bytes);
		assert_int_not_equal(try(b), STATE_GOOD);
		bytes[at] ^= 0x40;
	}
	spill(b, bytes, b->bytes);
	assert_int_equal(try(b), STATE_GOOD);
}

static void test_other_versions(void **state)
{
	struct bench *b = *state;
	_cleanup_free_ uint8_t *bytes = NULL;

	assert_int_equal(save(b), 0);
	bytes = slurp(b);
	bytes[28] = '2';
	spill(b, bytes, b->bytes);
	assert_int_equal(try(b), STATE_VERSION);
	memset(bytes, 0, 64);
	spill(b, bytes, b->bytes);
	assert_int_equal(try(b), STATE_FOREIGN);
}

static void test_what_is_no_file(void **state)
{
	struct bench *b = *state;
	struct state s;

	assert_int_equal(state_open(&s, b->path), STATE_ABSENT);
	assert_int_equal(mkdir(b->path, 0700), 0);
	assert_int_equal(state_open(&s, b->path), STATE_TYPE);
	state_end(&s, STATE_LEAVE_ASIDE);
	assert_true(exists(b->path));
	assert_int_equal(rmdir(b->path), 0);
	assert_int_equal(mkfifo(b->path, 0600), 0);
	assert_int_equal(state_open(&s, b->path), STATE_TYPE);
	state_end(&s, STATE_LEAVE_ASIDE);
	assert_int_equal(unlink(b->path), 0);
	assert_int_equal(symlink("/dev/zero", b->path), 0);
	assert_int_equal(state_open(&s, b->path), STATE_TYPE);
	state_end(&s, STATE_LEAVE_ASIDE);
}

static void test_of_another_user(void **state)
{
	struct bench *b = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(save(b), 0);
	assert_int_equal(chown(b->path, 12345, 12345), 0);
	assert_int_equal(try(b), STATE_OWNER);
}

static void test_cannot_be_written(void **state)
{
	struct bench *b = *state;
	char nowhere[64];

	snprintf(nowhere, sizeof(nowhere), "%s/none/flows", b->dir);
	assert_int_equal(state_write(nowhere, b->memory.arena, b->memory.arena_size, &b->bytes),
			 -ENOENT);
	assert_int_equal(mkdir(b->path, 0700), 0);
	assert_int_equal(save(b), -EISDIR);
	assert_false(exists(b->tmp));
}

/* A disk that is full leaves the file that was there. */
static void test_disk_full(void **state)
{
	struct bench *b = *state;
	struct rlimit before, low;
	struct stat st;

	assert_int_equal(save(b), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	for (rlim_t limit = 0; limit < b->bytes; limit += 3 * PAGE + 17) {
		uint64_t none;

		low = (struct rlimit){limit, before.rlim_max};
		signal(SIGXFSZ, SIG_IGN);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
		assert_int_equal(state_write(b->path, b->memory.arena, b->memory.arena_size, &none),
				 -EFBIG);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		assert_false(exists(b->tmp));
	}
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_size, b->bytes);
	assert_int_equal(try(b), STATE_GOOD);
}

static void test_leftovers_are_no_trap(void **state)
{
	struct bench *b = *state;

	assert_int_equal(symlink("/dev/full", b->tmp), 0);
	assert_int_equal(save(b), 0);
	assert_int_equal(try(b), STATE_GOOD);
}

static void test_fates(void **state)
{
	struct bench *b = *state;
	struct state s;

	assert_int_equal(save(b), 0);
	assert_int_equal(state_open(&s, b->path), STATE_GOOD);
	state_end(&s, STATE_PUT_BACK);
	assert_true(exists(b->path) && !exists(b->old));
	assert_int_equal(state_open(&s, b->path), STATE_GOOD);
	state_end(&s, STATE_LEAVE_ASIDE);
	assert_true(!exists(b->path) && exists(b->old));
	state_end(&s, STATE_PUT_BACK); /* done with */
	assert_false(exists(b->path));
	assert_int_equal(save(b), 0);
	assert_int_equal(state_discard(b->path), 0);
	assert_int_equal(state_discard(b->path), 0);
	assert_false(exists(b->path));
}

static void test_shift(void **state)
{
	const struct state s = {.realtime_ns = 1000 * SEC, .monotonic_ns = 70 * SEC};

	/* the same boot, ten seconds later: deadlines are what they were */
	assert_int_equal(state_shift_ns(&s, 1010 * SEC, 80 * SEC), 0);
	/* another one, a minute later: the clock stands at 5 */
	assert_int_equal(state_shift_ns(&s, 1060 * SEC, 5 * SEC), -(int64_t)(125 * SEC));
	/* the clock on the wall was set back: nobody was away */
	assert_int_equal(state_shift_ns(&s, 500 * SEC, 75 * SEC), 5 * SEC);
}

static void check_path(const char *setting, const char *dirs, const char *want)
{
	_cleanup_free_ char *path = NULL;

	if (dirs)
		setenv("STATE_DIRECTORY", dirs, 1);
	else
		unsetenv("STATE_DIRECTORY");
	path = state_path(setting);
	if (want)
		assert_string_equal(path, want);
	else
		assert_null(path);
}

static void test_path(void **state)
{
	check_path("auto", NULL, NULL);
	check_path("auto", "", NULL);
	check_path("auto", "/var/lib/ctmarkd", "/var/lib/ctmarkd/flows");
	check_path("auto", "/var/lib/a:/var/lib/b", "/var/lib/a/flows");
	check_path("none", "/var/lib/ctmarkd", NULL);
	check_path("/srv/x", "/var/lib/ctmarkd", "/srv/x");
	check_path("/srv/x", NULL, "/srv/x");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_text_for_people_and_no_secret),
		TEST(test_cut_short),
		TEST(test_every_byte_counts),
		TEST(test_other_versions),
		TEST(test_what_is_no_file),
		TEST(test_of_another_user),
		TEST(test_cannot_be_written),
		TEST(test_disk_full),
		TEST(test_leftovers_are_no_trap),
		TEST(test_fates),
		cmocka_unit_test(test_shift),
		cmocka_unit_test(test_path),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
