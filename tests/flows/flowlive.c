/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Runs packet scripts live: flowlive [--kernel-only|--exit] --hosts NETNS --router NETNS FILE...
 *
 * The namespaces and the rules are those of tests/live/test_flows.py. All files of one run have the
 * same settings; the router's sysctls are set accordingly, ctmarkd is expected to run with what
 * flowlive --config FILE prints, and the kernel's helpers by what flowlive --rules FILE prints.
 * Each packet is compared three ways: script, kernel, ctmarkd.
 *
 * --exit: packets are queued in POSTROUTING as well, so ctmarkd confirms where the kernel does, and
 * no "differs" of a script applies. --kernel-only: there is no queue, so that what the kernel's
 * helpers drop is theirs to drop.
 *
 * One script waits while others run; packets themselves go one by one.
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/flows/flow_knob.h"
#include "tests/flows/flow_talk.h"
#include "tests/flows/flow_wire.h"
#include "util/cleanup.h"

#define LOGGED_MS     2000
#define CONFIRM_MS    1000
#define TIMEOUT_SLACK 1

/* One script in one family, under way. */
struct act {
	const struct flow_script *script;
	uint8_t family;
	uint16_t number;
	size_t step;
	struct flow_talk talk;
	uint64_t due_ns;
	uint64_t late_ns; /* by how much its waits lasted longer than they should */
	unsigned int compared, different, explained;
};

struct live {
	struct flow_wire wire;
	bool kernel_only, leaving;
	bool watched; /* there are helpers: what becomes of packets is looked at */
	struct flow_script **scripts;
	size_t nscripts;
	struct act *acts;
	size_t nacts;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * CT_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec ts = {.tv_sec = (time_t)(ns / CT_NS_PER_S),
			      .tv_nsec = (long)(ns % CT_NS_PER_S)};

	nanosleep(&ts, NULL);
}

/* --- comparing ------------------------------------------------------------------------- */

static void differ(struct act *a, const struct flow_step *st, const char *what,
		   const char *expected, const char *got)
{
	a->different++;
	printf("# %s:%u (%s): ", st->file, st->line, a->family == CT_AF_INET ? "IPv4" : "IPv6");
	flow_packet_print(stdout, &st->packet);
	printf("\n#   %s: expected %s, got %s\n", what, expected, got);
}

/* The kernel's class, and the status bits that its rules saw, against the script. */
static void compare_kernel_class(struct act *a, const struct flow_step *st, uint32_t mark)
{
	const struct flow_expect *e = &st->expect;
	uint16_t seen = 0;
	enum ct_info info;
	char got[32];

	a->compared++;
	if (!flow_wire_oracle(mark, &info))
		differ(a, st, "kernel", ct_info_name(e->info), "no single class");
	else if (info != e->info)
		differ(a, st, "kernel", ct_info_name(e->info), ct_info_name(info));
	if (!e->has_flow || e->info == CT_INFO_INVALID)
		return;
	a->compared++;
	seen |= mark & FLOW_ORACLE_EXPECTED ? CT_STATUS_EXPECTED : 0;
	seen |= mark & FLOW_ORACLE_SEEN_REPLY ? CT_STATUS_SEEN_REPLY : 0;
	seen |= mark & FLOW_ORACLE_ASSURED ? CT_STATUS_ASSURED : 0;
	snprintf(got, sizeof(got), "%#x", seen);
	if (seen != (e->status & (CT_STATUS_EXPECTED | CT_STATUS_SEEN_REPLY | CT_STATUS_ASSURED)))
		differ(a, st, "kernel's status by rules", "that of the script", got);
}

static void compare_ctmarkd(const struct live *l, struct act *a, const struct flow_step *st,
			    uint32_t mark)
{
	const struct flow_expect *e = &st->expect;
	bool differs = e->differs != FLOW_UNSET && !l->leaving;
	enum ct_info expected = differs ? (enum ct_info)e->differs : e->info;
	struct ct_config cfg;
	enum ct_info info;

	ct_config_init(&cfg);
	a->compared++;
	a->explained += differs;
	if (!ct_mark_decode(&cfg.mark, mark, &info))
		differ(a, st, "ctmarkd", ct_info_name(expected), "no class");
	else if (info != expected)
		differ(a, st, "ctmarkd", ct_info_name(expected), ct_info_name(info));
}

