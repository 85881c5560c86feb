/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_mangle.h"

#include <errno.h>
#include <string.h>

#include "core/key.h"
#include "core/pkt.h"
#include "tests/flows/flow_knob.h"
#include "tests/flows/flow_lex.h"
#include "tests/flows/flow_random.h"
#include "tests/flows/flow_words.h"
#include "util/cleanup.h"

#define ROUND_PACKETS 12  /* damaged packets between a few whole ones */
#define ROUNDS	      400 /* before the tables are emptied */
#define LOOKUPS	      200 /* the packet may still be on its way */
#define LOGGED_MS     15

/* Whole packets first, so that damaged ones have flows to belong to. */
static const char *const whole[] = {"A > B udp len 8",
				    "A > B tcp S seq 1000",
				    "A > B icmp echo id 7 len 8",
				    "A > B sctp init(tag=7)",
				    "B > A sctp vtag 7 init-ack(tag=9)",
				    "A > B udplite len 8"};

static const char *const templates[] = {
	"B > A udp len 8",
	"A > B tcp A seq 1001 ack 5001 opt nop,nop,sack=1-2 len 8",
	"B > A tcp SA seq 5000 ack 1001 opt mss=1460,nop,nop,sackok,nop,wscale=7",
	"B > A icmp echo-reply id 7 len 8",
	"A > B icmp echo id 8 len 8",
	"R > A icmp unreachable quote [ A > B udp len 8 ]",
	"R > A icmp unreachable quote [ A > B tcp S seq 1000 ]",
	"R > A icmp time-exceeded quote [ A > B icmp echo id 7 len 8 ]",
	"R > B icmp too-big quote [ B > A udp len 8 ]",
	"R > A icmp redirect quote [ A > B udp len 8 ]",
	"A > B sctp vtag 9 cookie-echo data",
	"B > A sctp vtag 7 cookie-ack sack",
	"A > B sctp vtag 9 heartbeat shutdown",
	"B > A sctp vtag 7 abort",
	"A > B sctp init(tag=9)",
	"B > A udplite len 8 coverage 12",
	"A > B gre key 5 len 8",
	"B > A gre v1 callid 5 len 8",
	"R > A icmp unreachable quote [ A > B sctp init(tag=7) ]",
	"R > A icmp unreachable quote [ A > B gre v1 callid 5 ]",
	"A > B proto 50 len 8",
	"A > B proto 89 len 8",
};

static const char *const templates4[] = {
	"A > B udp len 8 ipoptions 8",
	"R > A icmp unreachable quote [ A > B udp len 8 ipoptions 12 ]",
	"A > B icmp timestamp id 9 len 12",
	"B > A icmp mask-reply id 9 len 4",
};

static const char *const templates6[] = {
	"A > B udp len 8 ext hop,dest",
	"A > B tcp S seq 7 ext routing,ah",
	"A > B icmp ni-query id 9 len 8",
	"A > B icmp neighbour-solicitation len 24",
	"LINK > A icmp redirect ttl 255 quote [ A > B udp len 8 ]",
	"R > A icmp too-big quote [ A > B udp len 8 ext dest,ah ]",
};

struct mangle {
	struct flow_wire *wire;
	struct flow_random random;
	struct flow_engine engine;
	uint8_t family;
	uint16_t number;
	unsigned int rounds, seen, unseen;
	unsigned int infos[CT_INFO_MAX];
	int different;
};

static int empty_tables(struct mangle *m)
{
	struct flow_setting unchecked = {.knob = flow_knob_find("checksum"), .value = 0};
	int e = flow_wire_sysctl(unchecked.knob->name, unchecked.value);

	if (e == 0)
		e = flow_wire_flush(m->wire);
	if (e < 0)
		return e;
	flow_engine_done(&m->engine);
	m->number = 0;
	return flow_engine_init(&m->engine, &unchecked, 1);
}

/* --- making packets ------------------------------------------------------------------------ */

static int build(const struct mangle *m, const char *text, struct flow_packet *p,
		 struct flow_bytes *ret)
{
	char error[FLOW_ERROR_MAX], line[128];
	struct flow_lex lex = {.file = "template", .error = error};
	int e;

	snprintf(line, sizeof(line), "%s", text);
	flow_packet_init(p);
	e = flow_lex_line(&lex, line);
	if (e == 0)
		e = flow_words_packet(&lex, p);
	return e < 0 ? e : flow_packet_build(p, m->family, m->number, ret);
}

static const char *some_template(struct mangle *m)
{
	const char *const *own = m->family == CT_AF_INET ? templates4 : templates6;
	size_t nown = m->family == CT_AF_INET ? ARRAY_SIZE(templates4) : ARRAY_SIZE(templates6);
	uint32_t i = flow_random_below(&m->random, (uint32_t)(ARRAY_SIZE(templates) + nown));

	return i < ARRAY_SIZE(templates) ? templates[i] : own[i - ARRAY_SIZE(templates)];
}

static uint8_t some_byte(struct mangle *m)
{
	static const uint8_t likely[] = {0,  1,	 2,  3,	 4,  5,	 6,  7,	 8,  11,  12,  13,  17,
					 20, 40, 43, 44, 50, 51, 58, 59, 60, 128, 129, 137, 255};

	if (flow_random_below(&m->random, 3))
		return likely[flow_random_below(&m->random, ARRAY_SIZE(likely))];
	return (uint8_t)flow_random_below(&m->random, 256);
}

