/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

#include "tools/ctmarkctl/app.h"
#include "tools/ctmarkctl/client.h"
#include "tools/ctmarkctl/limit.h"
#include "tools/ctmarkctl/signals.h"
#include "tools/ctmarkctl/text.h"
#include "util/clock.h"

/* Alternate screen, no cursor, no wrapping of lines; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"

struct sample {
	json_t *status, *totals, *census;
	char clock[TEXT_STRLEN];
};

struct top {
	struct app *app;
	struct sample before, now;
	struct termios saved;
	bool full; /* the screen is ours */
	bool keys; /* and so is the keyboard */
	bool paused, help, end;
	int signals;
	uint64_t delay_ns;
	size_t left; /* screens to go */
};

/* ---- samples ---- */

static void sample_free(struct sample *s)
{
	json_decref(s->status);
	json_decref(s->totals);
	json_decref(s->census);
	*s = (struct sample){};
}

static void set_clock(struct sample *s)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	text_time(wall.tv_sec, 0, false, false, s->clock);
}

static enum app_status call(struct top *t, const char *method, json_t **ret,
			    struct client_error *ret_error)
{
	enum app_status status = client_call(t->app->client, method, NULL, ret, ret_error);

	/* a signal came first: what is still to come must not be taken for the next reply */
	if (status == APP_OK && !*ret)
		client_close(t->app->client);
	return status;
}

static enum app_status take_sample(struct top *t, struct client_error *ret_error)
{
	struct sample s = {};
	enum app_status status = call(t, "GetStatus", &s.status, ret_error);

	if (status == APP_OK && s.status)
		status = call(t, "GetTotals", &s.totals, ret_error);
	if (status == APP_OK && s.totals)
		status = call(t, "GetCensus", &s.census, ret_error);
	if (status != APP_OK || !s.census) {
		sample_free(&s);
		return status;
	}
	set_clock(&s);
	sample_free(&t->before);
	t->before = t->now;
	t->now = s;
	return APP_OK;
}

/* ---- the terminal ---- */

static void enter(struct top *t)
{
	struct termios raw;

	if (!t->full)
		return;
	t->keys = tcgetattr(STDIN_FILENO, &t->saved) == 0;
	if (t->keys) {
		raw = t->saved;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	fputs(ENTER, stdout);
	fflush(stdout);
}

static void leave(const struct top *t)
{
	if (!t->full)
		return;
	fputs(LEAVE, stdout);
	fflush(stdout);
	if (t->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &t->saved);
}

static void set_size(const struct top *t, struct screen *s)
{
	struct winsize size = {};

	if (!t->full || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
		size = (struct winsize){.ws_col = 80, .ws_row = 24};
	s->width = size.ws_col;
	s->height = size.ws_row;
}

/* One write for the whole screen, so that it does not flicker. */
static void draw(struct top *t)
{
	/* behind a full line the cursor is still on its last column, which must not be erased */
	struct screen s = {.app = t->app,
			   .eol = t->full ? "\033[K\r\n" : "\n",
			   .eol_full = t->full ? "\r\n" : NULL};
	struct top_view view = {.status = json_object_get(t->now.status, "status"),
				.census = json_object_get(t->now.census, "census"),
				.rates = {t->before.totals, t->now.totals},
				.clock = t->now.clock,
				.paused = t->paused,
				.help = t->help,
				.keys = t->full && t->keys};
	char *text = NULL;
	size_t len = 0;

	set_size(t, &s);
	s.out = open_memstream(&text, &len);
	if (!s.out)
		return;
	top_draw(&s, &view);
	fclose(s.out);
	if (t->full)
		printf("\033[H%s\033[J", text);
	else
		puts(text);
	fflush(stdout);
	free(text);
}

/* ---- keys and signals ---- */

static void stop(struct top *t)
{
	leave(t);
	raise(SIGSTOP);
	enter(t);
	draw(t);
}

static void take_signals(struct top *t)
{
	struct signals came = signals_read(t->signals);

	t->end |= came.end;
	if (came.stop)
		stop(t);
	if (came.resize)
		draw(t);
}

static void take_keys(struct top *t)
{
	char key;
	ssize_t n = read(STDIN_FILENO, &key, 1);

	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		t->keys = false;
	if (n <= 0)
		return;
	switch (key) {
	case 'q':
	case 'Q':
		t->end = true;
		return;
	case 'p':
	case ' ':
		t->paused = !t->paused;
		break;
	case 'h':
	case '?':
		t->help = !t->help;
		break;
	default:
		return;
	}
	draw(t);
}

/* Until it is time for the next sample. */
static void wait_until(struct top *t, uint64_t then_ns)
{
	while (!t->end) {
		struct pollfd fds[] = {
			{.fd = t->signals, .events = POLLIN},
			{.fd = t->full && t->keys ? STDIN_FILENO : -1, .events = POLLIN}};
		uint64_t now_ns = clock_now_ns();

		if (now_ns >= then_ns && !t->paused)
			return;
		if (poll(fds, ARRAY_SIZE(fds),
			 t->paused ? -1 : (int)((then_ns - now_ns) / NS_PER_MS) + 1) < 0)
			continue;
		if (fds[0].revents)
			take_signals(t);
		if (fds[1].revents)
			take_keys(t);
	}
}

static enum app_status run(struct top *t, struct client_error *ret_error)
{
	uint64_t next_ns = clock_now_ns();
	enum app_status status;

	while (!t->end) {
		status = take_sample(t, ret_error);
		if (status != APP_OK)
			return status;
		take_signals(t);
		if (t->now.status)
			draw(t);
		if (--t->left == 0)
			return APP_OK;
		next_ns += t->delay_ns;
		/* a daemon that was slow is not asked more often after that */
		if (next_ns < clock_now_ns())
			next_ns = clock_now_ns() + t->delay_ns;
		wait_until(t, next_ns);
	}
	return APP_OK;
}

/* ---- options ---- */

static bool read_delay(const char *text, uint64_t *ret)
{
	char *end;
	double seconds = text ? strtod(text, &end) : 1;

	if (text && (*end || end == text || !(seconds >= 0.1 && seconds <= 3600))) {
		app_fail(APP_USAGE, "--delay '%s' is not a number from 0.1 to 3600", text);
		return false;
	}
	*ret = (uint64_t)(seconds * (double)NS_PER_S);
	return true;
}

static enum app_status prepare(struct top *t)
{
	const struct app *app = t->app;

	if (app->json != APP_TEXT)
		return app_fail(APP_USAGE, "top has no JSON; see status and stats");
	if (!read_delay(app->option[OPTION_DELAY], &t->delay_ns) ||
	    limit_read(app, OPTION_TIMES, &t->left) != APP_OK)
		return APP_USAGE;
	t->full = app->width && !app->option[OPTION_BATCH];
	t->signals = signals_open(t->full);
	if (t->signals < 0)
		return app_fail(APP_FAILURE, "cannot take signals: %s", strerror(-t->signals));
	return APP_OK;
}

enum app_status verb_top(struct app *app, int argc, char *argv[])
{
	struct top t = {.app = app};
	struct client_error error;
	enum app_status status = prepare(&t);

	if (status != APP_OK)
		return status;
	client_watch(app->client, t.signals);
	/* a daemon that is not there is told of on the ordinary screen */
	status = take_sample(&t, &error);
	if (status == APP_OK) {
		enter(&t);
		status = run(&t, &error);
		leave(&t);
	}
	client_watch(app->client, -1);
	close(t.signals);
	sample_free(&t.before);
	sample_free(&t.now);
	return status == APP_OK ? APP_OK : app_fail(status, "%s", error.text);
}
