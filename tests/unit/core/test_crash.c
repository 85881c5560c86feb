/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A process that is killed between any two instructions of the engine leaves a table that the next
 * one takes over whole, and no packet is judged twice or not at all.
 *
 * A child judges packets in memory that its parent shares. In the midst of one of them, by chance,
 * it is killed at some instruction. The parent adopts the table and goes on: what it says of every
 * packet from there on must be what an engine says that nobody killed.
 */

#include "packet.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/adopt.h"
#include "core/table.h"
#include "core/view.h"

#define PACKETS	   300
#define MAX_FLOWS  256
#define SERVER	   0xffff
#define CLIENTS	   5
#define NOW	   (1000 * SEC)
#define SOME	   60 /* packets before a table is taken over */
#define BREAKPOINT 0xcc

/* Crashes, and packets whose every instruction is learned. */
#define CRASHES 1000
#define LESSONS 8

struct said {
	bool held; /* it has no verdict */
	bool late; /* it had to wait for it: nothing but info and drop is said */
	uint8_t info, state;
	uint16_t status;
	bool drop;
	uint64_t timeout_ns;
	uint64_t packets, bytes; /* of its flow, both directions, after it */
};

/* What outlives the child. */
struct estate {
	struct ct_thread th;
	unsigned int judged;		/* packets whose result was heard */
	unsigned int damaged, restored; /* flows, so far */
	struct said said[PACKETS];
	_Alignas(4096) uint8_t arena[];
};

struct scene {
	struct ct_config cfg;
	struct ct_params params;
	struct pk packets[PACKETS];
	struct ct_input in[PACKETS];
	struct estate *estate;
	size_t size;
	struct said said[PACKETS]; /* by an engine that nobody kills */
};

struct side {
	uint32_t isn[2], sent[2];
	unsigned int step;
	unsigned int pieces, files; /* sent */
	bool shuffled;		    /* pieces */
};

/* The life of a connection, again and again. */
static void next_segment(struct side *c, uint32_t host, uint64_t *seed, struct pk *p)
{
	static const struct {
		uint8_t back, flags, len;
	} life[] = {
		{0, PK_SYN, 1}, {1, PK_SYN | PK_ACK, 1}, {0, PK_ACK, 0}, {0, PK_ACK, 40},
		{1, PK_ACK, 0}, {1, PK_ACK, 200},	 {0, PK_ACK, 0}, {0, PK_FIN | PK_ACK, 1},
		{1, PK_ACK, 0}, {1, PK_FIN | PK_ACK, 1}, {0, PK_ACK, 0},
	};
	unsigned int step = c->step % (sizeof(life) / sizeof(life[0])), back = life[step].back;
	uint64_t chance = dice(seed) % 100;
	uint8_t flags = life[step].flags;
	uint32_t seq, ack;

	if (step == 0) {
		c->isn[0] += 1000000;
		c->isn[1] += 777777;
		c->sent[0] = c->sent[1] = 0;
	}
	seq = c->isn[back] + c->sent[back];
	ack = flags & PK_ACK ? c->isn[!back] + c->sent[!back] : 0;
	if (chance < 4)
		flags = PK_RST | PK_ACK;
	else if (chance < 8)
		seq += 5000000;
	pk_tcp(p, CT_AF_INET, back ? SERVER : host, back ? host : SERVER, back ? 80 : 1000,
	       back ? 1000 : 80, flags, seq, ack);
	if (chance >= 8 && chance < 14)
		return; /* it is lost behind us, and comes again */
	c->sent[back] += life[step].len;
	c->step++;
}

/* Datagrams in three pieces, one after the other or in any order. */
static void next_piece(struct side *c, uint32_t host, struct pk *p)
{
	static const uint8_t orders[][3] = {{0, 8, 16}, {8, 0, 16}, {8, 16, 0},
					    {16, 8, 0}, {0, 16, 8}, {16, 0, 8}};
	uint32_t id = c->pieces / 3, at = orders[c->shuffled ? id % 6 : 0][c->pieces % 3];
	struct pk whole;

	pk_udp(&whole, CT_AF_INET, host, SERVER, (uint16_t)(5000 + id % 2), 53);
	pk_fragment(p, &whole, id, at, at + 8, at < 16);
	c->pieces++;
}

