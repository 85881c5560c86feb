/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * One packet, read and judged by itself: no table, so that very many of them can be tried.
 *
 * Input: two bytes, then the packet:
 *   0  family (two bits: what the packet says, IPv4, IPv6, another one), 0x04 checksum unverified,
 *      0x08 checksums are not looked at, 0x10 sent by this host
 *   1  bytes of its end that were not copied
 * mkpacket.py writes the same.
 */

#include "tests/fuzz/fuzz.h"

#include "core/checksum.h"
#include "core/core.h"
#include "core/key.h"
#include "core/proto.h"
#include "core/sctp.h"
#include "core/sound.h"
#include "core/tcp.h"

#include <string.h>

#define LEN_MAX	  2048
#define ICMP_HLEN 8
#define TCP_HLEN  20
#define SCTP_HLEN 12

/* What one look at a packet gives. */
struct look {
	struct ct_pkt pkt;
	enum ct_reason reason;
	uint32_t detail[CT_DETAIL_MAX];
};

static const struct ct_proto *const protocols[] = {
	&ct_proto_tcp,	   &ct_proto_udp,  &ct_proto_icmp, &ct_proto_icmp6,
	&ct_proto_udplite, &ct_proto_sctp, &ct_proto_gre,  &ct_proto_generic,
};

/* --- the network layer ------------------------------------------------------------------------ */

/* What the memory held before must not matter. */
static struct look look_at(struct ct_bytes v, uint8_t family, uint8_t before)
{
	struct look ret;

	memset(&ret, before, sizeof(ret));
	memset(ret.detail, 0, sizeof(ret.detail));
	ret.reason = ct_pkt_parse(&ret.pkt, v, family, ret.detail);
	return ret;
}

static bool same_fragment(const struct ct_frag *a, const struct ct_frag *b)
{
	return a->id == b->id && a->offset == b->offset && a->end == b->end &&
	       a->overhead == b->overhead && a->header == b->header && a->ecn == b->ecn &&
	       a->more == b->more && a->present == b->present;
}

static bool same_names(const struct ct_pkt *a, const struct ct_pkt *b)
{
	return memcmp(&a->src, &b->src, sizeof(a->src)) == 0 &&
	       memcmp(&a->dst, &b->dst, sizeof(a->dst)) == 0 && a->family == b->family &&
	       a->proto == b->proto && a->hoplimit == b->hoplimit && a->fragment == b->fragment &&
	       a->has_addrs == b->has_addrs && a->l4.len == b->l4.len;
}

static bool same_look(const struct look *a, const struct look *b)
{
	return a->reason == b->reason && memcmp(a->detail, b->detail, sizeof(a->detail)) == 0 &&
	       same_names(&a->pkt, &b->pkt) && a->pkt.l4.data == b->pkt.l4.data &&
	       a->pkt.l4.cap == b->pkt.l4.cap && same_fragment(&a->pkt.frag, &b->pkt.frag);
}

/* What is readable of it is a part of the packet, and what it is to have ends where that does. */
static void check_inside(const struct ct_pkt *pkt, struct ct_bytes v)
{
	FUZZ_CHECK(pkt->l4.cap <= pkt->l4.len && pkt->l4.len <= v.len);
	FUZZ_CHECK(pkt->l4.data >= v.data && pkt->l4.data <= v.data + v.cap);
	FUZZ_CHECK(pkt->l4.cap <= (size_t)(v.data + v.cap - pkt->l4.data));
	FUZZ_CHECK(v.len - v.cap >= pkt->l4.len - pkt->l4.cap || pkt->l4.cap == 0);
}

static void check_fragment(const struct look *l, struct ct_bytes v)
{
	const struct ct_frag *f = &l->pkt.frag;

	FUZZ_CHECK(l->reason != CT_REASON_IP_FRAGMENT || l->pkt.has_addrs);
	if (!f->present)
		return;
	FUZZ_CHECK(f->offset <= 0xffff && f->offset % 8 == 0);
	FUZZ_CHECK(f->end >= f->offset && f->end - f->offset <= v.len);
	FUZZ_CHECK(f->overhead <= v.len && f->ecn <= 3);
	FUZZ_CHECK((f->header == 0) == (l->pkt.family == CT_AF_INET));
	FUZZ_CHECK(f->header == 0 || f->header == 8);
	if (l->pkt.family == CT_AF_INET)
		FUZZ_CHECK((f->offset > 0) == (l->reason == CT_REASON_IP_FRAGMENT));
}

/* Fewer bytes of it give the same answer, or that they are too few. */
static void check_shorter(const struct look *l, struct ct_bytes v, uint8_t family, uint32_t cap)
{
	struct ct_bytes less = {.data = v.data, .cap = cap, .len = v.len};
	struct look m = look_at(less, family, 0);

	check_inside(&m.pkt, less);
	if (m.reason == CT_REASON_COPY_RANGE)
		return;
	FUZZ_CHECK(m.reason == l->reason && same_names(&m.pkt, &l->pkt));
	FUZZ_CHECK(m.pkt.l4.cap <= l->pkt.l4.cap);
}

