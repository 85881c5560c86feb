/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/differential/entry.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdio.h>
#include <string.h>

#include "core/key.h"
#include "core/pkt.h"
#include "core/table.h"
#include "tests/flows/flow_wire.h"

#define BUFFER	 65536
#define REQUEST	 192 /* bytes of one question, at most */
#define TOGETHER 64

/* --- naming --------------------------------------------------------------------------------- */

static bool read_packet(struct ct_bytes v, uint8_t family, struct ct_pkt *pkt)
{
	uint32_t detail[CT_DETAIL_MAX];

	return ct_pkt_parse(pkt, v, family, detail) == CT_REASON_NONE;
}

static bool is_icmp_error(const struct ct_pkt *pkt)
{
	uint8_t type = pkt->l4.len > 8 ? pkt->l4.data[0] : 0;

	if (pkt->proto == 1)
		return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
	return pkt->proto == 58 && type && type < 128;
}

bool entry_tuple(struct ct *ct, const uint8_t *data, size_t len, uint8_t family,
		 struct ct_tuple *ret)
{
	struct ct_bytes v = {.data = data, .cap = (uint32_t)len, .len = (uint32_t)len};
	uint32_t detail[CT_DETAIL_MAX];
	struct ct_pkt pkt;

	if (!read_packet(v, family, &pkt))
		return false;
	if (is_icmp_error(&pkt)) {
		v = (struct ct_bytes){
			.data = pkt.l4.data + 8, .cap = pkt.l4.cap - 8, .len = pkt.l4.len - 8};
		if (!read_packet(v, family, &pkt))
			return false;
	}
	if (ct_tuple_build(ret, &pkt, 0, detail) != CT_REASON_NONE)
		return false;
	ct_keymap_name(&ct->keymap, &pkt, ret);
	return true;
}

/* --- asking the kernel -------------------------------------------------------------------- */

/* Without NLM_F_ACK each question has exactly one answer: the entry, or an error. */
static size_t put_question(char *buf, const struct ct_tuple *t, uint32_t seq)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = t->family;
	nfg->version = NFNETLINK_V0;
	flow_wire_put_tuple(nlh, t);
	return MNL_ALIGN(nlh->nlmsg_len);
}

/* --- its answers ------------------------------------------------------------------------------ */

static int take_tcp(const struct nlattr *attr, void *data)
{
	struct entry *e = data;
	const struct nf_ct_tcp_flags *flags = mnl_attr_get_payload(attr);

	switch (mnl_attr_get_type(attr)) {
	case CTA_PROTOINFO_TCP_STATE:
		e->state = mnl_attr_get_u8(attr);
		break;
	case CTA_PROTOINFO_TCP_WSCALE_ORIGINAL:
		e->scale[CT_DIR_ORIGINAL] = mnl_attr_get_u8(attr);
		break;
	case CTA_PROTOINFO_TCP_WSCALE_REPLY:
		e->scale[CT_DIR_REPLY] = mnl_attr_get_u8(attr);
		break;
	case CTA_PROTOINFO_TCP_FLAGS_ORIGINAL:
		e->flags[CT_DIR_ORIGINAL] = flags->flags;
		break;
	case CTA_PROTOINFO_TCP_FLAGS_REPLY:
		e->flags[CT_DIR_REPLY] = flags->flags;
		break;
	}
	return MNL_CB_OK;
}

static int take_sctp(const struct nlattr *attr, void *data)
{
	struct entry *e = data;

	switch (mnl_attr_get_type(attr)) {
	case CTA_PROTOINFO_SCTP_STATE:
		e->state = mnl_attr_get_u8(attr);
		break;
	case CTA_PROTOINFO_SCTP_VTAG_ORIGINAL:
		e->vtag[CT_DIR_ORIGINAL] = ntohl(mnl_attr_get_u32(attr));
		break;
	case CTA_PROTOINFO_SCTP_VTAG_REPLY:
		e->vtag[CT_DIR_REPLY] = ntohl(mnl_attr_get_u32(attr));
		break;
	}
	return MNL_CB_OK;
}

static int take_protoinfo(const struct nlattr *attr, void *data)
{
	switch (mnl_attr_get_type(attr)) {
	case CTA_PROTOINFO_TCP:
		return mnl_attr_parse_nested(attr, take_tcp, data);
	case CTA_PROTOINFO_SCTP:
		return mnl_attr_parse_nested(attr, take_sctp, data);
	}
	return MNL_CB_OK;
}

