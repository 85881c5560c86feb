/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Packet scripts through ctmark-replay: flowreplay [-w DIR] [FILE...]
 *
 * Each script becomes a capture, over IPv4 and over IPv6, and $top_builddir/ctmark-replay has to
 * make of every packet what the engine in process makes of it. Without files: all of
 * $top_srcdir/tests/flows. With -w the captures and their configurations are left in DIR, as
 * NAME-ipv4.pcap and NAME.conf, and nothing is compared.
 */

#include <errno.h>
#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flows/flow_pcap.h"
#include "util/cleanup.h"

#define PACKETS_MAX 512

/* What has to become of a packet. */
struct wanted {
	const struct flow_step *step;
	struct flow_seen seen;
	uint32_t mark;
	uint8_t reason;
	bool has_flow;
	bool found; /* among what was replayed */
};

struct run {
	const char *dir; /* where captures are put */
	bool compare;
	char name[128]; /* of the script, without its ending */
	struct wanted wanted[PACKETS_MAX];
	unsigned int nwanted;
	unsigned int wrong;
};

/* --- what was replayed -------------------------------------------------------------- */

static void wrong(struct run *r, const struct wanted *w, const char *key, const char *wanted,
		  const char *got)
{
	r->wrong++;
	printf("# %s:%u: %s: expected %s, got %s\n", w->step->file, w->step->line, key, wanted,
	       got ? got : "nothing");
}

static void compare_text(struct run *r, const struct wanted *w, const json_t *line, const char *key,
			 const char *wanted)
{
	const char *got = json_string_value(json_object_get(line, key));

	if (!got || strcmp(got, wanted) != 0)
		wrong(r, w, key, wanted, got);
}

static void compare_flow(struct run *r, const struct wanted *w, const json_t *line)
{
	json_int_t timeout = json_integer_value(json_object_get(line, "timeout"));
	const char *state = ct_state_name(w->seen.proto, (uint8_t)w->seen.state);
	char status[CT_STATUS_STRLEN];

	compare_text(r, w, line, "status", ct_status_to_str(w->seen.status, status));
	if (state)
		compare_text(r, w, line, "state", state);
	if (w->seen.alive && timeout != w->seen.timeout)
		wrong(r, w, "timeout", "another number", "this");
}

static void compare(struct run *r, struct wanted *w, const json_t *line)
{
	char mark[16];

	w->found = true;
	snprintf(mark, sizeof(mark), "0x%x", w->mark);
	compare_text(r, w, line, "ctinfo", ct_info_name(w->seen.info));
	compare_text(r, w, line, "mark", mark);
	if (w->reason)
		compare_text(r, w, line, "reason", ct_reason_name((enum ct_reason)w->reason));
	if (w->has_flow && w->seen.info != CT_INFO_INVALID)
		compare_flow(r, w, line);
}

/* Lines without a packet tell of the ends of flows. */
static void read_line(struct run *r, const char *text)
{
	json_t *line = json_loads(text, 0, NULL);
	json_int_t number = json_integer_value(json_object_get(line, "packet"));

	if (!line) {
		r->wrong++;
		printf("# no JSON: %s\n", text);
	} else if (number >= 1 && number <= r->nwanted) {
		compare(r, &r->wanted[number - 1], line);
	}
	json_decref(line);
}

static void replay(struct run *r, const char *capture, const char *conf)
{
	_cleanup_free_ char *command = NULL;
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *out;

	if (asprintf(&command, "\"$top_builddir/ctmark-replay\" -j --config '%s' '%s'", conf,
		     capture) < 0)
		abort();
	out = popen(command, "r");
	while (out && getline(&text, &size, out) > 0)
		read_line(r, text);
	if (!out || pclose(out) != 0) {
		r->wrong++;
		printf("# ctmark-replay has failed\n");
	}
	for (unsigned int i = 0; i < r->nwanted; i++)
		if (!r->wanted[i].found)
			wrong(r, &r->wanted[i], "packet", "one", NULL);
}

