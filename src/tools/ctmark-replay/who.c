/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/who.h"

#include "util/clock.h"
#include "util/protocols.h"

static bool is_icmp(uint8_t proto)
{
	return proto == CT_PROTO_ICMP || proto == CT_PROTO_ICMPV6;
}

static uint16_t host16(const uint16_t *be)
{
	return ct_read_be16((const uint8_t *)be);
}

/* ---- text ---- */

void who_proto(struct words *w, uint8_t proto)
{
	const char *name = protocol_name(proto);

	if (name)
		line_text(w, name);
	else
		line_number(w, proto);
}

uint8_t who_record_proto(const struct record *r, const struct decoded *d)
{
	for (unsigned int i = 0; r->flow && i < r->out->nevents; i++)
		if (r->out->events[i].flow == r->out->flow)
			return r->out->events[i].orig.proto;
	return d->proto;
}

static void name_proto(struct words *w, uint8_t proto)
{
	if (!protocol_name(proto))
		line_text(w, "protocol ");
	who_proto(w, proto);
}

static void ends(struct words *w, uint8_t family, const union ct_addr *src,
		 const union ct_addr *dst, const uint16_t ports[2])
{
	if (ports)
		line_endpoint(w, family, src, ports[0]);
	else
		line_address(w, family, src);
	line_text(w, " > ");
	if (ports)
		line_endpoint(w, family, dst, ports[1]);
	else
		line_address(w, family, dst);
}

void who_packet(struct words *w, const struct decoded *d)
{
	const uint16_t ports[2] = {d->sport, d->dport};

	if (!d->has_addrs) {
		line_char(w, '?');
		return;
	}
	name_proto(w, d->proto);
	line_char(w, ' ');
	ends(w, d->family, &d->src, &d->dst, d->has_ports ? ports : NULL);
}

void who_flow(struct words *w, const struct ct_tuple *t)
{
	const uint16_t ports[2] = {host16(&t->src_id_be), host16(&t->dst_id_be)};

	name_proto(w, t->proto);
	line_char(w, ' ');
	ends(w, t->family, &t->src, &t->dst, ct_has_ports(t->proto) ? ports : NULL);
	if (is_icmp(t->proto))
		line_value(w, " id=", ports[0]);
}

/* ---- JSON ---- */

static void key_of(struct words *w, const char *key)
{
	line_text(w, ",\"");
	line_text(w, key);
	line_text(w, "\":");
}

void who_json_text(struct words *w, const char *key, const char *text)
{
	key_of(w, key);
	line_char(w, '"');
	line_text(w, text);
	line_char(w, '"');
}

void who_json_number(struct words *w, const char *key, uint64_t n)
{
	key_of(w, key);
	line_number(w, n);
}

void who_json_time(struct words *w, const char *key, uint64_t ns)
{
	key_of(w, key);
	line_number(w, ns / NS_PER_S);
	line_char(w, '.');
	line_digits(w, ns % NS_PER_S / 1000, 6);
}

void who_json_status(struct words *w, uint16_t status)
{
	char names[CT_STATUS_STRLEN];

	if (*ct_status_to_str(status, names))
		who_json_text(w, "status", names);
}

static void json_hosts(struct words *w, uint8_t family, uint8_t proto, const union ct_addr *src,
		       const union ct_addr *dst)
{
	who_json_text(w, "family", family == CT_AF_INET ? "ipv4" : "ipv6");
	line_text(w, ",\"proto\":\"");
	who_proto(w, proto);
	line_text(w, "\",\"src\":\"");
	line_address(w, family, src);
	line_text(w, "\",\"dst\":\"");
	line_address(w, family, dst);
	line_char(w, '"');
}

static void json_ports(struct words *w, uint16_t sport, uint16_t dport)
{
	who_json_number(w, "sport", sport);
	who_json_number(w, "dport", dport);
}

void who_json_packet(struct words *w, const struct decoded *d)
{
	if (!d->has_addrs)
		return;
	json_hosts(w, d->family, d->proto, &d->src, &d->dst);
	if (d->has_ports)
		json_ports(w, d->sport, d->dport);
	if (d->kind != DECODE_ICMP && d->kind != DECODE_ICMP6)
		return;
	who_json_number(w, "icmp_type", d->icmp.type);
	who_json_number(w, "icmp_code", d->icmp.code);
	if (d->icmp.has_id)
		who_json_number(w, "icmp_id", d->icmp.id);
}

void who_json_flow(struct words *w, const struct ct_tuple *t)
{
	json_hosts(w, t->family, t->proto, &t->src, &t->dst);
	if (ct_has_ports(t->proto))
		json_ports(w, host16(&t->src_id_be), host16(&t->dst_id_be));
	if (!is_icmp(t->proto))
		return;
	who_json_number(w, "icmp_type", ct_tuple_icmp_type(t));
	who_json_number(w, "icmp_code", ct_tuple_icmp_code(t));
	who_json_number(w, "icmp_id", host16(&t->src_id_be));
}
