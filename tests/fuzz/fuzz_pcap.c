/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A capture file, replayed: the input, byte by byte. */

#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tools/ctmark-replay/replay.h"

struct counter {
	struct sink base;
	uint64_t packets, endings, last_number, last_ns;
	const struct source *source;
};

static int count_packet(struct sink *s, const struct record *r)
{
	struct counter *c = (struct counter *)s;

	c->packets++;
	FUZZ_CHECK(r->packet->number <= capture_totals(c->source)->frames);
	FUZZ_CHECK(r->in->len >= r->in->caplen && r->in->caplen > 0);
	FUZZ_CHECK(r->in->now_ns >= CAPTURE_BEGIN_NS);
	FUZZ_CHECK(r->out->held == false);
	return 0;
}

static int count_ending(struct sink *s, const struct ending *e)
{
	((struct counter *)s)->endings++;
	return 0;
}

static int check_totals(struct sink *s, const struct replay_totals *t)
{
	struct counter *c = (struct counter *)s;

	FUZZ_CHECK(t->packets == c->packets);
	FUZZ_CHECK(t->capture->frames == t->packets + t->capture->other + t->capture->too_short);
	FUZZ_CHECK(t->capture->first_ns <= t->capture->last_ns);
	FUZZ_CHECK(t->alive <= t->flows);
	return 0;
}

static const struct sink_ops ops = {
	.packet = count_packet,
	.ending = count_ending,
	.done = check_totals,
};

static void replay(struct source *source, bool views)
{
	struct counter counter = {.base = {&ops}, .source = source};
	struct sink *sinks[] = {&counter.base};
	struct ct_config track;
	struct replay_config config = {
		.track = &track,
		.max_flows = 64,
		.max_expect = 8,
		.max_fragments = 8,
		.views = views,
		.sinks = sinks,
		.nsinks = 1,
	};
	struct replay *r;

	ct_config_init(&track);
	track.confirm = CT_CONFIRM_ENTRY;
	track.helper_ports[0] = (struct ct_helper_port){21, CT_HELPER_FTP};
	track.nhelper_ports = 1;
	track.max_held = 8;
	FUZZ_CHECK(replay_new(&r, &config) == 0);
	(void)replay_run(r, source);
	replay_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[32], error[CAPTURE_ERROR_MAX] = "";
	const char *files[] = {path, NULL};
	struct capture_options options = {.files = files, .checksums = true};
	struct source *source;
	int fd = memfd_create("capture", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0);
	FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (capture_new(&source, &options, error) == 0) {
		replay(source, size & 1);
		FUZZ_CHECK(!strchr(capture_error(source), '\n'));
		source->ops->close(source);
	} else {
		FUZZ_CHECK(*error && !strchr(error, '\n'));
	}
	close(fd);
	return 0;
}
