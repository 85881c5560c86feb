/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/core.h"

char *status_number(uint64_t n, char buf[static STATUS_NUMBER_STRLEN])
{
	char digits[STATUS_NUMBER_STRLEN];
	char *out = buf;
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);

	for (int i = 0; i < len; i++) {
		*out++ = digits[i];
		if ((len - i) % 3 == 1 && i + 1 < len)
			*out++ = ',';
	}
	*out = '\0';
	return buf;
}

char *status_rate(double pps, char buf[static STATUS_RATE_STRLEN])
{
	/* The limits lie where rounding would show a thousand of the smaller unit. */
	if (pps < 999.5)
		snprintf(buf, STATUS_RATE_STRLEN, "%.0f pps", pps);
	else if (pps < 999950)
		snprintf(buf, STATUS_RATE_STRLEN, "%.1f kpps", pps / 1e3);
	else
		snprintf(buf, STATUS_RATE_STRLEN, "%.1f Mpps", pps / 1e6);
	return buf;
}

char *status_queues(unsigned int first, unsigned int last, char buf[static STATUS_QUEUES_STRLEN])
{
	if (first == last)
		snprintf(buf, STATUS_QUEUES_STRLEN, "queue %u", first);
	else
		snprintf(buf, STATUS_QUEUES_STRLEN, "queues %u-%u", first, last);
	return buf;
}

char *status_drops(uint64_t n, bool exact, char buf[static STATUS_DROPS_STRLEN])
{
	char number[STATUS_NUMBER_STRLEN];

	snprintf(buf, STATUS_DROPS_STRLEN, "%s%s drops", exact ? "" : "at least ",
		 status_number(n, number));
	return buf;
}

const char *status_fragments(int fragments)
{
	switch (fragments) {
	case 0:
		return "no fragments seen yet";
	case CT_FRAGMENTS_IPV4:
		return "IPv4 fragments unassembled";
	case CT_FRAGMENTS_IPV6:
		return "IPv6 fragments unassembled";
	case CT_FRAGMENTS_IPV4 | CT_FRAGMENTS_IPV6:
		return "fragments unassembled";
	default:
		return "";
	}
}

char *status_line(const struct status *s, char buf[static STATUS_LINE_STRLEN])
{
	char queues[STATUS_QUEUES_STRLEN], flows[STATUS_NUMBER_STRLEN], rate[STATUS_RATE_STRLEN];
	char drops[STATUS_DROPS_STRLEN], invalid[STATUS_NUMBER_STRLEN];
	const char *fragments = status_fragments(s->fragments);

	snprintf(buf, STATUS_LINE_STRLEN, "%s, confirming at the %s, %s flows, %s, %s%s%s%s%s",
		 status_queues(s->queue_first, s->queue_last, queues),
		 s->at_exit ? "exit" : "entry", status_number(s->flows, flows),
		 status_rate(s->pps, rate), s->invalid ? status_number(s->invalid, invalid) : "",
		 s->invalid ? " invalid, " : "", fragments, *fragments ? ", " : "",
		 status_drops(s->drops, s->drops_exact, drops));
	return buf;
}
