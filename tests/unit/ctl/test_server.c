/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "ctl/asking.h"
#include "ctl/client.h"
#include "tests/unit/core/packet.h"
#include "tests/unit/ctl/service.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define CALL(name, rest) "{\"method\":\"io.ctmark.Manager." name "\"" rest "}"

struct fixture {
	struct service s;
	struct inbox in;
	int fd;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	service_init(&f->s);
	f->fd = service_connect(&f->s);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	service_done(&f->s);
	free(f);
	return 0;
}

/* The next reply; its error is this, NULL: none. */
static json_t *expect(struct fixture *f, const char *error)
{
	json_t *reply = service_next(&f->s, f->fd, &f->in);
	const char *got;

	assert_non_null(reply);
	got = json_string_value(json_object_get(reply, "error"));
	if (error) {
		assert_non_null(got);
		assert_string_equal(got, error);
	} else {
		assert_null(got);
	}
	return reply;
}

static void expect_closed(struct fixture *f)
{
	assert_null(service_next(&f->s, f->fd, &f->in));
	assert_true(f->in.closed);
	assert_int_equal(ctl_server_clients(f->s.server), 0);
}

static long long integer(json_t *reply, const char *name)
{
	json_t *value = json_object_get(json_object_get(reply, "parameters"), name);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

/* A request may arrive byte by byte, and several at once. */
static void test_framing(void **state)
{
	static const char one[] = CALL("Count", ""),
			  two[] = CALL("Count", "") "\0" CALL("Flush", "");
	struct fixture *f = *state;

	service_fill(&f->s, 3);
	for (size_t i = 0; i < sizeof(one); i++) {
		assert_null(service_next(&f->s, f->fd, &f->in));
		assert_int_equal(service_send(f->fd, one + i, 1), 1);
	}
	json_t *reply = expect(f, NULL);
	assert_int_equal(integer(reply, "count"), 3);
	assert_int_equal(integer(reply, "max"), SERVICE_FLOWS);
	json_decref(reply);

	service_send(f->fd, two, sizeof(two));
	json_decref(expect(f, NULL));
	reply = expect(f, NULL);
	assert_int_equal(integer(reply, "deleted"), 3);
	json_decref(reply);
	service_run(&f->s);
	assert_int_equal(f->s.told, 1);
	assert_int_equal(f->s.deleted, 3);
}

static void test_garbage(void **state)
{
	static const char *const bad[] = {"",
					  "{}",
					  "[]",
					  "7",
					  "\"x\"",
					  "{\"method\":1}",
					  "{\"method\":\"a.b\",\"parameters\":[]}",
					  "{\"method\":\"a.b\",\"method\":\"a.b\"}",
					  "{\"method\":\"\xff\"}"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		service_ask(f->fd, bad[i]);
		expect_closed(f);
		close(f->fd);
		f->fd = service_connect(&f->s);
		f->in = (struct inbox){};
	}
}

/* The longest request is one byte shorter than what ends the connection. */
static void test_longest_request(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(CTL_MESSAGE_MAX + 1);
	int n = snprintf(text, CTL_MESSAGE_MAX, "{\"method\":\"io.ctmark.Manager.Count\",\"x\":\"");

	memset(text + n, 'x', (size_t)(CTL_MESSAGE_MAX - n));
	memcpy(text + CTL_MESSAGE_MAX - 3, "\"}", 3);
	service_send(f->fd, text, CTL_MESSAGE_MAX);
	json_decref(expect(f, NULL));

	memset(text, ' ', CTL_MESSAGE_MAX);
	service_send(f->fd, text, CTL_MESSAGE_MAX);
	expect_closed(f);
	free(text);
}

static void test_errors(void **state)
{
	static const char *const cases[][2] = {
		{"{\"method\":\"x\"}", "org.varlink.service.InterfaceNotFound"},
		{"{\"method\":\"io.ctmark.Manager.list\"}", "org.varlink.service.MethodNotFound"},
		{CALL("List", ""), "org.varlink.service.ExpectedMore"},
		{CALL("Count", ",\"parameters\":{\"x\":1}"),
		 "org.varlink.service.InvalidParameter"},
		{CALL("Count", ",\"upgrade\":true"), "org.varlink.service.InvalidParameter"},
		{CALL("Get", ""), "org.varlink.service.InvalidParameter"},
		{CALL("Get", ",\"parameters\":{\"flow\":[]}"),
		 "org.varlink.service.InvalidParameter"},
		{CALL("Get", ",\"parameters\":{\"flow\":\"0000000000000001\"}"),
		 "io.ctmark.Manager.NoSuchFlow"},
		{CALL("Delete", ""), "org.varlink.service.InvalidParameter"},
		{CALL("Delete", ",\"parameters\":{\"filter\":{}}"), "io.ctmark.Manager.BadFilter"},
		{CALL("SetLogLevel", ",\"parameters\":{\"level\":\"x\"}"),
		 "io.ctmark.Manager.BadValue"},
		{CALL("Explain", ",\"more\":true,\"parameters\":{\"filter\":{},\"limit\":0}"),
		 "org.varlink.service.InvalidParameter"},
		{CALL("Count", ",\"parameters\":{\"\":1}"), "org.varlink.service.InvalidParameter"},
		{CALL("GetStatus", ",\"parameters\":{\"\":1}"),
		 "org.varlink.service.InvalidParameter"},
		{CALL("Explain",
		      ",\"more\":true,\"parameters\":{\"filter\":{},\"filter limit\":1}"),
		 "org.varlink.service.InvalidParameter"},
		{CALL("Explain", ",\"more\":true,\"parameters\":{\"filter\":{},\"limi\":1}"),
		 "org.varlink.service.InvalidParameter"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		service_ask(f->fd, cases[i][0]);
		json_decref(expect(f, cases[i][1]));
	}
}

/* Nothing is answered, but it is done, even if the client does not stay. */
static void test_oneway(void **state)
{
	struct fixture *f = *state;

	service_fill(&f->s, 10);
	service_ask(f->fd, CALL("Count", ",\"oneway\":true"));
	service_ask(f->fd, CALL("GetStatus", ",\"oneway\":true"));
	assert_null(service_next(&f->s, f->fd, &f->in));
	assert_false(f->in.closed);
	service_ask(f->fd, CALL("Flush", ",\"oneway\":true"));
	close(f->fd);
	service_run(&f->s);
	assert_int_equal(ct_count(f->s.ct), 0);
	assert_int_equal(ctl_server_clients(f->s.server), 0);
	f->fd = service_connect(&f->s);
}

/* Who shuts its sending side down still gets its answers. */
static void test_half_closed(void **state)
{
	struct fixture *f = *state;

	service_ask(f->fd, CALL("GetStatus", ""));
	shutdown(f->fd, SHUT_WR);
	json_decref(expect(f, NULL));
	expect_closed(f);
}

static void test_answer_for_nobody(void **state)
{
	struct fixture *f = *state;

	f->s.silent = true;
	service_ask(f->fd, CALL("GetStatus", ""));
	service_run(&f->s);
	close(f->fd);
	service_run(&f->s);
	assert_int_equal(ctl_server_clients(f->s.server), 0);
	f->s.silent = false;
	service_run(&f->s);
	f->fd = service_connect(&f->s);
	service_ask(f->fd, CALL("GetTotals", ""));
	json_decref(expect(f, NULL));
}

static void test_too_many(void **state)
{
	struct fixture *f = *state;
	int fds[CTL_CLIENTS_MAX];
	struct inbox *in = calloc(1, sizeof(*in));
	json_t *reply;

	for (size_t i = 0; i < CTL_CLIENTS_MAX - 1; i++)
		fds[i] = service_connect(&f->s);
	assert_int_equal(ctl_server_clients(f->s.server),
			 geteuid() ? CTL_CLIENTS_PER_USER : CTL_CLIENTS_MAX);
	fds[CTL_CLIENTS_MAX - 1] = service_connect(&f->s);
	reply = service_next(&f->s, fds[CTL_CLIENTS_MAX - 1], in);
	assert_string_equal(json_string_value(json_object_get(reply, "error")),
			    "io.ctmark.Manager.Busy");
	json_decref(reply);
	assert_null(service_next(&f->s, fds[CTL_CLIENTS_MAX - 1], in));
	for (size_t i = 0; i < CTL_CLIENTS_MAX; i++)
		close(fds[i]);
	service_run(&f->s);
	assert_int_equal(ctl_server_clients(f->s.server), 1);
	free(in);
}

/* An incomplete request ends the connection after a while; one that has not begun does not. */
static void test_stall(void **state)
{
	const uint64_t limit_usec = 20000, begin_ns = clock_now_ns();
	struct fixture *f = calloc(1, sizeof(*f));
	struct inbox *in = calloc(1, sizeof(*in));
	int half;

	service_init_with(&f->s, -1, limit_usec);
	f->fd = service_connect(&f->s);
	half = service_connect(&f->s);
	service_ask(half, CALL("Count", ""));
	service_send(half, "{", 1);
	json_decref(service_next(&f->s, half, in));
	while (!in->closed && clock_now_ns() - begin_ns < 60 * NS_PER_S) {
		assert_null(service_next(&f->s, half, in));
		usleep(1000);
	}
	assert_true(in->closed);
	assert_true(clock_now_ns() - begin_ns >= limit_usec * 1000);
	service_ask(f->fd, CALL("Count", ""));
	json_decref(expect(f, NULL));
	close(half);
	free(in);
	*state = f;
	teardown(state);
}

/* A queue of those who want to connect is nothing that others wait for. */
static void test_crowd_at_the_door(void **state)
{
	enum { CROWD = 100, ENOUGH = 20 };
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(addr.sun_family); /* the kernel chooses a name */
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct fixture *f = calloc(1, sizeof(*f));
	int fds[CROWD];

	assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(listener, CROWD), 0);
	len = sizeof(addr);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	service_init_with(&f->s, listener, 0);
	f->fd = service_connect(&f->s);
	for (int i = 0; i < CROWD; i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		assert_int_equal(connect(fds[i], (struct sockaddr *)&addr, len), 0);
	}
	service_ask(f->fd, CALL("Count", ""));
	for (int i = 0; i < ENOUGH; i++)
		(void)sd_event_run(ctl_server_event(f->s.server), 0);
	assert_true(recv(f->fd, f->in.buf, sizeof(f->in.buf), MSG_DONTWAIT) > 0);
	for (int i = 0; i < CROWD; i++)
		close(fds[i]);
	*state = f;
	teardown(state);
	close(listener);
}

static json_t *wait_reply(struct fixture *f)
{
	for (;;) {
		json_t *reply = service_next(&f->s, f->fd, &f->in);

		if (reply)
			return reply;
		assert_false(f->in.closed);
		usleep(1000);
	}
}

/* However often it is asked, the main thread has nine tenths of its time for itself. */
static void test_main_thread_is_left_alone(void **state)
{
	enum { ROUNDS = 4 };
	struct fixture *f = *state;
	uint64_t begin_ns = clock_now_ns();

	f->s.took_ns = 3 * NS_PER_MS;
	for (int i = 0; i <= ROUNDS; i++) {
		service_ask(f->fd, CALL("GetTotals", ""));
		json_decref(wait_reply(f));
	}
	assert_true(clock_now_ns() - begin_ns >= ROUNDS * 9 * f->s.took_ns);
	assert_int_equal(f->s.answered, ROUNDS + 1);
}

/* Those who ask and leave, again and again, cost it nothing. */
static void test_questions_of_nobody(void **state)
{
	struct fixture *f = *state;
	uint64_t begin_ns;
	unsigned int more;

	f->s.took_ns = NS_PER_S; /* the longest pause */
	do {
		service_ask(f->fd, CALL("GetTotals", ""));
		json_decref(wait_reply(f));
		begin_ns = clock_now_ns();
		f->s.answered = 0;
		for (int i = 0; i < 20; i++) {
			int fd = service_connect(&f->s);

			service_ask(fd, CALL("GetConfig", ""));
			service_run(&f->s);
			close(fd);
			service_run(&f->s);
		}
		more = f->s.answered; /* all in the pause, if this machine was quick enough */
	} while (clock_now_ns() - begin_ns > CTL_ASKING_PAUSE_MAX_NS / 2);
	assert_int_equal(more, 0);
	service_ask(f->fd, CALL("GetTotals", ""));
	json_decref(wait_reply(f));
	assert_int_equal(f->s.answered, 1);
}

/* Replies that nobody reads: no more of them are made, and the other client has its turn. */
static void test_deaf(void **state)
{
	struct fixture *f = *state;
	int deaf = service_connect(&f->s);
	size_t asked = 0;

	for (int i = 0; i < 200; i++) {
		for (int j = 0; j < 50; j++)
			asked += service_send(deaf, CALL("GetTotals", ""),
					      sizeof(CALL("GetTotals", ""))) > 0;
		service_run(&f->s);
	}
	assert_true(asked < 5000); /* it was not read any more */
	service_ask(f->fd, CALL("Count", ""));
	json_decref(expect(f, NULL));
	close(deaf);
	service_run(&f->s);
	assert_int_equal(ctl_server_clients(f->s.server), 1);
}

static void test_list_and_get(void **state)
{
	struct fixture *f = *state;
	json_t *reply, *flow, *flows;
	size_t n = 0, i;
	char text[128];
	bool more = true;

	service_fill(&f->s, 150);
	service_ask(f->fd, CALL("List", ",\"more\":true"));
	while (more) {
		reply = expect(f, NULL);
		more = json_is_true(json_object_get(reply, "continues"));
		flows = json_object_get(json_object_get(reply, "parameters"), "flows");
		json_array_foreach(flows, i, flow)
		{
			assert_string_equal(json_string_value(json_object_get(flow, "proto")),
					    "udp");
			assert_int_equal(json_integer_value(json_object_get(flow, "dport")), 53);
			snprintf(text, sizeof(text),
				 CALL("Get", ",\"parameters\":{\"flow\":\"%s\"}"),
				 json_string_value(json_object_get(flow, "flow")));
		}
		n += json_array_size(flows);
		json_decref(reply);
	}
	assert_int_equal(n, 150);
	service_ask(f->fd, text);
	json_decref(expect(f, NULL));
	service_ask(f->fd, CALL("Explain",
				",\"more\":true,\"parameters\":{\"filter\":{\"sport\":\"7\"}}"));
	reply = expect(f, NULL); /* the packet that belongs to nothing */
	assert_non_null(json_object_get(json_object_get(reply, "parameters"), "explanation"));
	assert_null(json_object_get(reply, "continues"));
	json_decref(reply);
}

/* What waits to be confirmed is in no list, and is not counted either. */
static void test_count_is_of_the_list(void **state)
{
	static const char *const asked[] = {
		CALL("Count", ""),
		CALL("Count", ",\"parameters\":{\"filter\":{\"proto\":\"udp\"}}")};
	struct fixture *f = *state;

	service_fill(&f->s, 3);
	f->s.cfg.confirm = CT_CONFIRM_EXIT;
	service_fill(&f->s, 5); /* three of them are known */
	assert_int_equal(ct_count(f->s.ct), 5);
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		service_ask(f->fd, asked[i]);
		json_t *reply = expect(f, NULL);
		assert_int_equal(integer(reply, "count"), 3);
		json_decref(reply);
	}
}