/* A file is asked for, and its first block comes from a port that nobody knew. */
static void next_block(struct side *c, uint32_t host, struct pk *p)
{
	static const uint8_t ask[] = {0x10, 0, 0, 69, 0, 12, 0, 0, 0, 1, 'f', 0};
	uint8_t l4[sizeof(ask)];
	uint16_t port = (uint16_t)(0x1000 + c->files / 2);

	memcpy(l4, ask, sizeof(l4));
	l4[0] = (uint8_t)(port >> 8);
	l4[1] = (uint8_t)port;
	if (c->files++ % 2) {
		pk_udp(p, CT_AF_INET, SERVER, host, 7000, port);
		return;
	}
	pk_ip(p, CT_AF_INET, host, SERVER, 17, l4, sizeof(l4));
	pk_fix_checksum(p, 6);
}

static void next_packet(struct side *sides, uint64_t *seed, struct pk *p)
{
	uint32_t host = 1 + (uint32_t)(dice(seed) % CLIENTS);
	bool back = dice(seed) % 2;
	struct pk lost;

	switch (dice(seed) % 12) {
	case 0:
		pk_udp(p, CT_AF_INET6, back ? SERVER : host, back ? host : SERVER, back ? 53 : 1000,
		       back ? 1000 : 53);
		return;
	case 1:
		pk_icmp(p, CT_AF_INET, back ? SERVER : host, back ? host : SERVER, back ? 0 : 8, 0,
			7, NULL);
		return;
	case 2:
		pk_udp(&lost, CT_AF_INET6, host, SERVER, 1000, 53);
		pk_icmp(p, CT_AF_INET6, SERVER, host, 1, 4, 0, &lost);
		return;
	case 3: /* a new one each time */
		pk_udp(p, CT_AF_INET, host, SERVER, (uint16_t)(2000 + dice(seed) % 2000), 53);
		return;
	case 4:
	case 5:
		next_piece(&sides[host], host, p);
		return;
	case 6:
	case 7:
		next_block(&sides[host], host, p);
		return;
	default:
		next_segment(&sides[host], host, seed, p);
	}
}

enum traffic { TRAFFIC_ENTRY, TRAFFIC_EXIT, TRAFFIC_PIECES };

static void next_any(struct side *sides, uint64_t *seed, enum traffic traffic, struct pk *p)
{
	uint32_t host = 1 + (uint32_t)(dice(seed) % CLIENTS);

	if (traffic == TRAFFIC_PIECES)
		next_piece(&sides[host], host, p);
	else
		next_packet(sides, seed, p);
}

/* With the exit hook each packet comes a second time, marked: so none can be held. */
static void make_traffic(struct scene *s, uint64_t seed, enum traffic traffic)
{
	struct side sides[CLIENTS + 1] = {};

	for (unsigned int i = 1; i <= CLIENTS; i++)
		sides[i].shuffled = traffic != TRAFFIC_EXIT;
	for (unsigned int i = 0; i < PACKETS; i++) {
		if (traffic == TRAFFIC_EXIT && i % 2) {
			s->packets[i] = s->packets[i - 1];
			s->in[i] = s->in[i - 1];
			s->in[i].data = s->packets[i].b;
			s->in[i].hook = CT_HOOK_POSTROUTING;
		} else {
			next_any(sides, &seed, traffic, &s->packets[i]);
			s->in[i] = pk_input(&s->packets[i], NOW + i * 200 * MSEC);
		}
		s->in[i].id = i + 1;
	}
}

/* --- engines --- */

