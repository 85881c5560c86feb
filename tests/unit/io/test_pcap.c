/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Files that the test writes itself, byte by byte, and what the source makes of them. */

#include "io/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/io/capture_file.h"
#include "util/cleanup.h"

#define FILES_MAX 4

#define ETHERNET 1
#define RAW	 101
#define NFLOG	 239
#define WLAN	 105
#define SECOND	 1700000000

#define MICRO 0xa1b2c3d4
#define NANO  0xa1b23c4d

struct fixture {
	struct capture_file files[FILES_MAX];
	size_t nfiles;
	const char *paths[FILES_MAX + 1];
	struct capture_options options;
	struct source *source;
	struct packet batch[SOURCE_BATCH_MAX];
	char error[CAPTURE_ERROR_MAX];
};

static struct capture_file *add_file(struct fixture *x)
{
	struct capture_file *f = &x->files[x->nfiles];

	*f = (struct capture_file){.fd = memfd_create("capture", MFD_CLOEXEC)};
	assert_true(f->fd >= 0);
	snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
	x->paths[x->nfiles++] = f->path;
	return f;
}

static struct capture_file *add_pcap(struct fixture *x, uint32_t magic, bool swapped,
				     uint32_t linktype)
{
	struct capture_file *f = add_file(x);

	f->swapped = swapped;
	capture_file_put32(f, magic);
	capture_file_put16(f, 2);
	capture_file_put16(f, 4);
	capture_file_put32(f, 0);
	capture_file_put32(f, 0);
	capture_file_put32(f, 262144);
	capture_file_put32(f, linktype);
	return f;
}

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	if (!x)
		return -1;
	x->options.files = x->paths;
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	if (x->source)
		x->source->ops->close(x->source);
	for (size_t i = 0; i < x->nfiles; i++)
		close(x->files[i].fd);
	free(x);
	return 0;
}

static int open_source(struct fixture *x)
{
	for (size_t i = 0; i < x->nfiles; i++)
		assert_int_equal(pwrite(x->files[i].fd, x->files[i].bytes, x->files[i].len, 0),
				 x->files[i].len);
	return capture_new(&x->source, &x->options, x->error);
}

static void start(struct fixture *x)
{
	int r = open_source(x);

	if (r < 0)
		print_message("# %s\n", x->error);
	assert_int_equal(r, 0);
}

static int receive(struct fixture *x)
{
	return x->source->ops->receive(x->source, x->batch, -1);
}

/* Reads to the end. Returns how it ended, and how many packets there were. */
static int read_all(struct fixture *x, unsigned int *ret_packets)
{
	int r;

	*ret_packets = 0;
	while ((r = receive(x)) >= 0)
		*ret_packets += (unsigned int)r;
	return r;
}

static void assert_all(struct fixture *x, int end, unsigned int packets)
{
	unsigned int n;

	assert_int_equal(read_all(x, &n), end);
	assert_int_equal(n, packets);
	/* and it stays like that */
	assert_int_equal(receive(x), end);
}

static const struct capture_totals *totals(const struct fixture *x)
{
	return capture_totals(x->source);
}

static void each_kind_of_pcap(void **state)
{
	struct fixture *x = *state;
	uint16_t port = 1;

	for (int swapped = 0; swapped < 2; swapped++) {
		capture_file_put_packet(add_pcap(x, MICRO, swapped, RAW), SECOND, 123456, port++);
		capture_file_put_packet(add_pcap(x, NANO, swapped, RAW), SECOND, 123456789, port++);
	}
	start(x);
	assert_int_equal(receive(x), 4);
	for (uint32_t i = 0; i < 4; i++) {
		const struct capture_packet *p = capture_packet(x->source, x->batch[i].id);
		uint64_t fraction = i % 2 ? 123456789 : 123456000;

		assert_int_equal(p->number, i + 1);
		assert_int_equal(p->time_ns, SECOND * CT_NS_PER_S + fraction);
		assert_int_equal(x->batch[i].in.len, UDP_LEN);
		assert_int_equal(x->batch[i].in.data[21], i + 1);
		assert_int_equal(x->batch[i].in.family, CT_AF_INET);
	}
	assert_int_equal(x->batch[0].in.now_ns, CAPTURE_BEGIN_NS);
	assert_int_equal(x->batch[1].in.now_ns, CAPTURE_BEGIN_NS + 789);
	assert_int_equal(receive(x), -ENODATA);
	assert_int_equal(totals(x)->frames, 4);
	assert_int_equal(totals(x)->back, 1); /* the third, by 789 ns */
	assert_string_equal(capture_error(x->source), "");
}

