/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The sender of the benchmark: IPv4 packets of as many flows as one likes, as whole frames on a
 * packet socket, so that a million flows take no million sockets.
 *
 *	blast --interface IF --mac MAC --to ADDRESS [--port N] [--flows N] [--first N]
 *	      [--order cycle|scramble] [--syn] [--payload BYTES] [--rate PPS] [--burst N]
 *	      [--packets N] [--seconds S]
 *
 * Flow i has a source address and a source port of its own; the addresses are those set aside for
 * benchmarks, 198.18.0.0/15. "cycle" takes the flows in turn, "scramble" each of them once in an
 * order without any pattern, and again. Without --rate packets leave as fast as they can. It stops
 * after so many packets or seconds, whatever comes first, and prints what it did as JSON.
 *
 * Checksums of the transport are left to the device, as they are for packets of a local socket:
 * behind a veth nobody has to compute or to verify them.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define BURST_MAX   64
#define PAYLOAD_MAX 1400
#define SECONDS_MAX 600
#define NET	    UINT32_C(0xc6120000) /* 198.18.0.0/15 */
#define NET_HOSTS   (UINT32_C(1) << 17)
#define PORT_MIN    1024
#define SEND_BUFFER (64 << 20)

struct frame {
	struct virtio_net_hdr offload;
	struct ethhdr eth;
	struct iphdr ip;
	union {
		struct udphdr udp;
		struct tcphdr tcp;
	};
	uint8_t payload[PAYLOAD_MAX];
} __attribute__((packed));

struct arguments {
	const char *interface;
	uint8_t mac[ETH_ALEN];
	struct in_addr to;
	uint16_t port;
	uint64_t flows, first;
	bool scramble, syn;
	size_t payload;
	uint64_t rate, packets;
	unsigned int burst;
	double seconds;
};

struct blast {
	struct arguments arg;
	int fd;
	uint64_t next;	 /* flow, below arg.flows */
	uint64_t state;	 /* of the scrambled order */
	uint64_t mask;	 /* of the state: the next power of two above arg.flows, less one */
	uint32_t ip_sum; /* of a header without source address and checksum */
	struct frame *frame;
	struct iovec iov[BURST_MAX];
	struct mmsghdr msg[BURST_MAX];
	uint64_t sent, busy;
};

/* --- frames ----------------------------------------------------------------------------------- */

