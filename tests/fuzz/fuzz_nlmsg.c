/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A datagram as an NFQUEUE socket could receive it: the input, byte by byte. */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "io/nlpacket.h"

/* Reads every byte that the packet claims to have, and compares it with the input. */
static void check_packet(const struct nlpacket *p, const uint8_t *datagram, const uint8_t *input,
			 size_t len)
{
	FUZZ_CHECK(p->len >= p->caplen);
	if (!p->data) {
		FUZZ_CHECK(p->caplen == 0);
		return;
	}
	FUZZ_CHECK(p->data >= datagram && p->data <= datagram + len);
	FUZZ_CHECK(p->caplen <= (size_t)(datagram + len - p->data));
	FUZZ_CHECK(memcmp(p->data, input + (p->data - datagram), p->caplen) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* aligned, and ending where the input ends */
	uint8_t *datagram = malloc(size ? size : 1);
	size_t pos = 0;

	if (!datagram)
		return 0;
	memcpy(datagram, data, size);
	for (;;) {
		struct nlpacket p = {};
		size_t before = pos;
		enum nlpacket_kind kind = nlpacket_next(datagram, size, &pos, &p);

		FUZZ_CHECK(pos <= size);
		if (kind == NLPACKET_END)
			break;
		FUZZ_CHECK(pos > before);
		if (kind == NLPACKET_PACKET)
			check_packet(&p, datagram, data, size);
	}
	free(datagram);
	return 0;
}
