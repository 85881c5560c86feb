/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "conf/conf.h"
#include "core/tcp.h"
#include "util/cleanup.h"

/* Member of struct ct_config, key, sysctl, what yes does, what no does. */
#define FLAG_LIST(X)                                                                               \
	X(tcp_be_liberal, "TCPBeLiberal", "netfilter.nf_conntrack_tcp_be_liberal",                 \
	  "the window check refuses nothing: any segment with the right addresses and ports "      \
	  "passes, forged ones too",                                                               \
	  "segments outside the window are refused")                                               \
	X(tcp_loose, "TCPLoose", "netfilter.nf_conntrack_tcp_loose",                               \
	  "connections are picked up in their middle, by an ACK", "only a SYN begins a flow")      \
	X(tcp_ignore_invalid_rst, "TCPIgnoreInvalidRST",                                           \
	  "netfilter.nf_conntrack_tcp_ignore_invalid_rst",                                         \
	  "a RST below what was acknowledged passes, and ends the flow only if that is not "       \
	  "ASSURED",                                                                               \
	  "a RST below what was acknowledged is INVALID")                                          \
	X(checksum, "Checksum", "netfilter.nf_conntrack_checksum",                                 \
	  "transport checksums of received packets are verified",                                  \
	  "transport checksums are left to the receiver")

enum flag {
#define X(member, ...) FLAG_##member,
	FLAG_LIST(X)
#undef X
		FLAG_MAX
};

#define TIMEOUT_EFFECT "flows like that are kept for so long"

/* Timeout, sysctl below net.netfilter.nf_conntrack_. */
#define TIMEOUT_SYSCTL_LIST(X)                                                                     \
	X(TCP_SYN_SENT, "tcp_timeout_syn_sent")                                                    \
	X(TCP_SYN_RECV, "tcp_timeout_syn_recv")                                                    \
	X(TCP_ESTABLISHED, "tcp_timeout_established")                                              \
	X(TCP_FIN_WAIT, "tcp_timeout_fin_wait")                                                    \
	X(TCP_CLOSE_WAIT, "tcp_timeout_close_wait")                                                \
	X(TCP_LAST_ACK, "tcp_timeout_last_ack")                                                    \
	X(TCP_TIME_WAIT, "tcp_timeout_time_wait")                                                  \
	X(TCP_CLOSE, "tcp_timeout_close")                                                          \
	X(TCP_RETRANS, "tcp_timeout_max_retrans")                                                  \
	X(TCP_UNACK, "tcp_timeout_unacknowledged")                                                 \
	X(UDP, "udp_timeout")                                                                      \
	X(UDP_STREAM, "udp_timeout_stream")                                                        \
	X(SCTP_CLOSED, "sctp_timeout_closed")                                                      \
	X(SCTP_COOKIE_WAIT, "sctp_timeout_cookie_wait")                                            \
	X(SCTP_COOKIE_ECHOED, "sctp_timeout_cookie_echoed")                                        \
	X(SCTP_ESTABLISHED, "sctp_timeout_established")                                            \
	X(SCTP_SHUTDOWN_SENT, "sctp_timeout_shutdown_sent")                                        \
	X(SCTP_SHUTDOWN_RECD, "sctp_timeout_shutdown_recd")                                        \
	X(SCTP_SHUTDOWN_ACK_SENT, "sctp_timeout_shutdown_ack_sent")                                \
	X(SCTP_HEARTBEAT_SENT, "sctp_timeout_heartbeat_sent")                                      \
	X(ICMP, "icmp_timeout")                                                                    \
	X(ICMPV6, "icmpv6_timeout")                                                                \
	X(GRE, "gre_timeout")                                                                      \
	X(GRE_STREAM, "gre_timeout_stream")                                                        \
	X(GENERIC, "generic_timeout")

static const struct {
	const char *key, *sysctl;
} timeouts[CT_TIMEOUT_MAX] = {
#define X(suffix, key_, seconds) [CT_TIMEOUT_##suffix].key = (key_),
	CT_TIMEOUT_LIST(X)
#undef X
#define X(suffix, name) [CT_TIMEOUT_##suffix].sysctl = "netfilter.nf_conntrack_" name,
		TIMEOUT_SYSCTL_LIST(X)
#undef X
};

/* ---- choosing ---- */

