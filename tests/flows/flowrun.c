/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Runs packet scripts in process: flowrun [-v] [FILE...]
 *
 * Without files: all of $top_srcdir/tests/flows. One TAP line for each script and family; with -v
 * every packet is shown with what the engine made of it.
 */

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flows/flow_engine.h"
#include "tests/flows/flow_talk.h"
#include "util/cleanup.h"

#define EXPIRED_MAX 32
#define KNOWN_MAX   64

struct run {
	const struct flow_script *script;
	uint8_t family;
	bool verbose;
	struct flow_engine engine;
	struct flow_talk talk;
	struct ct_event expired[EXPIRED_MAX];
	size_t nexpired;
	struct {
		uint64_t flow;
		uint8_t state;
	} known[KNOWN_MAX]; /* states of the flows so far, to show changes */
	unsigned int wrong;
};

/* --- what went wrong --------------------------------------------------------------- */

static void print_event(const struct ct_event *ev)
{
	printf("%s", ct_event_name((enum ct_event_type)ev->type));
	if (ev->type == CT_EVENT_DESTROY)
		printf(" %s", ct_death_name((enum ct_death)ev->death));
	if (ev->type == CT_EVENT_STATE && ct_state_name(ev->l4proto, ev->state_new))
		printf(" %s>%s", ct_state_name(ev->l4proto, ev->state_old),
		       ct_state_name(ev->l4proto, ev->state_new));
}

static void wrong_events(struct run *r, const struct flow_step *st, const char *when,
			 const struct ct_event *events, size_t n)
{
	r->wrong++;
	printf("# %s:%u: other events %s, got:", st->file, st->line, when);
	for (size_t i = 0; i < n; i++) {
		printf("%s ", i ? "," : "");
		print_event(&events[i]);
	}
	printf("%s\n", n ? "" : " none");
}

static void wrong_packet(struct run *r, const struct flow_step *st, const char *got)
{
	char expected[FLOW_EXPECT_STRLEN];

	r->wrong++;
	printf("# %s:%u: ", st->file, st->line);
	flow_packet_print(stdout, &st->packet);
	printf("\n#   expected %s\n#   got      %s\n", flow_expect_to_str(&st->expect, expected),
	       got);
}

/* --- what is shown ------------------------------------------------------------------ */

/* State of the flow before this packet; remembers the one after it. */
static uint8_t swap_state(struct run *r, uint64_t flow, uint8_t state)
{
	size_t i = 0;
	uint8_t old;

	while (i < KNOWN_MAX - 1 && r->known[i].flow && r->known[i].flow != flow)
		i++;
	old = r->known[i].flow == flow ? r->known[i].state : 0;
	r->known[i].flow = flow;
	r->known[i].state = state;
	return old;
}

static void show_flow(struct run *r, const struct flow_step *st, const struct ct_result *res)
{
	struct flow_seen seen = flow_engine_seen(&r->engine, &st->packet, res);
	char status[CT_STATUS_STRLEN];
	uint8_t old = swap_state(r, res->flow, res->state);

	if (seen.state != FLOW_UNSET && old != res->state)
		printf(" %s>%s", ct_state_name(seen.proto, old),
		       ct_state_name(seen.proto, res->state));
	else if (seen.state != FLOW_UNSET)
		printf(" %s", ct_state_name(seen.proto, res->state));
	printf(" %s", ct_status_to_str(res->status, status));
	if (seen.alive)
		printf(" %us", seen.timeout);
	else
		printf(" gone");
}

static void show(struct run *r, const struct flow_step *st, const struct ct_result *res)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return;
	flow_packet_print(f, &st->packet);
	fclose(f);
	if (st->wait_ns)
		printf("#        %.1f s later\n", (double)st->wait_ns / 1e9);
	printf("# %4u  %-52s %-17s %#x", st->line, text, ct_info_name((enum ct_info)res->info),
	       res->mark);
	free(text);
	if (res->drop)
		printf(" drop");
	if (res->has_flow && res->status)
		show_flow(r, st, res);
	if (res->reason)
		printf(" reason=%s", ct_reason_name((enum ct_reason)res->reason));
	putchar('\n');
}

/* --- running ------------------------------------------------------------------------ */