static void scene_open(struct scene *s, uint64_t seed, enum traffic traffic)
{
	memset(s, 0, sizeof(*s));
	ct_config_init(&s->cfg);
	s->cfg.confirm = traffic == TRAFFIC_EXIT ? CT_CONFIRM_EXIT : CT_CONFIRM_ENTRY;
	s->cfg.tcp_loose = false;
	s->cfg.fragment_ns = 1000 * SEC; /* what comes again begins anew to wait */
	s->cfg.helper_ports[0] = (struct ct_helper_port){.port = 69, .helper = CT_HELPER_TFTP};
	s->cfg.nhelper_ports = 1;
	s->params = (struct ct_params){
		.max_flows = MAX_FLOWS,
		.max_expect = 16,
		.max_fragmented = 16,
		.max_held = 16,
		.key = (const uint8_t *)"0123456789abcde",
		.id_salt = 42,
	};
	s->size = sizeof(struct estate) + ct_arena_size(&s->params);
	s->estate = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(s->estate, MAP_FAILED);
	make_traffic(s, seed, traffic);
}

static void scene_close(struct scene *s)
{
	munmap(s->estate, s->size);
}

static void born(struct scene *s)
{
	memset(s->estate, 0, s->size);
	s->estate->th.cfg = &s->cfg;
	s->estate->th.ct = ct_new(s->estate->arena, ct_arena_size(&s->params), &s->params);
	assert_non_null(s->estate->th.ct);
}

/* The next process begins with what lies there. */
static struct ct_adopted reborn(struct scene *s, uint64_t now_ns)
{
	struct ct_thread *th = &s->estate->th;
	const struct ct_estate e = {
		.arena = s->estate->arena,
		.threads = &th,
		.nthreads = 1,
		.now_ns = now_ns,
	};
	struct ct_adopted done;

	ct_free(th->ct);
	th->ct = ct_adopt(s->estate->arena, ct_arena_size(&s->params), &s->params, &e, &done);
	assert_non_null(th->ct);
	return done;
}

/* The entry of a flow in the table. */
static const struct ct_flow *flow_at(const struct scene *s, uint64_t id)
{
	const struct ct_arena *a = &s->estate->th.ct->arena;

	return &a->slots[(uint32_t)(id ^ a->id_salt)];
}

static struct said said_of(const struct scene *s, const struct ct_result *r)
{
	struct said said = {
		.held = r->held,
		.info = r->info,
		.state = r->state,
		.status = r->status,
		.drop = r->drop,
		.timeout_ns = r->timeout_ns,
	};

	if (r->has_flow) {
		const struct ct_flow *f = flow_at(s, r->flow);

		said.packets = f->packets[0] + f->packets[1];
		said.bytes = f->bytes[0] + f->bytes[1];
	}
	return said;
}

/* Packets that were held have their verdict. */
static void hear_due(struct scene *s, uint64_t now_ns)
{
	struct ct_fragment_due due[16];
	size_t n = ct_fragments_due(&s->estate->th, 0, now_ns, due, 16);

	for (size_t i = 0; i < n; i++)
		s->estate->said[due[i].id - 1] =
			(struct said){.late = true, .info = due[i].info, .drop = due[i].drop};
}

/* What the entry says is in the mark of the same packet at the exit. */
static void judge(struct scene *s, unsigned int i)
{
	struct ct_result r;

	ct_track(&s->estate->th, &s->in[i], &r);
	if (i + 1 < PACKETS)
		s->in[i + 1].mark = s->in[i + 1].hook == CT_HOOK_POSTROUTING ? r.mark : 0;
	s->estate->said[i] = said_of(s, &r);
	hear_due(s, s->in[i].now_ns);
}

