/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct kept_packet **head_of(struct kept *k, uint32_t id)
{
	return &k->heads[id % KEPT_HEADS];
}

int kept_add(struct kept *k, const struct capture_packet *packet, const struct ct_input *in)
{
	struct kept_packet **head = head_of(k, in->id);
	struct kept_packet *p = malloc(sizeof(*p) + in->caplen);

	if (!p)
		return -ENOMEM;
	*p = (struct kept_packet){.next = *head, .packet = *packet, .in = *in};
	memcpy(p->bytes, in->data, in->caplen);
	p->in.data = p->packet.link.data = p->bytes;
	*head = p;
	return 0;
}

struct kept_packet *kept_take(struct kept *k, uint32_t id)
{
	struct kept_packet *p;

	for (struct kept_packet **at = head_of(k, id); (p = *at); at = &p->next) {
		if (p->in.id != id)
			continue;
		*at = p->next;
		return p;
	}
	return NULL;
}

void kept_done(struct kept *k)
{
	for (uint32_t i = 0; i < KEPT_HEADS; i++) {
		struct kept_packet *next;

		for (struct kept_packet *p = k->heads[i]; p; p = next) {
			next = p->next;
			free(p);
		}
		k->heads[i] = NULL;
	}
}