/* --- pcapng ----------------------------------------------------------------------------------- */

static void pcapng_of_several_blocks(void **state)
{
	struct fixture *x = *state;
	uint64_t time = SECOND * CT_NS_PER_S + 5;

	for (int swapped = 0; swapped < 2; swapped++) {
		struct capture_file *f = add_file(x);

		f->swapped = swapped;
		capture_file_put_section(f);
		capture_file_put_interface(f, RAW);
		capture_file_put_enhanced(f, time, 1);
		capture_file_put32(f, 5); /* statistics of an interface: passed over */
		capture_file_put32(f, 24);
		capture_file_put32(f, 0);
		capture_file_put32(f, 0);
		capture_file_put32(f, 0);
		capture_file_put32(f, 24);
		capture_file_put_enhanced(f, time + 1, 2);
	}
	start(x);
	assert_int_equal(receive(x), 4);
	assert_int_equal(capture_packet(x->source, 0)->time_ns, time);
	assert_int_equal(capture_packet(x->source, 1)->time_ns, time + 1);
	assert_int_equal(receive(x), -ENODATA);
}

static void pcapng_with_times_beyond_all(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_file(x);

	capture_file_put_section(f);
	capture_file_put_interface(f, RAW);
	capture_file_put_enhanced(f, 0, 1);
	capture_file_put_enhanced(f, UINT64_MAX, 2);
	capture_file_put_enhanced(f, 7, 3);
	start(x);
	assert_int_equal(receive(x), 1);
	assert_int_equal(receive(x), 2);
	assert_true(x->batch[0].in.now_ns > CAPTURE_BEGIN_NS);
	assert_true(x->batch[0].in.now_ns <= UINT64_MAX - (UINT64_C(1) << 62));
	assert_int_equal(x->batch[1].in.now_ns, x->batch[0].in.now_ns);
	assert_int_equal(totals(x)->back, 1);
}

/* --- gzip ------------------------------------------------------------------------------------- */

static struct capture_file *add_many(struct fixture *x, unsigned int packets)
{
	struct capture_file *f = add_pcap(x, MICRO, false, RAW);

	for (unsigned int i = 0; i < packets; i++)
		capture_file_put_packet(f, SECOND, i * 7919 % 1000000, (uint16_t)(i * 31));
	return f;
}

static void compressed(void **state)
{
	struct fixture *x = *state;

	capture_file_compress(add_many(x, 500));
	start(x);
	assert_all(x, -ENODATA, 500);
}

static void compressed_and_cut(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_many(x, 500);
	unsigned int n;

	capture_file_compress(f);
	f->len = f->len / 2;
	add_many(x, 1);
	start(x);
	assert_int_equal(read_all(x, &n), -EBADMSG);
	assert_in_range(n, 2, 499);
	assert_true(totals(x)->cut);
	assert_non_null(strstr(capture_error(x->source), f->path));
	assert_non_null(strstr(capture_error(x->source), "cut off"));
}

static void compressed_and_cut_behind_the_last_packet(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_many(x, 500);

	capture_file_compress(f);
	f->len -= 8; /* length and checksum of what was compressed */
	start(x);
	assert_all(x, -EBADMSG, 500);
}

static void compressed_and_damaged(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_many(x, 500);

	capture_file_compress(f);
	f->bytes[f->len - 8] ^= 1; /* its checksum */
	assert_int_equal(open_source(x), -EIO);
	assert_non_null(strstr(x->error, f->path));
	assert_non_null(strstr(x->error, "damaged"));
}

static void from_standard_input(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_many(x, 3);
	int saved = dup(STDIN_FILENO);

	capture_file_compress(f);
	x->paths[0] = "-";
	assert_true(dup2(f->fd, STDIN_FILENO) >= 0);
	start(x);
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_all(x, -ENODATA, 3);
}

/* --- files that end, or never begin ----------------------------------------------------------- */

static void empty(void **state)
{
	struct fixture *x = *state;

	add_pcap(x, MICRO, false, RAW);
	start(x);
	assert_all(x, -ENODATA, 0);
	assert_false(totals(x)->cut);
	assert_int_equal(capture_now_ns(x->source), CAPTURE_BEGIN_NS);
}