/* Those that had to wait get their verdict from whoever is alive then. */
static void same(const struct scene *s, unsigned int i)
{
	struct said is = s->estate->said[i], want = s->said[i];

	if (is.held != want.held)
		fail_msg("packet %u: held %d, not %d", i, is.held, want.held);
	if (want.late) {
		want = (struct said){.info = want.info, .drop = want.drop};
		is = (struct said){.info = is.info, .drop = is.drop};
	}
	if (is.info != want.info || is.drop != want.drop || is.state != want.state ||
	    is.status != want.status || is.timeout_ns != want.timeout_ns)
		fail_msg("packet %u: info %d drop %d state %d status %#x, not %d %d %d %#x", i,
			 is.info, is.drop, is.state, is.status, want.info, want.drop, want.state,
			 want.status);
	if (is.packets != want.packets || is.bytes != want.bytes)
		fail_msg("packet %u: its flow has %ju packets, %ju bytes, not %ju, %ju", i,
			 is.packets, is.bytes, want.packets, want.bytes);
}

/* The packet whose result was not heard, as far as its successor knows. */
static bool recall(struct scene *s, unsigned int i)
{
	struct ct_result r;
	struct said said = s->said[i];

	if (!ct_recall(&s->estate->th, &s->in[i], &r))
		return false;
	said.info = r.info;
	said.drop = r.drop;
	said.status = r.status;
	s->estate->said[i] = said;
	s->estate->judged = i + 1;
	return true;
}

/* What a predecessor left: its table, the packet that it was at, and those that were held. */
static bool take_over(struct scene *s)
{
	unsigned int next = s->estate->judged;
	struct ct_adopted done = reborn(s, s->in[next].now_ns);
	bool recalled = recall(s, next);

	s->estate->damaged += done.damaged;
	s->estate->restored += done.restored;
	for (unsigned int i = 0; i < next; i++)
		if (s->estate->said[i].held)
			judge(s, i);
	return recalled;
}

/* All that follows. Whoever said it, of all packets the same must have been said. */
static void go_on(struct scene *s)
{
	for (unsigned int i = s->estate->judged; i < PACKETS; i++)
		judge(s, i);
	for (unsigned int i = 0; i < PACKETS; i++)
		same(s, i);
	assert_int_equal(s->estate->damaged, 0);
	s->estate->th.ct = ct_free(s->estate->th.ct);
}

static void rehearse(struct scene *s)
{
	born(s);
	for (unsigned int i = 0; i < PACKETS; i++)
		judge(s, i);
	memcpy(s->said, s->estate->said, sizeof(s->said));
	s->estate->th.ct = ct_free(s->estate->th.ct);
}

/* --- the child --- */

static void judging_child(struct scene *s, unsigned int last)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	for (unsigned int i = 0; i <= last; i++) {
		if (i == last)
			raise(SIGSTOP);
		judge(s, i);
		s->estate->judged = i + 1;
	}
	raise(SIGSTOP);
	_exit(0);
}

/* The next process, which is killed while it takes the table over. */
static void adopting_child(struct scene *s, unsigned int next)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	reborn(s, s->in[next].now_ns);
	s->estate->judged = next + 1;
	raise(SIGSTOP);
	_exit(0);
}

/* The next process, which is killed in turn: while it takes over, or at what it finds to do. */
static void heir_child(struct scene *s, unsigned int last)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	take_over(s);
	for (unsigned int i = s->estate->judged; i <= last; i++) {
		judge(s, i);
		s->estate->judged = i + 1;
	}
	raise(SIGSTOP);
	_exit(0);
}

typedef void child_main(struct scene *s, unsigned int last);

static void wait_stop(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Runs the child until it is about to do what it may die of. */
static pid_t start_child(child_main *child, struct scene *s, unsigned int last)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		child(s, last);
	wait_stop(pid);
	return pid;
}

static void step(pid_t pid)
{
	assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
	wait_stop(pid);
}

/* --- where it is killed --- */

#define SPOTS_MAX (1u << 16)

/* Addresses of instructions that packets have come by. */
struct spots {
	uintptr_t at[SPOTS_MAX];
	unsigned int n;
};