static json_t *explain_tcp(struct fixture *f)
{
	json_t *reply, *tcp;

	service_ask(f->fd, CALL("Explain",
				",\"more\":true,\"parameters\":{\"filter\":{\"proto\":\"tcp\"}}"));
	reply = expect(f, NULL);
	tcp = json_object_get(json_object_get(json_object_get(reply, "parameters"), "explanation"),
			      "tcp");
	assert_true(json_is_object(tcp));
	json_incref(tcp);
	json_decref(reply);
	json_decref(expect(f, NULL));
	return tcp;
}

/* Before the answer nothing is known of the other side but what it may acknowledge. */
static void test_explain_syn(void **state)
{
	struct fixture *f = *state;
	json_t *tcp, *original, *reply;
	struct pk p;

	pk_tcp(&p, CT_AF_INET, 1, 2, 1000, 80, PK_SYN, 99, 0);
	service_track(&f->s, &p);
	tcp = explain_tcp(f);
	original = json_object_get(tcp, "original");
	reply = json_object_get(tcp, "reply");
	assert_true(json_is_false(json_object_get(tcp, "liberal")));
	assert_int_equal(json_integer_value(json_object_get(original, "seq_max")), 100);
	assert_null(json_object_get(reply, "seq_min"));
	assert_null(json_object_get(reply, "seq_max"));
	assert_int_equal(json_integer_value(json_object_get(reply, "ack_max")), 100);
	json_decref(tcp);

	/* and that is checked: the answer acknowledges what was not sent */
	pk_tcp(&p, CT_AF_INET, 2, 1, 80, 1000, PK_SYN | PK_ACK, 500, 101);
	service_track(&f->s, &p);
	assert_int_equal(f->s.worker.stats.info[CT_INFO_INVALID], 1);
}