static int take_ip(const struct nlattr *attr, void *data)
{
	struct ct_tuple *t = data;
	unsigned int type = mnl_attr_get_type(attr);
	bool src = type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC;

	memcpy(src ? t->src.b : t->dst.b, mnl_attr_get_payload(attr),
	       mnl_attr_get_payload_len(attr) > 4 ? 16 : 4);
	return MNL_CB_OK;
}

static int take_ids(const struct nlattr *attr, void *data)
{
	struct ct_tuple *t = data;

	switch (mnl_attr_get_type(attr)) {
	case CTA_PROTO_NUM:
		t->proto = mnl_attr_get_u8(attr);
		break;
	case CTA_PROTO_SRC_PORT:
	case CTA_PROTO_ICMP_ID:
	case CTA_PROTO_ICMPV6_ID:
		t->src_id_be = mnl_attr_get_u16(attr);
		break;
	case CTA_PROTO_DST_PORT:
		t->dst_id_be = mnl_attr_get_u16(attr);
		break;
	case CTA_PROTO_ICMP_TYPE:
	case CTA_PROTO_ICMPV6_TYPE:
		ct_tuple_set_icmp(t, mnl_attr_get_u8(attr), ct_tuple_icmp_code(t));
		break;
	case CTA_PROTO_ICMP_CODE:
	case CTA_PROTO_ICMPV6_CODE:
		ct_tuple_set_icmp(t, ct_tuple_icmp_type(t), mnl_attr_get_u8(attr));
		break;
	}
	return MNL_CB_OK;
}

static int take_tuple(const struct nlattr *attr, void *data)
{
	switch (mnl_attr_get_type(attr)) {
	case CTA_TUPLE_IP:
		return mnl_attr_parse_nested(attr, take_ip, data);
	case CTA_TUPLE_PROTO:
		return mnl_attr_parse_nested(attr, take_ids, data);
	}
	return MNL_CB_OK;
}

static int take_attr(const struct nlattr *attr, void *data)
{
	struct entry *e = data;

	switch (mnl_attr_get_type(attr)) {
	case CTA_TUPLE_ORIG:
		return mnl_attr_parse_nested(attr, take_tuple, &e->orig);
	case CTA_STATUS:
		e->status = (uint16_t)ntohl(mnl_attr_get_u32(attr));
		break;
	case CTA_TIMEOUT:
		e->timeout = ntohl(mnl_attr_get_u32(attr));
		break;
	case CTA_PROTOINFO:
		return mnl_attr_parse_nested(attr, take_protoinfo, e);
	}
	return MNL_CB_OK;
}

static int take_answer(const struct nlmsghdr *nlh, const struct ct_tuple *t, struct entry *e)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

	*e = (struct entry){.orig = {.family = t->family}};
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		*e = (struct entry){0};
		/* a tuple that cannot be (an ICMP type without a reply) is in no table either */
		return err->error == -ENOENT || err->error == -EINVAL ? 0 : err->error;
	}
	e->alive = true;
	if (mnl_attr_parse(nlh, sizeof(struct nfgenmsg), take_attr, e) < 0)
		return -EPROTO;
	e->dir = memcmp(&e->orig, t, sizeof(*t)) == 0 ? CT_DIR_ORIGINAL : CT_DIR_REPLY;
	return 0;
}

static int take_answers(struct mnl_socket *nl, const struct ct_tuple *const tuples[],
			struct entry entries[], size_t n, size_t missing)
{
	char buf[BUFFER];

	while (missing) {
		ssize_t got = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		int left = (int)got, e = 0;

		if (got < 0)
			return -errno;
		for (const struct nlmsghdr *nlh = (void *)buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq >= n || !tuples[nlh->nlmsg_seq])
				return -EPROTO;
			e = take_answer(nlh, tuples[nlh->nlmsg_seq], &entries[nlh->nlmsg_seq]);
			if (e < 0)
				return e;
			missing--;
		}
	}
	return 0;
}

static int ask_together(struct mnl_socket *nl, const struct ct_tuple *const tuples[],
			struct entry entries[], size_t n)
{
	char buf[TOGETHER * REQUEST];
	size_t len = 0, asked = 0;

