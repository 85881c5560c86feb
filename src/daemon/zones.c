/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/zones.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Open addressing: indices are handed out one after the other, so their low bits spread well. */
struct zones {
	uint32_t mask; /* of slots, at least twice as many as interfaces */
	uint32_t n;
	struct zones_slot {
		uint32_t index; /* 0: free */
		uint16_t zone;
	} slots[];
};

static uint32_t find(const struct zones *z, uint32_t index)
{
	uint32_t i = index & z->mask;

	while (z->slots[i].index && z->slots[i].index != index)
		i = (i + 1) & z->mask;
	return i;
}

uint16_t zones_get(const struct zones *z, uint32_t index, uint16_t otherwise)
{
	const struct zones_slot *slot;

	if (!z || !index)
		return otherwise;
	slot = &z->slots[find(z, index)];
	return slot->index ? slot->zone : otherwise;
}

static uint32_t count(const struct conf *c, const struct if_nameindex *list)
{
	uint32_t n = 0;

	for (; list->if_index; list++)
		n += conf_zone_of_interface(c, list->if_name) != 0;
	return n;
}

int zones_new(struct zones **ret, const struct conf *c, const struct if_nameindex *list)
{
	uint32_t n = count(c, list), size = 2;
	struct zones *z;

	if (n == 0) {
		*ret = NULL;
		return 0;
	}
	while (size < 2 * n)
		size *= 2;
	z = calloc(1, sizeof(*z) + size * sizeof(z->slots[0]));
	if (!z)
		return -ENOMEM;
	z->mask = size - 1;
	for (; list->if_index; list++) {
		uint16_t zone = conf_zone_of_interface(c, list->if_name);
		struct zones_slot *slot = &z->slots[find(z, list->if_index)];

		if (!zone)
			continue;
		z->n += slot->index == 0;
		*slot = (struct zones_slot){list->if_index, zone};
	}
	*ret = z;
	return 0;
}

int zones_read(struct zones **ret, const struct conf *c)
{
	static const struct if_nameindex none = {0};
	struct if_nameindex *list;
	int r;

	if (c->nzones == 0)
		return zones_new(ret, c, &none);
	list = if_nameindex();
	if (!list)
		return -errno;
	r = zones_new(ret, c, list);
	if_freenameindex(list);
	return r;
}

struct zones *zones_free(struct zones *z)
{
	free(z);
	return NULL;
}

bool zones_equal(const struct zones *a, const struct zones *b)
{
	if (!a || !b)
		return a == b;
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i <= a->mask; i++) {
		const struct zones_slot *slot = &a->slots[i];

		if (slot->index && zones_get(b, slot->index, 0) != slot->zone)
			return false;
	}
	return true;
}
