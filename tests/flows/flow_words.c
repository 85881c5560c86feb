/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flows/flow_data.h"
#include "tests/flows/flow_icmp.h"
#include "tests/flows/flow_options.h"
#include "tests/flows/flow_packet.h"
#include "tests/flows/flow_sctp.h"
#include "util/cleanup.h"

/* --- words that take a number, or none ---------------------------------------- */

enum kind { NUMBER, FLAG };

struct word {
	const char *name;
	enum kind kind;
	size_t offset; /* of an unsigned int, int or bool */
	uint32_t max;
	unsigned int protocols; /* bits 1 << enum flow_l4 that know it; 0: all */
};

#define TCP	   (1u << FLOW_TCP)
#define UDP	   (1u << FLOW_UDP)
#define UDPLITE	   (1u << FLOW_UDPLITE)
#define SCTP	   (1u << FLOW_SCTP)
#define GRE	   (1u << FLOW_GRE)
#define ICMP	   (1u << FLOW_ICMP | 1u << FLOW_ICMP_ALIEN)
#define AT(member) offsetof(struct flow_packet, member)

static const struct word words[] = {
	{"len", NUMBER, AT(len), 9000, 0},
	{"win", NUMBER, AT(win), 65535, TCP},
	{"doff", NUMBER, AT(doff), 15, TCP},
	{"udplen", NUMBER, AT(udplen), 65535, UDP},
	{"nosum", FLAG, AT(nosum), 0, UDP | UDPLITE | SCTP},
	{"coverage", NUMBER, AT(coverage), 65535, UDPLITE},
	{"udpsum", FLAG, AT(udpsum), 0, UDPLITE},
	{"vtag", NUMBER, AT(vtag), UINT32_MAX, SCTP},
	{"callid", NUMBER, AT(gre_call), 65535, GRE},
	{"ownid", NUMBER, AT(gre_own), 65535, GRE},
	{"proto", NUMBER, AT(gre_proto), 65535, GRE},
	{"code", NUMBER, AT(icmp_code), 255, ICMP},
	{"id", NUMBER, AT(icmp_id), 65535, ICMP},
	{"option", NUMBER, AT(rd_option), 255, ICMP},
	{"optlen", NUMBER, AT(rd_optlen), 255, ICMP},
	{"badsum", FLAG, AT(badsum), 0, TCP | UDP | ICMP | UDPLITE | SCTP},
	{"dropped", FLAG, AT(dropped), 0, 0},
	{"ttl", NUMBER, AT(ttl), 255, 0},
	{"cut", NUMBER, AT(cut), 1500, 0},
	{"ipcut", NUMBER, AT(ipcut), 1500, 0},
	{"fragment", NUMBER, AT(fragoff), 8191, 0},
	{"ipoptions", NUMBER, AT(ipopt), 40, 0},
};

static const struct word *find_word(const char *name, enum flow_l4 l4)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].name, name) == 0 &&
		    (!words[i].protocols || words[i].protocols & 1u << l4))
			return &words[i];
	return NULL;
}

static int take_word(struct flow_lex *l, const struct word *w, struct flow_packet *p)
{
	char *field = (char *)p + w->offset;
	uint32_t n;

	if (w->kind == FLAG) {
		*(bool *)field = true;
		return 0;
	}
	if (flow_lex_number(l, w->max, &n) < 0)
		return -EINVAL;
	memcpy(field, &n, sizeof(n));
	return 0;
}

/* --- words with a syntax of their own ------------------------------------------ */

static int take_extensions(struct flow_lex *l, struct flow_packet *p)
{
	static const char *const names[] = {"hop", "routing", "dest", "ah", "atomic"};
	const char *word = flow_lex_next(l);
	char *save = NULL, *list = word ? strdup(word) : NULL;
	int r = list ? 0 : flow_lex_fail(l, "extension headers are missing");

	for (char *e = list ? strtok_r(list, ",", &save) : NULL; e && r == 0;
	     e = strtok_r(NULL, ",", &save)) {
		int ext = 0;

		if (strcmp(e, "none") == 0)
			p->no_next = true;
		else if (p->next == FLOW_EXT_MAX)
			r = flow_lex_fail(l, "more than %d extension headers", FLOW_EXT_MAX);
		else if ((r = flow_lex_find(l, e, "an extension header", names, ARRAY_SIZE(names),
					    &ext)) == 0)
			p->ext[p->next++] = (enum flow_ext)ext;
	}
	free(list);
	return r;
}

