/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Parsers of single values: text in, plain value out. They know no keys and no files; what went
 * wrong is one sentence that completes "FILE:LINE: [Section] Key=text: ".
 */

#include <stddef.h>
#include <stdint.h>

#include "core/core.h"

#define CONF_WHY_MAX 192

#define CONF_HELPER_PORTS_MAX 8 /* of one helper, as in the kernel */

/* The ports of Helpers=, with the layout of nhelper_ports and helper_ports in struct ct_config. */
struct conf_helpers {
	unsigned int n;
	struct ct_helper_port ports[CT_HELPER_PORTS_MAX];
};

/* What a parser accepts beyond its syntax, and how wide its target is. */
struct conf_spec {
	size_t size;		  /* bytes of the target */
	uint64_t min, max;	  /* numbers, in the unit of the target */
	const char *const *words; /* NULL-terminated; word i stands for min + i */
};

/*
 * Parses text (no white space at its ends, not empty) and writes the value to ret, an object of
 * spec->size bytes. Returns 0, or -EINVAL with the reason in why and *ret untouched.
 */
typedef int conf_parser(const struct conf_spec *spec, const char *text, void *ret,
			char why[static CONF_WHY_MAX]);

conf_parser conf_parse_boolean;	     /* bool: yes no true false on off 1 0 */
conf_parser conf_parse_number;	     /* unsigned integer: decimal, min to max */
conf_parser conf_parse_size;	     /* unsigned integer: bytes, with K, M or G (powers of 1024) */
conf_parser conf_parse_size_or_auto; /* same, or "auto" for 0 */
conf_parser conf_parse_span;	     /* uint64_t: ns, from s min h d w in whole seconds */
conf_parser conf_parse_rate;	     /* unsigned integer: N/s, or 0 */
conf_parser conf_parse_word;	     /* unsigned integer: one of spec->words */
conf_parser conf_parse_word_set;     /* unsigned integer: bits 1 << (min + i) of spec->words */
conf_parser conf_parse_queue_range;  /* uint16_t[2]: N or N-M, first and last */
conf_parser conf_parse_mask;	     /* uint32_t: contiguous bits, not 0 */
conf_parser conf_parse_verdict;	     /* struct conf_verdict: accept drop queue:N repeat */
conf_parser conf_parse_cpus;	     /* cpu_set_t: numbers and ranges, by commas or spaces */

/* char[spec->size]: auto, none or the absolute path of a file */
conf_parser conf_parse_file;

/* char[spec->size]: none or the absolute path of a socket */
conf_parser conf_parse_socket;

/* char[spec->size]: names and patterns of interfaces, by spaces, each once */
conf_parser conf_parse_interfaces;

/* struct conf_ranges: numbers and ranges of queues, by commas or spaces, each queue once */
conf_parser conf_parse_queues;

/* struct conf_helpers: "name" or "name:port[,port...]", by spaces */
conf_parser conf_parse_helpers;
