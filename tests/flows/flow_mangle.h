/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tests/flows/flow_wire.h"

/*
 * Sends damaged packets of all kinds (bytes changed behind the addresses, cut short, lengths made
 * to fit again) and compares the kernel's class of each with the engine's; checksums are not
 * verified on either side. What the router's IP layer drops before anybody classifies it does not
 * count. The rules must not queue. Differences are printed as bytes. Returns their number, or
 * -errno.
 */
int flow_mangle(struct flow_wire *w, uint64_t seed, unsigned int packets);
