/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What ctmarkd is compared with: the same input and output, and nothing between.
 *
 *	nothing [--queues FIRST-LAST] [--cpus A,B,...] [--mark VALUE]
 *
 * One thread for each queue takes what comes in batches and accepts every packet with a constant
 * mark. The queues are set up as ctmarkd would without a configuration, and the threads have the
 * names of its workers. Says "ready" when it is, ends by SIGTERM or SIGINT, and then prints its
 * counts as JSON.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "io/nfqueue.h"
#include "util/cleanup.h"
#include "util/thread.h"

#define QUEUES_MAX 16
#define WAIT_MS	   1000

struct loop {
	struct source *source;
	pthread_t thread;
	unsigned int queue;
	uint32_t mark;
	bool running;
	_Atomic bool stop;
	int error;
	uint64_t packets;
	struct packet batch[SOURCE_BATCH_MAX];
};

struct arguments {
	unsigned int first, last;
	cpu_set_t cpus;
	bool pinned;
	uint32_t mark;
};

static int pass(struct loop *l, int timeout_ms)
{
	const struct source_ops *ops = l->source->ops;
	int n = ops->receive(l->source, l->batch, timeout_ms);

	for (int i = 0; i < n; i++)
		ops->verdict(l->source, &l->batch[i], VERDICT_ACCEPT, true, l->mark);
	(void)ops->flush(l->source);
	l->packets += n > 0 ? (uint64_t)n : 0;
	return n;
}

static void *loop_main(void *arg)
{
	struct loop *l = arg;
	char name[16];
	int n = 0;

	snprintf(name, sizeof(name), "queue-%u", l->queue);
	pthread_setname_np(pthread_self(), name);
	while (n >= 0 && !atomic_load_explicit(&l->stop, memory_order_relaxed))
		n = pass(l, WAIT_MS);
	l->error = n < 0 ? n : 0;
	return NULL;
}

static int nth_cpu(const cpu_set_t *cpus, unsigned int n)
{
	n %= (unsigned int)CPU_COUNT(cpus);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, cpus) && n-- == 0)
			return cpu;
	return -1;
}

static int start_thread(struct loop *l, const struct arguments *arg)
{
	pthread_attr_t attr;
	cpu_set_t cpu;
	int r;

	pthread_attr_init(&attr);
	if (arg->pinned) {
		CPU_ZERO(&cpu);
		CPU_SET(nth_cpu(&arg->cpus, l->queue - arg->first), &cpu);
		pthread_attr_setaffinity_np(&attr, sizeof(cpu), &cpu);
	}
	r = thread_start(&l->thread, &attr, loop_main, l);
	pthread_attr_destroy(&attr);
	l->running = r == 0;
	return r;
}

static int start(struct loop *l, const struct arguments *arg, unsigned int queue)
{
	struct nfqueue_params params = {.queue = (uint16_t)queue, .fd = -1};
	struct nfqueue_grant grant;
	struct conf conf;
	int r;

	conf_init(&conf);
	params.config.max_packets = conf.queue_max_packets;
	params.config.copy_range = conf_copy_range(&conf);
	params.config.receive_buffer = conf.queue_receive_buffer;
	l->queue = queue;
	l->mark = arg->mark;
	r = nfqueue_open(&l->source, &params, &grant);
	return r < 0 ? r : start_thread(l, arg);
}

static void wait_for_signal(const sigset_t *set)
{
	int number;

	puts("ready");
	fflush(stdout);
	sigwait(set, &number);
}

static void stop(struct loop *l)
{
	if (l->running) {
		atomic_store(&l->stop, true);
		l->source->ops->wake(l->source);
		pthread_join(l->thread, NULL);
	}
}

static void say(const struct loop *l)
{
	struct nfqueue_stats stats;

	nfqueue_get_stats(l->source, &stats);
	printf("{\"queue\": %u, \"packets\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"error\": %d}\n",
	       l->queue, l->packets, stats.lost, -l->error);
}

static int run(struct loop *loops, const struct arguments *arg)
{
	unsigned int n = arg->last - arg->first + 1;
	sigset_t set;
	int r = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (unsigned int i = 0; i < n && r == 0; i++)
		r = start(&loops[i], arg, arg->first + i);
	if (r == 0)
		wait_for_signal(&set);
	for (unsigned int i = 0; i < n && loops[i].source; i++) {
		stop(&loops[i]);
		say(&loops[i]);
		loops[i].source->ops->close(loops[i].source);
	}
	return r;
}

static bool parse_cpus(char *text, cpu_set_t *ret)
{
	char *rest = NULL;

	CPU_ZERO(ret);
	for (char *word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
		CPU_SET((size_t)atoi(word), ret);
	return CPU_COUNT(ret) > 0;
}

static bool set_option(struct arguments *arg, int option)
{
	switch (option) {
	case 'q':
		if (sscanf(optarg, "%u-%u", &arg->first, &arg->last) < 2)
			arg->last = arg->first;
		return arg->last >= arg->first && arg->last - arg->first < QUEUES_MAX;
	case 'c':
		arg->pinned = true;
		return parse_cpus(optarg, &arg->cpus);
	case 'm':
		arg->mark = (uint32_t)strtoul(optarg, NULL, 0);
		return true;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"queues", required_argument, NULL, 'q'},
		{"cpus", required_argument, NULL, 'c'},
		{"mark", required_argument, NULL, 'm'},
		{},
	};
	struct loop *loops = calloc(QUEUES_MAX, sizeof(*loops));
	struct arguments arg = {.mark = 0x8};
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!set_option(&arg, option))
			return 2;
	r = loops ? run(loops, &arg) : -ENOMEM;
	if (r < 0)
		fprintf(stderr, "nothing: %s\n", strerror(-r));
	free(loops);
	return r < 0;
}