static uint32_t sum_words(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static size_t transport_len(const struct arguments *arg)
{
	return arg->syn ? sizeof(struct tcphdr) : sizeof(struct udphdr) + arg->payload;
}

static void fill_transport(struct frame *f, const struct arguments *arg)
{
	f->offload.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	f->offload.csum_start = sizeof(f->eth) + sizeof(f->ip);
	if (arg->syn) {
		f->offload.csum_offset = offsetof(struct tcphdr, check);
		f->tcp.dest = htons(arg->port);
		f->tcp.doff = sizeof(f->tcp) / 4;
		f->tcp.syn = 1;
		f->tcp.window = htons(64240);
	} else {
		f->offload.csum_offset = offsetof(struct udphdr, check);
		f->udp.dest = htons(arg->port);
		f->udp.len = htons((uint16_t)transport_len(arg));
	}
}

static void fill_frame(struct frame *f, const struct arguments *arg)
{
	memcpy(f->eth.h_dest, arg->mac, ETH_ALEN);
	f->eth.h_source[0] = 2;
	f->eth.h_proto = htons(ETH_P_IP);
	f->ip.version = 4;
	f->ip.ihl = sizeof(f->ip) / 4;
	f->ip.tot_len = htons((uint16_t)(sizeof(f->ip) + transport_len(arg)));
	f->ip.frag_off = htons(IP_DF);
	f->ip.ttl = 64;
	f->ip.protocol = arg->syn ? IPPROTO_TCP : IPPROTO_UDP;
	f->ip.daddr = arg->to.s_addr;
	fill_transport(f, arg);
}

/* What tells one flow from another. */
static void set_flow(const struct blast *b, struct frame *f, uint64_t flow)
{
	uint32_t source = NET + (uint32_t)(flow % NET_HOSTS);
	uint64_t ports = UINT16_MAX + 1 - PORT_MIN;
	uint16_t port = htons((uint16_t)(PORT_MIN + flow / NET_HOSTS % ports));

	f->ip.saddr = htonl(source);
	f->ip.check = htons((uint16_t)~fold(b->ip_sum + (source >> 16) + (source & 0xffff)));
	if (b->arg.syn) {
		f->tcp.source = port;
		f->tcp.seq = htonl((uint32_t)(flow * 2654435761U));
	} else {
		f->udp.source = port;
	}
}

/* --- the order of flows ----------------------------------------------------------------------- */

/* A generator that visits each number below a power of two once; those beyond are passed over. */
static uint64_t scrambled(struct blast *b)
{
	do {
		b->state = (b->state * 1664525 + 1013904223) & b->mask;
	} while (b->state >= b->arg.flows);
	return b->state;
}

static uint64_t next_flow(struct blast *b)
{
	uint64_t flow = b->next;

	if (b->arg.scramble)
		return b->arg.first + scrambled(b);
	b->next = flow + 1 < b->arg.flows ? flow + 1 : 0;
	return b->arg.first + flow;
}

/* --- sending ---------------------------------------------------------------------------------- */

static int open_socket(const struct arguments *arg)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	int on = 1, size = SEND_BUFFER, fd, e;

	fd = socket(AF_PACKET, SOCK_RAW, 0); /* no protocol: nothing is to be received */
	if (fd < 0)
		return -errno;
	to.sll_ifindex = (int)if_nametoindex(arg->interface);
	if (to.sll_ifindex == 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0 ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		e = -errno;
		close(fd);
		return e;
	}
	return fd;
}

static int start(struct blast *b)
{
	size_t len = offsetof(struct frame, udp) + transport_len(&b->arg);

	b->fd = open_socket(&b->arg);
	if (b->fd < 0)
		return b->fd;
	b->frame = calloc(BURST_MAX, sizeof(*b->frame));
	if (!b->frame)
		return -ENOMEM;
	for (unsigned int i = 0; i < BURST_MAX; i++) {
		fill_frame(&b->frame[i], &b->arg);
		b->iov[i] = (struct iovec){&b->frame[i], len};
		b->msg[i].msg_hdr = (struct msghdr){.msg_iov = &b->iov[i], .msg_iovlen = 1};
	}
	b->ip_sum = sum_words(&b->frame[0].ip, sizeof(b->frame[0].ip));
	for (b->mask = 1; b->mask < b->arg.flows; b->mask <<= 1)
		;
	b->mask--;
	prctl(PR_SET_TIMERSLACK, 1);
	return 0;
}