static struct look read_packet(struct ct_bytes v, uint8_t family)
{
	struct look l = look_at(v, family, 0), again = look_at(v, family, 0xff);

	FUZZ_CHECK(same_look(&l, &again));
	FUZZ_CHECK(l.reason < CT_REASON_MAX && ct_reason_name(l.reason));
	FUZZ_CHECK(l.pkt.family == family);
	FUZZ_CHECK(l.reason != CT_REASON_COPY_RANGE || v.cap < v.len);
	FUZZ_CHECK(l.reason != CT_REASON_NONE || l.pkt.has_addrs);
	check_inside(&l.pkt, v);
	check_fragment(&l, v);
	check_shorter(&l, v, family, v.cap / 2);
	check_shorter(&l, v, family, v.cap > 0 ? v.cap - 1 : 0);
	return l;
}

/* --- its tuple -------------------------------------------------------------------------------- */

static void check_inversion(const struct ct_tuple *t, const struct ct_siphash_key *key)
{
	struct ct_tuple inv, back;

	FUZZ_CHECK(ct_tuple_invert(&inv, t));
	FUZZ_CHECK(ct_tuple_invert(&back, &inv));
	FUZZ_CHECK(ct_tuple_equal(&back, t));
	FUZZ_CHECK(memcmp(&back, t, sizeof(back)) == 0);
	FUZZ_CHECK(ct_tuple_is_inverse(t, &inv) && ct_tuple_is_inverse(&inv, t));
	FUZZ_CHECK(ct_tuple_is_inverse(t, t) == ct_tuple_equal(t, &inv));
	FUZZ_CHECK(ct_tuple_hash(t, key) == ct_tuple_hash(&inv, key));
	FUZZ_CHECK(ct_tuple_is_sound(t) && ct_tuple_is_sound(&inv));
	inv.zone ^= 1;
	FUZZ_CHECK(!ct_tuple_is_inverse(t, &inv));
}

static void check_tuple(const struct ct_pkt *pkt)
{
	static const uint8_t secret[16] = {3, 1, 4, 1, 5, 9, 2, 6};
	const struct ct_siphash_key key = ct_siphash_key(secret);
	uint32_t detail[CT_DETAIL_MAX] = {0}, hash = 0;
	struct ct_tuple t, named;
	enum ct_reason reason = ct_tuple_build(&t, pkt, 7, detail);
	bool has_name = ct_tuple_name(pkt, 7, &key, &named, &hash);

	FUZZ_CHECK(t.family == pkt->family && t.proto == pkt->proto && t.zone == 7);
	FUZZ_CHECK(has_name == (reason == CT_REASON_NONE && ct_tuple_has_inverse(&t)));
	if (reason != CT_REASON_NONE)
		FUZZ_CHECK(t.src_id_be == 0 && t.dst_id_be == 0);
	if (!has_name)
		return;
	FUZZ_CHECK(memcmp(&t, &named, sizeof(t)) == 0);
	FUZZ_CHECK(hash == ct_tuple_hash(&t, &key));
	check_inversion(&t, &key);
}

/* --- its checksum ----------------------------------------------------------------------------- */

/* Where the checksum is, and how much it covers; 0: it has none, or is cut short. */
static uint32_t find_checksum(const struct ct_pkt *pkt, uint32_t *ret_covered)
{
	static const struct {
		uint8_t proto, at, header;
	} places[] = {
		{CT_PROTO_TCP, 16, TCP_HLEN}, {CT_PROTO_UDP, 6, 8},
		{CT_PROTO_ICMP, 2, 8},	      {CT_PROTO_ICMPV6, 2, 8},
		{CT_PROTO_UDPLITE, 6, 8},     {CT_PROTO_SCTP, 8, SCTP_HLEN},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (places[i].proto != pkt->proto || pkt->l4.cap < places[i].header ||
		    pkt->l4.cap < pkt->l4.len)
			continue;
		*ret_covered = pkt->l4.len;
		if (pkt->proto == CT_PROTO_UDPLITE && pkt->l4.len > 8)
			*ret_covered = 8 + pkt->l4.data[8] % (pkt->l4.len - 7);
		return places[i].at;
	}
	return 0;
}

static bool checksum_ok(const struct ct_pkt *pkt, uint32_t at, uint32_t covered,
			uint32_t detail[static 2])
{
	if (pkt->proto == CT_PROTO_SCTP)
		return ct_checksum_sctp_ok(pkt, detail);
	if (pkt->proto == CT_PROTO_UDPLITE)
		return ct_checksum_part_ok(pkt, at, covered, detail);
	return ct_checksum_ok(pkt, at, detail);
}

static void put_checksum(const struct ct_pkt *pkt, uint8_t *field, uint32_t value)
{
	if (pkt->proto == CT_PROTO_SCTP) {
		*field++ = (uint8_t)(value >> 24);
		*field++ = (uint8_t)(value >> 16);
	}
	*field++ = (uint8_t)(value >> 8);
	*field = (uint8_t)value;
}

