/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/differential/plan.h"

#include <string.h>

#include "core/helper/helper.h"
#include "util/cleanup.h"

#define FLAGS_MASK 0x7f

/* How timeouts are chosen in a run. */
enum times { TIMES_ANY, TIMES_SHORT, TIMES_USUAL, TIMES_MAX };

static uint32_t some_value(struct dice *d, const struct flow_knob *k, enum times times)
{
	if (k->timeout < 0) {
		if (!dice_chance(d, k->timeout < 0 && strcmp(k->name, "checksum") == 0 ? 35 : 25))
			return k->usual;
		return k->boolean ? !k->usual : dice_below(d, 4);
	}
	switch (times) {
	case TIMES_USUAL:
		return k->usual;
	case TIMES_SHORT:
		return 1 + dice_below(d, 4);
	default:
		return 5 + dice_below(d, 1000);
	}
}

static bool is_unchecked(const struct plan *p)
{
	for (size_t i = 0; i < p->nset; i++)
		if (strcmp(p->set[i].knob->name, "checksum") == 0)
			return p->set[i].value == 0;
	return false;
}

static bool is_wanted(enum talk_kind kind, enum talk_kind only)
{
	if (only == TALK_KIND_HELPERS)
		return talk_kind_helper(kind) != CT_HELPER_NONE;
	return only == TALK_KIND_ALL || only == kind;
}

static void make_mix(struct plan *p, enum times times, enum talk_kind only)
{
#define X(name, str, weight, unchecked, helper) weight,
	static const unsigned int usual[] = {TALK_KIND_LIST(X)};
#undef X
#define X(name, str, weight, unchecked, helper) unchecked,
	static const unsigned int other[] = {TALK_KIND_LIST(X)};
#undef X
	const unsigned int *weights = is_unchecked(p) ? other : usual;

	for (int i = 0; i < TALK_KIND_MAX; i++) {
		enum ct_helper_id helper = talk_kind_helper((enum talk_kind)i);

		p->mix.weight[i] = is_wanted((enum talk_kind)i, only) ? weights[i] : 0;
		if (helper != CT_HELPER_NONE && !ct_helper_get(helper))
			p->mix.weight[i] = 0;
	}
	p->mix.wait_percent = times == TIMES_SHORT ? 6 : 2;
}

/* All helpers at their usual ports. */
static void add_helpers(struct plan *p)
{
	for (unsigned int i = CT_HELPER_NONE + 1; i < CT_HELPER_MAX; i++) {
		struct flow_setting *s = &p->set[p->nset];

		s->knob = flow_knob_find("helpers");
		if (ct_helper_get((enum ct_helper_id)i) &&
		    flow_knob_helper(ct_helper_name((enum ct_helper_id)i), NULL, &s->value) == 0)
			p->nset++;
	}
}

void plan_make(struct plan *p, uint64_t seed, enum talk_kind only)
{
	struct dice d = dice_for(seed, 0);
	enum times times = (enum times)(seed % TIMES_MAX);
	const struct flow_knob *k;

	/* what a few runs together shall have seen takes turns */
	*p = (struct plan){.seed = seed, .flags = seed & 1, .at_exit = seed & 2};
	for (size_t i = 0; (k = flow_knob_at(i)) && p->nset < PLAN_SETTINGS_MAX; i++)
		if (!k->helpers)
			p->set[p->nset++] =
				(struct flow_setting){.knob = k, .value = some_value(&d, k, times)};
	add_helpers(p);
	make_mix(p, times, only);
}

void plan_print_config(FILE *f, const struct plan *p)
{
	if (p->flags)
		fprintf(f, "[Mark]\nEncoding=flags\nMask=%#x\n", FLAGS_MASK);
	flow_knob_print(f, p->set, p->nset);
	fprintf(f, "[Track]\nConfirm=%s\n[Log]\nTarget=none\n", p->at_exit ? "exit" : "entry");
}

void plan_print_settings(FILE *f, const struct plan *p)
{
	for (size_t i = 0; i < p->nset; i++)
		if (p->set[i].value != p->set[i].knob->usual && !p->set[i].knob->helpers)
			fprintf(f, "set %s %u\n", p->set[i].knob->name, p->set[i].value);
}

void plan_engine(const struct plan *p, struct ct_config *ret)
{
	ct_config_init(ret);
	if (p->flags)
		ret->mark = (struct ct_mark){.mask = FLAGS_MASK, .encoding = CT_ENCODING_FLAGS};
	ret->confirm = p->at_exit ? CT_CONFIRM_EXIT : CT_CONFIRM_ENTRY;
	for (size_t i = 0; i < p->nset; i++)
		flow_knob_apply(p->set[i].knob, p->set[i].value, ret);
}

void plan_print_rules(FILE *f, const struct plan *p)
{
	flow_knob_print_rules(f, p->set, p->nset);
}
