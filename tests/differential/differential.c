/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Random traffic before three judges: the kernel, ctmarkd and the engine in this process.
 *
 *	differential --config|--rules --seed S
 *		prints the ctmarkd.conf that belongs to a seed, or rules for the kernel's helpers
 *	differential --packets N --seed S --hosts NETNS --router NETNS [--daemon] [--coverage FILE]
 *		plays one run in the namespaces of tests/lab/wire.py; with --one no further than to
 *		the first difference
 *	differential --coverage FILE --least PERCENT
 *		tells which cells of the state tables all runs together have reached
 *
 * tests/differential/run does all of it.
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/differential/shrink.h"
#include "tests/differential/tell.h"
#include "util/cleanup.h"

#define PLAYS		512
#define WAITS_UNTIL	60 /* percent of the packets; then nothing waits, so that the run ends */
#define DIFFERENCES_MAX 5

struct arguments {
	const char *hosts, *router, *coverage;
	uint64_t seed;
	unsigned int packets, least;
	bool config, rules, daemon, one;
	enum talk_kind only;
};

struct run {
	struct duel duel;
	bool one;	    /* stop at the first difference, as it is */
	struct play *plays; /* PLAYS of them */
	unsigned int packets;
	unsigned int planned; /* packets of all talks that were begun */
	size_t at;	      /* where the search for the next one goes on */
};

/* --- settings ----------------------------------------------------------------------------- */

static int apply_settings(const struct plan *p)
{
	int e = 0;

	for (size_t i = 0; e == 0 && i < p->nset; i++)
		if (!p->set[i].knob->helpers)
			e = flow_wire_sysctl(p->set[i].knob->name, p->set[i].value);
	return e;
}

static int start(struct run *r, const struct arguments *arg)
{
	struct duel *d = &r->duel;
	struct ct_config cfg;
	int e;

	plan_make(&d->plan, arg->seed, arg->only);
	plan_engine(&d->plan, &cfg);
	d->with_daemon = arg->daemon;
	d->fragmented = (uint32_t)volley_now_ns();
	e = flow_wire_open(&d->wire, arg->hosts, arg->router);
	if (e < 0)
		return e;
	e = volley_init(&d->volley, &d->wire);
	if (e == 0)
		e = apply_settings(&d->plan);
	if (e == 0)
		e = flow_wire_flush(&d->wire);
	if (e == 0)
		e = engine_init(&d->engine, &cfg);
	if (e == 0 && arg->coverage)
		e = cover_load(&d->cover, arg->coverage);
	/* a first barrier: ctmarkd learns that packets come from the exit hook */
	return e < 0 ? e : volley_fire(&d->volley, NULL, 0);
}

/* --- playing -------------------------------------------------------------------------------- */

static void begin(struct run *r, struct play *p)
{
	struct duel *d = &r->duel;
	struct talk_mix mix = d->plan.mix;

	if (r->planned > r->packets / 100 * WAITS_UNTIL)
		mix.wait_percent = 0;
	do {
		talk_done(&p->talk);
		talk_make(&p->talk, dice_for(d->plan.seed, ++d->talks), &mix);
	} while (p->talk.nsteps == 0);
	r->planned += p->talk.nsteps;
	duel_begin(d, p);
}

/* The next ones whose time has come; *ret_due_ns: when the first of the others comes. */
static size_t gather(struct run *r, struct play *ret[], uint64_t *ret_due_ns)
{
	uint64_t now = volley_now_ns();
	size_t n = 0;

	*ret_due_ns = UINT64_MAX;
	for (size_t i = 0; i < PLAYS && n < VOLLEY_MAX; i++) {
		struct play *p = &r->plays[r->at];

		r->at = (r->at + 1) % PLAYS;
		if (!p->busy && r->planned < r->packets)
			begin(r, p);
		if (!p->busy)
			continue;
		if (p->due_ns <= now)
			ret[n++] = p;
		else if (p->due_ns < *ret_due_ns)
			*ret_due_ns = p->due_ns;
	}
	return n;
}

static int differ(struct run *r, struct play *p)
{
	int e = 0;

	printf("# --- as it was played:\n");
	tell_play(stdout, &r->duel, p);
	r->duel.different++;
	if (r->one)
		return 0;
	e = shrink(&r->duel, p);
	printf("# --- reduced:\n");
	tell_play(stdout, &r->duel, p);
	return e;
}

static int finish(struct run *r, struct play *p, enum duel_end end)
{
	int e = 0;

	if (end == DUEL_GOES_ON) {
		p->due_ns = p->shot.done_ns + p->talk.steps[p->next].wait_ms * 1000000ULL;
		return 0;
	}
	r->planned -=
		p->talk.nsteps - p->next; /* an explained difference ends a talk before its time */
	if (end == DUEL_DIFFERS)
		e = differ(r, p);
	p->busy = false;
	return e;
}

