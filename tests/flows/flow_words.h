/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The parts of a packet line. Each reads from where the line stands; 0 or -EINVAL with a message.
 */

#include "tests/flows/flow_lex.h"
#include "tests/flows/flow_script.h"

/* "A > B tcp S seq 1000 ...", up to ':' or ']' or the end. p was initialised. */
int flow_words_packet(struct flow_lex *l, struct flow_packet *p);

/* "NEW SYN_SENT 0x8 120 reason=...", behind the ':'; proto has the states (0: none has). */
int flow_words_expect(struct flow_lex *l, uint8_t proto, struct flow_expect *e);

/* "destroy tcp-rst", behind the '!'; proto as above. */
int flow_words_event(struct flow_lex *l, uint8_t proto, struct flow_event *e);

/* The name of a ctinfo. */
int flow_words_info(struct flow_lex *l, int *ret);
