/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/accounts.h"

/*
 * A packet that nobody answers is not seen anywhere: the sender sends again, and the queue holds
 * one more. So it is looked for. Each queue compares its own figures where they belong together
 * (io/ledger.c); what is compared here belongs to several threads, or to the kernel, and is never
 * read at one moment. Under traffic such figures differ all the time, and each time otherwise: only
 * a difference that stands still is one.
 *
 * The kernel has more packets than are known here while some are on their way to a worker, in the
 * socket or in a batch. More than once in a row that is not likely, but not impossible either, so
 * whoever is told of a surplus asks the kernel, which knows (nfqueue_settle()).
 */

#include <inttypes.h>

#include "daemon/status.h"
#include "util/words.h"

static void add_count(struct words *w, uint64_t n, const char *text)
{
	char number[STATUS_NUMBER_STRLEN];

	words_add(w, "%s %s", status_number(n, number), text);
}

static void add_some(struct words *w, uint64_t n, const char *text)
{
	if (n > 0)
		add_count(w, n, text);
}

char *accounts_line(unsigned int queue, const struct nfqueue_stats *s,
		    char buf[static ACCOUNTS_LINE_STRLEN])
{
	struct words w = {buf, ACCOUNTS_LINE_STRLEN, 0};

	words_add(&w, "Queue %u: ", queue);
	add_count(&w, s->received + s->unreadable, "packets came, ");
	add_count(&w, s->answered, "answered, ");
	add_some(&w, s->settled, "handed on to another process, ");
	add_some(&w, s->overdue, "let through late, ");
	add_count(&w, s->waiting, "wait; ");
	add_some(&w, s->lost + s->passed, "did not get here, ");
	add_some(&w, s->gone, "or more gone before their verdict, ");
	if (s->off == 0)
		words_add(&w, "nothing is missing");
	else
		words_add(&w, "%" PRId64 " are not accounted for", s->off);
	return buf;
}

int64_t difference_due(struct difference *d, int64_t value)
{
	if (value != d->value)
		*d = (struct difference){.value = value};
	if (value == 0 || d->looks >= DIFFERENCE_LOOKS)
		return 0;
	d->looks++;
	return d->looks == DIFFERENCE_LOOKS ? value : 0;
}

uint32_t surplus_due(struct surplus *s, uint32_t in_kernel, uint64_t known, bool empty)
{
	uint32_t least = s->least, more;

	if (!empty || in_kernel <= known) {
		*s = (struct surplus){};
		return 0;
	}
	more = in_kernel - (uint32_t)known;
	if (s->looks == 0 || more < least)
		least = more;
	s->least = least;
	if (++s->looks < SURPLUS_LOOKS)
		return 0;
	*s = (struct surplus){};
	return least;
}