	for (size_t i = 0; i < n; i++) {
		entries[i] = (struct entry){0};
		if (!tuples[i])
			continue;
		len += put_question(buf + len, tuples[i], (uint32_t)i);
		asked++;
	}
	if (asked && mnl_socket_sendto(nl, buf, len) < 0)
		return -errno;
	return take_answers(nl, tuples, entries, n, asked);
}

int entry_ask_kernel(struct mnl_socket *nl, const struct ct_tuple *const tuples[],
		     struct entry entries[], size_t n)
{
	int e = 0;

	for (size_t i = 0; e == 0 && i < n; i += TOGETHER)
		e = ask_together(nl, tuples + i, entries + i, n - i < TOGETHER ? n - i : TOGETHER);
	return e;
}

/* --- the engine --------------------------------------------------------------------------------
 */

static const struct ct_flow *find(const struct ct *ct, const struct ct_tuple *t,
				  enum ct_dir *ret_dir)
{
	uint32_t i = ct_table_find(ct, ct_table_bucket(ct, ct_tuple_hash(t, &ct->key)), t, ret_dir);

	return i ? &ct->arena.slots[i] : NULL;
}

uint64_t entry_deadline(const struct ct *ct, const struct ct_tuple *t, uint64_t *ret_stream_ns)
{
	enum ct_dir dir;
	const struct ct_flow *f = find(ct, t, &dir);

	*ret_stream_ns = f && t->proto == 17 ? f->l4.udp.stream_ns : 0;
	return f ? f->expires_ns : 0;
}

void entry_ask_engine(const struct ct *ct, const struct ct_tuple *t, uint64_t now_ns,
		      struct entry *ret)
{
	enum ct_dir dir;
	const struct ct_flow *f = find(ct, t, &dir);

	*ret = (struct entry){0};
	if (!f || f->expires_ns <= now_ns)
		return;
	ret->alive = true;
	ret->dir = dir;
	ret->orig = f->orig;
	ret->status = f->status;
	ret->timeout = (uint32_t)((f->expires_ns - now_ns) / CT_NS_PER_S);
	if (t->proto == 6 || t->proto == 132)
		ret->state = f->state;
	for (int d = 0; d < CT_DIR_MAX; d++) {
		ret->flags[d] = t->proto == 6 ? f->l4.tcp.flags[d] : 0;
		ret->scale[d] = t->proto == 6 ? f->l4.tcp.scale[d] : 0;
		ret->vtag[d] = t->proto == 132 ? f->l4.sctp.vtag[d] : 0;
	}
}

/* --- comparing ---------------------------------------------------------------------------------
 */

const char *entry_difference(const struct entry *a, const struct entry *b)
{
	if (a->alive != b->alive)
		return "existence";
	if (a->dir != b->dir)
		return "direction";
	if (a->state != b->state)
		return "state";
	if (a->status != b->status)
		return "status";
	if (memcmp(a->flags, b->flags, sizeof(a->flags)) != 0)
		return "flags";
	if (memcmp(a->scale, b->scale, sizeof(a->scale)) != 0)
		return "scale";
	if (memcmp(a->vtag, b->vtag, sizeof(a->vtag)) != 0)
		return "vtag";
	if (a->timeout > b->timeout + 1 || b->timeout > a->timeout + 1)
		return "timeout";
	return NULL;
}

char *entry_to_str(const struct entry *e, char buf[static ENTRY_STRLEN])
{
	const char *state = e->state ? ct_state_name(e->orig.proto, e->state) : "-";
	int n;

	if (!e->alive) {
		snprintf(buf, ENTRY_STRLEN, "nothing");
		return buf;
	}
	n = snprintf(buf, ENTRY_STRLEN, "%s %#x %u", state ? state : "?", e->status, e->timeout);
	if (e->orig.proto == 6)
		snprintf(buf + n, (size_t)(ENTRY_STRLEN - n), " flags %#x/%#x scale %u/%u",
			 e->flags[0], e->flags[1], e->scale[0], e->scale[1]);
	if (e->orig.proto == 132)
		snprintf(buf + n, (size_t)(ENTRY_STRLEN - n), " vtags %#x/%#x", e->vtag[0],
			 e->vtag[1]);
	return buf;
}
