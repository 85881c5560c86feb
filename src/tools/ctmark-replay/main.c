/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ctmark-replay(1): the engine on a capture. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <syslog.h>

#include "conf/conf.h"
#include "config.h"
#include "log/plain.h"
#include "tools/ctmark-replay/options.h"
#include "tools/ctmark-replay/replay.h"
#include "tools/ctmark-replay/sinks.h"

#define SINKS_MAX 4

struct program {
	struct options options;
	struct conf conf;
	struct choice choice;
	struct look look;
	struct sink *sinks[SINKS_MAX];
	size_t nsinks;
	bool differs;
};

static int add(struct program *p, struct sink *s)
{
	if (!s)
		return -ENOMEM;
	p->sinks[p->nsinks++] = s;
	return 0;
}

static int make_sinks(struct program *p)
{
	const char *const *value = p->options.value;
	bool json = value[OPTION_JSON];
	int r = 0;

	if (value[OPTION_SVG])
		r = add(p, svg_new(&p->look, value[OPTION_SVG]));
	if (r == 0 && value[OPTION_HTML])
		r = add(p, html_new(&p->look, value[OPTION_HTML]));
	if (r < 0)
		return r;
	if (value[OPTION_EXPLAIN])
		return add(p,
			   explain_new(&p->look, strtoull(value[OPTION_EXPLAIN], NULL, 10), json));
	if (value[OPTION_COMPARE])
		return add(p, compare_new(&p->look, json, &p->differs));
	if (value[OPTION_SUMMARY])
		return add(p, summary_new(&p->look, json));
	if (p->nsinks > 0)
		return 0;
	return add(p, json ? json_new(&p->look) : text_new(&p->look));
}

static void report(void *ctx, int priority, const char *text)
{
	fprintf(stderr, "ctmark-replay: %s\n", text);
}

/* Says what the source has against it; names of files and interfaces may be any bytes. */
static enum exit_status fail(int r, const char *why)
{
	char text[CAPTURE_ERROR_MAX];

	snprintf(text, sizeof(text), "%s", why);
	plain_text(text, '?');
	if (*text)
		fprintf(stderr, "ctmark-replay: %s\n", text);
	return r == -EPERM || r == -EACCES ? STATUS_PERMISSION : STATUS_FAILURE;
}

/* Watching an interface ends in order, with what it came to. */
static int open_signals(void)
{
	sigset_t set;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static enum exit_status run(struct program *p)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_options options = {
		.files = p->options.files,
		.interface = p->options.value[OPTION_INTERFACE],
		.expression = p->options.value[OPTION_FILTER],
		.checksums = !p->options.value[OPTION_NO_CHECKSUMS] && p->conf.track.checksum,
	};
	struct replay_config config = {
		.track = &p->conf.track,
		.max_flows = p->conf.max_flows,
		.max_expect = p->conf.max_expect,
		.max_fragments = p->conf.max_fragments,
		.views = p->options.value[OPTION_EXPLAIN] || p->options.value[OPTION_SVG] ||
			 p->options.value[OPTION_HTML],
		.sinks = p->sinks,
		.nsinks = p->nsinks,
	};
	struct source *source;
	struct replay *replay;
	enum exit_status status;
	int r;

	if (options.interface) {
		options.stop_fd = open_signals();
		options.has_stop_fd = options.stop_fd >= 0;
	}
	r = capture_new(&source, &options, error);
	if (r < 0)
		return fail(r, error);
	if (replay_new(&replay, &config) < 0) {
		fprintf(stderr, "ctmark-replay: %s\n", strerror(ENOMEM));
		return STATUS_FAILURE;
	}
	r = replay_run(replay, source);
	status = p->differs ? STATUS_DIFFERS : STATUS_OK;
	if (r < 0)
		status = fail(r, capture_error(source));
	replay_free(replay);
	source->ops->close(source);
	return status;
}

static enum exit_status start(struct program *p)
{
	const char *file = p->options.value[OPTION_CONFIG];

	conf_init(&p->conf);
	if (file && conf_load(&p->conf, NULL, "", file, report, NULL) < 0)
		return STATUS_CONFIG;
	p->conf.track.confirm = CT_CONFIRM_ENTRY; /* a capture has no exit */
	p->look = (struct look){.out = stdout, .choice = &p->choice, .track = &p->conf.track};
	if (choice_parse(&p->choice, p->options.value[OPTION_FLOW], p->options.value[OPTION_ONLY]) <
	    0)
		return STATUS_USAGE;
	if (make_sinks(p) < 0)
		return STATUS_FAILURE;
	return run(p);
}

int main(int argc, char *argv[])
{
	struct program p = {};
	enum exit_status status = STATUS_OK;

	switch (options_parse(&p.options, argc, argv)) {
	case OPTIONS_RUN:
		status = start(&p);
		break;
	case OPTIONS_HELP:
		options_print_help();
		break;
	case OPTIONS_VERSION:
		puts("ctmark-replay " PACKAGE_VERSION);
		break;
	case OPTIONS_BAD:
		status = STATUS_USAGE;
		break;
	}
	for (size_t i = 0; i < p.nsinks; i++)
		p.sinks[i]->ops->free(p.sinks[i]);
	return status;
}
