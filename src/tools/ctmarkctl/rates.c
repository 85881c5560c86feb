/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmarkctl/rates.h"

#include "tools/ctmarkctl/value.h"

static const json_t *totals_of(const json_t *reply)
{
	return json_object_get(reply, "totals");
}

int64_t rates_total(const json_t *reply, const char *list, const char *name)
{
	const json_t *counter;
	size_t i;

	json_array_foreach(json_object_get(totals_of(reply), list), i,
			   counter) if (strcmp(value_text(counter, "name"), name) ==
					0) return value_number(counter, "value");
	return 0;
}

/* Seconds between the two; 0: no rate can be told. */
static double seconds(const struct rates *r)
{
	if (!r->before)
		return 0;
	return (double)(value_number(totals_of(r->now), "time_ns") -
			value_number(totals_of(r->before), "time_ns")) /
	       1e9;
}

static double rate(const struct rates *r, int64_t before, int64_t now)
{
	double s = seconds(r);

	/* less than before: another daemon, that began anew */
	if (s <= 0 || now < before)
		return -1;
	return (double)(now - before) / s;
}

double rates_of(const struct rates *r, const char *list, const char *name)
{
	return rate(r, rates_total(r->before, list, name), rates_total(r->now, list, name));
}

static int64_t queue_total(const json_t *reply, int64_t number, const char *member)
{
	const json_t *queue;
	size_t i;

	json_array_foreach(json_object_get(reply, "queues"), i,
			   queue) if (value_number(queue, "queue") ==
				      number) return value_number(queue, member);
	return 0;
}

double rates_of_queue(const struct rates *r, int64_t queue, const char *member)
{
	return rate(r, queue_total(r->before, queue, member), queue_total(r->now, queue, member));
}
