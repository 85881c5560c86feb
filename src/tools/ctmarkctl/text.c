/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/ctmarkctl/value.h"

#define MINUTE 60
#define HOUR   3600
#define DAY    86400

const char *text_duration(int64_t seconds, char buf[static TEXT_STRLEN])
{
	int64_t s = seconds;

	if (s >= DAY)
		snprintf(buf, TEXT_STRLEN, "%" PRId64 "d%02" PRId64 "h%02" PRId64 "m", s / DAY,
			 s % DAY / HOUR, s % HOUR / MINUTE);
	else if (s >= HOUR)
		snprintf(buf, TEXT_STRLEN, "%" PRId64 "h%02" PRId64 "m%02" PRId64 "s", s / HOUR,
			 s % HOUR / MINUTE, s % MINUTE);
	else if (s >= MINUTE)
		snprintf(buf, TEXT_STRLEN, "%" PRId64 "m%02" PRId64 "s", s / MINUTE, s % MINUTE);
	else
		snprintf(buf, TEXT_STRLEN, "%" PRId64 "s", s);
	return buf;
}

/* Three digits and a unit. */
static const char *scaled(double n, double step, const char *units, char buf[static TEXT_STRLEN])
{
	size_t unit = 0;

	n /= step;
	while (n >= 999.5 && unit + 1 < strlen(units)) {
		n /= step;
		unit++;
	}
	snprintf(buf, TEXT_STRLEN, "%.*f%c", n < 9.995 ? 2 : n < 99.95 ? 1 : 0, n, units[unit]);
	return buf;
}

const char *text_count(uint64_t n, char buf[static TEXT_STRLEN])
{
	if (n > 9999)
		return scaled((double)n, 1000, "kMGTPE", buf);
	snprintf(buf, TEXT_STRLEN, "%" PRIu64, n);
	return buf;
}

const char *text_bytes(uint64_t n, char buf[static TEXT_STRLEN])
{
	if (n > 9999)
		return scaled((double)n, 1024, "KMGTPE", buf);
	snprintf(buf, TEXT_STRLEN, "%" PRIu64, n);
	return buf;
}

const char *text_rate(double n, char buf[static TEXT_STRLEN])
{
	if (n >= 9.95)
		return text_count((uint64_t)(n + 0.5), buf);
	snprintf(buf, TEXT_STRLEN, n < 0.05 ? "0" : "%.1f", n);
	return buf;
}

const char *text_endpoint(const char *address, int64_t port, char buf[static TEXT_STRLEN])
{
	if (port < 0)
		snprintf(buf, TEXT_STRLEN, "%s", address);
	else
		snprintf(buf, TEXT_STRLEN, strchr(address, ':') ? "[%s]:%" PRId64 : "%s:%" PRId64,
			 address, port);
	return buf;
}

const char *text_time(int64_t seconds, int64_t usec, bool utc, bool date,
		      char buf[static TEXT_STRLEN])
{
	time_t when = (time_t)seconds;
	struct tm tm = {};
	size_t len;

	if (!(utc ? gmtime_r(&when, &tm) : localtime_r(&when, &tm)))
		tm = (struct tm){.tm_mday = 1, .tm_year = 70};
	len = strftime(buf, TEXT_STRLEN, date ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &tm);
	snprintf(buf + len, TEXT_STRLEN - len, ".%03d", (int)(usec / 1000 % 1000));
	return buf;
}

const char *text_side(const json_t *flow, const char *side, char buf[static TEXT_STRLEN])
{
	bool reply = strncmp(side, "reply_", 6) == 0;
	bool source = strcmp(reply ? side + 6 : side, "src") == 0;
	char port[16];

	snprintf(port, sizeof(port), "%s%s", reply ? "reply_" : "", source ? "sport" : "dport");
	return text_endpoint(value_text(flow, side),
			     value_has(flow, port) ? value_number(flow, port) : -1, buf);
}
