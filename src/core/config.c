/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "core/core.h"

void ct_config_init(struct ct_config *cfg)
{
	*cfg = (struct ct_config){
		.timeout_ns =
			{
#define X(name, key, seconds) [CT_TIMEOUT_##name] = (seconds)*CT_NS_PER_S,
				CT_TIMEOUT_LIST(X)
#undef X
			},
		.mark = {.mask = 0xf, .shift = 0, .encoding = CT_ENCODING_CTINFO},
		.confirm = CT_CONFIRM_AUTO,
		.tcp_loose = true,
		.tcp_max_retrans = 3,
		.checksum = true,
		.accounting = true,
		.max_held = CT_FRAGMENTS_MAX,
		.hold_fragments = true,
		.fragment_ns = 30 * CT_NS_PER_S,
	};
}
