/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/sinks.h"

struct sink *explain_new(const struct look *look, uint64_t number, bool json)
{
	return NULL;
}
