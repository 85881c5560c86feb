/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/choice.h"

int choice_parse(struct choice *ret, const char *flows, const char *only)
{
	*ret = (struct choice){.infos = UINT8_MAX};
	return 0;
}

bool choice_has_flow(const struct choice *c, uint64_t flow)
{
	for (size_t i = 0; i < c->nflows; i++)
		if (c->flows[i] == flow)
			return true;
	return c->nflows == 0;
}

bool choice_has_packet(const struct choice *c, const struct record *r)
{
	return choice_has_flow(c, r->flow) && c->infos >> r->out->info & 1;
}
