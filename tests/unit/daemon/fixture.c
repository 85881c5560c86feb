/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

#include "log/journal.h"
#include "util/clock.h"

static int fake_receive(struct source *s, struct packet batch[static SOURCE_BATCH_MAX],
			int timeout_ms)
{
	struct fake_source *f = (struct fake_source *)s;
	int n = f->npackets;

	f->last_timeout_ms = timeout_ms;
	if (f->receive_error)
		return f->receive_error;
	memcpy(batch, f->packets, (size_t)n * sizeof(*batch));
	f->npackets = 0;
	return n;
}

static void fake_verdict(struct source *s, const struct packet *p, uint32_t verdict, bool set_mark,
			 uint32_t mark)
{
	struct fake_source *f = (struct fake_source *)s;

	f->answers[f->nanswers++] = (struct answer){p->id, verdict, mark, set_mark};
}

static int fake_flush(struct source *s)
{
	struct fake_source *f = (struct fake_source *)s;

	f->flushes++;
	return f->flush_error;
}

static void fake_wake(struct source *s)
{
	((struct fake_source *)s)->wakes++;
}

static void fake_release(struct source *s)
{
	((struct fake_source *)s)->released = true;
}

static void fake_close(struct source *s)
{
	*((struct fake_source *)s)->closed = true;
}

static int fake_configure(struct source *s, const struct source_config *config)
{
	struct fake_source *f = (struct fake_source *)s;

	f->config_calls++;
	if (f->config_error)
		return f->config_error;
	f->config = *config;
	return 0;
}

const struct source_ops fixture_ops = {
	.receive = fake_receive,
	.verdict = fake_verdict,
	.flush = fake_flush,
	.configure = fake_configure,
	.wake = fake_wake,
	.release = fake_release,
	.close = fake_close,
};

void fixture_offer(struct fixture *x, uint32_t id, const uint8_t *data, uint32_t len, uint32_t mark)
{
	x->source.packets[x->source.npackets++] = (struct packet){
		.id = id,
		.in = {.data = data,
		       .caplen = len,
		       .len = len,
		       .id = id,
		       .queue = QUEUE,
		       .mark = mark,
		       .now_ns = clock_now_ns(),
		       .hook = CT_HOOK_PREROUTING},
	};
}

void fixture_make_worker(struct fixture *x, bool shadow)
{
	struct worker_params params = {
		.source = &x->source.source,
		.ct = x->ct,
		.conf = &x->conf,
		.log = x->log,
		.queue = QUEUE,
		.peers = x->peers,
		.npeers = x->npeers,
		.shadow = shadow,
		.ended_fd = x->ended_fd,
	};

	assert_int_equal(worker_new(&x->worker, &params), 0);
}

int fixture_set_up(void **state)
{
	static const uint8_t key[16] = "0123456789abcde";
	struct jlog_config quiet = {.target = LOG_TARGET_NONE};
	struct fixture *x = calloc(1, sizeof(*x));
	const struct ct_params params = {
		.max_flows = MAX_FLOWS,
		.max_fragmented = 8,
		.max_held = 8,
		.key = key,
		.id_salt = 1,
	};
	size_t size = ct_arena_size(&params);

	x->source.source.ops = &fixture_ops;
	x->source.closed = &x->closed;
	x->arena = aligned_alloc(4096, size);
	memset(x->arena, 0, size);
	x->ct = ct_new(x->arena, size, &params);
	x->ended_fd = eventfd(0, EFD_NONBLOCK);
	conf_init(&x->conf.conf);
	*state = x;
	return x->ct && jlog_new(&x->log, &quiet, 1, NULL) == 0 ? 0 : -1;
}

int fixture_tear_down(void **state)
{
	struct fixture *x = *state;

	worker_free(x->worker);
	(void)jlog_stop(x->log, 0);
	ct_free(x->ct);
	free(x->arena);
	close(x->ended_fd);
	free(x);
	return 0;
}