static void add_spot(struct spots *k, uintptr_t at)
{
	for (unsigned int i = 0; i < k->n; i++)
		if (k->at[i] == at)
			return;
	if (k->n < SPOTS_MAX)
		k->at[k->n++] = at;
}

static void learn_spots(struct spots *k, child_main *child, struct scene *s, unsigned int last)
{
	struct user_regs_struct regs;
	struct ct *ct = s->estate->th.ct;
	pid_t pid = start_child(child, s, last);

	while (s->estate->judged <= last) {
		step(pid);
		assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &regs), 0);
		add_spot(k, regs.rip);
	}
	end_child(pid);
	s->estate->th.ct = ct; /* the child's is not here */
}

/* Runs on to an instruction. False: it does not come by it. */
static bool run_to(pid_t pid, struct scene *s, unsigned int last, uintptr_t spot, long word)
{
	struct user_regs_struct regs;

	assert_int_equal(ptrace(PTRACE_POKETEXT, pid, spot, (word & ~0xffL) | BREAKPOINT), 0);
	assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	wait_stop(pid);
	assert_int_equal(ptrace(PTRACE_POKETEXT, pid, spot, word), 0);
	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &regs), 0);
	if (s->estate->judged > last)
		return false;
	regs.rip = spot;
	assert_int_equal(ptrace(PTRACE_SETREGS, pid, NULL, &regs), 0);
	return true;
}

/*
 * Kills it the nth time (from 0) that it is about to execute an instruction, or behind its work if
 * that does not happen.
 */
static void kill_at(child_main *child, struct scene *s, unsigned int last, uintptr_t spot,
		    unsigned int nth)
{
	struct ct *ct = s->estate->th.ct;
	pid_t pid = start_child(child, s, last);
	long word = ptrace(PTRACE_PEEKTEXT, pid, spot, NULL);

	for (; run_to(pid, s, last, spot, word) && nth > 0; nth--)
		step(pid);
	end_child(pid);
	s->estate->th.ct = ct;
}

/* --- tests --- */

enum fate { FATE_AGAIN, FATE_RECALLED, FATE_HEARD, FATES };

/* At some packet; each second heir dies as well, soon. */
static enum fate crash(struct scene *s, const struct spots *k, uint64_t *seed, uint32_t *restored)
{
	unsigned int last = (unsigned int)(dice(seed) % (PACKETS - 1));
	enum fate fate;

	born(s);
	kill_at(judging_child, s, last, k->at[dice(seed) % k->n], 0);
	fate = s->estate->judged > last ? FATE_HEARD : FATE_AGAIN;
	while (s->estate->judged < PACKETS - 8 && dice(seed) % 2)
		kill_at(heir_child, s, s->estate->judged + (unsigned int)(dice(seed) % 8),
			k->at[dice(seed) % k->n], (unsigned int)(dice(seed) % 8));
	if (take_over(s))
		fate = FATE_RECALLED;
	*restored += s->estate->restored;
	go_on(s);
	return fate;
}

static void learn(struct spots *k, struct scene *s)
{
	k->n = 0;
	for (unsigned int i = 0; i < LESSONS; i++) {
		born(s);
		learn_spots(k, judging_child, s, i * (PACKETS / LESSONS));
		s->estate->th.ct = ct_free(s->estate->th.ct);
	}
	born(s);
	learn_spots(k, heir_child, s, 1);
	s->estate->th.ct = ct_free(s->estate->th.ct);
}

static void crash_often(enum traffic traffic)
{
	static struct spots spots; /* of this process, for its children */
	unsigned int fates[FATES] = {};
	uint32_t restored = 0;
	uint64_t seed = 7;
	struct scene s;

	for (unsigned int i = 0; fates[FATE_AGAIN] + fates[FATE_RECALLED] < CRASHES / 3; i++) {
		if (i % 100 == 0) {
			if (i > 0)
				scene_close(&s);
			scene_open(&s, dice(&seed), traffic);
			rehearse(&s);
			if (i == 0)
				learn(&spots, &s);
		}
		fates[crash(&s, &spots, &seed, &restored)]++;
	}
	scene_close(&s);
	print_message("%u places: judged again %u, recalled %u, heard %u; %u flows put back\n",
		      spots.n, fates[FATE_AGAIN], fates[FATE_RECALLED], fates[FATE_HEARD],
		      restored);
	assert_true(fates[FATE_AGAIN] > 0 && fates[FATE_RECALLED] > 0 && fates[FATE_HEARD] > 0);
	assert_true(restored > CRASHES / 100);
}

