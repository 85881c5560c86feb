/* SPDX-License-Identifier: GPL-2.0-or-later */

/* One frame of a capture: its link type, how much longer it was, and then its bytes. */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "core/core.h"
#include "io/link.h"
#include "io/offload.h"

static const int types[] = {0, 1, 9, 12, 14, 50, 51, 101, 104, 108, 113, 204, 228, 229, 239, 276};

#define NTYPES (sizeof(types) / sizeof(types[0]))

static void check(const struct link_packet *p, const uint8_t *frame, uint32_t caplen, uint32_t len)
{
	FUZZ_CHECK(p->data >= frame && p->data < frame + caplen);
	FUZZ_CHECK(p->caplen > 0 && p->caplen <= (size_t)(frame + caplen - p->data));
	FUZZ_CHECK(p->len >= p->caplen);
	FUZZ_CHECK(p->len <= len || p->has_mark);
	FUZZ_CHECK(p->family == CT_AF_INET || p->family == CT_AF_INET6);
	FUZZ_CHECK(p->hook <= CT_HOOK_NONE);
	(void)offload_left(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct link_packet p;
	uint32_t caplen, len;
	uint8_t *frame;

	if (size < 2)
		return 0;
	caplen = (uint32_t)size - 2;
	len = caplen + data[1] * 1000U;
	frame = malloc(caplen ? caplen : 1);
	if (!frame)
		return 0;
	memcpy(frame, data + 2, caplen);
	if (link_parse(types[data[0] % NTYPES], frame, caplen, len, &p) == LINK_IP)
		check(&p, frame, caplen, len);
	free(frame);
	return 0;
}