/* --- scripts ------------------------------------------------------------------------ */

static void want(void *ctx, unsigned int number, const struct flow_step *st,
		 const struct ct_result *res, const struct flow_seen *seen)
{
	struct run *r = ctx;

	if (number > PACKETS_MAX)
		abort();
	r->wanted[number - 1] = (struct wanted){.step = st,
						.seen = *seen,
						.mark = res->mark,
						.reason = res->reason,
						.has_flow = res->has_flow};
	r->nwanted = number;
}

/* Returns whether all is as it has to be. */
static bool run_family(struct run *r, const struct flow_script *s, uint8_t family)
{
	_cleanup_free_ char *capture = NULL, *conf = NULL;
	int err;

	r->wrong = r->nwanted = 0;
	if (asprintf(&capture, "%s/%s-ipv%d.pcap", r->dir, r->name, family == CT_AF_INET ? 4 : 6) <
		    0 ||
	    asprintf(&conf, "%s/%s.conf", r->dir, r->name) < 0)
		abort();
	err = flow_pcap_write_conf(s, conf);
	if (err == 0)
		err = flow_pcap_write(s, family, capture, want, r);
	if (err < 0) {
		printf("# %s: %s\n", capture, strerror(-err));
		return false;
	}
	if (!r->compare)
		return true;
	replay(r, capture, conf);
	remove(capture);
	remove(conf);
	return r->wrong == 0;
}

static bool run_script(struct run *r, const struct flow_script *s, unsigned int *n)
{
	bool all = true;

	for (int v = 4; v <= 6; v += 2) {
		bool good;

		if (!(v == 4 ? s->ipv4 : s->ipv6))
			continue;
		good = run_family(r, s, v == 4 ? CT_AF_INET : CT_AF_INET6);
		printf("%sok %u - %s IPv%d\n", good ? "" : "not ", ++*n, r->name, v);
		all &= good;
	}
	return all;
}

static bool run_file(struct run *r, const char *path, unsigned int *n)
{
	const char *slash = strrchr(path, '/');
	char error[FLOW_ERROR_MAX];
	struct flow_script *s = flow_script_load(path, error);
	bool good;

	snprintf(r->name, sizeof(r->name), "%s", slash ? slash + 1 : path);
	r->name[strcspn(r->name, ".")] = '\0';
	if (!s) {
		printf("# %s\nnot ok %u - %s cannot be read\n", error, ++*n, r->name);
		return false;
	}
	good = run_script(r, s, n);
	flow_script_free(s);
	return good;
}

static bool run_all(struct run *r, unsigned int *n)
{
	const char *top = getenv("top_srcdir");
	_cleanup_free_ char *pattern = NULL;
	bool good = true;
	glob_t found;

	if (asprintf(&pattern, "%s/tests/flows/*.flow", top ? top : ".") < 0)
		abort();
	if (glob(pattern, 0, NULL, &found) != 0)
		return false;
	for (size_t i = 0; i < found.gl_pathc; i++)
		good &= run_file(r, found.gl_pathv[i], n);
	globfree(&found);
	return good;
}

int main(int argc, char *argv[])
{
	char temporary[] = "/tmp/flowreplay.XXXXXX";
	bool write = argc > 2 && strcmp(argv[1], "-w") == 0;
	struct run r = {.compare = !write, .dir = write ? argv[2] : mkdtemp(temporary)};
	unsigned int n = 0;
	bool good = true;

	if (!r.dir) {
		perror("flowreplay");
		return EXIT_FAILURE;
	}
	if (argc - 2 * write < 2)
		good = run_all(&r, &n);
	for (int i = 1 + 2 * write; i < argc; i++)
		good &= run_file(&r, argv[i], &n);
	if (!write)
		rmdir(temporary);
	printf("1..%u\n", n);
	return good && n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