/* Of a file with two packets each length: what is whole is read. */
static void cut_everywhere(void **state)
{
	const size_t header = 24, packet = 16 + UDP_LEN;

	for (size_t len = header; len < header + 2 * packet; len++) {
		struct fixture *x = NULL;
		struct capture_file *f;
		size_t whole = (len - header) / packet;

		assert_int_equal(setup((void **)&x), 0);
		f = add_many(x, 2);
		f->len = len;
		start(x);
		assert_all(x, (len - header) % packet ? -EBADMSG : -ENODATA, (unsigned int)whole);
		assert_int_equal(totals(x)->cut, (len - header) % packet != 0);
		teardown((void **)&x);
	}
}

static void what_is_no_capture(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_file(x);

	assert_int_equal(open_source(x), -EINVAL);
	capture_file_put(f, "Dear reader,\nthis is no capture.\n", 33);
	assert_int_equal(open_source(x), -EINVAL);
	assert_non_null(strstr(x->error, f->path));
	x->paths[0] = "/nowhere\n/at all";
	assert_int_equal(capture_new(&x->source, &x->options, x->error), -ENOENT);
	assert_null(strchr(x->error, '\n'));
	x->paths[0] = "/";
	assert_int_equal(capture_new(&x->source, &x->options, x->error), -EINVAL);
	x->paths[0] = NULL;
	assert_int_equal(capture_new(&x->source, &x->options, x->error), -EINVAL);
}

static void the_next_file_is_none(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f;

	add_many(x, 2);
	f = add_file(x);
	start(x);
	assert_all(x, -EINVAL, 2);
	assert_non_null(strstr(capture_error(x->source), f->path));
}

static void a_packet_too_long(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_many(x, 2);

	capture_file_put_header(f, SECOND, 0, 0x7fffffff, 0x7fffffff);
	capture_file_put_udp(f, 1);
	start(x);
	assert_all(x, -EIO, 2);
	assert_false(totals(x)->cut);
}

/* --- link types and expressions --------------------------------------------------------------- */