/* A connection that was met in its middle: its bounds are shown, but reject nothing. */
static void test_explain_middle(void **state)
{
	struct fixture *f = *state;
	struct pk p;
	json_t *tcp;

	pk_tcp(&p, CT_AF_INET, 1, 2, 1000, 80, PK_ACK, 99, 1);
	service_track(&f->s, &p);
	pk_tcp(&p, CT_AF_INET, 2, 1, 80, 1000, PK_ACK, 1, 99);
	service_track(&f->s, &p);
	tcp = explain_tcp(f);
	assert_true(json_is_true(json_object_get(tcp, "liberal")));
	json_decref(tcp);
	pk_tcp(&p, CT_AF_INET, 1, 2, 1000, 80, PK_ACK, 0x40000000, 1);
	service_track(&f->s, &p);
	assert_int_equal(f->s.worker.stats.info[CT_INFO_INVALID], 0);
}

/* ---- transitions ---- */

static void wait_hold(struct fixture *f)
{
	uint64_t until = clock_now_ns() + 60 * NS_PER_MS;

	while (clock_now_ns() < until) {
		usleep(2000);
		service_run(&f->s);
	}
}

static json_t *next_events(struct fixture *f)
{
	uint64_t until = clock_now_ns() + 10 * NS_PER_S;

	while (clock_now_ns() < until) {
		json_t *reply = service_next(&f->s, f->fd, &f->in);

		if (reply)
			return reply;
		usleep(2000);
	}
	fail_msg("no events");
	return NULL;
}

