/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_knob.h"

#include <string.h>

#include "util/cleanup.h"

#define TIMEOUT(sysctl, name, usual)                                                               \
	{                                                                                          \
		sysctl, NULL, CT_TIMEOUT_##name, false, usual                                      \
	}

static const struct flow_knob knobs[] = {
	{"checksum", "Checksum", -1, true, 1},
	{"tcp_loose", "TCPLoose", -1, true, 1},
	{"tcp_be_liberal", "TCPBeLiberal", -1, true, 0},
	{"tcp_ignore_invalid_rst", "TCPIgnoreInvalidRST", -1, true, 0},
	{"tcp_max_retrans", "TCPMaxRetrans", -1, false, 3},
	TIMEOUT("tcp_timeout_syn_sent", TCP_SYN_SENT, 120),
	TIMEOUT("tcp_timeout_syn_recv", TCP_SYN_RECV, 60),
	TIMEOUT("tcp_timeout_established", TCP_ESTABLISHED, 432000),
	TIMEOUT("tcp_timeout_fin_wait", TCP_FIN_WAIT, 120),
	TIMEOUT("tcp_timeout_close_wait", TCP_CLOSE_WAIT, 60),
	TIMEOUT("tcp_timeout_last_ack", TCP_LAST_ACK, 30),
	TIMEOUT("tcp_timeout_time_wait", TCP_TIME_WAIT, 120),
	TIMEOUT("tcp_timeout_close", TCP_CLOSE, 10),
	TIMEOUT("tcp_timeout_max_retrans", TCP_RETRANS, 300),
	TIMEOUT("tcp_timeout_unacknowledged", TCP_UNACK, 300),
	TIMEOUT("udp_timeout", UDP, 30),
	TIMEOUT("udp_timeout_stream", UDP_STREAM, 120),
	TIMEOUT("sctp_timeout_closed", SCTP_CLOSED, 10),
	TIMEOUT("sctp_timeout_cookie_wait", SCTP_COOKIE_WAIT, 3),
	TIMEOUT("sctp_timeout_cookie_echoed", SCTP_COOKIE_ECHOED, 3),
	TIMEOUT("sctp_timeout_established", SCTP_ESTABLISHED, 210),
	TIMEOUT("sctp_timeout_shutdown_sent", SCTP_SHUTDOWN_SENT, 3),
	TIMEOUT("sctp_timeout_shutdown_recd", SCTP_SHUTDOWN_RECD, 3),
	TIMEOUT("sctp_timeout_shutdown_ack_sent", SCTP_SHUTDOWN_ACK_SENT, 3),
	TIMEOUT("sctp_timeout_heartbeat_sent", SCTP_HEARTBEAT_SENT, 30),
	TIMEOUT("icmp_timeout", ICMP, 30),
	TIMEOUT("icmpv6_timeout", ICMPV6, 30),
	TIMEOUT("gre_timeout", GRE, 30),
	TIMEOUT("gre_timeout_stream", GRE_STREAM, 180),
	TIMEOUT("generic_timeout", GENERIC, 600),
};

const struct flow_knob *flow_knob_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++)
		if (strcmp(knobs[i].name, name) == 0)
			return &knobs[i];
	return NULL;
}

const struct flow_knob *flow_knob_at(size_t i)
{
	return i < ARRAY_SIZE(knobs) ? &knobs[i] : NULL;
}

void flow_knob_apply(const struct flow_knob *k, uint32_t value, struct ct_config *cfg)
{
	if (k->timeout >= 0)
		cfg->timeout_ns[k->timeout] = value * CT_NS_PER_S;
	else if (strcmp(k->name, "checksum") == 0)
		cfg->checksum = value;
	else if (strcmp(k->name, "tcp_loose") == 0)
		cfg->tcp_loose = value;
	else if (strcmp(k->name, "tcp_be_liberal") == 0)
		cfg->tcp_be_liberal = value;
	else if (strcmp(k->name, "tcp_ignore_invalid_rst") == 0)
		cfg->tcp_ignore_invalid_rst = value;
	else if (strcmp(k->name, "tcp_max_retrans") == 0)
		cfg->tcp_max_retrans = (uint8_t)value;
}

void flow_knob_print(FILE *f, const struct flow_knob *k, uint32_t value, const char **section)
{
#define X(name, key, seconds) [CT_TIMEOUT_##name] = (key),
	static const char *const keys[] = {CT_TIMEOUT_LIST(X)};
#undef X
	const char *own = k->timeout >= 0 ? "Timeouts" : "Track";

	if (!*section || strcmp(*section, own) != 0)
		fprintf(f, "[%s]\n", own);
	*section = own;
	if (k->timeout >= 0)
		fprintf(f, "%s=%us\n", keys[k->timeout], value);
	else if (k->boolean)
		fprintf(f, "%s=%s\n", k->key, value ? "yes" : "no");
	else
		fprintf(f, "%s=%u\n", k->key, value);
}
