/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "core/helper/helper.h"

#include "core/stats.h"

#define X(suffix, str, family_set, proto_set, usual, ...)                                          \
	[CT_HELPER_##suffix] = {                                                                   \
		.name = (str),                                                                     \
		.families = (family_set),                                                          \
		.protos = (proto_set),                                                             \
		.port = (usual),                                                                   \
		.policy = __VA_ARGS__,                                                             \
	},
const struct ct_helper_facts ct_helper_facts[CT_HELPER_MAX] = {CT_HELPER_LIST(X)};
#undef X

const struct ct_helper *ct_helper_get(enum ct_helper_id id)
{
	static const struct ct_helper *const helpers[CT_HELPER_MAX] = {
		[CT_HELPER_FTP] = &ct_helper_ftp,   [CT_HELPER_TFTP] = &ct_helper_tftp,
		[CT_HELPER_IRC] = &ct_helper_irc,   [CT_HELPER_SIP] = &ct_helper_sip,
		[CT_HELPER_PPTP] = &ct_helper_pptp, [CT_HELPER_AMANDA] = &ct_helper_amanda,
		[CT_HELPER_SANE] = &ct_helper_sane,
	};

	return id < CT_HELPER_MAX ? helpers[id] : NULL;
}

const char *ct_helper_name(enum ct_helper_id id)
{
	return id > CT_HELPER_NONE && id < CT_HELPER_MAX ? ct_helper_facts[id].name : "";
}

enum ct_helper_id ct_helper_find(const char *name)
{
	for (int id = CT_HELPER_NONE + 1; id < CT_HELPER_MAX; id++)
		if (strcmp(ct_helper_name((enum ct_helper_id)id), name) == 0)
			return (enum ct_helper_id)id;
	return CT_HELPER_NONE;
}

enum ct_help_result ct_help_unreadable(struct ct_help *h)
{
	h->reason = CT_REASON_HELPER_PARSE;
	h->detail[0] = h->flow->helper;
	h->detail[1] = h->payload.len;
	return CT_HELP_DROP;
}

struct ct_expect_spec ct_help_spec(const struct ct_help *h, uint8_t proto)
{
	return (struct ct_expect_spec){.tuple = {.family = h->flow->orig.family,
						 .proto = proto,
						 .zone = h->flow->orig.zone}};
}

enum ct_help_result ct_help_expect(struct ct_help *h, const struct ct_expect_spec *spec)
{
	const struct ct_expect_policy *policy =
		&ct_helper_facts[h->flow->helper].policy[spec->class];
	struct ct_expect_spec full = *spec;
	enum ct_expect_error error;

	if (full.timeout_ns == 0)
		full.timeout_ns = policy->seconds * CT_NS_PER_S;
	error = ct_expect_add(h->th->ct, h->index, &full, policy->max, h->now_ns);
	if (error == CT_EXPECT_OK) {
		ct_stat_inc(h->th, CT_STAT_EXPECTED);
		return CT_HELP_ACCEPT;
	}
	if (error == CT_EXPECT_ALREADY && spec->skip_master)
		return CT_HELP_ACCEPT;
	ct_stat_inc(h->th, CT_STAT_EXPECT_REFUSED);
	h->reason = CT_REASON_EXPECT_REFUSED;
	h->detail[0] = h->flow->helper;
	h->detail[1] = spec->class;
	h->detail[2] = ct_read_be16((const uint8_t *)&spec->tuple.dst_id_be);
	return CT_HELP_DROP;
}

bool ct_help_foreign(struct ct_help *h, const struct ct_expect_spec *spec)
{
	return ct_expect_foreign(h->th->ct, h->index, spec, h->now_ns);
}

void ct_help_each(struct ct_help *h, ct_expect_visit *visit, void *ctx)
{
	ct_expect_each(h->th->ct, h->index, h->now_ns, visit, ctx);
}

void ct_help_doom(struct ct_help *h, const struct ct_tuple *t)
{
	if (h->th->ndoomed < CT_DOOMED_MAX)
		h->th->doomed[h->th->ndoomed++] = *t;
}
