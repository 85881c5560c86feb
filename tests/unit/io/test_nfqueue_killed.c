/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A queue in the hands of one process after the other, each of which dies at once, before some
 * system call or in the middle of one. In the end each packet has been answered once: by the
 * verdict that was decided, or, where its bytes were lost with the process, by another round.
 */

#include "io/nfqueue.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_kernel.h"
#include "util/cleanup.h"

#define QUEUE	  7
#define LIVES	  60
#define DEATHS	  25
#define STEPS_MAX 150
#define HELD_MAX  64

/* What was decided about a packet, at its place in fake.packets. */
struct wish {
	bool given, held;
	uint32_t verdict, mark;
};

/* In memory that all processes share. */
struct life {
	uint32_t seed;
	struct desk *desk;
	struct source *source;
	unsigned int hold; /* permille */
	uint32_t held[HELD_MAX];
	size_t nheld;
	struct wish wishes[FAKE_PACKETS_MAX];
	unsigned int blind; /* processes that could not trust the desk */
	size_t inherited, resent, answered, repeated;
};

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "line %d: %s\n", __LINE__, #what);                         \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static uint32_t draw(struct life *l, uint32_t below)
{
	l->seed = l->seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(l->seed >> 8) * below >> 24);
}

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

static void packets_arrive(struct life *l)
{
	unsigned int n = draw(l, 4) == 0 ? draw(l, 130) : draw(l, 8);

	while (n-- > 0 && fake.npackets < FAKE_PACKETS_MAX - 64)
		fake_arrive(draw(l, 30)	 ? FAKE_GOOD
			    : draw(l, 2) ? FAKE_BROKEN
					 : FAKE_LOST,
			    draw(l, 3));
}

static struct wish *wish_of(struct life *l, uint32_t id)
{
	return &l->wishes[fake_find(id) - fake.packets];
}

static void answer(struct life *l, uint32_t id)
{
	static const uint32_t verdicts[] = {VERDICT_ACCEPT, VERDICT_ACCEPT, VERDICT_DROP};
	uint32_t verdict = verdicts[draw(l, ARRAY_SIZE(verdicts))], mark = draw(l, 3);
	struct wish *w = wish_of(l, id);

	CHECK(!w->given); /* nobody is judged twice */
	*w = (struct wish){true, w->held, verdict, mark};
	l->source->ops->verdict(l->source, &(struct packet){.id = id}, verdict,
				mark != fake_find(id)->mark, mark);
	l->answered++;
}

static void pass(struct life *l)
{
	struct packet batch[SOURCE_BATCH_MAX];
	struct nfqueue_stats s;
	int n = l->source->ops->receive(l->source, batch, 0);

	CHECK(n >= 0);
	for (int i = 0; i < n; i++) {
		CHECK(batch[i].in.data && batch[i].in.data[0] == 0x45);
		CHECK(batch[i].in.mark == fake_find(batch[i].id)->mark);
		if (l->nheld < HELD_MAX && draw(l, 1000) < l->hold) {
			l->held[l->nheld++] = batch[i].id;
			wish_of(l, batch[i].id)->held = true;
		} else {
			answer(l, batch[i].id);
		}
	}
	while (l->nheld > 0 && draw(l, 3) == 0)
		answer(l, l->held[--l->nheld]);
	CHECK(l->source->ops->flush(l->source) == 0);
	nfqueue_get_stats(l->source, &s);
	CHECK(s.off == 0);
	CHECK(s.waiting == l->nheld);
	CHECK(s.gone == 0 && s.refused == 0 && s.unsent == 0);
}

static void work(struct life *l, bool first, bool last)
{
	const struct nfqueue_params params = {
		.queue = QUEUE,
		.fd = first ? -1 : open("/dev/null", O_RDWR),
		.desk = l->desk,
		.config.max_packets = 4096,
		.config.copy_range = 128,
	};
	struct nfqueue_grant grant;

	l->nheld = 0; /* nobody remembers */
	fake.early = draw(l, 3) ? 0 : draw(l, 20);
	fake.kill_in = last ? 0 : 1 + draw(l, STEPS_MAX);
	CHECK(nfqueue_open(&l->source, &params, &grant) == 0);
	l->blind += grant.damaged;
	l->inherited += grant.inherited;
	l->resent += grant.resent;
	if (last) /* by which it knows what is older, without a desk */
		fake_arrive(FAKE_GOOD, 0);
	for (int i = 0; !last || i < 4 || fake.ndatagrams > 0; i++) {
		if (!last)
			packets_arrive(l);
		pass(l);
	}
	while (last && l->nheld > 0)
		answer(l, l->held[--l->nheld]);
	CHECK(l->source->ops->flush(l->source) == 0);
	pass(l); /* what had to wait for that goes round */
	_exit(0);
}

static void judge(struct life *l)
{
	for (size_t i = 0; i < fake.npackets; i++) {
		const struct fake_packet *p = &fake.packets[i];
		const struct wish *w = &l->wishes[i];

		if (p->kind == FAKE_LOST)
			continue;
		assert_int_equal(p->answers, 1);
		if (p->verdict == VERDICT_REPEAT) {
			assert_true(w->held || (l->blind && !w->given));
			l->repeated++;
		} else if (w->given) {
			assert_int_equal(p->verdict, w->verdict);
			assert_int_equal(p->mark_out, w->mark);
		} else {
			assert_int_equal(p->kind, FAKE_BROKEN);
			assert_int_equal(p->verdict, VERDICT_ACCEPT);
		}
	}
}

static void live(struct life *l)
{
	memset(l->wishes, 0, sizeof(l->wishes));
	l->blind = 0;
	l->hold = draw(l, 3) ? 0 : draw(l, 200);
	memset(l->desk, 0, desk_size());
	fake_reset(draw(l, 2) ? UINT32_MAX - draw(l, 3000) : draw(l, 1000));
	for (int i = 0; i <= DEATHS; i++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0)
			work(l, i == 0, i == DEATHS);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	judge(l);
}

static void test_nobody_is_lost(void **state)
{
	struct life *l = shared(sizeof(*l));
	unsigned int blind = 0;

	l->desk = shared(desk_size());
	for (uint32_t seed = 1; seed <= LIVES; seed++) {
		l->seed = seed * 2654435761U;
		live(l);
		blind += l->blind;
	}
	print_message("%zu packets, %zu inherited, %zu verdicts sent again, %zu round again, "
		      "%u processes without a desk\n",
		      l->answered, l->inherited, l->resent, l->repeated, blind);
	assert_true(l->answered > 10000);
	assert_true(l->inherited > 500);
	assert_true(l->resent > 500);
	assert_true(l->repeated > 100);
	assert_true(blind > 10);
	munmap(l->desk, desk_size());
	munmap(l, sizeof(*l));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
