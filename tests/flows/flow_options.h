/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tests/flows/flow_script.h"

/*
 * Appends TCP options written as "mss=1460,sackok,wscale=7,ts,nop,sack=1-2+5-9,hex=0300", filled up
 * with end-of-list to a multiple of four bytes. Returns 0, or -EINVAL for an unknown option and for
 * more than 40 bytes.
 */
int flow_options_parse(struct flow_packet *p, char *text);
