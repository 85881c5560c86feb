/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The greatest of many flows: no more of them are kept than are wanted, and as many again. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define RANK_KEYS "bytes, packets and timeout"

struct rank;

/* By "bytes" or "packets" of both directions, or "timeout". NULL: there is no such key. */
struct rank *rank_new(const char *key, size_t limit);
void rank_free(struct rank *r);

/* False: no memory. */
bool rank_add(struct rank *r, json_t *flow);

/* Returns how many there are; then they can be got, the greatest first. */
size_t rank_sort(struct rank *r);
const json_t *rank_get(const struct rank *r, size_t i);
