/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/conf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "conf/loader.h"
#include "conf/table.h"

#define COPY_ETHERNET 2048
#define COPY_WHOLE    UINT16_MAX

void conf_derive(struct conf *c)
{
	c->track.mark.shift = (uint8_t)__builtin_ctz(c->track.mark.mask);
	c->cpu_affinity_set = CPU_COUNT(&c->cpu_affinity) > 0;
	c->track.no_confirm_classes = 0;
	for (int cls = 0; cls < CT_CLASS_MAX; cls++) {
		if (c->verdict[cls].kind == CONF_DROP)
			c->track.no_confirm_classes |= (uint8_t)(1 << cls);
	}
	/* packets that are held take room in their queue, which must never be full of them */
	c->track.max_held = c->queue_max_packets / 4;
	if (c->track.max_held > c->max_fragments)
		c->track.max_held = c->max_fragments;
	c->track.nzones = c->nzones;
	for (unsigned int i = 0; i < c->nzones; i++)
		c->track.zones[i] = c->zones[i].id;
}

void conf_init(struct conf *c)
{
	char why[CONF_WHY_MAX];

	memset(c, 0, sizeof(*c));
	ct_config_init(&c->track);
	for (size_t i = 0; i < conf_table_len; i++) {
		const struct conf_key *k = &conf_table[i];
		int r = *k->def ? k->parse(&k->spec, k->def, (char *)c + k->offset, why) : 0;

		assert(r == 0);
		(void)r;
	}
	conf_derive(c);
}

int conf_restart_keys(const struct conf *running, const struct conf *wanted, char *names,
		      size_t size)
{
	size_t used = 0;
	int count = 0;

	assert(size > 0);
	names[0] = '\0';
	for (size_t i = 0; i < conf_table_len; i++) {
		const struct conf_key *k = &conf_table[i];
		int len;

		if (!k->restart || memcmp((const char *)running + k->offset,
					  (const char *)wanted + k->offset, k->spec.size) == 0)
			continue;
		count++;
		len = snprintf(names + used, size - used, "%s%s=", used ? ", " : "", k->name);
		if (len < 0 || (size_t)len >= size - used)
			names[used] = '\0'; /* whole names only */
		else
			used += (size_t)len;
	}
	return count;
}

uint32_t conf_copy_range(const struct conf *c)
{
	if (c->queue_copy_range != CONF_COPY_AUTO)
		return c->queue_copy_range;
	return c->track.nhelper_ports > 0 ? COPY_WHOLE : COPY_ETHERNET;
}

bool conf_serves(const struct conf *c, const struct conf_verdict *verdict)
{
	return verdict->kind == CONF_QUEUE && verdict->queue >= c->queue_first &&
	       verdict->queue <= c->queue_last;
}
