/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Frames come one by one from libpcap, which has a place for one only: what is IP in them is copied
 * into the batch. The frame that was read last may belong to the next batch; it waits where it is.
 *
 * What a capture says is not believed. Times can be anything: they are brought into a range in
 * which the engine's clock, counted from the first packet, can neither go back nor overflow.
 */

#include "io/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "io/gzfile.h"
#include "io/interface.h"
#include "io/offload.h"
#include "util/cleanup.h"

/* Bytes of a batch; a packet may be longer than its share. */
#define BATCH_BYTES (1u << 20)
/* So many frames without an IP packet end a batch, too: time goes on. */
#define FRAMES_MAX 4096
/* The end of time, in the year 2262: with all that is added to it, it fits in 64 bits. */
#define TIME_MAX_NS ((uint64_t)INT64_MAX)

struct capture {
	struct source base;
	struct capture_options options;
	const char *const *files; /* that are still to come */
	const char *name;	  /* of what is read, for messages */
	pcap_t *pcap;		  /* it, or NULL */
	struct gzfile *gz;
	struct bpf_program program; /* the expression, for its link type */
	int linktype;
	uint64_t unit_ns; /* of the fraction of a second in its times */
	bool live;
	atomic_bool woken;
	bool pending; /* next_header, next_data: read, and not in a batch yet */
	bool begun;   /* there was a packet */
	int status;   /* that ended it: 0, or -errno for ever */
	uint64_t number;
	uint64_t left;	   /* packets until it ends */
	uint64_t clock_ns; /* of the engine */
	struct pcap_pkthdr *next_header;
	const u_char *next_data;
	struct capture_packet packets[SOURCE_BATCH_MAX];
	struct capture_totals totals;
	uint32_t used;
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

/* Words an error, in one line. */
static int __attribute__((format(printf, 3, 4)))
fail(struct capture *c, int r, const char *format, ...)
{
	int at = snprintf(c->error, sizeof(c->error), "%s: ", c->name);
	va_list ap;

	if (at < 0 || (size_t)at >= sizeof(c->error))
		at = 0;
	va_start(ap, format);
	vsnprintf(c->error + at, sizeof(c->error) - (size_t)at, format, ap);
	va_end(ap);
	for (char *p = c->error; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	return r;
}

/* --- files ------------------------------------------------------------------------------------ */

static void close_input(struct capture *c)
{
	if (c->pcap)
		pcap_close(c->pcap);
	gzfile_free(c->gz);
	pcap_freecode(&c->program);
	c->pcap = NULL;
	c->gz = NULL;
}

/* The name is a static text of libpcap; a number it does not know has none. */
static int check_link_type(struct capture *c)
{
	const char *refused, *name;

	c->linktype = pcap_datalink(c->pcap);
	c->totals.marks = c->totals.marks || link_has_marks(c->linktype);
	refused = link_refused(c->linktype);
	if (!refused)
		return 0;
	name = pcap_datalink_val_to_description(c->linktype);
	return fail(c, -EINVAL, "link type %d (%s): %s", c->linktype, name ? name : "unknown",
		    refused);
}

static int compile(struct capture *c)
{
	if (!c->options.expression)
		return 0;
	if (pcap_compile(c->pcap, &c->program, c->options.expression, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return fail(c, -EINVAL, "expression: %s", pcap_geterr(c->pcap));
	return 0;
}

static int fail_damaged(struct capture *c)
{
	return fail(c, -EIO, "the compressed data is damaged");
}

/* What it reads is closed by close_input(), also when it fails. */
static int open_file(struct capture *c, const char *file)
{
	bool stdin_it = strcmp(file, "-") == 0;
	char text[PCAP_ERRBUF_SIZE];
	FILE *stream;
	int fd, r;

	c->name = stdin_it ? "standard input" : file;
	fd = stdin_it ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(c, -errno, "%s", strerror(errno));
	r = gzfile_open(&c->gz, fd, &stream);
	if (r < 0)
		return fail(c, r, "%s", strerror(-r));
	c->pcap =
		pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!c->pcap) {
		fclose(stream);
		return gzfile_state(c->gz) == GZFILE_DAMAGED ? fail_damaged(c)
							     : fail(c, -EINVAL, "%s", text);
	}
	c->unit_ns = 1;
	r = check_link_type(c);
	return r < 0 ? r : compile(c);
}

/* Reading failed. What is cut off is told of at the end; a part of what follows may be whole. */
static int end_badly(struct capture *c)
{
	if (gzfile_state(c->gz) == GZFILE_DAMAGED)
		return fail_damaged(c);
	if (!feof(pcap_file(c->pcap)))
		return fail(c, -EIO, "%s", pcap_geterr(c->pcap));
	if (!c->totals.cut)
		(void)fail(c, 0, "cut off in the middle of a packet: what was before it is all");
	c->totals.cut = true;
	return 0;
}

/* How it ends when nothing went wrong, or not so much that the rest was not worth reading. */
static int ended(const struct capture *c)
{
	return c->totals.cut ? -EBADMSG : -ENODATA;
}

/* After the last packet of a file. Returns 0 with the next one opened, or what ends it all. */
static int next_file(struct capture *c)
{
	/* whole packets, and yet there was more: the compressor did not come to its end */
	if (gzfile_state(c->gz) != GZFILE_GOOD) {
		int r = end_badly(c);

		if (r < 0)
			return r;
	}
	close_input(c);
	if (*c->files)
		return open_file(c, *c->files++);
	return ended(c);
}

/* --- interfaces ------------------------------------------------------------------------------- */

static int open_interface(struct capture *c)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	int r;

	c->live = true;
	c->name = c->options.interface;
	r = interface_open(&c->pcap, c->name, c->options.expression, text);
	if (r < 0)
		return fail(c, r, "%s", text);
	c->unit_ns = pcap_get_tstamp_precision(c->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
	return check_link_type(c);
}

static void count_lost(struct capture *c)
{
	struct pcap_stat stat;

	if (c->live && pcap_stats(c->pcap, &stat) == 0)
		c->totals.lost = stat.ps_drop;
}

/* Waits for packets, or for the end of it all. */
static void wait_for(struct capture *c, int timeout_ms)
{
	struct pollfd fds[] = {
		{.fd = pcap_get_selectable_fd(c->pcap), .events = POLLIN},
		{.fd = c->options.has_stop_fd ? c->options.stop_fd : -1, .events = POLLIN},
	};

	(void)poll(fds, ARRAY_SIZE(fds), timeout_ms);
	if (fds[1].revents || atomic_load(&c->woken))
		c->status = -ENODATA;
}

/* --- frames ----------------------------------------------------------------------------------- */

static uint64_t time_of(const struct capture *c, const struct pcap_pkthdr *h)
{
	int64_t seconds = h->ts.tv_sec, fraction = h->ts.tv_usec;

	/* files have 32 bits for them, which libpcap takes for signed: these are after 2038 */
	if (seconds < 0 && seconds >= INT32_MIN)
		seconds = (uint32_t)seconds;
	if (seconds < 0)
		return 0;
	if ((uint64_t)seconds >= TIME_MAX_NS / CT_NS_PER_S)
		return TIME_MAX_NS;
	if (fraction < 0 || (uint64_t)fraction >= CT_NS_PER_S / c->unit_ns)
		fraction = 0;
	return (uint64_t)seconds * CT_NS_PER_S + (uint64_t)fraction * c->unit_ns;
}

/* Returns true with the next frame pending; false: there is none (now), or status says why. */
static bool read_next(struct capture *c)
{
	while (!c->pending && c->status == 0) {
		int r;

		errno = 0;
		r = pcap_next_ex(c->pcap, &c->next_header, &c->next_data);
		if (r == 1) {
			c->pending = true;
			c->number++;
			continue;
		}
		/* NFLOG has no other way to say that there is nothing */
		if (c->live && (r == 0 || errno == EAGAIN))
			return false;
		if (c->live)
			c->status = fail(c, -EIO, "%s", pcap_geterr(c->pcap));
		else if (r == PCAP_ERROR_BREAK || (c->status = end_badly(c)) == 0)
			c->status = next_file(c);
	}
	return c->pending;
}

/* Does the expression leave the pending frame out? */
static bool left_out(struct capture *c)
{
	if (!c->program.bf_insns ||
	    pcap_offline_filter(&c->program, c->next_header, c->next_data) > 0)
		return false;
	c->totals.filtered++;
	return true;
}

/* Times of the capture become times of the engine, which never goes back. */
static uint64_t engine_time(struct capture *c, uint64_t time_ns)
{
	uint64_t now_ns;

	if (!c->begun) {
		c->begun = true;
		c->totals.first_ns = c->totals.last_ns = time_ns;
	}
	if (time_ns < c->totals.first_ns)
		return c->clock_ns;
	now_ns = CAPTURE_BEGIN_NS + (time_ns - c->totals.first_ns);
	return now_ns > c->clock_ns ? now_ns : c->clock_ns;
}

/* The pending frame is judged at now_ns, now that it is its turn. */
static void note_time(struct capture *c, uint64_t time_ns, uint64_t now_ns)
{
	if (time_ns < c->totals.last_ns)
		c->totals.back++;
	else
		c->totals.last_ns = time_ns;
	c->clock_ns = now_ns;
}

static void count_kind(struct capture *c, enum link_result kind, const struct link_packet *link)
{
	c->totals.frames++;
	if (kind == LINK_OTHER)
		c->totals.other++;
	else if (kind == LINK_SHORT)
		c->totals.too_short++;
	else if (link->caplen < link->len)
		c->totals.truncated++;
}

/* Copies the packet behind the others. False: there is no room in this batch. */
static bool copy(struct capture *c, struct link_packet *link)
{
	uint32_t room = BATCH_BYTES - c->used;

	if (link->caplen > room && c->used > 0)
		return false;
	if (link->caplen > room)
		link->caplen = room;
	memcpy(c->bytes + c->used, link->data, link->caplen);
	link->data = c->bytes + c->used;
	c->used += (link->caplen + 7) & ~7u;
	return true;
}

static void fill_in(struct capture *c, struct packet *p, uint32_t id)
{
	const struct link_packet *link = &c->packets[id].link;
	bool left = offload_left(link);

	c->totals.offloaded += left;
	*p = (struct packet){
		.id = id,
		.in = {.data = link->data,
		       .caplen = link->caplen,
		       .len = link->len,
		       .now_ns = c->clock_ns,
		       .iif = link->iif,
		       .oif = link->oif,
		       .id = id,
		       .hook = link->hook == CT_HOOK_OUTPUT ? CT_HOOK_OUTPUT : CT_HOOK_PREROUTING,
		       .family = link->family,
		       .csum_unverified = c->options.checksums && !link->outgoing && !left},
	};
}

/* Takes frames into a batch until it is full, or spans its time. Returns how many packets. */
static int fill(struct capture *c, struct packet batch[static SOURCE_BATCH_MAX])
{
	uint64_t until_ns = 0;
	int n = 0;

	c->used = 0;
	for (int frames = 0;
	     n < SOURCE_BATCH_MAX && c->left > 0 && frames < FRAMES_MAX && read_next(c); frames++) {
		struct capture_packet *packet = &c->packets[n];
		uint64_t time_ns, now_ns;
		enum link_result kind;

		if (left_out(c)) {
			c->pending = false;
			continue;
		}
		time_ns = time_of(c, c->next_header);
		now_ns = engine_time(c, time_ns);
		if (n > 0 && now_ns > until_ns)
			break;
		kind = link_parse(c->linktype, c->next_data, c->next_header->caplen,
				  c->next_header->len, &packet->link);
		if (kind == LINK_IP && !copy(c, &packet->link))
			break;
		c->pending = false;
		note_time(c, time_ns, now_ns);
		count_kind(c, kind, &packet->link);
		if (kind != LINK_IP)
			continue;
		packet->number = c->number;
		packet->time_ns = time_ns;
		if (n == 0)
			until_ns = now_ns + CAPTURE_SPAN_NS;
		fill_in(c, &batch[n], (uint32_t)n);
		n++;
		c->left--;
	}
	if (c->left == 0 && c->status == 0)
		c->status = ended(c);
	return n;
}

static int capture_receive(struct source *s, struct packet batch[static SOURCE_BATCH_MAX],
			   int timeout_ms)
{
	struct capture *c = capture_of(s);
	int n;

	if (c->live && c->status == 0)
		wait_for(c, 0);
	n = fill(c, batch);
	if (c->live && n == 0 && c->status == 0) {
		wait_for(c, timeout_ms);
		n = fill(c, batch);
	}
	if (n == 0)
		count_lost(c);
	return n > 0 ? n : c->status;
}

/* --- the rest of a source --------------------------------------------------------------------- */

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
	atomic_store(&capture_of(s)->woken, true);
}

static void capture_close(struct source *s)
{
	if (!s)
		return;
	close_input(capture_of(s));
	free(capture_of(s));
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

static int open_first(struct capture *c)
{
	if (c->options.interface)
		return open_interface(c);
	c->name = "nothing to read";
	return *c->files ? open_file(c, *c->files++) : fail(c, -EINVAL, "no file is named");
}

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
	c->options = *options;
	c->files = options->files;
	c->left = options->count ? options->count : UINT64_MAX;
	c->clock_ns = CAPTURE_BEGIN_NS;
	r = open_first(c);
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

uint64_t capture_now_ns(struct source *s)
{
	struct capture *c = capture_of(s);
	struct timespec now;
	uint64_t now_ns;

	if (!c->live || !c->begun)
		return c->clock_ns;
	clock_gettime(CLOCK_REALTIME, &now);
	now_ns = (uint64_t)now.tv_sec * CT_NS_PER_S + (uint64_t)now.tv_nsec - CAPTURE_LAG_NS;
	c->clock_ns = engine_time(c, now_ns);
	return c->clock_ns;
}

const char *capture_error(const struct source *s)
{
	return capture_of_const(s)->error;
}