static struct trial *add(struct trials *t, const struct scene *s, const char *key,
			 const char *sysctl, const char *effect)
{
	struct trial *trial;

	if (t->n == TRIALS_MAX)
		return NULL;
	trial = &t->trial[t->n++];
	*trial = (struct trial){
		.key = key,
		.sysctl = sysctl ? sysctl : "",
		.effect = effect,
		.track = *s->look->track,
	};
	return trial;
}

/* Does nothing if it has that value already. */
static void add_flag(struct trials *t, const struct scene *s, enum flag flag, bool value)
{
	static const struct {
		size_t offset;
		const char *key, *sysctl, *yes, *no;
	} flags[] = {
#define X(member, ...) [FLAG_##member] = {offsetof(struct ct_config, member), __VA_ARGS__},
		FLAG_LIST(X)
#undef X
	};
	bool now = *(const bool *)((const char *)s->look->track + flags[flag].offset);
	struct trial *trial;

	if (now == value)
		return;
	trial = add(t, s, flags[flag].key, flags[flag].sysctl,
		    value ? flags[flag].yes : flags[flag].no);
	if (!trial)
		return;
	*(bool *)((char *)&trial->track + flags[flag].offset) = value;
	snprintf(trial->value, sizeof(trial->value), "%s", value ? "yes" : "no");
	snprintf(trial->kernel_value, sizeof(trial->kernel_value), "%d", value);
}

static void put_seconds(struct trial *trial, uint64_t seconds)
{
	snprintf(trial->value, sizeof(trial->value), "%" PRIu64 "s", seconds);
	snprintf(trial->kernel_value, sizeof(trial->kernel_value), "%" PRIu64, seconds);
}

static bool is_timeout_of(const struct recall_flow *f, int timeout)
{
	switch (f->orig.proto) {
	case CT_PROTO_TCP:
		return timeout == CT_TIMEOUT_TCP_SYN_SENT + f->state - 1 ||
		       timeout == CT_TIMEOUT_TCP_RETRANS || timeout == CT_TIMEOUT_TCP_UNACK ||
		       timeout == CT_TIMEOUT_TCP_CLOSE;
	case CT_PROTO_SCTP:
		return timeout == CT_TIMEOUT_SCTP_CLOSED + f->state - 1;
	case CT_PROTO_UDP:
	case CT_PROTO_UDPLITE:
		return timeout == CT_TIMEOUT_UDP || timeout == CT_TIMEOUT_UDP_STREAM;
	case CT_PROTO_GRE:
		return timeout == CT_TIMEOUT_GRE || timeout == CT_TIMEOUT_GRE_STREAM;
	case CT_PROTO_ICMP:
		return timeout == CT_TIMEOUT_ICMP;
	case CT_PROTO_ICMPV6:
		return timeout == CT_TIMEOUT_ICMPV6;
	default:
		return timeout == CT_TIMEOUT_GENERIC;
	}
}

/* The timeouts that the end of an earlier flow can have come from: those of its length. */
static void add_timeouts(struct trials *t, const struct scene *s, const struct recall_flow *f)
{
	uint64_t life_ns = f->expires_ns - f->last_ns;
	uint64_t idle_ns = s->record->packet->time_ns - f->last_ns;
	uint64_t seconds = idle_ns / CT_NS_PER_S + 2;

	if ((f->death != CT_DEATH_TIMEOUT && f->death != CT_DEATH_NONE) ||
	    idle_ns > UINT64_MAX / 2 || life_ns > idle_ns || seconds > CONF_TIMEOUT_MAX_S)
		return;
	for (int i = 0; i < CT_TIMEOUT_MAX; i++) {
		uint64_t timeout_ns = s->look->track->timeout_ns[i];
		struct trial *trial;

		if (!is_timeout_of(f, i) || timeout_ns / CT_NS_PER_S != life_ns / CT_NS_PER_S)
			continue;
		trial = add(t, s, timeouts[i].key, timeouts[i].sysctl, TIMEOUT_EFFECT);
		if (!trial)
			return;
		trial->track.timeout_ns[i] = seconds * CT_NS_PER_S;
		put_seconds(trial, seconds);
	}
}

static void add_room(struct trials *t, const struct scene *s)
{
	uint32_t max = s->look->max_flows;
	struct trial *trial = add(t, s, "MaxFlows", "netfilter.nf_conntrack_max",
				  "the table has room for so many flows");

	if (!trial)
		return;
	trial->max_flows = max < CT_FLOWS_MAX / 4 ? 4 * max : CT_FLOWS_MAX;
	snprintf(trial->value, sizeof(trial->value), "%" PRIu32, trial->max_flows);
	snprintf(trial->kernel_value, sizeof(trial->kernel_value), "%" PRIu32, trial->max_flows);
}

