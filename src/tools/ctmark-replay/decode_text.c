/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/decode.h"

#include "core/icmp.h"
#include "core/tcp.h"
#include "tools/ctmark-replay/line.h"
#include "util/cleanup.h"
#include "util/protocols.h"

/* ---- names ---- */

#define ICMP_NAMES(X)                                                                              \
	X(0, "echo reply")                                                                         \
	X(3, "unreachable")                                                                        \
	X(4, "source quench")                                                                      \
	X(5, "redirect")                                                                           \
	X(8, "echo request")                                                                       \
	X(9, "router advertisement")                                                               \
	X(10, "router solicitation")                                                               \
	X(11, "time exceeded")                                                                     \
	X(12, "parameter problem")                                                                 \
	X(13, "timestamp request")                                                                 \
	X(14, "timestamp reply")                                                                   \
	X(15, "information request")                                                               \
	X(16, "information reply")                                                                 \
	X(17, "address mask request")                                                              \
	X(18, "address mask reply")

#define ICMP6_NAMES(X)                                                                             \
	X(1, "unreachable")                                                                        \
	X(2, "packet too big")                                                                     \
	X(3, "time exceeded")                                                                      \
	X(4, "parameter problem")                                                                  \
	X(128, "echo request")                                                                     \
	X(129, "echo reply")                                                                       \
	X(130, "multicast listener query")                                                         \
	X(131, "multicast listener report")                                                        \
	X(132, "multicast listener done")                                                          \
	X(133, "router solicitation")                                                              \
	X(134, "router advertisement")                                                             \
	X(135, "neighbour solicitation")                                                           \
	X(136, "neighbour advertisement")                                                          \
	X(137, "redirect")                                                                         \
	X(139, "node information query")                                                           \
	X(140, "node information reply")                                                           \
	X(143, "multicast listener report v2")

const char *decode_icmp_name(uint8_t proto, uint8_t type)
{
#define X(number, name) [number] = name,
	static const char *const names4[] = {ICMP_NAMES(X)};
	static const char *const names6[] = {ICMP6_NAMES(X)};
#undef X

	if (proto == CT_PROTO_ICMPV6)
		return type < ARRAY_SIZE(names6) ? names6[type] : NULL;
	return type < ARRAY_SIZE(names4) ? names4[type] : NULL;
}

const char *decode_icmp_code_name(uint8_t proto, uint8_t type, uint8_t code)
{
	static const char *const unreach4[] = {
		"network",
		"host",
		"protocol",
		"port",
		"fragmentation needed",
		"source route failed",
		[9] = "network prohibited",
		[10] = "host prohibited",
		[13] = "prohibited",
	};
	static const char *const unreach6[] = {
		"no route", "prohibited",     "beyond scope",	"address",
		"port",	    "source refused", "route rejected",
	};
	static const char *const exceeded[] = {"in transit", "in reassembly"};

	if (proto == CT_PROTO_ICMP && type == CT_ICMP_UNREACH)
		return code < ARRAY_SIZE(unreach4) ? unreach4[code] : NULL;
	if (proto == CT_PROTO_ICMPV6 && type == 1)
		return code < ARRAY_SIZE(unreach6) ? unreach6[code] : NULL;
	if (type == (proto == CT_PROTO_ICMP ? CT_ICMP_EXCEEDED : 3))
		return code < ARRAY_SIZE(exceeded) ? exceeded[code] : NULL;
	return NULL;
}

/* ---- lines ---- */

char *decode_flags(uint8_t flags, char buf[static DECODE_FLAGS_MAX])
{
	static const char names[8][4] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
	struct words w = {.buf = buf, .size = DECODE_FLAGS_MAX};

	for (unsigned int i = 0; i < 8; i++) {
		if (!(flags & 1u << i))
			continue;
		if (w.len)
			line_char(&w, ',');
		line_text(&w, names[i]);
	}
	if (!w.len)
		line_text(&w, "NONE");
	return buf;
}

static void say_tcp_options(struct words *w, const struct decoded_tcp *tcp, uint32_t base)
{
	if (tcp->has_mss)
		line_value(w, " mss=", tcp->mss);
	if (tcp->has_scale)
		line_value(w, " ws=", tcp->scale);
	if (tcp->sack_permitted)
		line_text(w, " sackok");
	for (unsigned int i = 0; i < tcp->nsacks; i++) {
		line_value(w, i ? "," : " sack=", tcp->sack[i].from - base);
		line_value(w, "-", tcp->sack[i].to - base);
	}
	if (tcp->has_stamp) {
		line_value(w, " ts=", tcp->stamp);
		line_value(w, "/", tcp->stamp_echo);
	}
}

