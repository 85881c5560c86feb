/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/pcap.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"

/* Bytes of a batch; a packet may be longer than its share. */
#define BATCH_BYTES (4u << 20)

struct capture {
	struct source base;
	const char *const *files; /* that are still to come */
	pcap_t *pcap;		  /* the one that is read, or NULL */
	int linktype;
	bool checksums;
	bool pending; /* next_header, next_data: read, and not in a batch yet */
	bool ended;
	uint64_t number;
	uint64_t clock_ns; /* of the engine */
	struct pcap_pkthdr *next_header;
	const u_char *next_data;
	struct capture_packet packets[SOURCE_BATCH_MAX];
	struct capture_totals totals;
	size_t used;
	char error[CAPTURE_ERROR_MAX];
	uint8_t bytes[BATCH_BYTES];
};

static struct capture *capture_of(struct source *s)
{
	return (struct capture *)((char *)s - offsetof(struct capture, base));
}

static const struct capture *capture_of_const(const struct source *s)
{
	return (const struct capture *)((const char *)s - offsetof(struct capture, base));
}

static int __attribute__((format(printf, 3, 4)))
fail(struct capture *c, int r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(c->error, sizeof(c->error), format, ap);
	va_end(ap);
	return r;
}

static int open_file(struct capture *c, const char *file)
{
	char text[PCAP_ERRBUF_SIZE];
	const char *refused;

	c->pcap = pcap_open_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!c->pcap)
		return fail(c, -EINVAL, "%s: %s", file, text);
	c->linktype = pcap_datalink(c->pcap);
	refused = link_refused(c->linktype);
	return refused ? fail(c, -EINVAL, "%s: %s", file, refused) : 0;
}

static uint64_t time_of(const struct pcap_pkthdr *h)
{
	return (uint64_t)h->ts.tv_sec * CT_NS_PER_S + (uint64_t)h->ts.tv_usec;
}

/* Returns 1 with next_header and next_data set, 0 at the end of the last file, or -errno. */
static int read_next(struct capture *c)
{
	int r;

	if (c->pending)
		return 1;
	while (!c->ended) {
		r = pcap_next_ex(c->pcap, &c->next_header, &c->next_data);
		if (r == 1) {
			c->pending = true;
			return 1;
		}
		if (r != PCAP_ERROR_BREAK)
			return fail(c, -EIO, "%s", pcap_geterr(c->pcap));
		pcap_close(c->pcap);
		c->pcap = NULL;
		c->ended = !*c->files;
		r = c->ended ? 0 : open_file(c, *c->files++);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Times of the capture become times of the engine, which never goes back. */
static uint64_t engine_time(struct capture *c, uint64_t time_ns)
{
	uint64_t now_ns;

	if (c->totals.first_ns == 0)
		c->totals.first_ns = time_ns;
	now_ns = CAPTURE_BEGIN_NS + time_ns - c->totals.first_ns;
	if (time_ns < c->totals.first_ns || now_ns < c->clock_ns) {
		c->totals.back++;
		return c->clock_ns;
	}
	c->totals.last_ns = time_ns;
	return now_ns;
}

/* Takes the pending frame into the batch. Returns whether it was an IP packet. */
static bool take(struct capture *c, struct packet *p, uint32_t id)
{
	struct capture_packet *packet = &c->packets[id];
	const struct pcap_pkthdr *h = c->next_header;
	uint8_t *copy = c->bytes + c->used;

	c->pending = false;
	memcpy(copy, c->next_data, h->caplen);
	*packet = (struct capture_packet){.number = c->number, .time_ns = time_of(h)};
	if (link_parse(c->linktype, copy, h->caplen, h->len, &packet->link) != LINK_IP)
		return false;
	c->used += h->caplen;
	*p = (struct packet){
		.id = id,
		.in = {.data = packet->link.data,
		       .caplen = packet->link.caplen,
		       .len = packet->link.len,
		       .now_ns = c->clock_ns,
		       .id = id,
		       .hook = CT_HOOK_PREROUTING,
		       .family = packet->link.family,
		       .csum_unverified = c->checksums && !packet->link.outgoing},
	};
	return true;
}

static int capture_receive(struct source *s, struct packet batch[static SOURCE_BATCH_MAX],
			   int timeout_ms)
{
	struct capture *c = capture_of(s);
	uint64_t now_ns, until_ns = 0;
	int n = 0, r;

	c->used = 0;
	while (n < SOURCE_BATCH_MAX && (r = read_next(c)) == 1) {
		if (c->used + c->next_header->caplen > sizeof(c->bytes))
			return n;
		now_ns = engine_time(c, time_of(c->next_header));
		if (n > 0 && now_ns > until_ns)
			return n;
		if (n == 0)
			until_ns = now_ns + CAPTURE_SPAN_NS;
		c->clock_ns = now_ns;
		c->totals.frames++;
		c->number++;
		if (take(c, &batch[n], (uint32_t)n))
			n++;
	}
	if (n > 0)
		return n;
	return r < 0 ? r : -ENODATA;
}

static void capture_verdict(struct source *s, const struct packet *p, uint32_t verdict,
			    bool set_mark, uint32_t mark)
{
}

static int capture_flush(struct source *s)
{
	return 0;
}

static int capture_configure(struct source *s, const struct source_config *config)
{
	return 0;
}

static void capture_wake(struct source *s)
{
}

static void capture_close(struct source *s)
{
	struct capture *c;

	if (!s)
		return;
	c = capture_of(s);
	if (c->pcap)
		pcap_close(c->pcap);
	free(c);
}

static const struct source_ops capture_ops = {
	.receive = capture_receive,
	.verdict = capture_verdict,
	.flush = capture_flush,
	.configure = capture_configure,
	.wake = capture_wake,
	.release = capture_wake,
	.close = capture_close,
};

int capture_new(struct source **ret, const struct capture_options *options,
		char error[static CAPTURE_ERROR_MAX])
{
	struct capture *c = calloc(1, sizeof(*c));
	int r;

	if (!c) {
		snprintf(error, CAPTURE_ERROR_MAX, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	c->base.ops = &capture_ops;
	c->files = options->files;
	c->checksums = options->checksums;
	r = open_file(c, *c->files++);
	if (r < 0) {
		memcpy(error, c->error, sizeof(c->error));
		capture_close(&c->base);
		return r;
	}
	*ret = &c->base;
	return 0;
}

const struct capture_packet *capture_packet(const struct source *s, uint32_t id)
{
	return &capture_of_const(s)->packets[id];
}

const struct capture_totals *capture_totals(const struct source *s)
{
	return &capture_of_const(s)->totals;
}

const char *capture_error(const struct source *s)
{
	return capture_of_const(s)->error;
}