static int take_options(struct flow_lex *l, struct flow_packet *p)
{
	const char *word = flow_lex_next(l);
	char *text = word ? strdup(word) : NULL;
	int r = text ? flow_options_parse(p, text) : -EINVAL;

	free(text);
	return r < 0 ? flow_lex_fail(l, "'%s' are no TCP options", word ? word : "") : 0;
}

/* quote [ A > B udp len 4 ] */
static int take_quote(struct flow_lex *l, struct flow_packet *p)
{
	if (!flow_lex_take(l, "["))
		return flow_lex_fail(l, "quote needs a packet in [ ]");
	if (p->quote)
		return flow_lex_fail(l, "one packet can be quoted, not two");
	p->quote = malloc(sizeof(*p->quote));
	if (!p->quote)
		return flow_lex_fail(l, "out of memory");
	flow_packet_init(p->quote);
	if (flow_words_packet(l, p->quote) < 0)
		return -EINVAL;
	return flow_lex_take(l, "]") ? 0 : flow_lex_fail(l, "']' is missing");
}

/* key N */
static int take_key(struct flow_lex *l, struct flow_packet *p)
{
	p->gre_keyed = true;
	return flow_lex_number(l, UINT32_MAX, &p->gre_key);
}

/* N, or +N and -N: from what was sent so far. */
static int take_sequence(struct flow_lex *l, uint32_t *number, bool *more)
{
	const char *w = flow_lex_peek(l);
	char *end;
	long n;

	*more = w && (*w == '+' || *w == '-');
	if (!*more)
		return flow_lex_number(l, UINT32_MAX, number);
	n = strtol(w, &end, 10);
	if (*end || end - w < 2 || end - w > 8)
		return flow_lex_fail(l, "'%s' is not as +0 or -2", w);
	*number = (uint32_t)n;
	l->at++;
	return 0;
}

/* "..." "...": the text of the payload, in one family at least */
static int take_data(struct flow_lex *l, struct flow_packet *p)
{
	uint8_t bytes[FLOW_BYTES_MAX];

	for (const char *w = flow_lex_peek(l); w && *w == '"'; w = flow_lex_peek(l)) {
		size_t had = p->data ? strlen(p->data) : 0;
		char *more = realloc(p->data, had + strlen(w));

		if (!more)
			return flow_lex_fail(l, "out of memory");
		p->data = more;
		strcpy(more + had, w + 1);
		l->at++;
	}
	if (!p->data)
		return flow_lex_fail(l, "data needs a text in \" \"");
	if (flow_data_expand(p->data, CT_AF_INET, 1, bytes, sizeof(bytes)) < 0 &&
	    flow_data_expand(p->data, CT_AF_INET6, 1, bytes, sizeof(bytes)) < 0)
		return flow_lex_fail(l, "\"%s\" is no data", p->data);
	return 0;
}

/* What a packet line has to say of sequence numbers, and need not if it has data. */
struct said {
	bool seq, ack;
};

static void continue_talk(struct flow_packet *p, const struct said *said)
{
	if (!p->data || p->l4 != FLOW_TCP)
		return;
	p->seq_more |= !said->seq;
	p->ack_more |= !said->ack && p->flags & FLOW_ACK;
}

