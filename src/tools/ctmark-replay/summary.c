/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/sinks.h"

struct sink *summary_new(const struct look *look, bool json)
{
	return NULL;
}
