/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How long a packet takes from one network namespace to another, one way, many times.
 *
 *	probe --from NETNS --to NETNS --address ADDRESS [--port N] [--sources N] [--rate PPS]
 *	      [--seconds S]
 *
 * Sends small UDP datagrams at an even pace, from so many ports in turn that they are as many
 * flows, and receives them at the address in the other namespace. Both ends read the same clock,
 * before sending and after receiving, in threads of real-time priority where that is allowed, so
 * that other programs do not make a packet look slow.
 *
 * Prints a line for each: when it was sent, by CLOCK_MONOTONIC, and how long it took, or -1 if it
 * did not come; nanoseconds both.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define SOURCES_MAX 512
#define SECONDS_MAX 600
#define LATE_MS	    1000 /* after this a packet is lost */

struct arguments {
	const char *from, *to;
	struct sockaddr_in address;
	unsigned int sources, rate;
	double seconds;
};

struct sample {
	uint64_t sent_ns;
	int64_t took_ns;
};

struct probe {
	struct arguments arg;
	int source[SOURCES_MAX];
	int sink;
	uint32_t nsamples;
	struct sample *samples;
	_Atomic bool done; /* the last was sent */
};

/* --- sockets of other namespaces -------------------------------------------------------------- */

static int enter(const char *netns)
{
	_cleanup_close_ int fd = open(netns, O_RDONLY | O_CLOEXEC);

	return fd < 0 || setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

static int open_sources(struct probe *p)
{
	int r = enter(p->arg.from);

	for (unsigned int i = 0; i < p->arg.sources && r == 0; i++) {
		p->source[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (p->source[i] < 0 || connect(p->source[i], (struct sockaddr *)&p->arg.address,
						sizeof(p->arg.address)) < 0)
			r = -errno;
	}
	return r;
}

static int open_sink(struct probe *p)
{
	struct timeval wait = {.tv_usec = 100000};
	int r = enter(p->arg.to);

	if (r < 0)
		return r;
	p->sink = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (p->sink < 0 || setsockopt(p->sink, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
	    bind(p->sink, (struct sockaddr *)&p->arg.address, sizeof(p->arg.address)) < 0)
		return -errno;
	return 0;
}

/* --- the two ends ----------------------------------------------------------------------------- */

static void hurry(void)
{
	struct sched_param param = {.sched_priority = 1};

	(void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
	prctl(PR_SET_TIMERSLACK, 1);
}

/* Returns true if one came. */
static bool receive_one(struct probe *p)
{
	uint32_t number;
	uint64_t now;

	if (recv(p->sink, &number, sizeof(number), 0) != sizeof(number))
		return false;
	now = clock_now_ns();
	if (number >= p->nsamples)
		return false;
	p->samples[number].took_ns = (int64_t)(now - p->samples[number].sent_ns);
	return true;
}

static void *receive_all(void *arg)
{
	struct probe *p = arg;
	uint64_t end = UINT64_MAX;
	uint32_t came = 0;

	hurry();
	while (came < p->nsamples && clock_now_ns() < end) {
		came += receive_one(p);
		if (end == UINT64_MAX && atomic_load(&p->done))
			end = clock_now_ns() + LATE_MS * NS_PER_MS;
	}
	return NULL;
}

static void send_all(struct probe *p)
{
	uint64_t begin = clock_now_ns(), gap = NS_PER_S / p->arg.rate;

	for (uint32_t i = 0; i < p->nsamples; i++) {
		struct timespec until = clock_to_timespec(begin + i * gap);

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		p->samples[i] = (struct sample){clock_now_ns(), -1};
		(void)send(p->source[i % p->arg.sources], &i, sizeof(i), 0);
	}
}

static int run(struct probe *p)
{
	pthread_t receiver;
	int r;

	p->nsamples = (uint32_t)(p->arg.seconds * p->arg.rate);
	p->samples = calloc(p->nsamples, sizeof(*p->samples));
	if (!p->samples)
		return -ENOMEM;
	r = open_sources(p);
	if (r == 0)
		r = open_sink(p);
	if (r == 0)
		r = -pthread_create(&receiver, NULL, receive_all, p);
	if (r < 0)
		return r;
	hurry();
	send_all(p);
	atomic_store(&p->done, true);
	pthread_join(receiver, NULL);
	for (uint32_t i = 0; i < p->nsamples; i++)
		printf("%" PRIu64 " %" PRId64 "\n", p->samples[i].sent_ns, p->samples[i].took_ns);
	return 0;
}

/* --- arguments -------------------------------------------------------------------------------- */

static bool set_option(struct arguments *arg, int option)
{
	switch (option) {
	case 'f':
		arg->from = optarg;
		return true;
	case 't':
		arg->to = optarg;
		return true;
	case 'a':
		return inet_pton(AF_INET, optarg, &arg->address.sin_addr) == 1;
	case 'd':
		arg->address.sin_port = htons((uint16_t)atoi(optarg));
		return true;
	case 'n':
		arg->sources = (unsigned int)atoi(optarg);
		return arg->sources > 0 && arg->sources <= SOURCES_MAX;
	case 'r':
		arg->rate = (unsigned int)atoi(optarg);
		return arg->rate > 0 && arg->rate <= 100000;
	case 'S':
		arg->seconds = strtod(optarg, NULL);
		return arg->seconds > 0 && arg->seconds <= SECONDS_MAX;
	default:
		return false;
	}
}

static bool parse(struct arguments *arg, int argc, char **argv)
{
	static const struct option options[] = {
		{"from", required_argument, NULL, 'f'},	   {"to", required_argument, NULL, 't'},
		{"address", required_argument, NULL, 'a'}, {"port", required_argument, NULL, 'd'},
		{"sources", required_argument, NULL, 'n'}, {"rate", required_argument, NULL, 'r'},
		{"seconds", required_argument, NULL, 'S'}, {},
	};
	int option;

	*arg = (struct arguments){
		.address = {.sin_family = AF_INET, .sin_port = htons(7)},
		.sources = 256,
		.rate = 2000,
		.seconds = 1,
	};
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!set_option(arg, option))
			return false;
	return arg->from && arg->to && arg->address.sin_addr.s_addr && optind == argc;
}

int main(int argc, char **argv)
{
	_cleanup_free_ struct probe *p = calloc(1, sizeof(*p));
	int r;

	if (!p || !parse(&p->arg, argc, argv)) {
		fputs("probe: wrong arguments; the head of probe.c explains them\n", stderr);
		return 2;
	}
	r = run(p);
	if (r < 0)
		fprintf(stderr, "probe: %s\n", strerror(-r));
	free(p->samples);
	return r < 0;
}
