/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ctmark-replay(1): the engine on a capture. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "conf/conf.h"
#include "config.h"
#include "log/plain.h"
#include "tools/ctmark-replay/options.h"
#include "tools/ctmark-replay/replay.h"
#include "tools/ctmark-replay/request.h"
#include "tools/ctmark-replay/sinks.h"
#include "util/tty.h"

#define SINKS_MAX  5
#define BUFFER_MAX (64 << 10)

struct program {
	struct options options;
	struct request request;
	struct conf conf;
	struct look look;
	struct again again;
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
		return add(p, explain_new(&p->look, p->request.explain, json));
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

/* A sink that has stopped it has said why, if it was not for want of memory. */
static enum exit_status pass(const struct replay_config *config, struct source *source)
{
	struct replay *replay;
	int r = replay_new(&replay, config);

	if (r < 0)
		return fail(r, strerror(-r));
	r = replay_run(replay, source);
	replay_free(replay);
	if (r == 0)
		return STATUS_OK;
	if (r == -ENOMEM)
		return fail(r, strerror(ENOMEM));
	return *capture_error(source) ? fail(r, capture_error(source)) : STATUS_FAILURE;
}

/* One replay, by a configuration that need not be that of the program. */
static enum exit_status replay_by(const struct program *p, const struct ct_config *track,
				  uint32_t max_flows, struct sink *const *sinks, size_t nsinks)
{
	char error[CAPTURE_ERROR_MAX];
	struct capture_options options = {
		.files = p->options.files,
		.interface = p->options.value[OPTION_INTERFACE],
		.expression = p->options.value[OPTION_FILTER],
		.count = p->request.count,
		.checksums = !p->options.value[OPTION_NO_CHECKSUMS] && track->checksum,
	};
	struct replay_config config = {
		.track = track,
		.max_flows = max_flows,
		.max_expect = p->conf.max_expect,
		.max_fragments = p->conf.max_fragments,
		.views = sinks == p->sinks &&
			 (p->options.value[OPTION_EXPLAIN] || p->options.value[OPTION_SVG] ||
			  p->options.value[OPTION_HTML]),
		.sinks = sinks,
		.nsinks = nsinks,
	};
	struct source *source;
	enum exit_status status;
	int r;

	if (options.interface) {
		options.stop_fd = open_signals();
		options.has_stop_fd = options.stop_fd >= 0;
	}
	r = capture_new(&source, &options, error);
	if (r < 0)
		return fail(r, error);
	status = pass(&config, source);
	source->ops->close(source);
	return status;
}

static enum exit_status run(struct program *p)
{
	enum exit_status status =
		replay_by(p, &p->conf.track, p->conf.max_flows, p->sinks, p->nsinks);

	return status == STATUS_OK && p->differs ? STATUS_DIFFERS : status;
}

/* ---- once more ---- */

static int replay_again(void *ctx, const struct ct_config *track, uint32_t max_flows,
			struct sink *sink)
{
	const struct program *p = ctx;

	return replay_by(p, track, max_flows ? max_flows : p->conf.max_flows, &sink, 1) == STATUS_OK
		       ? 0
		       : -EIO;
}

/* Only files can be read twice: no pipes, and no interface. */
static bool can_be_read_again(const struct options *o)
{
	struct stat st;

	for (size_t i = 0; i < o->nfiles; i++)
		if (strcmp(o->files[i], "-") == 0 || stat(o->files[i], &st) < 0 ||
		    !S_ISREG(st.st_mode))
			return false;
	return !o->value[OPTION_INTERFACE];
}

/* The configuration that packets are judged by. */
static enum exit_status configure(struct program *p)
{
	const char *file = p->options.value[OPTION_CONFIG];
	const char *helpers = p->options.value[OPTION_HELPERS];

	conf_init(&p->conf);
	if (file && conf_load(&p->conf, NULL, "", file, report, NULL) < 0)
		return STATUS_CONFIG;
	if (helpers && request_helpers(&p->conf, helpers) < 0)
		return STATUS_USAGE;
	p->conf.track.confirm = CT_CONFIRM_ENTRY; /* a capture has no exit */
	return STATUS_OK;
}

static enum exit_status start(struct program *p)
{
	enum exit_status status;

	if (request_read(&p->request, &p->options) < 0)
		return STATUS_USAGE;
	status = configure(p);
	if (status != STATUS_OK)
		return status;
	p->look = (struct look){
		.out = stdout,
		.colour = p->request.colour,
		.width = tty_width(stdout),
		.time = p->request.time,
		.choice = &p->request.choice,
		.track = &p->conf.track,
		.max_flows = p->conf.max_flows,
	};
	p->again = (struct again){replay_again, p};
	if (p->options.value[OPTION_EXPLAIN]) {
		p->conf.track.accounting = true; /* tells what counted from what was let through */
		p->look.again = can_be_read_again(&p->options) ? &p->again : NULL;
	}
	if (make_sinks(p) < 0 || add(p, notes_new()) < 0)
		return STATUS_FAILURE;
	return run(p);
}

/* Output that could not be written is a failure; nobody to read it is none to talk about. */
static enum exit_status finish(enum exit_status status)
{
	int err;

	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (!errno) { /* it went wrong earlier: how is asked once more */
		putchar('\n');
		(void)fflush(stdout);
	}
	err = errno ? errno : EIO;
	if (err != EPIPE)
		fprintf(stderr, "ctmark-replay: cannot write: %s\n", strerror(err));
	return STATUS_FAILURE;
}

int main(int argc, char *argv[])
{
	struct program p = {};
	enum exit_status status = STATUS_OK;

	signal(SIGPIPE, SIG_DFL);
	if (!isatty(STDOUT_FILENO))
		setvbuf(stdout, NULL, _IOFBF, BUFFER_MAX);
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
	status = finish(status);
	for (size_t i = 0; i < p.nsinks; i++)
		p.sinks[i]->ops->free(p.sinks[i]);
	return status;
}
