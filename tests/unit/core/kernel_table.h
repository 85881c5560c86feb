/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The kernel's table, as far as it matters who has to leave when it is full (semantics 7.1): as
 * many buckets as flows, a link for each direction of a flow, and a new flow that finds the table
 * full looks at eight buckets from its own on and ends, in the first that has any, all flows that
 * are not ASSURED. Where a link hangs is thrown with dice; that is what a keyed hash is for.
 */

#include <stdbool.h>
#include <stdint.h>

#define KT_RANGE 8

/* A flow of the table: its slot, and how many flows had that slot before it. */
struct kt_flow {
	uint32_t slot, generation;
};

struct kernel_table;

struct kernel_table *kt_new(uint32_t max_flows, uint64_t seed);
struct kernel_table *kt_free(struct kernel_table *t);

uint32_t kt_count(const struct kernel_table *t);

/* A first packet. False: there is no room, and it is dropped. */
bool kt_add(struct kernel_table *t, bool assured, struct kt_flow *ret);

/* Is it still there? */
bool kt_has(const struct kernel_table *t, struct kt_flow flow);

void kt_assure(struct kernel_table *t, struct kt_flow flow);