static size_t nevents(json_t *reply)
{
	return json_array_size(json_object_get(json_object_get(reply, "parameters"), "events"));
}

/* Events of the next replies, which may be several: a turn takes what is old enough. */
static void expect_events(struct fixture *f, size_t n, long long sequence)
{
	for (size_t got = 0; got < n;) {
		json_t *reply = next_events(f);

		assert_int_equal(integer(reply, "sequence"), sequence + (long long)got);
		assert_true(json_is_true(json_object_get(reply, "continues")));
		assert_null(json_object_get(json_object_get(reply, "parameters"), "lost"));
		assert_in_range(nevents(reply), 1, n - got);
		got += nevents(reply);
		json_decref(reply);
	}
}

static void test_events(void **state)
{
	struct fixture *f = *state;
	json_t *reply;

	service_push(&f->s, CT_EVENT_NEW, 1); /* before: not told */
	service_ask(
		f->fd,
		CALL("Events", ",\"more\":true,\"parameters\":{\"events\":[\"new\",\"destroy\"]}"));
	reply = expect(f, NULL);
	assert_int_equal(nevents(reply), 0);
	json_decref(reply);
	service_push(&f->s, CT_EVENT_NEW, 2);
	service_push(&f->s, CT_EVENT_REPLY, 2);
	service_push(&f->s, CT_EVENT_DESTROY, 2);
	expect_events(f, 2, 0);
	service_push(&f->s, CT_EVENT_NEW, 3);
	expect_events(f, 1, 2);
	close(f->fd);
	service_run(&f->s);
	assert_int_equal(ctl_server_clients(f->s.server), 0);
	service_push(&f->s, CT_EVENT_NEW, 4); /* nobody is told */
	f->fd = service_connect(&f->s);
}

