/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/flows/flow_knob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/helper/helper.h"
#include "tests/flows/flow_script.h"
#include "util/cleanup.h"

#define TIMEOUT(sysctl, name, usual)                                                               \
	{                                                                                          \
		sysctl, NULL, CT_TIMEOUT_##name, false, usual, false                               \
	}

static const struct flow_knob knobs[] = {
	{"checksum", "Checksum", -1, true, 1, false},
	{"tcp_loose", "TCPLoose", -1, true, 1, false},
	{"tcp_be_liberal", "TCPBeLiberal", -1, true, 0, false},
	{"tcp_ignore_invalid_rst", "TCPIgnoreInvalidRST", -1, true, 0, false},
	{"tcp_max_retrans", "TCPMaxRetrans", -1, false, 3, false},
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
	{"helpers", "Helpers", -1, false, 0, true},
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
	if (k->helpers && cfg->nhelper_ports < CT_HELPER_PORTS_MAX)
		cfg->helper_ports[cfg->nhelper_ports++] = (struct ct_helper_port){
			.port = (uint16_t)value, .helper = (uint8_t)(value >> 16)};
	else if (k->timeout >= 0)
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

/* --- helpers ------------------------------------------------------------------------------- */

struct kind {
	const char *name;
	unsigned int families, protocols, port; /* as CT_HELPER_LIST has them */
};

static const struct kind *kind_of(uint32_t value)
{
#define X(name, str, families, protocols, port, ...)                                               \
	[CT_HELPER_##name] = {str, families, protocols, port},
	static const struct kind kinds[CT_HELPER_MAX] = {CT_HELPER_LIST(X)};
#undef X
	return &kinds[value >> 16];
}

int flow_knob_helper(const char *name, const char *port, uint32_t *ret)
{
	enum ct_helper_id id = ct_helper_find(name);
	unsigned long n = port ? 0 : kind_of((uint32_t)id << 16)->port;
	char *end = NULL;

	if (port)
		n = strtoul(port, &end, 10);
	if (id == CT_HELPER_NONE || (end && *end) || n == 0 || n > 65535)
		return -EINVAL;
	*ret = (uint32_t)id << 16 | (uint32_t)n;
	return 0;
}

void flow_knob_print_rules(FILE *f, const struct flow_setting *settings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct kind *k = kind_of(settings[i].value);

		if (!settings[i].knob->helpers)
			continue;
		for (unsigned int family = 4; family <= 6; family += 2) {
			for (int udp = 0; udp < 2; udp++) {
				if ((family == 6 && k->families == 4) ||
				    k->protocols == (udp ? 6 : 17))
					continue;
				fprintf(f, "%u -p %s --dport %u -j CT --helper %s\n", family,
					udp ? "udp" : "tcp", settings[i].value & 0xffff, k->name);
			}
		}
	}
}

/* --- ctmarkd.conf ---------------------------------------------------------------------------- */

static void print_one(FILE *f, const struct flow_knob *k, uint32_t value)
{
#define X(name, key, seconds) [CT_TIMEOUT_##name] = (key),
	static const char *const keys[] = {CT_TIMEOUT_LIST(X)};
#undef X
	if (k->timeout >= 0)
		fprintf(f, "[Timeouts]\n%s=%us\n", keys[k->timeout], value);
	else if (k->boolean)
		fprintf(f, "[Track]\n%s=%s\n", k->key, value ? "yes" : "no");
	else
		fprintf(f, "[Track]\n%s=%u\n", k->key, value);
}

/* All in one line; ports of a helper that follow each other in one word. */
static void print_helpers(FILE *f, const struct flow_setting *settings, size_t n)
{
	const struct kind *last = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct kind *k = kind_of(settings[i].value);

		if (!settings[i].knob->helpers)
			continue;
		if (k == last)
			fprintf(f, ",%u", settings[i].value & 0xffff);
		else
			fprintf(f, "%s%s:%u", last ? " " : "[Track]\nHelpers=", k->name,
				settings[i].value & 0xffff);
		last = k;
	}
	if (last)
		fputc('\n', f);
}

void flow_knob_print(FILE *f, const struct flow_setting *settings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!settings[i].knob->helpers)
			print_one(f, settings[i].knob, settings[i].value);
	print_helpers(f, settings, n);
}
