/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * One queue in the hands of many processes, each killed after some milliseconds.
 *
 *	heirs SECONDS HELD_PERMILLE
 *
 * For a network namespace whose rules send UDP to port 4000 of the loopback device to queue 0. This
 * process plays the service manager: it keeps the socket and the seat, and does not look at
 *packets. It sends numbered datagrams to itself and counts what arrives, while one heir after the
 *other answers the queue until SIGKILL comes. Prints its counts as JSON.
 */

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/seat.h"
#include "io/nfqueue.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define PORT	     4000
#define DATAGRAMS    (UINT32_C(1) << 22)
#define HELD_MAX     64
#define BURST	     16
#define LIFE_MIN_US  1000
#define LIFE_SPAN_US 50000
#define LAST_NS	     (2 * NS_PER_S)

/* What all processes see. */
struct ground {
	_Atomic bool stop, last;
	_Atomic uint32_t sent, received, twice, again, damaged, inherited, resent, adopted, held,
		off;
	_Atomic uint64_t judged, gone, waiting, lost;
	_Atomic uint8_t arrived[DATAGRAMS], judged_id[DATAGRAMS];
};

struct heirs {
	struct ground *ground;
	struct seat seat;
	int queue_fd, receiver;
	unsigned int hold; /* permille */
	unsigned int deaths;
};

static int udp_socket(bool receives)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_port = htons(PORT),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 64 << 20, r;
	struct timeval wait = {.tv_usec = 100 * 1000};

	(void)setsockopt(fd, SOL_SOCKET, receives ? SO_RCVBUFFORCE : SO_SNDBUFFORCE, &size,
			 sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	r = receives ? bind(fd, (void *)&addr, sizeof(addr))
		     : connect(fd, (void *)&addr, sizeof(addr));
	return r < 0 ? -1 : fd;
}

static void *send_all(void *arg)
{
	struct ground *g = arg;
	int fd = udp_socket(false);

	while (!g->stop && g->sent < DATAGRAMS - BURST) {
		for (int i = 0; i < BURST; i++) {
			uint32_t number = g->sent;

			if (send(fd, &number, sizeof(number), 0) == sizeof(number))
				g->sent++;
		}
		usleep(1000);
	}
	close(fd);
	return NULL;
}

static void *receive_all(void *arg)
{
	struct heirs *h = arg;
	struct ground *g = h->ground;
	uint32_t number;

	while (!g->last) {
		if (recv(h->receiver, &number, sizeof(number), 0) != sizeof(number) ||
		    number >= DATAGRAMS)
			continue;
		g->received++;
		g->twice += g->arrived[number]++ > 0;
	}
	return NULL;
}

/* --- heirs ------------------------------------------------------------------------------------ */

static void answer(struct heirs *h, struct source *s, const struct packet *p)
{
	s->ops->verdict(s, p, VERDICT_ACCEPT, true, 8);
	h->ground->judged++;
	h->ground->again += h->ground->judged_id[p->id % DATAGRAMS]++ > 0;
}

static int pass(struct heirs *h, struct source *s, struct packet *held, unsigned int *nheld)
{
	struct packet batch[SOURCE_BATCH_MAX];
	int n = s->ops->receive(s, batch, 20);

	for (int i = 0; i < n; i++) {
		if (*nheld < HELD_MAX && (unsigned int)(rand() % 1000) < h->hold) {
			held[(*nheld)++] = (struct packet){.id = batch[i].id};
			h->ground->held++;
		} else {
			answer(h, s, &batch[i]);
		}
	}
	while (*nheld > 0 && rand() % 4 == 0)
		answer(h, s, &held[--*nheld]);
	(void)s->ops->flush(s);
	return n;
}

static void note_grant(struct ground *g, const struct nfqueue_grant *grant)
{
	g->adopted += grant->adopted;
	g->damaged += grant->damaged;
	g->inherited += grant->inherited;
	g->resent += grant->resent;
}