/* Asks again while the kernel may not have confirmed the connection yet. */
static int lookup(struct live *l, const struct flow_step *st, const struct ct_tuple *t,
		  struct flow_seen *seen)
{
	uint64_t end = now_ns() + CONFIRM_MS * 1000000ULL;
	int r;

	while ((r = flow_wire_lookup(&l->wire, t, seen)) == 0 && st->expect.has_flow &&
	       now_ns() < end)
		sleep_ns(100000);
	return r;
}

static void compare_table(struct live *l, struct act *a, const struct flow_step *st)
{
	struct flow_seen seen = {.judged = true,
				 .info = st->expect.info,
				 .drop = st->expect.drop,
				 .reason = FLOW_UNSET};
	char expected[FLOW_EXPECT_STRLEN], got[FLOW_EXPECT_STRLEN];
	uint32_t slack = TIMEOUT_SLACK + (uint32_t)(a->late_ns / CT_NS_PER_S);
	struct ct_tuple t;
	int r;

	if (st->expect.drop && !l->kernel_only)
		slack = st->expect.timeout; /* the kernel's helper has not seen it */
	if (st->expect.info == CT_INFO_INVALID && !st->expect.has_flow)
		return;
	if (!flow_packet_tuple(&st->packet, a->family, a->number, &t))
		return;
	a->compared++;
	r = lookup(l, st, &t, &seen);
	if (r < 0)
		differ(a, st, "ctnetlink", "an answer", strerror(-r));
	else if (!flow_seen_matches(&seen, &st->expect, slack, got))
		differ(a, st, "kernel's table", flow_expect_to_str(&st->expect, expected), got);
}

/* --- running --------------------------------------------------------------------------- */

/* What rules and queue get to see: the kernel takes a fragment header off that splits nothing. */
static int build_as_seen(const struct act *a, const struct flow_packet *p, struct flow_bytes *ret)
{
	struct flow_packet whole = *p;

	whole.next = 0;
	for (unsigned int i = 0; i < p->next; i++)
		if (p->ext[i] != FLOW_EXT_ATOMIC)
			whole.ext[whole.next++] = p->ext[i];
	return flow_packet_build(&whole, a->family, a->number, ret);
}

/* Sends, and waits for it to be logged behind the queue; *ret are the bytes that are seen there. */
static int send_and_see(struct live *l, struct act *a, const struct flow_packet *p, bool drop,
			struct flow_bytes *ret, uint32_t *ret_mark)
{
	int e = flow_packet_build(p, a->family, a->number, ret);

	if (l->watched)
		flow_wire_watch_anew(&l->wire);
	if (e == 0)
		e = flow_wire_send(&l->wire, p, ret, a->family);
	if (e == 0 && drop)
		e = flow_wire_send_last(&l->wire, p, a->family);
	if (e == 0)
		e = build_as_seen(a, p, ret);
	return e < 0 ? e : flow_wire_logged(&l->wire, ret, LOGGED_MS, ret_mark);
}

/* Does it leave the router, or does a helper drop it? */
static void compare_fate(struct live *l, struct act *a, const struct flow_step *st,
			 const struct flow_bytes *bytes)
{
	const struct flow_packet *p = &st->packet;
	bool drop = st->expect.drop;
	int e;

	if (!l->watched || (p->l4 != FLOW_TCP && p->l4 != FLOW_UDP) || p->dropped ||
	    p->ttl != FLOW_UNSET)
		return;
	a->compared++;
	e = flow_wire_left(&l->wire, p, bytes, a->family, LOGGED_MS);
	if (e != (drop ? -ETIME : 0))
		differ(a, st, "packet", drop ? "to be dropped" : "to leave the router",
		       e < 0 ? strerror(-e) : "it leaves");
}

/* ctmarkd drops at the entry: the packet does not get to the rules behind the queue. */
static void run_dropped(struct live *l, struct act *a, const struct flow_step *st, int logged)
{
	a->compared++;
	if (logged != -ETIME)
		differ(a, st, "ctmarkd", "to drop the packet",
		       logged < 0 ? strerror(-logged) : "it passes");
	compare_table(l, a, st);
}