static void run_step(struct run *r, const struct flow_step *st)
{
	char got[FLOW_EXPECT_STRLEN];
	struct flow_packet packet = st->packet;
	struct flow_bytes bytes;
	struct flow_seen seen;
	struct ct_result res;

	r->nexpired = flow_engine_wait(&r->engine, st->wait_ns, r->expired, EXPIRED_MAX);
	if (st->nexpired && !flow_events_match(st->expired, st->nexpired, r->expired, r->nexpired))
		wrong_events(r, st, "while waiting", r->expired, r->nexpired);
	if (flow_talk_say(&r->talk, &packet, st->packet.dropped || st->expect.drop, r->family, 1) <
		    0 ||
	    flow_packet_build(&packet, r->family, 1, &bytes) < 0) {
		wrong_packet(r, st, "no such packet in this family");
		return;
	}
	flow_engine_track(&r->engine, &bytes, st->packet.dropped, &res);
	if (r->verbose)
		show(r, st, &res);
	seen = flow_engine_seen(&r->engine, &st->packet, &res);
	if (!flow_seen_matches(&seen, &st->expect, 0, got))
		wrong_packet(r, st, got);
	if (st->nevents && !flow_events_match(st->events, st->nevents, res.events, res.nevents))
		wrong_events(r, st, "of the packet", res.events, res.nevents);
}

/* Returns true if everything was as the script says. */
static bool run_family(const struct flow_script *s, uint8_t family, enum ct_confirm confirm,
		       bool verbose)
{
	struct run r = {.script = s, .family = family, .verbose = verbose};

	if (flow_engine_init(&r.engine, s->settings, s->nsettings) < 0) {
		printf("# out of memory\n");
		return false;
	}
	r.engine.cfg.confirm = (uint8_t)confirm;
	if (verbose)
		printf("#\n# %s, %s\n", s->title, family == CT_AF_INET ? "IPv4" : "IPv6");
	for (size_t i = 0; i < s->nsteps; i++)
		run_step(&r, &s->steps[i]);
	flow_engine_done(&r.engine);
	return r.wrong == 0;
}

static void report(unsigned int *n, bool good, const char *path, const char *what)
{
	const char *slash = strrchr(path, '/');

	printf("%sok %u - %s %s\n", good ? "" : "not ", ++*n, slash ? slash + 1 : path, what);
}

/* Each family twice: new flows are confirmed at the entry, or when their packet leaves. */
static bool run_script(const struct flow_script *s, bool verbose, unsigned int *n)
{
	static const struct {
		uint8_t family;
		enum ct_confirm confirm;
		const char *what;
	} runs[] = {
		{CT_AF_INET, CT_CONFIRM_ENTRY, "IPv4"},
		{CT_AF_INET, CT_CONFIRM_EXIT, "IPv4, confirmed at the exit"},
		{CT_AF_INET6, CT_CONFIRM_ENTRY, "IPv6"},
		{CT_AF_INET6, CT_CONFIRM_EXIT, "IPv6, confirmed at the exit"},
	};
	bool all = true;

	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		bool good;

		if (!(runs[i].family == CT_AF_INET ? s->ipv4 : s->ipv6))
			continue;
		good = run_family(s, runs[i].family, runs[i].confirm, verbose && i % 2 == 0);
		report(n, good, s->path, runs[i].what);
		all &= good;
	}
	return all;
}

static bool run_file(const char *path, bool verbose, unsigned int *n)
{
	char error[FLOW_ERROR_MAX];
	struct flow_script *s = flow_script_load(path, error);
	bool good;

	if (!s) {
		printf("# %s\n", error);
		report(n, false, path, "cannot be read");
		return false;
	}
	good = run_script(s, verbose, n);
	flow_script_free(s);
	return good;
}

static int run_all(bool verbose, unsigned int *n)
{
	const char *top = getenv("top_srcdir");
	_cleanup_free_ char *pattern = NULL;
	bool good = true;
	glob_t found;

	if (asprintf(&pattern, "%s/tests/flows/*.flow", top ? top : ".") < 0) {
		pattern = NULL;
		return -ENOMEM;
	}
	if (glob(pattern, 0, NULL, &found) != 0)
		return -ENOENT;
	for (size_t i = 0; i < found.gl_pathc; i++)
		good &= run_file(found.gl_pathv[i], verbose, n);
	globfree(&found);
	return good ? 0 : 1;
}

int main(int argc, char *argv[])
{
	bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	unsigned int n = 0;
	int bad = 0;

	if (argc - verbose < 2)
		bad = run_all(verbose, &n);
	for (int i = 1 + verbose; i < argc; i++)
		bad |= !run_file(argv[i], verbose, &n);
	printf("1..%u\n", n);
	return bad || n == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