static void add_earlier(struct trials *t, const struct scene *s)
{
	struct anatomy quote;
	const struct ct_tuple *tuple = &s->packet->tuple;
	uint64_t number;

	if (anatomy_read_quote(&quote, s->packet, s->record->in->zone))
		tuple = &quote.tuple;
	number = recall_by_tuple(s->memory, tuple, s->record->first ? s->record->flow : 0);
	if (number && recall_flow(s->memory, number)->death == CT_DEATH_EARLY_DROP)
		add_room(t, s);
	else if (number)
		add_timeouts(t, s, recall_flow(s->memory, number));
}

static void add_patience(struct trials *t, const struct scene *s)
{
	uint64_t now = s->look->track->fragment_ns / CT_NS_PER_S, seconds = 10 * (now + 1);
	bool six = s->packet->ip.family == CT_AF_INET6;
	struct trial *trial;

	if (now >= CONF_FRAGMENT_MAX_S)
		return;
	if (seconds > CONF_FRAGMENT_MAX_S)
		seconds = CONF_FRAGMENT_MAX_S;
	trial = add(t, s, "FragmentTimeout",
		    six ? "netfilter.nf_conntrack_frag6_timeout" : "ipv4.ipfrag_time",
		    "incomplete datagrams are kept for so long");
	if (!trial)
		return;
	trial->track.fragment_ns = seconds * CT_NS_PER_S;
	put_seconds(trial, seconds);
}

static void choose_for_refused(struct trials *t, const struct scene *s)
{
	switch ((enum ct_reason)s->record->out->reason) {
	case CT_REASON_TCP_SEQ_OVER:
	case CT_REASON_TCP_ACK_OVER:
		add_flag(t, s, FLAG_tcp_be_liberal, true);
		break;
	case CT_REASON_TCP_STATE:
		if (s->flow && s->flow->detail && s->flow->detail->window_invalid)
			add_flag(t, s, FLAG_tcp_be_liberal, true);
		break;
	case CT_REASON_TCP_RST_STALE:
		add_flag(t, s, FLAG_tcp_ignore_invalid_rst, true);
		break;
	case CT_REASON_TCP_LOOSE_OFF:
	case CT_REASON_TCP_NOT_FIRST:
		add_flag(t, s, FLAG_tcp_loose, true);
		add_earlier(t, s);
		break;
	case CT_REASON_SCTP_NOT_FIRST:
	case CT_REASON_ICMP_UNASKED:
	case CT_REASON_ICMP_NO_FLOW:
		add_earlier(t, s);
		break;
	case CT_REASON_CHECKSUM:
		add_flag(t, s, FLAG_checksum, false);
		break;
	case CT_REASON_FRAGMENT_TIMEOUT:
		add_patience(t, s);
		break;
	case CT_REASON_TABLE_FULL:
		add_room(t, s);
		break;
	default:
		break;
	}
}

/* What was accepted for the sake of a setting. */
static void choose_for_accepted(struct trials *t, const struct scene *s)
{
	if (s->packet->has_tcp && s->record->first && s->packet->tcp.index == CT_TCP_ACK)
		add_flag(t, s, FLAG_tcp_loose, false);
	if (s->packet->has_tcp && !s->record->first && s->record->out->has_flow)
		add_flag(t, s, FLAG_tcp_be_liberal, false);
	if (s->packet->has_tcp && s->packet->tcp.index == CT_TCP_RST)
		add_flag(t, s, FLAG_tcp_ignore_invalid_rst, false);
	if (s->record->first && s->record->out->info == CT_INFO_NEW)
		add_earlier(t, s);
}

void trials_choose(struct trials *ret, const struct scene *s)
{
	*ret = (struct trials){.number = s->record->packet->number};
	if (s->record->out->info == CT_INFO_INVALID || s->record->out->drop)
		choose_for_refused(ret, s);
	else
		choose_for_accepted(ret, s);
}

/* ---- trying ---- */

/* Waits for one packet, and ends the replay with it. */
struct probe {
	struct sink base;
	uint64_t number;
	bool found, drop;
	enum ct_info info;
	enum ct_reason reason;
};

