/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How fast does ctmark-replay go through a capture? One JSON object, for tests/bench/run.
 *
 * The capture lies in memory, as a file that was read before does: small packets of established
 * flows. It is replayed for a sink that shows nothing, then the engine judges the same packets
 * out of memory; the one in relation to the other is what reading costs.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/traffic.h"
#include "tools/ctmark-replay/replay.h"

#define FLOWS	 256
#define PACKETS	 3000000u
#define QUICK	 300000u
#define REPEATS	 5
#define STEP_US	 2
#define MAX_ONE	 (1u << 18)
#define ETH_HLEN 14
#define BATCH	 64

struct pcap_file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snaplen, linktype;
};

struct record_header {
	uint32_t s, us, caplen, len;
};

static void die(const char *what)
{
	fprintf(stderr, "replay: %s\n", what);
	exit(1);
}

/* Time of the processor: nothing in here waits, and others work on the machine, too. */
static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * CT_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void write_packet(FILE *f, uint32_t n)
{
	static const uint8_t ethernet[ETH_HLEN] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
	struct traffic_packet p;
	struct record_header h;
	uint64_t us = (uint64_t)n * STEP_US;

	traffic_udp(&p, n, FLOWS);
	h.s = (uint32_t)(us / 1000000);
	h.us = (uint32_t)(us % 1000000);
	h.caplen = h.len = ETH_HLEN + p.in.caplen;
	fwrite(&h, sizeof(h), 1, f);
	fwrite(ethernet, sizeof(ethernet), 1, f);
	fwrite(p.in.data, p.in.caplen, 1, f);
}

static void write_capture(int fd, uint32_t packets)
{
	const struct pcap_file_header header = {0xa1b2c3d4, 2, 4, 0, 0, 262144, 1};
	FILE *f = fdopen(dup(fd), "wb");

	if (!f)
		die("no file");
	fwrite(&header, sizeof(header), 1, f);
	for (uint32_t n = 0; n < packets; n++)
		write_packet(f, n);
	if (fclose(f) != 0)
		die("no room for the capture");
}

static struct ct_config track_config(void)
{
	struct ct_config track;

	ct_config_init(&track);
	track.confirm = CT_CONFIRM_ENTRY;
	return track;
}

/* Returns ns for each packet. */
static double replay(const char *path, uint32_t packets)
{
	const char *files[] = {path, NULL};
	const struct capture_options options = {.files = files, .checksums = true};
	const struct ct_config track = track_config();
	const struct replay_config config = {.track = &track, .max_flows = MAX_ONE};
	char error[CAPTURE_ERROR_MAX];
	struct source *source;
	struct replay *r;
	uint64_t begin;
	double ns;

	if (replay_new(&r, &config) < 0)
		die("no memory");
	if (capture_new(&source, &options, error) < 0)
		die(error);
	begin = cpu_ns();
	if (replay_run(r, source) < 0)
		die(capture_error(source));
	ns = (double)(cpu_ns() - begin) / packets;
	if (capture_totals(source)->frames != packets)
		die("packets are missing");
	source->ops->close(source);
	replay_free(r);
	return ns;
}

static void judged(void *ctx, const struct ct_input *in, struct ct_result *out)
{
	*(uint32_t *)ctx += out->info == CT_INFO_INVALID;
}

/* The same by the engine alone, without the time to make the packets. Returns ns for each. */
static double judge(struct ct_thread *th, uint32_t packets)
{
	static struct traffic_packet batch[BATCH];
	const struct ct_input *in[BATCH];
	uint32_t invalid = 0;
	uint64_t ns = 0, begin;

	for (uint32_t n = 0; n < packets; n += BATCH) {
		for (uint32_t i = 0; i < BATCH; i++) {
			traffic_udp(&batch[i], n + i, FLOWS);
			batch[i].in.now_ns = CT_NS_PER_S + (uint64_t)(n + i) * STEP_US * 1000;
			in[i] = &batch[i].in;
		}
		begin = cpu_ns();
		ct_track_batch(th, in, BATCH, judged, &invalid);
		ns += cpu_ns() - begin;
	}
	if (invalid > 0)
		die("a packet was INVALID that should not be");
	return (double)ns / packets;
}

static double engine(uint32_t packets)
{
	static const uint8_t key[16] = "not a secret key";
	const struct ct_params params = {.max_flows = MAX_ONE, .key = key};
	const struct ct_config track = track_config();
	struct ct_thread th = {.cfg = &track};
	size_t size = ct_arena_size(&params);
	void *arena = calloc(1, size);
	double ns;

	th.ct = arena ? ct_new(arena, size, &params) : NULL;
	if (!th.ct)
		die("no memory");
	ns = judge(&th, packets);
	ct_free(th.ct);
	free(arena);
	return ns;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, REPEATS, sizeof(*values), by_size);
	return values[REPEATS / 2];
}

int main(int argc, char *argv[])
{
	uint32_t packets = argc > 1 && strcmp(argv[1], "--quick") == 0 ? QUICK : PACKETS;
	double whole[REPEATS], ratio[REPEATS], ns;
	int fd = memfd_create("capture", MFD_CLOEXEC);
	char path[32];

	if (fd < 0)
		die("no file");
	write_capture(fd, packets);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (int i = 0; i < REPEATS; i++) {
		whole[i] = replay(path, packets);
		ratio[i] = whole[i] / engine(packets);
	}
	ns = median(whole);
	printf("{\"name\":\"replay\",\"flows\":%u,\"ratio\":%.2f,\"ns\":%.1f,\"packets_per_s\":%."
	       "0f}"
	       "\n",
	       FLOWS, median(ratio), ns, 1e9 / ns);
	return 0;
}
