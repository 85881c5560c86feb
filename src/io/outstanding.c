/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/outstanding.h"

void outstanding_turn(struct outstanding *o)
{
	o->behind += o->n - o->next;
	o->n = 0;
	o->next = 0;
}

void outstanding_add(struct outstanding *o, uint32_t id, uint32_t mark)
{
	o->batch[o->n].id = id;
	o->batch[o->n].mark = mark;
	o->n++;
}

bool outstanding_answer(struct outstanding *o, uint32_t id, uint32_t *ret_mark)
{
	unsigned int i = o->next;

	while (i < o->n && o->batch[i].id != id)
		i++;
	if (i == o->n) { /* one of those passed over */
		if (o->behind > 0)
			o->behind--;
		return false;
	}
	o->behind += i - o->next;
	o->next = i + 1;
	if (o->behind > 0 || i == 0)
		return false;
	*ret_mark = o->batch[i].mark;
	return true;
}

void outstanding_strand(struct outstanding *o)
{
	o->behind++;
}

void outstanding_unstrand(struct outstanding *o, unsigned int n)
{
	o->behind -= n < o->behind ? n : o->behind;
}