/* The value that is said to be right is right, and then one bit of what it covers makes it wrong.
 */
static void check_checksum(struct ct_pkt pkt)
{
	uint32_t covered = 0, at = find_checksum(&pkt, &covered), detail[2] = {0};
	uint8_t whole[LEN_MAX];

	if (!at)
		return;
	memcpy(whole, pkt.l4.data, pkt.l4.len);
	pkt.l4.data = whole;
	if (!checksum_ok(&pkt, at, covered, detail)) {
		put_checksum(&pkt, whole + at, detail[1]);
		FUZZ_CHECK(checksum_ok(&pkt, at, covered, detail));
	}
	whole[whole[0] * 7u % covered] ^= (uint8_t)(1u << (whole[1] & 7));
	FUZZ_CHECK(!checksum_ok(&pkt, at, covered, detail));
}

/* --- its protocol ----------------------------------------------------------------------------- */

static void check_segment(const struct ct_step *s)
{
	const struct ct_bytes *l4 = &s->pkt.l4;

	FUZZ_CHECK(s->tcp.index < CT_TCP_INDEX_MAX && ct_tcp_flags_valid(s->tcp.flags));
	FUZZ_CHECK(s->tcp.end - s->tcp.seq <= l4->len + 2);
	FUZZ_CHECK(s->tcp.optlen <= 40);
	if (s->tcp.optlen > 0)
		FUZZ_CHECK(s->tcp.opt >= l4->data &&
			   s->tcp.opt + s->tcp.optlen <= l4->data + l4->cap);
}

/* The protocol's own judgement; memory that it does not set holds what was there before. */
static bool judge(struct ct_thread *th, const struct ct_input *in, const struct ct_proto *proto,
		  uint8_t before, struct ct_step *s)
{
	memset(s, before, sizeof(*s));
	ct_step_begin(s, th, in);
	return s->readable && proto->check(s);
}

static void check_proto(struct ct_thread *th, const struct ct_input *in,
			const struct ct_proto *proto)
{
	struct ct_step s, t;
	bool ok = judge(th, in, proto, 0, &s);

	FUZZ_CHECK(judge(th, in, proto, 0xff, &t) == ok);
	FUZZ_CHECK(s.way == CT_WAY_JUDGE);
	FUZZ_CHECK(ok == (s.reason == CT_REASON_NONE));
	FUZZ_CHECK(s.reason == t.reason);
	FUZZ_CHECK(ok || memcmp(s.detail, t.detail, sizeof(s.detail)) == 0);
	if (!s.readable)
		return;
	FUZZ_CHECK(ok || (proto != &ct_proto_gre && proto != &ct_proto_generic));
	FUZZ_CHECK(s.reason != CT_REASON_CHECKSUM || in->csum_unverified);
	if (ok && proto == &ct_proto_tcp)
		check_segment(&s);
	if (ok && proto == &ct_proto_sctp)
		FUZZ_CHECK(s.sctp.chunks != 0 || s.sctp.first > 15);
}

/* --- one of them ------------------------------------------------------------------------------ */

static void check_all(const struct ct_input *in, uint8_t family, bool checksum)
{
	struct ct_bytes v = {.data = in->data, .cap = in->caplen, .len = in->len};
	struct look l = read_packet(v, family);
	struct ct_config cfg;
	struct ct_thread th = {.cfg = &cfg};

	ct_config_init(&cfg);
	cfg.checksum = checksum;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		check_proto(&th, in, protocols[i]);
	if (l.reason != CT_REASON_NONE)
		return;
	check_tuple(&l.pkt);
	check_checksum(l.pkt);
	/* what an ICMP error would quote */
	l = read_packet(ct_bytes_from(l.pkt.l4, ICMP_HLEN), family);
	if (l.reason == CT_REASON_NONE)
		check_tuple(&l.pkt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t families[4] = {0, CT_AF_INET, CT_AF_INET6, 7};
	uint8_t *packet;
	struct ct_input in;
	struct ct_bytes v;

	if (size < 2 || size - 2 > LEN_MAX)
		return 0;
	in = (struct ct_input){
		.len = (uint32_t)size - 2,
		.caplen = size - 2 > data[1] ? (uint32_t)size - 2 - data[1] : 0,
		.now_ns = CT_NS_PER_S,
		.family = families[data[0] & 3],
		.csum_unverified = data[0] & 4,
		.hook = data[0] & 0x10 ? CT_HOOK_OUTPUT : CT_HOOK_PREROUTING,
	};
	packet = malloc(in.caplen ? in.caplen : 1); /* a sanitizer sees the first byte too far */
	FUZZ_CHECK(packet);
	memcpy(packet, data + 2, in.caplen);
	in.data = packet;
	v = (struct ct_bytes){.data = packet, .cap = in.caplen, .len = in.len};
	if (in.family == 0)
		in.family = ct_pkt_family(v);
	if (in.family == 7)
		(void)read_packet(v, 7);
	else
		check_all(&in, in.family, !(data[0] & 8));
	free(packet);
	return 0;
}
