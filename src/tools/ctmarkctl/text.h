/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Numbers, times and addresses for people. Pure. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define TEXT_STRLEN 80

/* Seconds: "29s", "1m59s", "23h59m59s", "4d23h59m". */
const char *text_duration(int64_t seconds, char buf[static TEXT_STRLEN]);

/* Up to 9999 as it is, then "12.3k", "4.56M", in steps of 1000. */
const char *text_count(uint64_t n, char buf[static TEXT_STRLEN]);

/* Up to 9999 as it is, then "12.3K", "4.56M", in steps of 1024. */
const char *text_bytes(uint64_t n, char buf[static TEXT_STRLEN]);

/* A rate per second: with a decimal below 10, else as text_count(). */
const char *text_rate(double n, char buf[static TEXT_STRLEN]);

/* Address and port as people write them, IPv6 in brackets; port -1: none. */
const char *text_endpoint(const char *address, int64_t port, char buf[static TEXT_STRLEN]);

/* Wall clock with milliseconds, "2026-11-28 16:37:42.123", or only the time of day. */
const char *text_time(int64_t seconds, int64_t usec, bool utc, bool date,
		      char buf[static TEXT_STRLEN]);

/* One side of a flow or an event: "src", "dst", "reply_src" or "reply_dst" with its port. */
const char *text_side(const json_t *flow, const char *side, char buf[static TEXT_STRLEN]);
