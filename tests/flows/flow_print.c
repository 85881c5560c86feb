/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Scripts as text again: what a packet line was, or would have been. */

#include "tests/flows/flow_script.h"

#include "tests/flows/flow_icmp.h"
#include "tests/flows/flow_sctp.h"

static const char *host_name(enum flow_host host)
{
#define X(name, str) str,
	static const char *const names[] = {FLOW_HOST_LIST(X)};
#undef X
	return names[host];
}

static void print_options(FILE *f, const struct flow_packet *p)
{
	if (!p->optlen)
		return;
	fputs(" opt hex=", f);
	for (unsigned int i = 0; i < p->optlen; i++)
		fprintf(f, "%02x", p->opt[i]);
}

static void print_sequence(FILE *f, const char *word, uint32_t number, bool more)
{
	if (more)
		fprintf(f, "%s %+d", word, (int)number);
	else
		fprintf(f, "%s %u", word, number);
}

static void print_tcp(FILE *f, const struct flow_packet *p)
{
	fprintf(f, "tcp %u %u ", p->sport, p->dport);
	for (unsigned int i = 0; i < 9; i++)
		if (p->flags & 1u << i)
			fputc("FSRPAUECN"[i], f);
	print_sequence(f, p->flags ? " seq" : "- seq", p->seq, p->seq_more);
	if (p->flags & FLOW_ACK || p->ack || p->ack_more)
		print_sequence(f, " ack", p->ack, p->ack_more);
	if (p->win != 65535)
		fprintf(f, " win %u", p->win);
	print_options(f, p);
	if (p->doff != FLOW_UNSET)
		fprintf(f, " doff %d", p->doff);
}

static void print_icmp(FILE *f, const struct flow_packet *p)
{
	fputs(p->l4 == FLOW_ICMP ? "icmp" : "alien-icmp", f);
	if (p->icmp_kind != FLOW_UNSET)
		fprintf(f, " %s", flow_icmp_types[p->icmp_kind].name);
	else
		fprintf(f, " type %u", p->icmp_type);
	if (p->icmp_code != FLOW_UNSET)
		fprintf(f, " code %d", p->icmp_code);
	if (p->icmp_id)
		fprintf(f, " id %u", p->icmp_id);
	if (p->quote) {
		fputs(" quote [ ", f);
		flow_packet_print(f, p->quote);
		fputs(" ]", f);
	}
}

static void print_gre(FILE *f, const struct flow_packet *p)
{
	fprintf(f, "gre v%u", p->gre_version);
	if (p->gre_keyed)
		fprintf(f, " key %u", p->gre_key);
	if (p->gre_call)
		fprintf(f, " callid %u", p->gre_call);
	if (p->gre_own)
		fprintf(f, " ownid %u", p->gre_own);
	if (p->gre_proto != FLOW_UNSET)
		fprintf(f, " proto %#x", (unsigned int)p->gre_proto);
}

static void print_damage(FILE *f, const struct flow_packet *p)
{
	static const char *const exts[] = {"hop", "routing", "dest", "ah", "atomic"};

	for (unsigned int i = 0; i < p->next; i++)
		fprintf(f, "%s%s", i ? "," : " ext ", exts[p->ext[i]]);
	if (p->no_next)
		fputs(p->next ? ",none" : " ext none", f);
	if (p->data)
		fprintf(f, " data \"%s\"", p->data);
	if (p->len)
		fprintf(f, " len %u", p->len);
	if (p->udplen != FLOW_UNSET)
		fprintf(f, " udplen %d", p->udplen);
	if (p->cut != FLOW_UNSET)
		fprintf(f, " cut %d", p->cut);
	if (p->ipcut != FLOW_UNSET)
		fprintf(f, " ipcut %d", p->ipcut);
	if (p->fragoff != FLOW_UNSET)
		fprintf(f, " fragment %d", p->fragoff);
	if (p->ttl != FLOW_UNSET)
		fprintf(f, " ttl %d", p->ttl);
	if (p->ipopt)
		fprintf(f, " ipoptions %u", p->ipopt);
	fprintf(f, "%s%s%s%s", p->udpsum ? " udpsum" : "", p->badsum ? " badsum" : "",
		p->nosum ? " nosum" : "", p->dropped ? " dropped" : "");
}

void flow_packet_print(FILE *f, const struct flow_packet *p)
{
	fprintf(f, "%s > %s ", host_name(p->src), host_name(p->dst));
	switch (p->l4) {
	case FLOW_TCP:
		print_tcp(f, p);
		break;
	case FLOW_UDP:
		fprintf(f, "udp %u %u", p->sport, p->dport);
		break;
	case FLOW_ICMP:
	case FLOW_ICMP_ALIEN:
		print_icmp(f, p);
		break;
	case FLOW_SCTP:
		fprintf(f, "sctp %u %u vtag %u", p->sport, p->dport, p->vtag);
		flow_chunk_print(f, p);
		break;
	case FLOW_GRE:
		print_gre(f, p);
		break;
	case FLOW_UDPLITE:
		fprintf(f, "udplite %u %u", p->sport, p->dport);
		if (p->coverage != FLOW_UNSET)
			fprintf(f, " coverage %d", p->coverage);
		break;
	case FLOW_PROTO:
		fprintf(f, "proto %u", p->proto);
		break;
	}
	print_damage(f, p);
}

char *flow_expect_to_str(const struct flow_expect *e, char buf[static FLOW_EXPECT_STRLEN])
{
	const char *state = "-";
	int n = snprintf(buf, FLOW_EXPECT_STRLEN, "%s", ct_info_name(e->info));
	size_t left = FLOW_EXPECT_STRLEN - (size_t)n;

	if (e->state != FLOW_UNSET)
		state = ct_state_name(e->proto ? e->proto : 6, (uint8_t)e->state);
	if (e->drop)
		n += snprintf(buf + n, left, " drop");
	left = FLOW_EXPECT_STRLEN - (size_t)n;
	if (e->gone)
		n += snprintf(buf + n, left, " gone");
	else if (e->has_flow)
		n += snprintf(buf + n, left, " %s %#x %u", state, e->status, e->timeout);
	left = FLOW_EXPECT_STRLEN - (size_t)n;
	if (e->has_flow && e->tagged)
		n += snprintf(buf + n, left, " vtag=%u/%u", e->vtag[0], e->vtag[1]);
	left = FLOW_EXPECT_STRLEN - (size_t)n;
	if (e->reason != FLOW_UNSET)
		snprintf(buf + n, left, " reason=%s", ct_reason_name((enum ct_reason)e->reason));
	return buf;
}