/* What fills replies to the last place goes out like anything else. */
static void test_full_replies(void **state)
{
	enum { FULL = 64 };
	struct fixture *f = *state;
	long long sequence = 0;

	service_ask(f->fd, CALL("Events", ",\"more\":true"));
	json_decref(expect(f, NULL));
	for (int replies = 1; replies <= 3; replies++) {
		for (int i = 0; i < replies * FULL; i++)
			service_push(&f->s, CT_EVENT_NEW, 1);
		usleep(5000); /* all are old enough for one turn */
		expect_events(f, (size_t)replies * FULL, sequence);
		sequence += replies * FULL;
	}
}

/* What the ring and the client had no room for, and what they got, is all that there was. */
static void test_lost(void **state)
{
	enum { TOTAL = 60000 };
	struct fixture *f = *state;
	size_t got = 0;
	long long lost = 0, at = 0;
	json_t *reply;

	service_ask(f->fd, CALL("Events", ",\"more\":true"));
	json_decref(expect(f, NULL));
	for (int i = 0; i < TOTAL; i++) {
		service_push(&f->s, CT_EVENT_NEW, 1);
		if (i % 1000 == 0)
			wait_hold(f);
		if (i == TOTAL / 2)
			for (int j = 0; j < 20000; j++, i++)
				service_push(&f->s, CT_EVENT_NEW, 1);
	}
	while (got + (size_t)lost < TOTAL) {
		reply = next_events(f);
		assert_true(integer(reply, "sequence") >= at);
		at = integer(reply, "sequence") + (long long)nevents(reply);
		got += nevents(reply);
		if (json_object_get(json_object_get(reply, "parameters"), "lost"))
			lost += integer(reply, "lost");
		json_decref(reply);
	}
	assert_int_equal(got + (size_t)lost, TOTAL);
	assert_true(lost > 0 && got > 0);
	assert_int_equal(ctl_server_lost(f->s.server), lost);
}

