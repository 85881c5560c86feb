/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/tools/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "tools/ctmark-replay/replay.h"

#define LINKTYPE_RAW 101
#define FILE_HEADER  24
#define BEGIN_NS     (1700000000 * CT_NS_PER_S)

static void put(struct stage *s, const void *data, size_t len)
{
	assert_int_equal(write(s->fd, data, len), len);
}

void stage_init(struct stage *s)
{
	const uint32_t header[] = {0xa1b23c4d, 4 << 16 | 2, 0, 0, 262144, LINKTYPE_RAW};

	_Static_assert(sizeof(header) == FILE_HEADER, "the header of a capture file");
	*s = (struct stage){
		.fd = memfd_create("capture", MFD_CLOEXEC), .max_flows = 256, .time_ns = BEGIN_NS};
	assert_true(s->fd >= 0);
	ct_config_init(&s->cfg);
	s->cfg.confirm = CT_CONFIRM_ENTRY;
	s->cfg.accounting = true;
	put(s, header, sizeof(header));
}

void stage_done(struct stage *s)
{
	close(s->fd);
}

uint64_t stage_add(struct stage *s, const uint8_t *data, uint32_t caplen, uint32_t len)
{
	const uint32_t header[] = {(uint32_t)(s->time_ns / CT_NS_PER_S),
				   (uint32_t)(s->time_ns % CT_NS_PER_S), caplen, len};

	put(s, header, sizeof(header));
	put(s, data, caplen);
	return ++s->n;
}

void stage_cut(struct stage *s, uint64_t n)
{
	off_t at = FILE_HEADER;

	for (uint64_t i = 0; i < n; i++) {
		uint32_t header[4];

		assert_int_equal(pread(s->fd, header, sizeof(header), at), sizeof(header));
		at += (off_t)sizeof(header) + header[2];
	}
	assert_int_equal(ftruncate(s->fd, at), 0);
	assert_int_equal(lseek(s->fd, at, SEEK_SET), at);
	s->n = n;
}

static int run(struct stage *s, const struct ct_config *track, uint32_t max_flows,
	       struct sink *sink)
{
	char error[CAPTURE_ERROR_MAX], path[32];
	const char *const files[] = {path, NULL};
	const struct capture_options options = {.files = files, .checksums = track->checksum};
	const struct replay_config config = {
		.track = track,
		.max_flows = max_flows,
		.max_expect = 64,
		.max_fragments = s->max_fragments,
		.views = !s->plain,
		.sinks = &sink,
		.nsinks = 1,
	};
	struct source *source;
	struct replay *replay;
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->fd);
	assert_int_equal(capture_new(&source, &options, error), 0);
	assert_int_equal(replay_new(&replay, &config), 0);
	s->replays++;
	r = replay_run(replay, source);
	replay_free(replay);
	source->ops->close(source);
	return r;
}

int stage_run(struct stage *s, struct sink *sink)
{
	return run(s, &s->cfg, s->max_flows, sink);
}

static int replay_again(void *ctx, const struct ct_config *track, uint32_t max_flows,
			struct sink *sink)
{
	struct stage *s = ctx;

	return run(s, track, max_flows ? max_flows : s->max_flows, sink);
}

char *stage_explain(struct stage *s, uint64_t number, bool json, int *ret_error)
{
	const struct again again = {replay_again, s};
	const struct choice choice = {.infos = UINT8_MAX};
	struct look look = {
		.choice = &choice,
		.track = &s->cfg,
		.max_flows = s->max_flows,
		.again = s->once ? NULL : &again,
	};
	char *text = NULL;
	size_t size = 0;
	struct sink *sink;

	look.out = open_memstream(&text, &size);
	assert_non_null(look.out);
	sink = explain_new(&look, number, json);
	assert_non_null(sink);
	*ret_error = run(s, &s->cfg, s->max_flows, sink);
	sink->ops->free(sink);
	fclose(look.out);
	if (*ret_error == 0)
		return text;
	free(text);
	return NULL;
}

json_t *stage_object(struct stage *s, uint64_t number)
{
	int error;
	char *text = stage_explain(s, number, true, &error);
	json_t *object;

	assert_int_equal(error, 0);
	object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	free(text);
	return object;
}

static const json_t *find(const json_t *object, const char *path)
{
	char name[64];

	while (*path) {
		int len = (int)strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", len, path);
		object = json_object_get(object, name);
		path += len + (path[len] == '.');
	}
	return object;
}

json_int_t stage_number(const json_t *object, const char *path)
{
	const json_t *value = find(object, path);

	if (!json_is_integer(value))
		fail_msg("there is no number %s", path);
	return json_integer_value(value);
}

const char *stage_word(const json_t *object, const char *path)
{
	const json_t *value = find(object, path);

	if (!json_is_string(value))
		fail_msg("there is no word %s", path);
	return json_string_value(value);
}
