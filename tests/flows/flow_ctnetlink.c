/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the router's own connection tracking knows, over ctnetlink. */

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/flows/flow_wire.h"

#define BUFFER 65536

static struct nlmsghdr *message(struct flow_wire *w, char *buf, int type, uint8_t family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++w->seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	return nlh;
}

/* Sends and takes answers up to the acknowledgment. Returns 0 or -errno. */
static int talk(struct flow_wire *w, const struct nlmsghdr *nlh, mnl_cb_t take, void *data)
{
	unsigned int portid = mnl_socket_get_portid(w->ct);
	char buf[BUFFER];
	int r = MNL_CB_OK;

	if (mnl_socket_sendto(w->ct, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(w->ct, buf, sizeof(buf));

		if (n < 0)
			return -errno;
		r = mnl_cb_run(buf, (size_t)n, nlh->nlmsg_seq, portid, take, data);
	}
	return r < 0 ? -errno : 0;
}

int flow_wire_flush(struct flow_wire *w)
{
	char buf[256];

	return talk(w, message(w, buf, IPCTNL_MSG_CT_DELETE, AF_UNSPEC), NULL, NULL);
}

/* --- asking -------------------------------------------------------------------------------- */

static void put_addresses(struct nlmsghdr *nlh, const struct ct_tuple *t)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	bool v4 = t->family == CT_AF_INET;

	mnl_attr_put(nlh, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, v4 ? 4 : 16, t->src.b);
	mnl_attr_put(nlh, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, v4 ? 4 : 16, t->dst.b);
	mnl_attr_nest_end(nlh, nest);
}

static void put_icmp(struct nlmsghdr *nlh, const struct ct_tuple *t)
{
	bool v4 = t->proto == 1;

	mnl_attr_put_u16(nlh, v4 ? CTA_PROTO_ICMP_ID : CTA_PROTO_ICMPV6_ID, t->src_id_be);
	mnl_attr_put_u8(nlh, v4 ? CTA_PROTO_ICMP_TYPE : CTA_PROTO_ICMPV6_TYPE,
			ct_tuple_icmp_type(t));
	mnl_attr_put_u8(nlh, v4 ? CTA_PROTO_ICMP_CODE : CTA_PROTO_ICMPV6_CODE,
			ct_tuple_icmp_code(t));
}

/* Ports, or the ids of GRE, which go by the same names. */
static bool has_ids(uint8_t proto)
{
	return proto == 6 || proto == 17 || proto == 47 || proto == 132 || proto == 136;
}

void flow_wire_put_tuple(struct nlmsghdr *nlh, const struct ct_tuple *t)
{
	struct nlattr *outer = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);
	struct nlattr *nest;

	put_addresses(nlh, t);
	nest = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, t->proto);
	if (t->proto == 1 || t->proto == 58) {
		put_icmp(nlh, t);
	} else if (has_ids(t->proto)) {
		mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, t->src_id_be);
		mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, t->dst_id_be);
	}
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, outer);
}

static int take_tcp(const struct nlattr *attr, void *data)
{
	struct flow_seen *seen = data;

	if (mnl_attr_get_type(attr) == CTA_PROTOINFO_TCP_STATE)
		seen->state = mnl_attr_get_u8(attr);
	return MNL_CB_OK;
}

static int take_sctp(const struct nlattr *attr, void *data)
{
	struct flow_seen *seen = data;

	switch (mnl_attr_get_type(attr)) {
	case CTA_PROTOINFO_SCTP_STATE:
		seen->tagged = true;
		seen->state = mnl_attr_get_u8(attr);
		break;
	case CTA_PROTOINFO_SCTP_VTAG_ORIGINAL:
		seen->vtag[CT_DIR_ORIGINAL] = ntohl(mnl_attr_get_u32(attr));
		break;
	case CTA_PROTOINFO_SCTP_VTAG_REPLY:
		seen->vtag[CT_DIR_REPLY] = ntohl(mnl_attr_get_u32(attr));
		break;
	}
	return MNL_CB_OK;
}

/* Numbers of attributes mean something else on each level, so each has its reader. */
static int take_protoinfo(const struct nlattr *attr, void *data)
{
	switch (mnl_attr_get_type(attr)) {
	case CTA_PROTOINFO_TCP:
		return mnl_attr_parse_nested(attr, take_tcp, data);
	case CTA_PROTOINFO_SCTP:
		return mnl_attr_parse_nested(attr, take_sctp, data);
	default:
		return MNL_CB_OK;
	}
}

static int take_attr(const struct nlattr *attr, void *data)
{
	struct flow_seen *seen = data;

	switch (mnl_attr_get_type(attr)) {
	case CTA_STATUS:
		seen->status = (uint16_t)ntohl(mnl_attr_get_u32(attr));
		break;
	case CTA_TIMEOUT:
		seen->timeout = ntohl(mnl_attr_get_u32(attr));
		break;
	case CTA_PROTOINFO:
		return mnl_attr_parse_nested(attr, take_protoinfo, seen);
	}
	return MNL_CB_OK;
}

static int take_flow(const struct nlmsghdr *nlh, void *data)
{
	return mnl_attr_parse(nlh, sizeof(struct nfgenmsg), take_attr, data);
}

int flow_wire_lookup(struct flow_wire *w, const struct ct_tuple *t, struct flow_seen *seen)
{
	char buf[512];
	struct nlmsghdr *nlh = message(w, buf, IPCTNL_MSG_CT_GET, t->family);
	int r;

	flow_wire_put_tuple(nlh, t);
	seen->alive = false;
	seen->state = FLOW_UNSET;
	seen->proto = t->proto;
	seen->tagged = false;
	seen->status = 0;
	seen->timeout = 0;
	r = talk(w, nlh, take_flow, seen);
	/* A tuple that cannot be (an ICMP type without a reply) is in no table either. */
	if (r == -ENOENT || r == -EINVAL)
		return 0;
	if (r < 0)
		return r;
	seen->alive = true;
	return 1;
}