static int take_rest(struct flow_lex *l, struct flow_packet *p, struct said *said)
{
	for (const char *w = flow_lex_peek(l); w && strcmp(w, ":") != 0 && strcmp(w, "]") != 0;
	     w = flow_lex_peek(l)) {
		const struct word *word = find_word(w, p->l4);
		int r;

		l->at++;
		if (word)
			r = take_word(l, word, p);
		else if (strcmp(w, "seq") == 0 && p->l4 == FLOW_TCP)
			r = take_sequence(l, &p->seq, &p->seq_more);
		else if (strcmp(w, "ack") == 0 && p->l4 == FLOW_TCP)
			r = take_sequence(l, &p->ack, &p->ack_more);
		else if (strcmp(w, "data") == 0 && (p->l4 == FLOW_TCP || p->l4 == FLOW_UDP))
			r = take_data(l, p);
		else if (strcmp(w, "ext") == 0)
			r = take_extensions(l, p);
		else if (strcmp(w, "opt") == 0 && p->l4 == FLOW_TCP)
			r = take_options(l, p);
		else if (strcmp(w, "quote") == 0 && p->l4 == FLOW_ICMP)
			r = take_quote(l, p);
		else if (strcmp(w, "key") == 0 && p->l4 == FLOW_GRE)
			r = take_key(l, p);
		else if (p->l4 == FLOW_SCTP && flow_chunk_is(w))
			r = flow_chunk_take(l, w, p);
		else
			r = flow_lex_fail(l, "'%s' means nothing here", w);
		if (r < 0)
			return r;
		said->seq |= strcmp(w, "seq") == 0;
		said->ack |= strcmp(w, "ack") == 0;
	}
	continue_talk(p, said);
	return 0;
}

/* --- protocols ------------------------------------------------------------------ */

static int take_ports(struct flow_lex *l, struct flow_packet *p)
{
	const char *w = flow_lex_peek(l);

	if (!w || *w < '0' || *w > '9')
		return 0;
	if (flow_lex_number(l, 65535, &p->sport) < 0)
		return -EINVAL;
	return flow_lex_number(l, 65535, &p->dport);
}

static int take_flags(struct flow_lex *l, struct flow_packet *p)
{
	static const char letters[] = "FSRPAUECN";
	const char *w = flow_lex_next(l);

	if (!w)
		return flow_lex_fail(l, "TCP flags are missing");
	if (strcmp(w, "-") == 0)
		return 0;
	for (; *w; w++) {
		const char *at = strchr(letters, *w);

		if (!at)
			return flow_lex_fail(l, "'%c' is none of the TCP flags %s", *w, letters);
		p->flags |= 1u << (at - letters);
	}
	return 0;
}

static int take_icmp(struct flow_lex *l, struct flow_packet *p)
{
	const char *w = flow_lex_next(l);

	if (w && strcmp(w, "type") == 0)
		return flow_lex_number(l, 255, &p->icmp_type);
	for (size_t i = 0; w && i < ARRAY_SIZE(flow_icmp_types); i++) {
		if (strcmp(flow_icmp_types[i].name, w) == 0) {
			p->icmp_kind = (int)i;
			return 0;
		}
	}
	return flow_lex_fail(l, "'%s' is no ICMP message", w ? w : "end of line");
}

/* "v1": the version of GRE, which may be left out */
static int take_version(struct flow_lex *l, struct flow_packet *p)
{
	const char *w = flow_lex_peek(l);

	if (!w || w[0] != 'v' || w[1] < '0' || w[1] > '7' || w[2])
		return 0;
	p->gre_version = (unsigned int)(w[1] - '0');
	l->at++;
	return 0;
}

static bool is_client(enum flow_host host)
{
	return host == FLOW_HOST_A || host == FLOW_HOST_A2;
}

static unsigned int server_port(enum flow_l4 l4)
{
	return l4 == FLOW_TCP ? 80 : l4 == FLOW_SCTP ? 3868 : 53;
}

/* Client port 40000, server port as usual, unless the script says otherwise. */
static void default_ports(const struct flow_lex *l, struct flow_packet *p)
{
	unsigned int client = l->ports[0] ? l->ports[0] : 40000;
	unsigned int server = l->ports[1] ? l->ports[1] : server_port(p->l4);

	p->sport = is_client(p->src) ? client : server;
	p->dport = is_client(p->dst) ? client : server;
}