static void run_step(struct live *l, struct act *a, const struct flow_step *st)
{
	bool dropped_early = st->expect.drop && !l->kernel_only && !l->leaving;
	struct flow_packet packet = st->packet;
	struct flow_bytes bytes;
	uint32_t mark = 0;
	int e = flow_talk_say(&a->talk, &packet, st->packet.dropped || st->expect.drop, a->family,
			      a->number);

	if (e == 0)
		e = send_and_see(l, a, &packet, st->expect.drop, &bytes, &mark);
	if (dropped_early) {
		run_dropped(l, a, st, e);
		return;
	}
	if (e < 0) {
		a->compared++;
		differ(a, st, "packet", "to be seen on the router", strerror(-e));
		return;
	}
	compare_kernel_class(a, st, mark);
	if (!l->kernel_only)
		compare_ctmarkd(l, a, st, mark);
	compare_fate(l, a, st, &bytes);
	compare_table(l, a, st);
}

static bool is_over(const struct act *a)
{
	return a->step == a->script->nsteps;
}

/* Runs the steps of a script up to its next wait. */
static void run_until_wait(struct live *l, struct act *a)
{
	const struct flow_step *steps = a->script->steps;

	do {
		run_step(l, a, &steps[a->step++]);
	} while (!is_over(a) && !steps[a->step].wait_ns);
	if (!is_over(a))
		a->due_ns = now_ns() + steps[a->step].wait_ns;
}

static struct act *earliest(struct live *l)
{
	struct act *first = NULL;

	for (size_t i = 0; i < l->nacts; i++)
		if (!is_over(&l->acts[i]) && (!first || l->acts[i].due_ns < first->due_ns))
			first = &l->acts[i];
	return first;
}

static void run_all(struct live *l)
{
	for (struct act *a = earliest(l); a; a = earliest(l)) {
		uint64_t now = now_ns();

		if (a->due_ns > now)
			sleep_ns(a->due_ns - now);
		else if (a->due_ns)
			a->late_ns += now - a->due_ns;
		run_until_wait(l, a);
	}
}

/* One TAP line for each script, then the sums. Returns the number of differences. */
static unsigned int report(const struct live *l)
{
	unsigned int compared = 0, different = 0, explained = 0;

	for (size_t i = 0; i < l->nacts; i++) {
		const struct act *a = &l->acts[i];
		const char *slash = strrchr(a->script->path, '/');

		printf("%sok %zu - %s %s (%u comparisons)\n", a->different ? "not " : "", i + 1,
		       slash ? slash + 1 : a->script->path,
		       a->family == CT_AF_INET ? "IPv4" : "IPv6", a->compared);
		compared += a->compared;
		different += a->different;
		explained += a->explained;
	}
	printf("1..%zu\n# %zu scripts, %u live comparisons, %u differences, %u explained\n",
	       l->nacts, l->nacts, compared, different, explained);
	return different;
}

/* --- preparing -------------------------------------------------------------------------- */

static bool same_settings(const struct flow_script *a, const struct flow_script *b)
{
	if (a->nsettings != b->nsettings)
		return false;
	for (size_t i = 0; i < a->nsettings; i++)
		if (a->settings[i].knob != b->settings[i].knob ||
		    a->settings[i].value != b->settings[i].value)
			return false;
	return true;
}

static int apply_settings(const struct flow_script *s)
{
	const struct flow_knob *k;

	for (size_t i = 0; (k = flow_knob_at(i)); i++) {
		uint32_t value = k->usual;
		int e;

		if (k->helpers)
			continue;
		for (size_t j = 0; j < s->nsettings; j++)
			if (s->settings[j].knob == k)
				value = s->settings[j].value;
		e = flow_wire_sysctl(k->name, value);
		if (e < 0)
			return e;
	}
	return 0;
}

static bool is_live(const struct live *l, const struct flow_script *s)
{
	return !s->not_live || (s->live_alone && l->kernel_only);
}

static void add_act(struct live *l, const struct flow_script *s, uint8_t family)
{
	l->acts[l->nacts] =
		(struct act){.script = s, .family = family, .number = (uint16_t)(l->nacts + 1)};
	l->nacts++;
}

