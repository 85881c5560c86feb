/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/io/capture_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <zlib.h>
#include <cmocka.h>

void capture_file_put(struct capture_file *f, const void *bytes, size_t n)
{
	assert_true(f->len + n <= sizeof(f->bytes));
	memcpy(f->bytes + f->len, bytes, n);
	f->len += n;
}

void capture_file_put32(struct capture_file *f, uint32_t v)
{
	v = f->swapped ? __builtin_bswap32(v) : v;
	capture_file_put(f, &v, sizeof(v));
}

void capture_file_put16(struct capture_file *f, uint16_t v)
{
	v = f->swapped ? __builtin_bswap16(v) : v;
	capture_file_put(f, &v, sizeof(v));
}

/* An IPv4 packet of UDP without a checksum, 28 bytes. */
void capture_file_put_udp(struct capture_file *f, uint16_t port)
{
	const uint8_t packet[] = {
		0x45,
		0,
		0,
		28,
		0,
		1,
		0,
		0,
		64,
		17,
		0,
		0,
		10,
		0,
		0,
		1,
		10,
		0,
		0,
		2,
		(uint8_t)(port >> 8),
		(uint8_t)port,
		0,
		53,
		0,
		8,
		0,
		0,
	};

	capture_file_put(f, packet, sizeof(packet));
}

void capture_file_put_header(struct capture_file *f, uint32_t seconds, uint32_t fraction,
			     uint32_t caplen, uint32_t len)
{
	capture_file_put32(f, seconds);
	capture_file_put32(f, fraction);
	capture_file_put32(f, caplen);
	capture_file_put32(f, len);
}

void capture_file_put_packet(struct capture_file *f, uint32_t seconds, uint32_t fraction,
			     uint16_t port)
{
	capture_file_put_header(f, seconds, fraction, UDP_LEN, UDP_LEN);
	capture_file_put_udp(f, port);
}

void capture_file_put_section(struct capture_file *f)
{
	capture_file_put32(f, 0x0a0d0d0a);
	capture_file_put32(f, 28);
	capture_file_put32(f, 0x1a2b3c4d);
	capture_file_put16(f, 1);
	capture_file_put16(f, 0);
	capture_file_put32(f, UINT32_MAX);
	capture_file_put32(f, UINT32_MAX);
	capture_file_put32(f, 28);
}

/* With times in units of 10^-9 seconds. */
void capture_file_put_interface(struct capture_file *f, uint16_t linktype)
{
	capture_file_put32(f, 1);
	capture_file_put32(f, 32);
	capture_file_put16(f, linktype);
	capture_file_put16(f, 0);
	capture_file_put32(f, 262144);
	capture_file_put16(f, 9);
	capture_file_put16(f, 1);
	capture_file_put(f, "\x09\0\0\0", 4);
	capture_file_put32(f, 0);
	capture_file_put32(f, 32);
}

void capture_file_put_enhanced(struct capture_file *f, uint64_t time, uint16_t port)
{
	capture_file_put32(f, 6);
	capture_file_put32(f, 32 + UDP_LEN);
	capture_file_put32(f, 0);
	capture_file_put32(f, (uint32_t)(time >> 32));
	capture_file_put32(f, (uint32_t)time);
	capture_file_put32(f, UDP_LEN);
	capture_file_put32(f, UDP_LEN);
	capture_file_put_udp(f, port);
	capture_file_put32(f, 32 + UDP_LEN);
}

void capture_file_compress(struct capture_file *f)
{
	uint8_t packed[FILE_BYTES];
	z_stream z = {
		.next_in = f->bytes,
		.avail_in = (uInt)f->len,
		.next_out = packed,
		.avail_out = sizeof(packed),
	};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	f->len = z.total_out;
	memcpy(f->bytes, packed, f->len);
	deflateEnd(&z);
}