static int take_protocol(struct flow_lex *l, struct flow_packet *p)
{
	static const char *const names[] = {
		[FLOW_TCP] = "tcp",	    [FLOW_UDP] = "udp",
		[FLOW_ICMP] = "icmp",	    [FLOW_ICMP_ALIEN] = "alien-icmp",
		[FLOW_SCTP] = "sctp",	    [FLOW_GRE] = "gre",
		[FLOW_UDPLITE] = "udplite", [FLOW_PROTO] = "proto",
	};
	int l4;

	if (flow_lex_name(l, "a protocol", names, ARRAY_SIZE(names), &l4) < 0)
		return -EINVAL;
	p->l4 = (enum flow_l4)l4;
	default_ports(l, p);
	switch (p->l4) {
	case FLOW_TCP:
		return take_ports(l, p) < 0 ? -EINVAL : take_flags(l, p);
	case FLOW_UDP:
	case FLOW_UDPLITE:
	case FLOW_SCTP:
		return take_ports(l, p);
	case FLOW_GRE:
		return take_version(l, p);
	case FLOW_ICMP:
	case FLOW_ICMP_ALIEN:
		return take_icmp(l, p);
	case FLOW_PROTO:
		break;
	}
	return flow_lex_number(l, 255, &p->proto);
}

int flow_words_packet(struct flow_lex *l, struct flow_packet *p)
{
#define X(name, str) str,
	static const char *const hosts[] = {FLOW_HOST_LIST(X)};
#undef X
	struct said said = {0};
	int src, dst;

	if (flow_lex_name(l, "a host", hosts, ARRAY_SIZE(hosts), &src) < 0)
		return -EINVAL;
	if (!flow_lex_take(l, ">"))
		return flow_lex_fail(l, "'>' is missing behind the sender");
	if (flow_lex_name(l, "a host", hosts, ARRAY_SIZE(hosts), &dst) < 0)
		return -EINVAL;
	p->src = (enum flow_host)src;
	p->dst = (enum flow_host)dst;
	if (take_protocol(l, p) < 0 || take_rest(l, p, &said) < 0)
		return -EINVAL;
	if (p->l4 == FLOW_TCP && p->flags & FLOW_ACK && !said.ack && !p->data)
		return flow_lex_fail(l, "a packet with the A flag needs ack NUMBER");
	return 0;
}

/* --- expectations ---------------------------------------------------------------- */

int flow_words_info(struct flow_lex *l, int *ret)
{
#define X(name, value, str, class) [value] = (str),
	static const char *const names[] = {CT_INFO_LIST(X)};
#undef X
	return flow_lex_name(l, "a ctinfo", names, ARRAY_SIZE(names), ret);
}

static int take_state(struct flow_lex *l, uint8_t proto, const char *word, int *ret)
{
#define X(name, value) [value] = #name,
	static const char *const tcp[] = {CT_TCP_STATE_LIST(X)};
	static const char *const sctp[] = {CT_SCTP_STATE_LIST(X)};
#undef X
	if (word && strcmp(word, "-") == 0) {
		*ret = FLOW_UNSET;
		return 0;
	}
	if (proto == 132)
		return flow_lex_find(l, word, "an SCTP state", sctp, ARRAY_SIZE(sctp), ret);
	return flow_lex_find(l, word, "a TCP state", tcp, ARRAY_SIZE(tcp), ret);
}

static int take_reason(struct flow_lex *l, struct flow_expect *e)
{
#define X(name, code, text, detail) [CT_REASON_##name] = (code),
	static const char *const names[] = {CT_REASON_LIST(X)};
#undef X
	const char *w = flow_lex_next(l);

	if (strncmp(w, "reason=", 7) != 0)
		return flow_lex_fail(l, "'%s' is too much", w);
	return flow_lex_find(l, w + 7, "a reason", names, ARRAY_SIZE(names), &e->reason);
}

