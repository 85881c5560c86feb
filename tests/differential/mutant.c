/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * An engine with a mistake in it, to see that the comparison notices. Linked with --wrap, so that
 * the engine's own functions are called through these; $CTMARK_MUTANT says what is wrong:
 *
 *	tcp:DIR:KIND:STATE:RESULT, sctp:...   a cell of a state table
 *	set:NAME:VALUE                        a setting, named as in packet scripts
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sctp.h"
#include "core/tcp.h"
#include "tests/differential/plan.h"

uint8_t __real_ct_tcp_fsm(enum ct_dir dir, enum ct_tcp_index index, uint8_t state);
uint8_t __wrap_ct_tcp_fsm(enum ct_dir dir, enum ct_tcp_index index, uint8_t state);
uint8_t __real_ct_sctp_fsm(enum ct_dir dir, uint8_t chunk, uint8_t state);
uint8_t __wrap_ct_sctp_fsm(enum ct_dir dir, uint8_t chunk, uint8_t state);
void __real_plan_engine(const struct plan *p, struct ct_config *ret);
void __wrap_plan_engine(const struct plan *p, struct ct_config *ret);

static const char *mutation(const char *kind)
{
	const char *text = getenv("CTMARK_MUTANT");
	size_t n = strlen(kind);

	return text && strncmp(text, kind, n) == 0 && text[n] == ':' ? text + n + 1 : NULL;
}

static uint8_t cell(const char *table, unsigned int dir, unsigned int kind, unsigned int state,
		    uint8_t real)
{
	const char *text = mutation(table);
	unsigned int d, k, s, result;

	if (text && sscanf(text, "%u:%u:%u:%u", &d, &k, &s, &result) == 4 && d == dir &&
	    k == kind && s == state)
		return (uint8_t)result;
	return real;
}

uint8_t __wrap_ct_tcp_fsm(enum ct_dir dir, enum ct_tcp_index index, uint8_t state)
{
	return cell("tcp", dir, index, state, __real_ct_tcp_fsm(dir, index, state));
}

uint8_t __wrap_ct_sctp_fsm(enum ct_dir dir, uint8_t chunk, uint8_t state)
{
	return cell("sctp", dir, chunk, state, __real_ct_sctp_fsm(dir, chunk, state));
}

void __wrap_plan_engine(const struct plan *p, struct ct_config *ret)
{
	const char *text = mutation("set");
	const struct flow_knob *k;
	unsigned int value;
	char name[64];

	__real_plan_engine(p, ret);
	if (!text || sscanf(text, "%63[^:]:%u", name, &value) != 2)
		return;
	k = flow_knob_find(name);
	if (!k)
		abort();
	flow_knob_apply(k, value, ret);
}
