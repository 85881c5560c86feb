/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_duel.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "tests/flows/flow_knob.h"
#include "tests/flows/flow_random.h"
#include "util/cleanup.h"

#define TALK_MAX      24  /* packets of a conversation */
#define TALKS_PER_SET 200 /* conversations before the settings change */
#define LOGGED_MS     2000
#define CONFIRM_MS    1000

struct duel {
	struct flow_wire *wire;
	struct flow_random random;
	struct flow_engine engine;
	struct flow_setting set[4];
	struct flow_packet packets[TALK_MAX];
	struct flow_seen kernel[TALK_MAX];
	uint8_t family;
	uint16_t number;
	unsigned int sent, talks;
	int different;
	/* what the kernel said, to show that the packets reach every corner */
	unsigned int infos[CT_INFO_MAX];
	unsigned int states[16];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * CT_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* --- settings ------------------------------------------------------------------------- */

static void choose_settings(struct duel *d)
{
	static const char *const names[] = {"tcp_loose", "tcp_be_liberal", "tcp_ignore_invalid_rst",
					    "tcp_max_retrans"};
	static const uint32_t max[] = {1, 1, 1, 3};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		d->set[i].knob = flow_knob_find(names[i]);
		d->set[i].value = d->set[i].knob->usual;
		if (flow_random_below(&d->random, 4) == 0)
			d->set[i].value = flow_random_below(&d->random, max[i] + 1);
	}
}

static int new_settings(struct duel *d)
{
	int e = flow_wire_flush(d->wire);

	choose_settings(d);
	for (size_t i = 0; e == 0 && i < ARRAY_SIZE(d->set); i++)
		e = flow_wire_sysctl(d->set[i].knob->name, d->set[i].value);
	if (e < 0)
		return e;
	flow_engine_done(&d->engine);
	d->number = 0;
	return flow_engine_init(&d->engine, d->set, ARRAY_SIZE(d->set));
}

/* --- saying what differed ---------------------------------------------------------------- */

static void print_talk(const struct duel *d, size_t n, const struct flow_seen *engine)
{
	char text[FLOW_EXPECT_STRLEN];
	struct flow_expect none = {.reason = FLOW_UNSET};

	printf("# kernel and engine differ in the last packet:\nfamilies %s\n",
	       d->family == CT_AF_INET ? "4" : "6");
	for (size_t i = 0; i < ARRAY_SIZE(d->set); i++)
		if (d->set[i].value != d->set[i].knob->usual)
			printf("set %s %u\n", d->set[i].knob->name, d->set[i].value);
	for (size_t i = 0; i < n; i++) {
		flow_packet_print(stdout, &d->packets[i]);
		flow_seen_matches(&d->kernel[i], &none, 0, text);
		printf(" : %s\n", text);
	}
	flow_seen_matches(engine, &none, 0, text);
	printf("# engine: %s\n", text);
}

static bool same(const struct flow_seen *kernel, const struct flow_seen *engine)
{
	if (kernel->info != engine->info || kernel->alive != engine->alive)
		return false;
	if (!kernel->alive)
		return true;
	return kernel->state == engine->state && kernel->status == engine->status &&
	       kernel->timeout <= engine->timeout + 1 && engine->timeout <= kernel->timeout + 1;
}

/* --- one packet ---------------------------------------------------------------------------- */

static struct flow_seen ask_engine(struct duel *d, const struct flow_packet *p,
				   const struct flow_bytes *bytes)
{
	struct ct_result res;

	d->engine.now_ns = now_ns();
	flow_engine_track(&d->engine, bytes, false, &res);
	return flow_engine_seen(&d->engine, p, &res);
}

static int ask_kernel(struct duel *d, const struct flow_packet *p, const struct flow_bytes *bytes,
		      bool expect_flow, struct flow_seen *seen)
{
	const struct timespec moment = {.tv_nsec = 100000};
	struct ct_tuple t;
	uint64_t end;
	uint32_t mark;
	int r = flow_wire_send(d->wire, p, bytes, d->family);

	if (r == 0)
		r = flow_wire_logged(d->wire, bytes, LOGGED_MS, &mark);
	if (r < 0)
		return r;
	*seen = (struct flow_seen){.judged = true, .reason = FLOW_UNSET};
	if (!flow_wire_oracle(mark, &seen->info))
		return -EPROTO;
	flow_packet_tuple(p, d->family, d->number, &t);
	end = now_ns() + CONFIRM_MS * 1000000ULL;
	while ((r = flow_wire_lookup(d->wire, &t, seen)) == 0 && expect_flow && now_ns() < end)
		nanosleep(&moment, NULL);
	return r < 0 ? r : 0;
}

static void count(struct duel *d, const struct flow_seen *kernel)
{
	d->infos[kernel->info]++;
	if (kernel->alive && kernel->state >= 0 && kernel->state < (int)ARRAY_SIZE(d->states))
		d->states[kernel->state]++;
}

static void report(const struct duel *d, uint64_t seed)
{
	printf("#");
	for (uint8_t i = 0; i < CT_INFO_MAX; i++)
		if (d->infos[i])
			printf(" %s %u", ct_info_name((enum ct_info)i), d->infos[i]);
	printf("\n#");
	for (uint8_t i = 0; i < ARRAY_SIZE(d->states); i++)
		if (d->states[i])
			printf(" %s %u", ct_state_name(6, i), d->states[i]);
	printf("\n# %u conversations, %u random packets, %d differences, seed %llu\n", d->talks,
	       d->sent, d->different, (unsigned long long)seed);
}

/* Returns 0, 1 if the two differ, or -errno. */
static int one_packet(struct duel *d, size_t i)
{
	struct flow_bytes bytes;
	struct flow_seen engine;
	int e;

	flow_random_packet(&d->random, &d->packets[i]);
	e = flow_packet_build(&d->packets[i], d->family, d->number, &bytes);
	if (e < 0)
		return e;
	engine = ask_engine(d, &d->packets[i], &bytes);
	e = ask_kernel(d, &d->packets[i], &bytes, engine.alive, &d->kernel[i]);
	d->sent++;
	if (e < 0)
		return e;
	count(d, &d->kernel[i]);
	if (same(&d->kernel[i], &engine))
		return 0;
	print_talk(d, i + 1, &engine);
	return 1;
}

static int one_talk(struct duel *d, unsigned int packets)
{
	size_t n = 4 + flow_random_below(&d->random, TALK_MAX - 4);
	int e = d->talks++ % TALKS_PER_SET ? 0 : new_settings(d);

	d->number++;
	d->family = flow_random_below(&d->random, 2) ? CT_AF_INET : CT_AF_INET6;
	flow_random_start(&d->random);
	for (size_t i = 0; e == 0 && i < n && d->sent < packets; i++)
		e = one_packet(d, i);
	if (e > 0)
		d->different++;
	return e < 0 ? e : 0;
}

int flow_duel(struct flow_wire *w, uint64_t seed, unsigned int packets)
{
	struct duel d = {.wire = w};
	int e = 0;

	flow_random_init(&d.random, seed);
	while (e == 0 && d.sent < packets)
		e = one_talk(&d, packets);
	flow_engine_done(&d.engine);
	report(&d, seed);
	return e < 0 ? e : d.different;
}