static void wait_until(uint64_t when_ns)
{
	struct timespec until = clock_to_timespec(when_ns);

	if (when_ns > clock_now_ns())
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* What the device does not take is not tried again. */
static void send_burst(struct blast *b, unsigned int count)
{
	unsigned int done = 0;
	int n;

	for (unsigned int i = 0; i < count; i++)
		set_flow(b, &b->frame[i], next_flow(b));
	while (done < count) {
		n = sendmmsg(b->fd, b->msg + done, count - done, 0);
		if (n > 0)
			b->sent += (unsigned int)n;
		else
			b->busy++;
		done += n > 0 ? (unsigned int)n : 1;
	}
}

/* The processor time of this process; what the kernel does with a packet on its way is in it. */
static uint64_t own_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void run(struct blast *b)
{
	const struct arguments *arg = &b->arg;
	uint64_t begin = clock_now_ns(), end = begin + (uint64_t)(arg->seconds * 1e9), now = begin;
	uint64_t tried = 0, cpu = own_ns();

	while (tried < arg->packets && now < end) {
		uint64_t left = arg->packets - tried;
		unsigned int count = left < arg->burst ? (unsigned int)left : arg->burst;

		if (arg->rate)
			wait_until(begin + (uint64_t)((double)tried * 1e9 / (double)arg->rate));
		send_burst(b, count);
		tried += count;
		now = clock_now_ns();
	}
	printf("{\"sent\": %" PRIu64 ", \"busy\": %" PRIu64 ", \"begin_ns\": %" PRIu64
	       ", \"end_ns\": %" PRIu64 ", \"cpu_ns\": %" PRIu64 "}\n",
	       b->sent, b->busy, begin, now, own_ns() - cpu);
}

/* --- arguments -------------------------------------------------------------------------------- */

static bool parse_mac(const char *text, uint8_t mac[static ETH_ALEN])
{
	unsigned int b[ETH_ALEN];

	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != ETH_ALEN)
		return false;
	for (int i = 0; i < ETH_ALEN; i++)
		mac[i] = (uint8_t)b[i];
	return true;
}

static bool set_option(struct arguments *arg, int option)
{
	switch (option) {
	case 'i':
		arg->interface = optarg;
		return true;
	case 'm':
		return parse_mac(optarg, arg->mac);
	case 't':
		return inet_pton(AF_INET, optarg, &arg->to) == 1;
	case 'd':
		arg->port = (uint16_t)atoi(optarg);
		return true;
	case 'f':
		arg->flows = strtoull(optarg, NULL, 10);
		return arg->flows > 0;
	case 'F':
		arg->first = strtoull(optarg, NULL, 10);
		return true;
	case 'o':
		arg->scramble = strcmp(optarg, "scramble") == 0;
		return arg->scramble || strcmp(optarg, "cycle") == 0;
	case 's':
		arg->syn = true;
		return true;
	case 'l':
		arg->payload = strtoul(optarg, NULL, 10);
		return arg->payload <= PAYLOAD_MAX;
	case 'r':
		arg->rate = strtoull(optarg, NULL, 10);
		return true;
	case 'b':
		arg->burst = (unsigned int)atoi(optarg);
		return arg->burst > 0 && arg->burst <= BURST_MAX;
	case 'n':
		arg->packets = strtoull(optarg, NULL, 10);
		return true;
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
		{"interface", required_argument, NULL, 'i'},
		{"mac", required_argument, NULL, 'm'},
		{"to", required_argument, NULL, 't'},
		{"port", required_argument, NULL, 'd'},
		{"flows", required_argument, NULL, 'f'},
		{"first", required_argument, NULL, 'F'},
		{"order", required_argument, NULL, 'o'},
		{"syn", no_argument, NULL, 's'},
		{"payload", required_argument, NULL, 'l'},
		{"rate", required_argument, NULL, 'r'},
		{"burst", required_argument, NULL, 'b'},
		{"packets", required_argument, NULL, 'n'},
		{"seconds", required_argument, NULL, 'S'},
		{},
	};
	int option;

	*arg = (struct arguments){.port = 9,
				  .flows = 256,
				  .payload = 64,
				  .packets = UINT64_MAX,
				  .burst = BURST_MAX,
				  .seconds = SECONDS_MAX};
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!set_option(arg, option))
			return false;
	return arg->interface && arg->to.s_addr && optind == argc;
}

int main(int argc, char **argv)
{
	_cleanup_free_ struct blast *b = calloc(1, sizeof(*b));
	int e;

	if (!b || !parse(&b->arg, argc, argv)) {
		fputs("blast: wrong arguments; the head of blast.c explains them\n", stderr);
		return 2;
	}
	e = start(b);
	if (e < 0)
		fprintf(stderr, "blast: %s: %s\n", b->arg.interface, strerror(-e));
	else
		run(b);
	free(b->frame);
	return e < 0;
}
