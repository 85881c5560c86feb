/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Which interfaces are in which zone, by index: [Zone] of the configuration applied to the
 * interfaces that there are. Made anew when one of the two changes, and immutable; a packet thread
 * looks it up without a lock or a system call.
 */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"

struct zones;

/*
 * Applies the zones of c to a list of interfaces, which ends with index 0. *ret is NULL if no
 * interface is in a zone. Returns 0 or -ENOMEM.
 */
int zones_new(struct zones **ret, const struct conf *c, const struct if_nameindex *list);

/* The same with the interfaces that there are now. Returns 0 or -errno. */
int zones_read(struct zones **ret, const struct conf *c);

struct zones *zones_free(struct zones *z);

/* NULL is fine, in both. */
bool zones_equal(const struct zones *a, const struct zones *b);

/* Id of the zone of an interface; otherwise if it is in none. */
uint16_t zones_get(const struct zones *z, uint32_t index, uint16_t otherwise);
