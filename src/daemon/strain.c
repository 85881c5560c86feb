/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/strain.h"

#include <inttypes.h>
#include <stdio.h>

#include "daemon/status.h"
#include "util/clock.h"

/* --- when ------------------------------------------------------------------------------------ */

/* Those have limits, counters and records of their own. */
static bool is_want_of_room(enum ct_reason reason)
{
	return reason == CT_REASON_FRAGMENT_LIMIT || reason == CT_REASON_EXPECT_REFUSED ||
	       reason == CT_REASON_TABLE_FULL;
}

/* Two counters for one record. */
static uint64_t unroomed_fragments(const struct ct_stats *sum)
{
	return sum->reason[CT_REASON_FRAGMENT_LIMIT] + sum->count[CT_STAT_FRAGMENTS_EVICTED];
}

void strain_begin(struct strain *s, const struct ct_stats *sum)
{
	s->fragments.told = unroomed_fragments(sum);
	s->expectations.told = sum->reason[CT_REASON_EXPECT_REFUSED];
	for (enum ct_reason i = 0; i < CT_REASON_MAX; i++)
		s->reason[i] = sum->reason[i];
}

uint64_t strain_invalid(const struct ct_stats *sum)
{
	uint64_t n = 0;

	for (enum ct_reason i = CT_REASON_NONE + 1; i < CT_REASON_MAX; i++)
		if (!is_want_of_room(i))
			n += sum->reason[i];
	return n;
}

/* What has come since the last look; ret->reason and ret->percent say mostly what. */
static uint64_t growth(struct strain *s, const struct ct_stats *sum, struct strain_due *ret)
{
	uint64_t all = 0, most = 0;

	for (enum ct_reason i = CT_REASON_NONE + 1; i < CT_REASON_MAX; i++) {
		uint64_t total = sum->reason[i], n = total - s->reason[i];

		s->reason[i] = total;
		if (is_want_of_room(i))
			continue;
		all += n;
		if (n > most) {
			most = n;
			ret->reason = i;
		}
	}
	ret->percent = all ? (unsigned int)(most * 100 / all) : 0;
	return all;
}

/* The packets of a second, if they are a flood that has not been told of for a while. */
static uint64_t flood_due(struct strain *s, const struct ct_stats *sum, uint64_t now_ns,
			  struct strain_due *ret)
{
	uint64_t elapsed_ns = s->seen_ns ? now_ns - s->seen_ns : NS_PER_S;
	uint64_t n = growth(s, sum, ret);
	uint64_t per_second = elapsed_ns ? (uint64_t)((double)n * 1e9 / (double)elapsed_ns) : 0;

	s->seen_ns = now_ns;
	if (per_second < STRAIN_PER_S || now_ns < s->flood_next_ns)
		return 0;
	s->flood_next_ns = now_ns + STRAIN_INTERVAL_NS;
	return per_second;
}

bool strain_due(struct strain *s, const struct ct_stats *sum, uint64_t now_ns,
		struct strain_due *ret)
{
	*ret = (struct strain_due){.total = strain_invalid(sum)};
	ret->n[STRAIN_FRAGMENTS] =
		limiter_due(&s->fragments, unroomed_fragments(sum), now_ns, STRAIN_INTERVAL_NS);
	ret->n[STRAIN_EXPECTATIONS] =
		limiter_due(&s->expectations, sum->reason[CT_REASON_EXPECT_REFUSED], now_ns,
			    STRAIN_INTERVAL_NS);
	ret->n[STRAIN_FLOOD] = flood_due(s, sum, now_ns, ret);
	return ret->n[STRAIN_FRAGMENTS] || ret->n[STRAIN_EXPECTATIONS] || ret->n[STRAIN_FLOOD];
}

/* --- in which words --------------------------------------------------------------------------- */

char *strain_line(enum strain_kind kind, const struct strain_due *due, bool shadow,
		  char buf[static STRAIN_LINE_STRLEN])
{
	const char *were = shadow ? "would have been" : "were";
	char n[STATUS_NUMBER_STRLEN], total[STATUS_NUMBER_STRLEN];

	status_number(due->n[kind], n);
	switch (kind) {
	case STRAIN_FRAGMENTS:
		snprintf(buf, STRAIN_LINE_STRLEN,
			 "No room for fragments: %s fragments %s dropped or datagrams given up; "
			 "see MaxFragments=",
			 n, were);
		break;
	case STRAIN_EXPECTATIONS:
		snprintf(buf, STRAIN_LINE_STRLEN,
			 "No room for expectations: %s packets that announced a connection %s "
			 "dropped; see MaxExpectations=",
			 n, were);
		break;
	case STRAIN_FLOOD:
		snprintf(buf, STRAIN_LINE_STRLEN,
			 "INVALID packets in masses: %s in a second, %s so far, %u %% of them %s",
			 n, status_number(due->total, total), due->percent,
			 ct_reason_name(due->reason));
		break;
	case STRAIN_MAX:
		break;
	}
	return buf;
}