static void test_at_the_entry(void **state)
{
	crash_often(TRAFFIC_ENTRY);
}

static void test_with_the_exit_hook(void **state)
{
	crash_often(TRAFFIC_EXIT);
}

static void test_fragments(void **state)
{
	crash_often(TRAFFIC_PIECES);
}

/* The table as it is after some traffic. */
static void play_some(struct scene *s)
{
	born(s);
	for (unsigned int i = 0; i < SOME; i++)
		judge(s, i);
	s->estate->judged = 0;
}

/* Whoever dies while he takes over leaves to the next one what he has found. */
static void test_while_taking_over(void **state)
{
	static struct spots spots;
	unsigned int killed = 0, tries = 0;
	uint64_t seed = 11;
	struct scene s;

	scene_open(&s, dice(&seed), TRAFFIC_ENTRY);
	rehearse(&s);
	play_some(&s);
	learn_spots(&spots, adopting_child, &s, SOME);
	s.estate->th.ct = ct_free(s.estate->th.ct);
	for (; killed < CRASHES / 5; tries++) {
		play_some(&s);
		kill_at(adopting_child, &s, SOME, spots.at[dice(&seed) % spots.n],
			tries % 2 ? (unsigned int)(dice(&seed) % 16) : 0);
		killed += s.estate->judged == 0;
		s.estate->judged = SOME;
		take_over(&s);
		go_on(&s);
	}
	scene_close(&s);
	print_message("%u places, %u of %u did not get through\n", spots.n, killed, tries);
}

static void end_all(struct scene *s)
{
	const struct ct_arena *a = &s->estate->th.ct->arena;
	struct ct_event ev;

	for (uint32_t i = 1; i <= MAX_FLOWS; i++)
		(void)ct_delete(&s->estate->th, ct_arena_id(a, i), NOW, &ev);
}

static void ending_child(struct scene *s, unsigned int last)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	end_all(s);
	s->estate->judged = last + 1;
	raise(SIGSTOP);
	_exit(0);
}

/* Flows that end on request: none is left half, nor what it expected. */
static void test_while_ending(void **state)
{
	static struct spots spots;
	uint64_t seed = 13, killed = 0, n;
	struct scene s;

	scene_open(&s, dice(&seed), TRAFFIC_ENTRY);
	play_some(&s);
	n = ct_count(s.estate->th.ct) + s.estate->th.stats.count[CT_STAT_DESTROYED];
	learn_spots(&spots, ending_child, &s, 0);
	while (killed < CRASHES / 5) {
		play_some(&s);
		kill_at(ending_child, &s, 0, spots.at[dice(&seed) % spots.n],
			(unsigned int)(dice(&seed) % 8));
		killed += s.estate->judged == 0;
		assert_int_equal(reborn(&s, NOW + SOME * SEC).damaged, 0);
		end_all(&s);
		/* what was under way may count twice */
		assert_in_range(s.estate->th.stats.count[CT_STAT_DESTROYED], n, n + 1);
		assert_int_equal(ct_count(s.estate->th.ct), 0);
		assert_int_equal(ct_expect_count(s.estate->th.ct), 0);
		s.estate->th.ct = ct_free(s.estate->th.ct);
	}
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_the_entry), cmocka_unit_test(test_with_the_exit_hook),
		cmocka_unit_test(test_fragments),    cmocka_unit_test(test_while_taking_over),
		cmocka_unit_test(test_while_ending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