static int probe_packet(struct sink *s, const struct record *r)
{
	struct probe *p = (struct probe *)s;

	if (r->packet->number != p->number)
		return 0;
	p->found = true;
	p->drop = r->out->drop;
	p->info = (enum ct_info)r->out->info;
	p->reason = (enum ct_reason)r->out->reason;
	return -ECANCELED;
}

static const struct sink_ops probe_ops = {.packet = probe_packet};

static void say_result(const struct trial *t, const struct probe *p, bool changes,
		       struct account *a)
{
	char kernel[96] = "";

	if (*t->sysctl)
		snprintf(kernel, sizeof(kernel), " (net.%s=%s)", t->sysctl, t->kernel_value);
	account_say(a, SECTION_SETTINGS, "With %s=%s%s it %s %s%s%s%s. With that, %s.", t->key,
		    t->value, kernel, changes ? "would be" : "would still be",
		    p->drop ? "dropped, " : "", ct_info_name(p->info),
		    p->reason != CT_REASON_NONE ? ", " : "",
		    p->reason != CT_REASON_NONE ? ct_reason_name(p->reason) : "", t->effect);
}

static json_t *trial_json(const struct trial *t)
{
	json_t *object = json_object();

	json_object_set_new(object, "key", json_string(t->key));
	json_object_set_new(object, "value", json_string(t->value));
	if (*t->sysctl)
		json_object_set_new(object, "sysctl", json_sprintf("net.%s", t->sysctl));
	json_object_set_new(object, "effect", json_string(t->effect));
	return object;
}

static void try_one(const struct trial *t, uint64_t number, const struct look *look,
		    enum ct_info info, enum ct_reason reason, struct account *account, json_t *list)
{
	struct probe p = {.base.ops = &probe_ops, .number = number};
	json_t *object = trial_json(t);
	bool changes;

	if (look->again)
		(void)look->again->replay(look->again->ctx, &t->track, t->max_flows, &p.base);
	if (p.found) {
		changes = p.info != info || p.reason != reason;
		say_result(t, &p, changes, account);
		json_object_set_new(object, "ctinfo", json_string(ct_info_name(p.info)));
		if (p.reason != CT_REASON_NONE)
			json_object_set_new(object, "reason",
					    json_string(ct_reason_name(p.reason)));
		json_object_set_new(object, "changes", json_boolean(changes));
	} else {
		account_say(account, SECTION_SETTINGS,
			    "%s=%s could change it: %s. It was not tried: the capture cannot be "
			    "read twice.",
			    t->key, t->value, t->effect);
	}
	json_array_append_new(list, object);
}

/* Rules that neither the kernel nor ctmarkd has a setting for. */
static bool is_unsettable(enum ct_reason reason)
{
	switch (reason) {
	case CT_REASON_IP_HEADER:
	case CT_REASON_IP6_EXT_HEADER:
	case CT_REASON_IP6_NO_NEXT:
	case CT_REASON_L4_HEADER:
	case CT_REASON_NOT_INVERTIBLE:
	case CT_REASON_TCP_OFFSET:
	case CT_REASON_TCP_FLAGS:
	case CT_REASON_UDP_LENGTH:
	case CT_REASON_UDPLITE_COVERAGE:
	case CT_REASON_UDPLITE_NO_CHECKSUM:
	case CT_REASON_SCTP_CHUNKS:
	case CT_REASON_SCTP_VTAG:
	case CT_REASON_SCTP_STATE:
	case CT_REASON_SCTP_INIT_TAG:
	case CT_REASON_GRE_PROTOCOL:
	case CT_REASON_ICMP_TYPE:
	case CT_REASON_ICMP_FAMILY:
	case CT_REASON_ICMP_QUOTE_SHORT:
	case CT_REASON_ICMP_QUOTE_FORM:
	case CT_REASON_ICMP_TARGET:
	case CT_REASON_ICMP6_REDIRECT:
	case CT_REASON_FRAGMENT_LENGTH:
		return true;
	default:
		return false;
	}
}

void trials_run(const struct trials *t, const struct look *look, enum ct_info info,
		enum ct_reason reason, struct account *account)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->n; i++)
		try_one(&t->trial[i], t->number, look, info, reason, account, list);
	if (t->n == 0 && info == CT_INFO_INVALID)
		account_say(
			account, SECTION_SETTINGS, "%s",
			is_unsettable(reason)
				? "No setting of the kernel or of ctmarkd has to do with this rule."
				: "No setting was tried: nothing in this capture says which one "
				  "could change it.");
	account_put(account, "settings", list);
}