static void put_ethernet(struct capture_file *f, const char *type)
{
	capture_file_put_header(f, SECOND, 0, 14 + UDP_LEN, 14 + UDP_LEN);
	capture_file_put(f, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	capture_file_put(f, type, 2);
	capture_file_put_udp(f, 1);
}

static void mixed_link_types(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f;

	add_many(x, 1);
	f = add_pcap(x, MICRO, true, ETHERNET);
	put_ethernet(f, "\x08\x06");
	put_ethernet(f, "\x08\x00");
	add_many(x, 1);
	start(x);
	assert_int_equal(receive(x), 3);
	assert_int_equal(capture_packet(x->source, 1)->number, 3);
	assert_int_equal(capture_packet(x->source, 2)->number, 4);
	assert_int_equal(receive(x), -ENODATA);
	assert_int_equal(totals(x)->other, 1);
	assert_int_equal(totals(x)->frames, 4);
	assert_false(totals(x)->marks);
}

static void link_types_that_are_refused(void **state)
{
	struct fixture *x = *state;

	add_pcap(x, MICRO, false, WLAN);
	assert_int_equal(open_source(x), -EINVAL);
	assert_non_null(strstr(x->error, "802.11"));
	assert_non_null(strstr(x->error, "encryption"));
}

static void marks_are_a_matter_of_the_link_type(void **state)
{
	struct fixture *x = *state;

	add_pcap(x, MICRO, false, NFLOG);
	start(x);
	assert_true(totals(x)->marks);
}

static void an_expression_keeps_the_numbers(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_pcap(x, MICRO, false, RAW);

	for (uint16_t i = 1; i <= 4; i++)
		capture_file_put_packet(f, SECOND + i, 0, i);
	f = add_pcap(x, MICRO, false, ETHERNET);
	put_ethernet(f, "\x08\x06");
	put_ethernet(f, "\x08\x00");
	x->options.expression = "udp src port 3 or udp src port 1";
	start(x);
	assert_int_equal(receive(x), 1);
	assert_int_equal(capture_packet(x->source, 0)->number, 1);
	assert_int_equal(receive(x), 2);
	assert_int_equal(capture_packet(x->source, 0)->number, 3);
	assert_int_equal(x->batch[0].in.now_ns, CAPTURE_BEGIN_NS + 2 * CT_NS_PER_S);
	assert_int_equal(capture_packet(x->source, 1)->number, 6);
	assert_int_equal(receive(x), -ENODATA);
	assert_int_equal(totals(x)->filtered, 3);
	assert_int_equal(totals(x)->frames, 3);
}

static void an_expression_that_is_none(void **state)
{
	struct fixture *x = *state;

	add_many(x, 1);
	x->options.expression = "udp poort 3";
	assert_int_equal(open_source(x), -EINVAL);
	assert_non_null(strstr(x->error, "syntax error"));
}

/* --- packets of all kinds --------------------------------------------------------------------- */

static void lengths_of_all_kinds(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_pcap(x, MICRO, false, RAW);

	capture_file_put_header(f, SECOND, 0, 0, 0);
	capture_file_put_header(f, SECOND, 0, 0, 1500);
	capture_file_put_header(f, SECOND, 0, UDP_LEN, 0); /* more was captured than there was */
	capture_file_put_udp(f, 1);
	capture_file_put_header(f, SECOND, 0, 24, UDP_LEN);
	capture_file_put_udp(f, 2);
	f->len -= 4;
	start(x);
	assert_int_equal(receive(x), 2);
	assert_int_equal(x->batch[0].in.caplen, UDP_LEN);
	assert_int_equal(x->batch[0].in.len, UDP_LEN);
	assert_int_equal(x->batch[1].in.caplen, 24);
	assert_int_equal(x->batch[1].in.len, UDP_LEN);
	assert_int_equal(receive(x), -ENODATA);
	assert_int_equal(totals(x)->too_short, 2);
	assert_int_equal(totals(x)->truncated, 1);
}

/* More than a batch has room for: it takes several, and nothing is lost. */
static void large_packets(void **state)
{
	enum { LARGE = 262144, COUNT = 40 };
	struct fixture *x = *state;
	struct capture_file *f = add_pcap(x, MICRO, false, RAW);
	_cleanup_free_ uint8_t *bytes = calloc(1, LARGE);
	size_t at = f->len;
	unsigned int n;

	assert_non_null(bytes);
	bytes[0] = 0x45; /* of length 0: not split yet */
	capture_file_put_header(f, SECOND, 0, LARGE, LARGE);
	for (int i = 0; i < COUNT; i++) {
		off_t to = (off_t)(at + (size_t)i * (16 + LARGE));

		assert_int_equal(pwrite(f->fd, f->bytes + at, 16, to), 16);
		assert_int_equal(pwrite(f->fd, bytes, LARGE, to + 16), LARGE);
	}
	f->len = at;
	start(x);
	assert_int_equal(receive(x), 4); /* 1 MiB */
	assert_int_equal(x->batch[3].in.caplen, LARGE);
	assert_int_equal(x->batch[3].in.data[LARGE - 1], 0);
	assert_int_equal(read_all(x, &n), -ENODATA);
	assert_int_equal(n, COUNT - 4);
}

static void an_interface_that_is_none(void **state)
{
	static const char said[] = "No such device"; /* who may not capture is told of that */
	struct fixture *x = *state;
	const char *first;

	x->options.interface = "none-of-that";
	assert_true(capture_new(&x->source, &x->options, x->error) < 0);
	assert_memory_equal(x->error, "none-of-that: ", strlen("none-of-that: "));
	first = strstr(x->error, said);
	assert_true(!first || !strstr(first + 1, said));
}

/* Nothing behind the last one that is wanted is read, be it good or bad. */
static void no_more_than_is_asked_for(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_pcap(x, MICRO, false, RAW);

	for (uint32_t i = 0; i < 3; i++)
		capture_file_put_packet(f, SECOND, i, 1);
	capture_file_put_packet(f, SECOND - 1, 0, 1);
	capture_file_put32(add_file(x), 0);
	x->options.count = 3;
	start(x);
	assert_all(x, -ENODATA, 3);
	assert_int_equal(totals(x)->frames, 3);
	assert_int_equal(totals(x)->back, 0);
	assert_string_equal(capture_error(x->source), "");
}

static void times_that_go_back(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_pcap(x, MICRO, false, RAW);

	capture_file_put_packet(f, 0, 0, 1); /* no time at all is a time */
	capture_file_put_packet(f, 0, 200, 2);
	capture_file_put_packet(f, 0, 100, 3);
	capture_file_put_packet(f, 0, 0xffffffff, 4); /* no fraction of a second */
	capture_file_put_packet(f, 0, 300, 5);
	start(x);
	assert_int_equal(receive(x), 5);
	assert_int_equal(x->batch[0].in.now_ns, CAPTURE_BEGIN_NS);
	assert_int_equal(x->batch[1].in.now_ns, CAPTURE_BEGIN_NS + 200000);
	assert_int_equal(x->batch[2].in.now_ns, CAPTURE_BEGIN_NS + 200000);
	assert_int_equal(capture_packet(x->source, 2)->time_ns, 100000);
	assert_int_equal(x->batch[4].in.now_ns, CAPTURE_BEGIN_NS + 300000);
	assert_int_equal(totals(x)->back, 2);
	assert_int_equal(totals(x)->first_ns, 0);
	assert_int_equal(totals(x)->last_ns, 300000);
}

static void times_after_2038(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_pcap(x, NANO, false, RAW);

	capture_file_put_packet(f, 0x7fffffff, 0, 1);
	capture_file_put_packet(f, 0x80000000, 0, 2);
	capture_file_put_packet(f, 0xffffffff, 999999999, 3);
	start(x);
	assert_int_equal(receive(x), 1);
	assert_int_equal(receive(x), 1);
	assert_int_equal(x->batch[0].in.now_ns, CAPTURE_BEGIN_NS + CT_NS_PER_S);
	assert_int_equal(receive(x), 1);
	assert_int_equal(capture_packet(x->source, 0)->time_ns,
			 UINT32_MAX * CT_NS_PER_S + 999999999);
	assert_int_equal(totals(x)->back, 0);
}

static void a_batch_spans_little_time(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_pcap(x, MICRO, false, RAW);

	for (uint32_t i = 0; i < 8; i++)
		capture_file_put_packet(f, SECOND + i / 4, i % 4 * 125000, 1);
	start(x);
	assert_int_equal(receive(x), 3);
	assert_int_equal(receive(x), 1);
	assert_int_equal(receive(x), 3);
	assert_int_equal(receive(x), 1);
	assert_int_equal(receive(x), -ENODATA);
}

/* --- checksums -------------------------------------------------------------------------------- */

/* The packet of capture_file_put_udp() with this checksum: right is 0xebac. */
static void put_summed(struct capture_file *f, uint16_t sum)
{
	capture_file_put_packet(f, SECOND, 0, 1);
	f->bytes[f->len - 2] = (uint8_t)(sum >> 8);
	f->bytes[f->len - 1] = (uint8_t)sum;
}

static void checksums_left_to_the_card(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_pcap(x, MICRO, false, RAW);

	put_summed(f, 0xebac);
	put_summed(f, 0x141c); /* 0a00 + 0001 + 0a00 + 0002 + 0011 + 0008 */
	put_summed(f, 0x141d);
	x->options.checksums = true;
	start(x);
	assert_int_equal(receive(x), 3);
	assert_true(x->batch[0].in.csum_unverified);
	assert_false(x->batch[1].in.csum_unverified);
	assert_true(x->batch[2].in.csum_unverified);
	assert_int_equal(totals(x)->offloaded, 1);
}

static void checksums_of_what_was_sent(void **state)
{
	struct fixture *x = *state;
	struct capture_file *f = add_pcap(x, MICRO, false, 204);

	for (unsigned int i = 0; i < 2; i++) {
		capture_file_put_header(f, SECOND, 0, 5 + UDP_LEN, 5 + UDP_LEN);
		capture_file_put(f, i ? "\x01\xff\x03\x00\x21" : "\x00\xff\x03\x00\x21", 5);
		capture_file_put_udp(f, 1);
	}
	x->options.checksums = true;
	start(x);
	assert_int_equal(receive(x), 2);
	assert_true(x->batch[0].in.csum_unverified);
	assert_false(x->batch[1].in.csum_unverified);
}

static void checksums_switched_off(void **state)
{
	struct fixture *x = *state;

	put_summed(add_pcap(x, MICRO, false, RAW), 0x1234);
	start(x);
	assert_int_equal(receive(x), 1);
	assert_false(x->batch[0].in.csum_unverified);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_kind_of_pcap),
		CASE(pcapng_of_several_blocks),
		CASE(pcapng_with_times_beyond_all),
		CASE(compressed),
		CASE(compressed_and_cut),
		CASE(compressed_and_cut_behind_the_last_packet),
		CASE(compressed_and_damaged),
		CASE(from_standard_input),
		CASE(empty),
		cmocka_unit_test(cut_everywhere),
		CASE(what_is_no_capture),
		CASE(the_next_file_is_none),
		CASE(a_packet_too_long),
		CASE(mixed_link_types),
		CASE(link_types_that_are_refused),
		CASE(marks_are_a_matter_of_the_link_type),
		CASE(an_expression_keeps_the_numbers),
		CASE(an_expression_that_is_none),
		CASE(lengths_of_all_kinds),
		CASE(large_packets),
		CASE(an_interface_that_is_none),
		CASE(no_more_than_is_asked_for),
		CASE(times_that_go_back),
		CASE(times_after_2038),
		CASE(a_batch_spans_little_time),
		CASE(checksums_left_to_the_card),
		CASE(checksums_of_what_was_sent),
		CASE(checksums_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
