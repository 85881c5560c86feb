/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/fuzz/legal.h"

#include "core/key.h"
#include "core/pkt.h"
#include "core/sctp.h"
#include "core/sound.h"
#include "core/tcp.h"
#include "tests/fuzz/fuzz.h"

/*
 * The flow that a packet of this ctinfo belongs to, after it: what its status has and lacks
 * (semantics 1.6). An error about a flow (5.5) is another matter: it is attached to any.
 */
static const struct {
	uint16_t has, lacks;
} flow_laws[] = {
	[CT_INFO_ESTABLISHED] = {.has = CT_STATUS_SEEN_REPLY},
	[CT_INFO_RELATED] = {.has = CT_STATUS_EXPECTED, .lacks = CT_STATUS_SEEN_REPLY},
	[CT_INFO_NEW] = {.lacks = CT_STATUS_SEEN_REPLY | CT_STATUS_EXPECTED | CT_STATUS_ASSURED},
	[CT_INFO_ESTABLISHED_REPLY] = {.has = CT_STATUS_SEEN_REPLY},
};

/* Protocols, and what their flows can be. */
static const struct {
	uint8_t proto;
	bool assured;	  /* can they be ASSURED? */
	uint8_t min, max; /* states */
} proto_laws[] = {
	{CT_PROTO_TCP, true, CT_TCP_STATE_NONE + 1, CT_TCP_STATE_MAX - 1},
	{CT_PROTO_SCTP, true, CT_SCTP_STATE_NONE + 1, CT_SCTP_STATE_MAX - 1},
	{CT_PROTO_UDP, true, 0, 0},
	{CT_PROTO_UDPLITE, true, 0, 0},
	{CT_PROTO_GRE, true, 0, 0},
};

/* Whose packets alone have a reason; what is not listed can happen to any. */
static const struct {
	uint8_t reason, proto, other;
} reason_laws[] = {
	{CT_REASON_NOT_INVERTIBLE, CT_PROTO_ICMP, CT_PROTO_ICMPV6},
	{CT_REASON_TCP_OFFSET, CT_PROTO_TCP, 0},
	{CT_REASON_TCP_FLAGS, CT_PROTO_TCP, 0},
	{CT_REASON_TCP_NOT_FIRST, CT_PROTO_TCP, 0},
	{CT_REASON_TCP_LOOSE_OFF, CT_PROTO_TCP, 0},
	{CT_REASON_TCP_STATE, CT_PROTO_TCP, 0},
	{CT_REASON_TCP_RST_STALE, CT_PROTO_TCP, 0},
	{CT_REASON_TCP_SEQ_OVER, CT_PROTO_TCP, 0},
	{CT_REASON_TCP_ACK_OVER, CT_PROTO_TCP, 0},
	{CT_REASON_UDP_LENGTH, CT_PROTO_UDP, 0},
	{CT_REASON_UDPLITE_COVERAGE, CT_PROTO_UDPLITE, 0},
	{CT_REASON_UDPLITE_NO_CHECKSUM, CT_PROTO_UDPLITE, 0},
	{CT_REASON_SCTP_CHUNKS, CT_PROTO_SCTP, 0},
	{CT_REASON_SCTP_NOT_FIRST, CT_PROTO_SCTP, 0},
	{CT_REASON_SCTP_VTAG, CT_PROTO_SCTP, 0},
	{CT_REASON_SCTP_STATE, CT_PROTO_SCTP, 0},
	{CT_REASON_SCTP_INIT_TAG, CT_PROTO_SCTP, 0},
	{CT_REASON_GRE_PROTOCOL, CT_PROTO_GRE, 0},
	{CT_REASON_ICMP_TYPE, CT_PROTO_ICMP, 0},
	{CT_REASON_ICMP_FAMILY, CT_PROTO_ICMP, CT_PROTO_ICMPV6},
	{CT_REASON_ICMP_UNASKED, CT_PROTO_ICMP, CT_PROTO_ICMPV6},
	{CT_REASON_ICMP_QUOTE_SHORT, CT_PROTO_ICMP, CT_PROTO_ICMPV6},
	{CT_REASON_ICMP_QUOTE_FORM, CT_PROTO_ICMP, CT_PROTO_ICMPV6},
	{CT_REASON_ICMP_NO_FLOW, CT_PROTO_ICMP, CT_PROTO_ICMPV6},
	{CT_REASON_ICMP_TARGET, CT_PROTO_ICMP, CT_PROTO_ICMPV6},
	{CT_REASON_ICMP6_REDIRECT, CT_PROTO_ICMPV6, 0},
};

#define COUNT(table) (sizeof(table) / sizeof(table[0]))

/* The packet's protocol, and whether its network layer can be read. */
static bool read_proto(const struct ct_input *in, uint8_t *ret_proto)
{
	struct ct_bytes v = {.data = in->data, .cap = in->caplen, .len = in->len};
	uint32_t detail[CT_DETAIL_MAX];
	struct ct_pkt pkt;
	enum ct_reason reason =
		ct_pkt_parse(&pkt, v, in->family ? in->family : ct_pkt_family(v), detail);

	*ret_proto = pkt.proto;
	return reason == CT_REASON_NONE;
}

static bool is_icmp(uint8_t proto)
{
	return proto == CT_PROTO_ICMP || proto == CT_PROTO_ICMPV6;
}

/* --- the flow --------------------------------------------------------------------------------- */