static int play_all(struct run *r)
{
	struct play *plays[VOLLEY_MAX];
	enum duel_end ends[VOLLEY_MAX];
	uint64_t due_ns;
	int e = 0;

	while (e == 0 && r->duel.different < (r->one ? 1 : DIFFERENCES_MAX)) {
		size_t n = gather(r, plays, &due_ns);

		if (n == 0 && due_ns == UINT64_MAX)
			break;
		if (n == 0) {
			struct timespec ts = {.tv_sec = (time_t)(due_ns / CT_NS_PER_S),
					      .tv_nsec = (long)(due_ns % CT_NS_PER_S)};

			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
			continue;
		}
		e = duel_step(&r->duel, plays, n, ends);
		for (size_t i = 0; e == 0 && i < n; i++)
			e = finish(r, plays[i], ends[i]);
	}
	return e;
}

static int run(const struct arguments *arg)
{
	struct run r = {.packets = arg->packets,
			.one = arg->one,
			.duel = {.wire = {.client = -1,
					  .server = -1,
					  .left_client = -1,
					  .left_server = -1}}};
	int e;

	r.plays = calloc(PLAYS, sizeof(*r.plays));
	if (!r.plays)
		return EXIT_FAILURE;
	e = start(&r, arg);
	if (e == 0)
		e = play_all(&r);
	if (e == 0 && arg->coverage)
		e = cover_save(&r.duel.cover, arg->coverage);
	if (e < 0)
		fprintf(stderr, "differential: %s\n", strerror(-e));
	tell_sums(stdout, &r.duel);
	for (size_t i = 0; i < PLAYS; i++)
		talk_done(&r.plays[i].talk);
	free(r.plays);
	engine_done(&r.duel.engine);
	flow_wire_close(&r.duel.wire);
	return e < 0 || r.duel.different ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- without packets ---------------------------------------------------------------------------
 */

static int print_plan(const struct arguments *arg)
{
	struct plan p;

	plan_make(&p, arg->seed, arg->only);
	if (arg->config)
		plan_print_config(stdout, &p);
	else
		plan_print_rules(stdout, &p);
	return EXIT_SUCCESS;
}

static int print_coverage(const struct arguments *arg)
{
	struct cover c;

	if (cover_load(&c, arg->coverage) < 0)
		return EXIT_FAILURE;
	return cover_print(stdout, &c) >= arg->least ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int usage(void)
{
	fprintf(stderr, "usage: differential --packets N --seed S --hosts NETNS --router NETNS\n"
			"                    [--daemon] [--coverage FILE] [--kind KIND] [--one]\n"
			"       differential --config|--rules --seed S [--kind KIND]\n"
			"       differential --coverage FILE --least PERCENT\n");
	return 2;
}

static bool parse_option(int c, struct arguments *arg)
{
	switch (c) {
	case 'c':
		arg->config = true;
		return true;
	case 'R':
		arg->rules = true;
		return true;
	case 'o':
		arg->one = true;
		return true;
	case 'd':
		arg->daemon = true;
		return true;
	case 'h':
		arg->hosts = optarg;
		return true;
	case 'r':
		arg->router = optarg;
		return true;
	case 'v':
		arg->coverage = optarg;
		return true;
	case 's':
		arg->seed = strtoull(optarg, NULL, 10);
		return true;
	case 'n':
		arg->packets = (unsigned int)strtoul(optarg, NULL, 10);
		return true;
	case 'l':
		arg->least = (unsigned int)strtoul(optarg, NULL, 10);
		return true;
	case 'k':
		arg->only = talk_kind_find(optarg);
		return arg->only != TALK_KIND_NONE;
	}
	return false;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"config", no_argument, NULL, 'c'},
						{"daemon", no_argument, NULL, 'd'},
						{"hosts", required_argument, NULL, 'h'},
						{"router", required_argument, NULL, 'r'},
						{"coverage", required_argument, NULL, 'v'},
						{"seed", required_argument, NULL, 's'},
						{"packets", required_argument, NULL, 'n'},
						{"least", required_argument, NULL, 'l'},
						{"one", no_argument, NULL, 'o'},
						{"rules", no_argument, NULL, 'R'},
						{"kind", required_argument, NULL, 'k'},
						{0}};
	struct arguments arg = {.only = TALK_KIND_ALL};

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
		if (!parse_option(c, &arg))
			return usage();
	if (arg.config || arg.rules)
		return print_plan(&arg);
	if (arg.packets && arg.hosts && arg.router)
		return run(&arg);
	return arg.coverage ? print_coverage(&arg) : usage();
}