static void damage(struct mangle *m, struct flow_bytes *b)
{
	uint32_t fixed = m->family == CT_AF_INET ? 20 : 40, left = (uint32_t)b->len - fixed;
	uint32_t n = flow_random_below(&m->random, 4);

	for (; n && left; n--)
		b->data[fixed + flow_random_below(&m->random, left < 64 ? left : 64)] =
			some_byte(m);
	if (flow_random_below(&m->random, 4) == 0)
		b->len = fixed + flow_random_below(&m->random, left + 1);
	if (flow_random_below(&m->random, 8) == 0)
		b->data[m->family == CT_AF_INET ? 9 : 6] = some_byte(m);
	flow_packet_fit(b, m->family);
}

/* --- comparing ------------------------------------------------------------------------------ */

/* The tuple of a damaged packet, if it has one. */
static bool find_tuple(const struct flow_bytes *b, uint8_t family, struct ct_tuple *ret)
{
	struct ct_view v = {.data = b->data, .cap = (uint32_t)b->len, .len = (uint32_t)b->len};
	uint32_t detail[CT_DETAIL_MAX];
	struct ct_pkt pkt;

	return ct_pkt_parse(&pkt, v, family, detail) == CT_REASON_NONE &&
	       ct_tuple_build(ret, &pkt, 0, detail) == CT_REASON_NONE;
}

/*
 * True: the router dropped this first packet behind the rules, for what is in its options, so that
 * the kernel has not kept its connection (doc/conformance.md).
 */
static bool was_dropped(struct mangle *m, const struct flow_bytes *b, enum ct_info kernel)
{
	struct flow_seen seen;
	struct ct_tuple t;

	if (kernel != CT_INFO_NEW || !find_tuple(b, m->family, &t))
		return false;
	for (unsigned int i = 0; i < LOOKUPS; i++)
		if (flow_wire_lookup(m->wire, &t, &seen) != 0)
			return false;
	return true;
}

static void print_difference(const struct mangle *m, const char *text, const struct flow_bytes *b,
			     enum ct_info kernel, const struct ct_result *engine)
{
	printf("# IPv%c, made from %s\n#   kernel %s, engine %s %s\n#  ",
	       m->family == CT_AF_INET ? '4' : '6', text, ct_info_name(kernel),
	       ct_info_name((enum ct_info)engine->info),
	       ct_reason_name((enum ct_reason)engine->reason));
	for (size_t i = 0; i < b->len; i++)
		printf("%s%02x", i % 4 ? "" : " ", b->data[i]);
	printf("\n");
}

/* Returns 0, or -errno. The engine only gets what the kernel classified. */
static int judge(struct mangle *m, const char *text, const struct flow_packet *p,
		 const struct flow_bytes *b)
{
	struct ct_result res;
	enum ct_info kernel;
	uint32_t mark;
	int e = flow_wire_send(m->wire, p, b, m->family);

	if (e < 0)
		return e;
	e = flow_wire_logged(m->wire, b, LOGGED_MS, &mark);
	if (e == -ETIME) {
		m->unseen++;
		return 0;
	}
	if (e < 0)
		return e;
	if (!flow_wire_oracle(mark, &kernel))
		return -EPROTO;
	m->seen++;
	m->infos[kernel]++;
	flow_engine_track(&m->engine, b, was_dropped(m, b, kernel), &res);
	if (res.info == (uint8_t)kernel)
		return 0;
	m->different++;
	print_difference(m, text, b, kernel, &res);
	return 0;
}

static int one_packet(struct mangle *m, const char *text, bool damaged)
{
	struct flow_packet p;
	struct flow_bytes b;
	int e = build(m, text, &p, &b);

	if (e == 0 && damaged)
		damage(m, &b);
	if (e == 0)
		e = judge(m, text, &p, &b);
	flow_packet_done(&p);
	return e;
}

static int one_round(struct mangle *m)
{
	int e = m->rounds++ % ROUNDS ? 0 : empty_tables(m);

	m->number++;
	m->family = flow_random_below(&m->random, 2) ? CT_AF_INET : CT_AF_INET6;
	for (size_t i = 0; e == 0 && i < ARRAY_SIZE(whole); i++)
		e = one_packet(m, whole[i], false);
	for (size_t i = 0; e == 0 && i < ROUND_PACKETS; i++)
		e = one_packet(m, some_template(m), true);
	return e;
}

int flow_mangle(struct flow_wire *w, uint64_t seed, unsigned int packets)
{
	struct mangle m = {.wire = w};
	int e = 0;

	flow_random_init(&m.random, seed);
	while (e == 0 && m.seen < packets)
		e = one_round(&m);
	flow_engine_done(&m.engine);
	printf("#");
	for (uint8_t i = 0; i < CT_INFO_MAX; i++)
		if (m.infos[i])
			printf(" %s %u", ct_info_name((enum ct_info)i), m.infos[i]);
	printf("\n# %u damaged packets, %u unseen, %d differences, seed %llu\n", m.seen, m.unseen,
	       m.different, (unsigned long long)seed);
	return e < 0 ? e : m.different;
}