/* What found no room is lost for those who asked for its class, and for nobody else. */
static void test_lost_by_others(void **state)
{
	enum { TOTAL = 40000 }; /* more than a ring takes */
	struct fixture *f = *state;
	json_t *reply;

	service_ask(f->fd,
		    CALL("Events", ",\"more\":true,\"parameters\":{\"events\":[\"destroy\"]}"));
	json_decref(expect(f, NULL));
	for (int i = 0; i < TOTAL; i++)
		service_push(&f->s, CT_EVENT_NEW, 1);
	wait_hold(f);
	service_push(&f->s, CT_EVENT_DESTROY, 1);
	reply = next_events(f);
	assert_int_equal(nevents(reply), 1);
	assert_null(json_object_get(json_object_get(reply, "parameters"), "lost"));
	json_decref(reply);
	assert_int_equal(ctl_server_lost(f->s.server), 0);
}

static void test_introspection(void **state)
{
	struct fixture *f = *state;
	json_t *reply;

	service_ask(f->fd, "{\"method\":\"org.varlink.service.GetInfo\"}");
	json_decref(expect(f, NULL));
	service_ask(f->fd, "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
			   "\"parameters\":{\"interface\":\"io.ctmark.Manager\"}}");
	reply = expect(f, NULL);
	assert_non_null(strstr(json_string_value(json_object_get(
				       json_object_get(reply, "parameters"), "description")),
			       "\ninterface io.ctmark.Manager\n"));
	json_decref(reply);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_framing),
		TEST(test_garbage),
		TEST(test_longest_request),
		TEST(test_errors),
		TEST(test_oneway),
		TEST(test_half_closed),
		TEST(test_answer_for_nobody),
		TEST(test_too_many),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_crowd_at_the_door),
		TEST(test_main_thread_is_left_alone),
		TEST(test_questions_of_nobody),
		TEST(test_deaf),
		TEST(test_list_and_get),
		TEST(test_count_is_of_the_list),
		TEST(test_explain_syn),
		TEST(test_explain_middle),
		TEST(test_events),
		TEST(test_full_replies),
		TEST(test_lost),
		TEST(test_lost_by_others),
		TEST(test_introspection),
	};

	return cmocka_run_group_tests_name("ctl/server", tests, NULL, NULL);
}
