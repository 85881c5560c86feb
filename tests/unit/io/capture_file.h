/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Capture files that a test writes itself, byte by byte, in memory. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_LEN   32
#define FILE_BYTES (1u << 16)

/* Length of the packet that capture_file_put_udp() puts. */
#define UDP_LEN 28

/* A capture file in memory, and how its numbers are written. */
struct capture_file {
	int fd;
	char path[PATH_LEN];
	uint8_t bytes[FILE_BYTES];
	size_t len;
	bool swapped;
};

/* Bytes; numbers are in the byte order of the file. */
void capture_file_put(struct capture_file *f, const void *bytes, size_t n);
void capture_file_put16(struct capture_file *f, uint16_t v);
void capture_file_put32(struct capture_file *f, uint32_t v);

/* An IPv4 packet of UDP without a checksum. */
void capture_file_put_udp(struct capture_file *f, uint16_t port);

/* Pcap: the header of a packet, and the packet above with its header. */
void capture_file_put_header(struct capture_file *f, uint32_t seconds, uint32_t fraction,
			     uint32_t caplen, uint32_t len);
void capture_file_put_packet(struct capture_file *f, uint32_t seconds, uint32_t fraction,
			     uint16_t port);

/* Pcapng: blocks; times are in units of 10^-9 seconds. */
void capture_file_put_section(struct capture_file *f);
void capture_file_put_interface(struct capture_file *f, uint16_t linktype);
void capture_file_put_enhanced(struct capture_file *f, uint64_t time, uint16_t port);

/* Makes gzip of what is in it. */
void capture_file_compress(struct capture_file *f);
