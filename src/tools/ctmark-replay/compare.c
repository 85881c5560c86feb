/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/sinks.h"

struct sink *compare_new(const struct look *look, bool json, bool *ret_differs)
{
	return NULL;
}
