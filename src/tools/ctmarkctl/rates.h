/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Totals of the service, looked at twice. Pure. */

#include <jansson.h>
#include <stdint.h>

/* Two replies of GetTotals, the older one first (NULL: there is none, and no rate). */
struct rates {
	const json_t *before, *now;
};

/* A number of the totals: list is "counters", "ctinfo", "reasons" or "deaths". */
int64_t rates_total(const json_t *reply, const char *list, const char *name);

/* How fast it grows, per second; -1: not known. */
double rates_of(const struct rates *r, const char *list, const char *name);

/* The same of a member of a queue, such as "received". */
double rates_of_queue(const struct rates *r, int64_t queue, const char *member);