/* About another packet: an ICMP error, or a RST by which this host refuses one. */
static bool is_about_other(const struct ct_input *in, const struct ct_result *out, uint8_t proto)
{
	if (out->info == CT_INFO_RELATED_REPLY)
		FUZZ_CHECK(is_icmp(proto) || (proto == CT_PROTO_TCP && in->hook == CT_HOOK_OUTPUT));
	return out->info == CT_INFO_RELATED_REPLY ||
	       (out->info == CT_INFO_RELATED && is_icmp(proto));
}

static void check_flow(const struct ct_input *in, const struct ct_result *out, uint8_t proto)
{
	const uint16_t status = out->status;

	FUZZ_CHECK(!(status & CT_STATUS_ASSURED) || status & CT_STATUS_SEEN_REPLY);
	FUZZ_CHECK(out->timeout_ns <= CT_LIFE_NS_MAX);
	if (out->info == CT_INFO_INVALID)
		return;
	FUZZ_CHECK(out->dir == ct_info_dir((enum ct_info)out->info));
	if (is_about_other(in, out, proto))
		return;
	FUZZ_CHECK((status & flow_laws[out->info].has) == flow_laws[out->info].has);
	FUZZ_CHECK(!(status & flow_laws[out->info].lacks));
}

/* An error is none of the flow's protocol: what that can be is seen by its own packets. */
static void check_protocol(const struct ct_result *out, uint8_t proto)
{
	for (size_t i = 0; i < COUNT(proto_laws); i++) {
		if (proto_laws[i].proto != proto)
			continue;
		FUZZ_CHECK(out->state >= proto_laws[i].min && out->state <= proto_laws[i].max);
		FUZZ_CHECK(proto_laws[i].assured || !(out->status & CT_STATUS_ASSURED));
		return;
	}
	FUZZ_CHECK(out->state == 0 && !(out->status & CT_STATUS_ASSURED));
}

/* --- reasons, events, mark -------------------------------------------------------------------- */

static void check_reason(const struct ct_result *out, uint8_t proto, bool readable)
{
	FUZZ_CHECK((out->reason != CT_REASON_NONE) == (out->info == CT_INFO_INVALID || out->drop));
	FUZZ_CHECK(readable || out->info == CT_INFO_INVALID);
	for (size_t i = 0; i < COUNT(reason_laws); i++)
		if (reason_laws[i].reason == out->reason)
			FUZZ_CHECK(readable && (reason_laws[i].proto == proto ||
						reason_laws[i].other == proto));
}

static unsigned int count(const struct ct_result *out, enum ct_event_type type)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < out->nevents; i++)
		n += out->events[i].type == type;
	return n;
}

/* One of a kind, and each only where the flow is what it says. */
static void check_events(const struct ct_result *out)
{
	bool told = out->drop ? out->reason != CT_REASON_TABLE_FULL : out->info == CT_INFO_INVALID;

	FUZZ_CHECK(count(out, CT_EVENT_INVALID) == told);
	FUZZ_CHECK(count(out, CT_EVENT_NEW) + count(out, CT_EVENT_RELATED) <= 1);
	FUZZ_CHECK(count(out, CT_EVENT_REPLY) <= 1 && count(out, CT_EVENT_ASSURED) <= 1);
	for (unsigned int i = 0; i < out->nevents; i++) {
		const struct ct_event *ev = &out->events[i];

		FUZZ_CHECK(ev->info == out->info && ev->mark == out->mark);
		if (ev->type == CT_EVENT_NEW)
			FUZZ_CHECK(ev->begins && out->info != CT_INFO_RELATED);
		if (ev->type == CT_EVENT_RELATED)
			FUZZ_CHECK(out->info == CT_INFO_RELATED ||
				   out->info == CT_INFO_RELATED_REPLY);
		if (ev->type == CT_EVENT_REPLY)
			FUZZ_CHECK(out->info == CT_INFO_ESTABLISHED_REPLY &&
				   out->status & CT_STATUS_SEEN_REPLY);
		if (ev->type == CT_EVENT_ASSURED)
			FUZZ_CHECK(out->status & CT_STATUS_ASSURED);
		if (ev->type == CT_EVENT_STATE)
			FUZZ_CHECK(ev->state_old != ev->state_new);
	}
}

static void check_mark(const struct ct_mark *m, const struct ct_input *in,
		       const struct ct_result *out)
{
	uint16_t status = out->info == CT_INFO_INVALID ? 0 : out->status;
	enum ct_info info;

	FUZZ_CHECK(out->mark == ct_mark_encode(m, in->mark, (enum ct_info)out->info, status));
	FUZZ_CHECK(ct_mark_decode(m, out->mark, &info) && info == out->info);
	FUZZ_CHECK(((out->mark ^ in->mark) & ~m->mask) == 0);
}

void fuzz_check_legal(const struct ct_config *cfg, const struct ct_input *in,
		      const struct ct_result *out)
{
	uint8_t proto;
	bool readable = read_proto(in, &proto);

	check_reason(out, proto, readable);
	check_events(out);
	check_mark(&cfg->mark, in, out);
	if (out->info == CT_INFO_UNTRACKED)
		FUZZ_CHECK(!out->has_flow && proto == CT_PROTO_ICMPV6 && !out->drop);
	if (!out->has_flow) {
		FUZZ_CHECK(out->flow == 0 && out->status == 0 && out->state == 0);
		return;
	}
	check_flow(in, out, proto);
	if (!is_icmp(proto))
		check_protocol(out, proto);
}