static struct source *open_queue(struct heirs *h, struct seat *seat, int fd)
{
	struct nfqueue_params params = {
		.fd = fd,
		.desk = seat->desk,
		.config.max_packets = 65536,
		.config.copy_range = 256,
	};
	struct nfqueue_grant grant;
	struct source *s = NULL;
	int r = nfqueue_open(&s, &params, &grant);

	if (r < 0) {
		fprintf(stderr, "heirs: %s\n", strerror(-r));
		_exit(1);
	}
	note_grant(h->ground, &grant);
	return s;
}

/* Lives until it is killed, or until it has had time to answer everything. */
static void be_heir(struct heirs *h)
{
	struct ground *g = h->ground;
	struct packet held[HELD_MAX];
	struct nfqueue_stats stats;
	unsigned int nheld = 0;
	struct source *s;
	struct seat seat;

	srand((unsigned int)clock_now_ns());
	if (seat_adopt(&seat, dup(h->seat.fd), 0) < 0)
		_exit(2);
	s = open_queue(h, &seat, dup(h->queue_fd));
	while (!g->last || nheld > 0) {
		if (pass(h, s, held, &nheld) < 0)
			_exit(3);
		nfqueue_get_stats(s, &stats);
		g->off += stats.off != 0;
	}
	g->gone = stats.gone;
	g->waiting = stats.waiting;
	g->lost = stats.lost;
	_exit(0);
}

static pid_t start_heir(struct heirs *h)
{
	pid_t pid = fork();

	if (pid == 0)
		be_heir(h);
	return pid;
}

/* Returns false if one ended by itself. */
static bool kill_heirs(struct heirs *h, uint64_t until_ns)
{
	int status;

	while (clock_now_ns() < until_ns) {
		pid_t pid = start_heir(h);

		usleep((useconds_t)(LIFE_MIN_US + rand() % LIFE_SPAN_US));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		if (!WIFSIGNALED(status))
			return false;
		h->deaths++;
	}
	return true;
}

static bool last_heir(struct heirs *h)
{
	pid_t pid = start_heir(h);
	int status;

	usleep(LAST_NS / 2000);
	h->ground->stop = true;
	usleep(LAST_NS / 1000);
	h->ground->last = true;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool run(struct heirs *h, unsigned int seconds)
{
	pthread_t sender, receiver;
	struct source *first;
	bool well;

	if (seat_new(&h->seat, 0) < 0)
		return false;
	first = open_queue(h, &h->seat, -1);
	h->queue_fd = dup(nfqueue_fd(first));
	first->ops->close(first);
	h->receiver = udp_socket(true);
	pthread_create(&receiver, NULL, receive_all, h);
	pthread_create(&sender, NULL, send_all, h->ground);
	well = kill_heirs(h, clock_now_ns() + seconds * NS_PER_S) && last_heir(h);
	h->ground->stop = h->ground->last = true;
	pthread_join(sender, NULL);
	pthread_join(receiver, NULL);
	return well;
}

static void say(const struct heirs *h)
{
	const struct ground *g = h->ground;

	printf("{\"deaths\": %u, \"adopted\": %u, \"damaged\": %u, \"sent\": %u, \"received\": %u, "
	       "\"twice\": %u, \"judged\": %" PRIu64 ", \"again\": %u, \"inherited\": %u, "
	       "\"resent\": %u, \"held\": %u, \"gone\": %" PRIu64 ", \"waiting\": %" PRIu64
	       ", \"off\": %u, \"lost\": %" PRIu64 "}\n",
	       h->deaths, g->adopted, g->damaged, g->sent, g->received, g->twice, g->judged,
	       g->again, g->inherited, g->resent, g->held, g->gone, g->waiting, g->off, g->lost);
}

int main(int argc, char **argv)
{
	struct heirs h = {};

	if (argc != 3)
		return 2;
	h.hold = (unsigned int)atoi(argv[2]);
	h.ground = mmap(NULL, sizeof(*h.ground), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (h.ground == MAP_FAILED || !run(&h, (unsigned int)atoi(argv[1]))) {
		fprintf(stderr, "heirs: one ended by itself\n");
		return 1;
	}
	say(&h);
	return 0;
}
