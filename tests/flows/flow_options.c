/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int put(struct flow_packet *p, const uint8_t *bytes, size_t n)
{
	if (p->optlen + n > FLOW_OPT_MAX)
		return -EINVAL;
	memcpy(p->opt + p->optlen, bytes, n);
	p->optlen += (unsigned int)n;
	return 0;
}

static int put32(struct flow_packet *p, uint32_t v)
{
	uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	return put(p, b, sizeof(b));
}

/* "5001-5101+5201-5301" */
static int put_sack(struct flow_packet *p, const char *blocks)
{
	unsigned int start = p->optlen;
	uint8_t head[2] = {5, 0};
	int r = put(p, head, sizeof(head));
	char *end = NULL;

	for (const char *s = blocks; r == 0; s = end + 1) {
		r = put32(p, (uint32_t)strtoul(s, &end, 10));
		if (r < 0 || *end != '-')
			return -EINVAL;
		r = put32(p, (uint32_t)strtoul(end + 1, &end, 10));
		if (*end != '+')
			break;
	}
	p->opt[start + 1] = (uint8_t)(p->optlen - start);
	return r < 0 || !end || *end ? -EINVAL : 0;
}

static int put_hex(struct flow_packet *p, const char *hex)
{
	for (; *hex; hex += 2) {
		char two[3] = {hex[0], hex[1], '\0'};
		char *end;
		uint8_t b = (uint8_t)strtoul(two, &end, 16);

		if (end != two + 2 || put(p, &b, 1) < 0)
			return -EINVAL;
	}
	return 0;
}

static int put_one(struct flow_packet *p, const char *name, const char *value)
{
	unsigned long n = value ? strtoul(value, NULL, 10) : 0;

	if (strcmp(name, "nop") == 0)
		return put(p, (const uint8_t[]){1}, 1);
	if (strcmp(name, "sackok") == 0)
		return put(p, (const uint8_t[]){4, 2}, 2);
	if (strcmp(name, "ts") == 0)
		return put(p, (const uint8_t[]){8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, 10);
	if (!value)
		return -EINVAL;
	if (strcmp(name, "mss") == 0)
		return put(p, (const uint8_t[]){2, 4, (uint8_t)(n >> 8), (uint8_t)n}, 4);
	if (strcmp(name, "wscale") == 0)
		return put(p, (const uint8_t[]){3, 3, (uint8_t)n}, 3);
	if (strcmp(name, "sack") == 0)
		return put_sack(p, value);
	if (strcmp(name, "hex") == 0)
		return put_hex(p, value);
	return -EINVAL;
}

int flow_options_parse(struct flow_packet *p, char *text)
{
	char *save = NULL;

	for (char *o = strtok_r(text, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		char *value = strchr(o, '=');

		if (value)
			*value++ = '\0';
		if (put_one(p, o, value) < 0)
			return -EINVAL;
	}
	while (p->optlen % 4)
		p->opt[p->optlen++] = 0;
	return 0;
}