static int load(struct live *l, char *const files[], size_t n)
{
	char error[FLOW_ERROR_MAX];

	l->scripts = calloc(n, sizeof(struct flow_script *));
	l->acts = calloc(2 * n, sizeof(*l->acts));
	if (!l->scripts || !l->acts)
		return -ENOMEM;
	for (; l->nscripts < n; l->nscripts++) {
		struct flow_script *s = flow_script_load(files[l->nscripts], error);

		l->scripts[l->nscripts] = s;
		if (!s) {
			fprintf(stderr, "%s\n", error);
			return -EINVAL;
		}
		if (!same_settings(s, l->scripts[0])) {
			fprintf(stderr, "%s: other settings than %s\n", s->path,
				l->scripts[0]->path);
			return -EINVAL;
		}
		if (s->ipv4 && is_live(l, s))
			add_act(l, s, CT_AF_INET);
		if (s->ipv6 && is_live(l, s))
			add_act(l, s, CT_AF_INET6);
	}
	return 0;
}

static void unload(struct live *l)
{
	flow_wire_close(&l->wire);
	for (size_t i = 0; i < l->nscripts; i++)
		flow_script_free(l->scripts[i]);
	free(l->scripts);
	free(l->acts);
}

static int print_settings(const char *path, bool rules)
{
	char error[FLOW_ERROR_MAX];
	struct flow_script *s = flow_script_load(path, error);

	if (!s) {
		fprintf(stderr, "%s\n", error);
		return EXIT_FAILURE;
	}
	if (rules)
		flow_knob_print_rules(stdout, s->settings, s->nsettings);
	else
		flow_knob_print(stdout, s->settings, s->nsettings);
	flow_script_free(s);
	return EXIT_SUCCESS;
}

static bool has_helpers(const struct flow_script *s)
{
	for (size_t i = 0; i < s->nsettings; i++)
		if (s->settings[i].knob->helpers)
			return true;
	return false;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: flowlive [--kernel-only|--exit] --hosts NETNS --router NETNS FILE...\n"
		"       flowlive --config|--rules FILE\n");
	return 2;
}

/* Opens the wire and sets the sysctls of a script. */
static int open_wire(struct flow_wire *w, const char *hosts, const char *router,
		     const struct flow_script *s)
{
	int e = flow_wire_open(w, hosts, router);

	if (e == 0)
		e = apply_settings(s);
	if (e == 0)
		e = flow_wire_flush(w);
	if (e < 0)
		fprintf(stderr, "flowlive: %s\n", strerror(-e));
	return e;
}

struct arguments {
	const char *hosts, *router, *config, *rules;
	bool kernel_only, leaving;
};

static int watch(struct live *l, const struct arguments *arg)
{
	int e = 0;

	l->watched = has_helpers(l->scripts[0]);
	if (l->watched)
		e = flow_wire_watch(&l->wire, arg->hosts, arg->router);
	if (e < 0)
		fprintf(stderr, "flowlive: %s\n", strerror(-e));
	return e;
}

static int play_scripts(const struct arguments *arg, char *const files[], size_t n)
{
	struct live l = {.wire = {.client = -1, .server = -1, .left_client = -1, .left_server = -1},
			 .kernel_only = arg->kernel_only,
			 .leaving = arg->leaving};
	int r = EXIT_FAILURE;

	if (load(&l, files, n) == 0 &&
	    open_wire(&l.wire, arg->hosts, arg->router, l.scripts[0]) == 0 && watch(&l, arg) == 0) {
		run_all(&l);
		r = report(&l) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	unload(&l);
	return r;
}

static bool parse(int argc, char *argv[], struct arguments *arg)
{
	static const struct option options[] = {{"kernel-only", no_argument, NULL, 'k'},
						{"exit", no_argument, NULL, 'e'},
						{"hosts", required_argument, NULL, 'h'},
						{"router", required_argument, NULL, 'r'},
						{"config", required_argument, NULL, 'c'},
						{"rules", required_argument, NULL, 'R'},
						{0}};

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'k':
			arg->kernel_only = true;
			break;
		case 'e':
			arg->leaving = true;
			break;
		case 'h':
			arg->hosts = optarg;
			break;
		case 'r':
			arg->router = optarg;
			break;
		case 'c':
			arg->config = optarg;
			break;
		case 'R':
			arg->rules = optarg;
			break;
		default:
			return false;
		}
	}
	return arg->config || arg->rules || (arg->hosts && arg->router && optind < argc);
}

int main(int argc, char *argv[])
{
	struct arguments arg = {0};

	if (!parse(argc, argv, &arg))
		return usage();
	if (arg.config || arg.rules)
		return print_settings(arg.config ? arg.config : arg.rules, arg.rules);
	return play_scripts(&arg, argv + optind, (size_t)(argc - optind));
}