static int take_flow(struct flow_lex *l, struct flow_expect *e)
{
	uint32_t status;

	if (take_state(l, e->proto, flow_lex_next(l), &e->state) < 0 ||
	    flow_lex_number(l, UINT16_MAX, &status) < 0 ||
	    flow_lex_number(l, UINT32_MAX, &e->timeout) < 0)
		return -EINVAL;
	e->status = (uint16_t)status;
	e->has_flow = true;
	return 0;
}

/* "vtag=9/7": what packets of the original and of the reply direction carry */
static int take_tags(struct flow_lex *l, struct flow_expect *e)
{
	const char *w = flow_lex_next(l);
	char *end;

	e->tagged = true;
	e->vtag[CT_DIR_ORIGINAL] = (uint32_t)strtoul(w + 5, &end, 0);
	if (end == w + 5 || *end != '/')
		return flow_lex_fail(l, "'%s' is not vtag=ORIGINAL/REPLY", w);
	w = end + 1;
	e->vtag[CT_DIR_REPLY] = (uint32_t)strtoul(w, &end, 0);
	if (end == w || *end)
		return flow_lex_fail(l, "'%s' is no tag", w);
	return 0;
}

int flow_words_expect(struct flow_lex *l, uint8_t proto, struct flow_expect *e)
{
	const char *w;
	int info;

	if (flow_words_info(l, &info) < 0)
		return -EINVAL;
	e->info = (enum ct_info)info;
	e->proto = proto;
	e->drop = flow_lex_take(l, "drop");
	e->gone = flow_lex_take(l, "gone");
	w = flow_lex_peek(l);
	if (!e->gone && w && strncmp(w, "reason=", 7) != 0 && take_flow(l, e) < 0)
		return -EINVAL;
	w = flow_lex_peek(l);
	if (w && strncmp(w, "vtag=", 5) == 0 && e->has_flow && take_tags(l, e) < 0)
		return -EINVAL;
	if (flow_lex_peek(l) && take_reason(l, e) < 0)
		return -EINVAL;
	w = flow_lex_next(l);
	return w ? flow_lex_fail(l, "'%s' is too much", w) : 0;
}

/* --- events ----------------------------------------------------------------------- */

static int take_death(struct flow_lex *l, struct flow_event *e)
{
#define X(name, code, text) [CT_DEATH_##name] = (code),
	static const char *const names[] = {CT_DEATH_LIST(X)};
#undef X
	return flow_lex_name(l, "a way to end", names, ARRAY_SIZE(names), &e->death);
}

/* SYN_SENT>SYN_RECV */
static int take_change(struct flow_lex *l, uint8_t proto, struct flow_event *e)
{
	const char *w = flow_lex_next(l);
	const char *mid = w ? strchr(w, '>') : NULL;
	char *old = mid ? strndup(w, (size_t)(mid - w)) : NULL;
	int r = old ? 0 : flow_lex_fail(l, "OLD>NEW is expected");

	if (r == 0)
		r = take_state(l, proto, old, &e->state[0]);
	if (r == 0)
		r = take_state(l, proto, mid + 1, &e->state[1]);
	free(old);
	return r;
}

int flow_words_event(struct flow_lex *l, uint8_t proto, struct flow_event *e)
{
#define X(name, str) [CT_EVENT_##name] = (str),
	static const char *const names[] = {CT_EVENT_LIST(X)};
#undef X
	*e = (struct flow_event){FLOW_UNSET, FLOW_UNSET, {FLOW_UNSET, FLOW_UNSET}};
	if (flow_lex_take(l, "none"))
		return 0;
	if (flow_lex_name(l, "an event", names, ARRAY_SIZE(names), &e->type) < 0)
		return -EINVAL;
	if (!flow_lex_peek(l))
		return 0;
	if (e->type == CT_EVENT_DESTROY)
		return take_death(l, e);
	if (e->type == CT_EVENT_STATE)
		return take_change(l, proto, e);
	return flow_lex_fail(l, "'%s' is too much", flow_lex_peek(l));
}