static void say_tcp(struct words *w, const struct decoded *d, const struct decode_base *base)
{
	const struct decoded_tcp *tcp = &d->tcp;
	char flags[DECODE_FLAGS_MAX];

	line_text(w, decode_flags(tcp->flags, flags));
	line_value(w, " seq=", tcp->seq - base->seq);
	if (tcp->flags & CT_TCP_ACK_FLAG)
		line_value(w, " ack=", tcp->ack - base->ack);
	line_value(w, " win=", tcp->window);
	if (d->payload)
		line_value(w, " len=", d->payload);
	say_tcp_options(w, tcp, base->ack);
}

static void say_quote(struct words *w, const struct decoded_quote *q)
{
	const char *name = protocol_name(q->proto);

	line_text(w, ", quotes ");
	if (name)
		line_text(w, name);
	else
		line_value(w, "protocol ", q->proto);
	line_char(w, ' ');
	if (q->has_ports)
		line_endpoint(w, q->family, &q->src, q->sport);
	else
		line_address(w, q->family, &q->src);
	line_text(w, " > ");
	if (q->has_ports)
		line_endpoint(w, q->family, &q->dst, q->dport);
	else
		line_address(w, q->family, &q->dst);
	if (q->has_icmp) {
		line_value(w, " type=", q->icmp_type);
		line_value(w, " code=", q->icmp_code);
		line_value(w, " id=", q->icmp_id);
	}
}

static void say_icmp(struct words *w, const struct decoded *d)
{
	const struct decoded_icmp *icmp = &d->icmp;
	const char *name = decode_icmp_name(d->proto, icmp->type);
	const char *code = decode_icmp_code_name(d->proto, icmp->type, icmp->code);

	if (name)
		line_text(w, name);
	else
		line_value(w, "type=", icmp->type);
	if (code) {
		line_text(w, " (");
		line_text(w, code);
		line_char(w, ')');
	} else if (icmp->code || !name) {
		line_value(w, " code=", icmp->code);
	}
	if (icmp->has_id) {
		line_value(w, " id=", icmp->id);
		line_value(w, " seq=", icmp->seq);
	}
	if (icmp->mtu)
		line_value(w, " mtu=", icmp->mtu);
	if (icmp->quote.present)
		say_quote(w, &icmp->quote);
}

static void say_sctp(struct words *w, const struct decoded *d)
{
	for (unsigned int i = 0; i < d->sctp.nchunks; i++) {
		const char *name = ct_sctp_chunk_name(d->sctp.chunk[i]);

		if (i)
			line_char(w, ',');
		if (name)
			line_text(w, name);
		else
			line_number(w, d->sctp.chunk[i]);
	}
	if (d->sctp.more)
		line_text(w, ",...");
	if (!d->sctp.nchunks)
		line_text(w, "no chunk");
	line_text(w, " vtag=");
	line_hex(w, d->sctp.vtag);
}

static void say_gre(struct words *w, const struct decoded *d)
{
	line_value(w, "version=", d->gre.version);
	line_text(w, " protocol=");
	line_hex(w, d->gre.proto);
	if (d->gre.has_call)
		line_value(w, " call=", d->gre.call);
}

static void say_fragment(struct words *w, const struct decoded *d)
{
	if (d->kind == DECODE_FRAGMENT) {
		line_value(w, "fragment offset=", d->frag.offset);
		line_value(w, " len=", d->payload);
		line_text(w, d->frag.more ? " more" : " last");
	} else if (d->frag.more) {
		line_text(w, ", first fragment");
	} else {
		line_text(w, ", only fragment");
	}
	line_value(w, " id=", d->frag.id);
}

static void say_transport(struct words *w, const struct decoded *d, const struct decode_base *base)
{
	switch (d->kind) {
	case DECODE_TCP:
		say_tcp(w, d, base);
		break;
	case DECODE_UDP:
		line_value(w, "len=", d->payload);
		break;
	case DECODE_ICMP:
	case DECODE_ICMP6:
		say_icmp(w, d);
		break;
	case DECODE_SCTP:
		say_sctp(w, d);
		break;
	case DECODE_GRE:
		say_gre(w, d);
		break;
	case DECODE_OTHER:
		line_value(w, "len=", d->payload);
		break;
	default:
		break;
	}
}

char *decode_summary(const struct decoded *d, const struct decode_base *base,
		     char buf[static DECODE_SUMMARY_MAX])
{
	static const struct decode_base absolute;
	struct words w = {.buf = buf, .size = DECODE_SUMMARY_MAX};

	buf[0] = '\0';
	say_transport(&w, d, base ? base : &absolute);
	if (d->frag.present || d->kind == DECODE_FRAGMENT)
		say_fragment(&w, d);
	if (d->kind == DECODE_NOTHING)
		line_value(&w, "no IP header, len=", d->len);
	else if (d->malformed)
		line_text(&w, ", malformed");
	if (d->cut)
		line_text(&w, ", cut");
	return buf;
}
