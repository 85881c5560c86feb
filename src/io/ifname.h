/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Interface index to name, kept current by rtnetlink; the only user of libnfnetlink. */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct ifname;

/* Opens the cache and reads the present interfaces. Returns 0 or -errno. */
int ifname_new(struct ifname **ret);
struct ifname *ifname_free(struct ifname *n);

/*
 * Becomes readable when interfaces change; then call ifname_catch_up(). It asks again for all
 * interfaces if notifications were lost. Returns 0, or -errno if changes cannot be followed any
 * more; from then on all names are numbers.
 */
int ifname_fd(const struct ifname *n);
int ifname_catch_up(struct ifname *n);

/* Writes the name to buf; the number in decimal if it is not known (any more). Any thread. */
const char *ifname_get(struct ifname *n, uint32_t index, char buf[static IF_NAMESIZE]);

/* Whether this is the index of the loopback device of this network namespace. Any thread. */
bool ifname_is_loopback(struct ifname *n, uint32_t index);
