/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/filter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/message.h"
#include "util/cleanup.h"
#include "util/protocols.h"

/*
 * A reader takes one condition of its kind and returns NULL, or what is wrong with it. value is
 * never null.
 */
typedef const char *reader(json_t *value, void *ret, struct ctl_complaint *c);

#define NOT_TEXT "has to be a string"

/* ---- numbers ---- */

/* Decimal digits and nothing else. Returns what follows, NULL if that is no number up to max. */
static const char *take_number(const char *text, unsigned long max, unsigned long *ret)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 9)
		return NULL;
	*ret = strtoul(text, NULL, 10);
	return *ret <= max ? text + digits : NULL;
}

bool ctl_read_id(const char *text, uint64_t *ret)
{
	if (strlen(text) != 16 || strspn(text, "0123456789abcdefABCDEF") != 16)
		return false;
	*ret = strtoull(text, NULL, 16);
	return true;
}

static const char *read_id(json_t *value, void *ret, struct ctl_complaint *c)
{
	if (!json_is_string(value))
		return NOT_TEXT;
	if (!ctl_read_id(json_string_value(value), ret))
		return "is not 16 hexadecimal digits";
	return *(uint64_t *)ret ? NULL : "is no id of a flow";
}

static const char *check_number(json_t *value, json_int_t max)
{
	if (!json_is_integer(value))
		return "has to be an integer";
	if (json_integer_value(value) < 0 || json_integer_value(value) > max)
		return max > 255 ? "is not 0 to 65535" : "is not 0 to 255";
	return NULL;
}

static const char *read_byte(json_t *value, void *ret, struct ctl_complaint *c)
{
	const char *why = check_number(value, UINT8_MAX);

	if (!why)
		*(uint8_t *)ret = (uint8_t)json_integer_value(value);
	return why;
}

static const char *read_number(json_t *value, void *ret, struct ctl_complaint *c)
{
	const char *why = check_number(value, UINT16_MAX);

	if (!why)
		*(uint16_t *)ret = (uint16_t)json_integer_value(value);
	return why;
}

static const char *read_ports(json_t *value, void *ret, struct ctl_complaint *c)
{
	static const char why[] = "is no port and no range of ports FIRST-LAST";
	unsigned long first = 0, last = 0;
	const char *rest;

	if (!json_is_string(value))
		return NOT_TEXT;
	rest = take_number(json_string_value(value), UINT16_MAX, &first);
	last = first;
	if (rest && *rest == '-')
		rest = take_number(rest + 1, UINT16_MAX, &last);
	if (!rest || *rest || last < first)
		return why;
	*(struct ctl_ports *)ret = (struct ctl_ports){(uint16_t)first, (uint16_t)last};
	return NULL;
}

/* ---- words ---- */

static const char *read_family(json_t *value, void *ret, struct ctl_complaint *c)
{
	const char *text = json_string_value(value);

	if (!text)
		return NOT_TEXT;
	if (strcmp(text, "ipv4") == 0)
		*(uint8_t *)ret = CT_AF_INET;
	else if (strcmp(text, "ipv6") == 0)
		*(uint8_t *)ret = CT_AF_INET6;
	else
		return "is neither ipv4 nor ipv6";
	return NULL;
}

/* Names are those of the journal, and "icmp6" as iptables has it. */
static const char *read_proto(json_t *value, void *ret, struct ctl_complaint *c)
{
	const char *text = json_string_value(value), *rest;
	unsigned long number;
	int named;

	if (!text)
		return NOT_TEXT;
	rest = take_number(text, UINT8_MAX, &number);
	if (rest && *rest == '\0') {
		*(uint8_t *)ret = (uint8_t)number;
		return NULL;
	}
	if (strcmp(text, "icmp6") == 0)
		text = "icmpv6";
	named = protocol_number(text);
	if (named < 0)
		return "is no protocol that has a name here, and no number of one";
	*(uint8_t *)ret = (uint8_t)named;
	return NULL;
}

static const char *read_helper(json_t *value, void *ret, struct ctl_complaint *c)
{
	const char *text = json_string_value(value);
	enum ct_helper_id id = text ? ct_helper_find(text) : CT_HELPER_NONE;

	if (!text)
		return NOT_TEXT;
	*(uint8_t *)ret = (uint8_t)id;
	return id == CT_HELPER_NONE ? "is no helper" : NULL;
}

/* Calls of add() for each word of an array. */
static const char *read_words(json_t *value, void *ret, struct ctl_complaint *c,
			      const char *(*add)(const char *word, void *ret))
{
	size_t i;
	json_t *word;

	if (!json_is_array(value) || json_array_size(value) == 0)
		return "has to be an array of names";
	json_array_foreach(value, i, word)
	{
		const char *why =
			json_is_string(word) ? add(json_string_value(word), ret) : NOT_TEXT;

		if (!why)
			continue;
		if (json_is_string(word))
			snprintf(c->value, sizeof(c->value), "%s", json_string_value(word));
		return why;
	}
	return NULL;
}

static uint32_t state_bit(uint8_t proto, const char *word)
{
	for (uint8_t i = 0; i < 32; i++) {
		const char *name = ct_state_name(proto, i);

		if (name && strcmp(name, word) == 0)
			return 1U << i;
	}
	return 0;
}

static const char *add_state(const char *word, void *ret)
{
	uint32_t tcp = state_bit(IPPROTO_TCP, word), sctp = state_bit(IPPROTO_SCTP, word);
	struct ctl_states *s = ret;

	s->tcp |= tcp;
	s->sctp |= sctp;
	return tcp || sctp ? NULL : "is no state of TCP or SCTP";
}

static const char *read_states(json_t *value, void *ret, struct ctl_complaint *c)
{
	return read_words(value, ret, c, add_state);
}

static const char *add_status(const char *word, void *ret)
{
	struct ctl_status *s = ret;
	uint16_t bit = 0;

#define X(name, number)                                                                            \
	if (strcmp(word, #name) == 0)                                                              \
		bit = 1 << (number);
	CT_STATUS_LIST(X)
#undef X
	if (strcmp(word, "UNREPLIED") == 0)
		s->clear |= CT_STATUS_SEEN_REPLY;
	else if (bit)
		s->set |= bit;
	else
		return "is no bit of the status";
	return NULL;
}

static const char *read_status(json_t *value, void *ret, struct ctl_complaint *c)
{
	return read_words(value, ret, c, add_status);
}

/* ---- networks ---- */

static void mask(union ct_addr *addr, unsigned int prefix)
{
	for (unsigned int i = 0; i < sizeof(addr->b); i++) {
		unsigned int bits = prefix < 8 * i ? 0 : prefix - 8 * i;

		if (bits < 8)
			addr->b[i] &= (uint8_t)(0xff00 >> bits);
	}
}

static const char *read_network(json_t *value, void *ret, struct ctl_complaint *c)
{
	static const char why[] = "is no address and no network ADDRESS/LENGTH";
	const char *text = json_string_value(value), *slash, *rest = "";
	struct ctl_network n = {};
	char addr[INET6_ADDRSTRLEN];
	unsigned long prefix;
	int len;

	if (!text)
		return NOT_TEXT;
	slash = strchr(text, '/');
	len = snprintf(addr, sizeof(addr), "%.*s", slash ? (int)(slash - text) : INET6_ADDRSTRLEN,
		       text);
	if (len >= (int)sizeof(addr))
		return why;
	n.family = strchr(addr, ':') ? CT_AF_INET6 : CT_AF_INET;
	if (inet_pton(n.family, addr, n.addr.b) != 1)
		return why;
	prefix = n.family == CT_AF_INET ? 32 : 128;
	if (slash)
		rest = take_number(slash + 1, prefix, &prefix);
	if (!rest || *rest)
		return why;
	n.prefix = (uint8_t)prefix;
	mask(&n.addr, n.prefix);
	*(struct ctl_network *)ret = n;
	return NULL;
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	reader *read;
	size_t offset;
} conditions[CTL_CONDITION_MAX] = {
#define X(name_, str, reader_, member)                                                             \
	[CTL_CONDITION_##name_] = {str, read_##reader_, offsetof(struct ctl_filter, member)},
	CTL_CONDITION_LIST(X)
#undef X
};

bool ctl_filter_has(const struct ctl_filter *f, enum ctl_condition c)
{
	return f->has & (1U << c);
}

/* What a condition says, for a complaint about it. */
static void quote(json_t *value, char ret[static CTL_VALUE_STRLEN])
{
	char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);

	snprintf(ret, CTL_VALUE_STRLEN, "%s",
		 text ? text : (json_is_string(value) ? json_string_value(value) : ""));
	free(text);
}

static enum ctl_condition find(const char *name)
{
	enum ctl_condition i = 0;

	while (i < CTL_CONDITION_MAX && strcmp(conditions[i].name, name) != 0)
		i++;
	return i;
}

static bool read_condition(struct ctl_filter *f, const char *name, json_t *value,
			   struct ctl_complaint *ret)
{
	enum ctl_condition i = find(name);

	if (json_is_null(value) && i < CTL_CONDITION_MAX)
		return true;
	ret->condition = name;
	quote(value, ret->value);
	if (i == CTL_CONDITION_MAX) {
		ret->why = "there is no such condition";
		return false;
	}
	ret->why = conditions[i].read(value, (char *)f + conditions[i].offset, ret);
	f->has |= 1U << i;
	return !ret->why;
}

bool ctl_filter_read(struct ctl_filter *ret, json_t *json, struct ctl_complaint *ret_why)
{
	const char *name;
	json_t *value;

	*ret = (struct ctl_filter){};
	if (!json || json_is_null(json))
		return true;
	if (!json_is_object(json)) {
		*ret_why = (struct ctl_complaint){"filter", "", "has to be an object"};
		return false;
	}
	json_object_foreach(json, name,
			    value) if (!read_condition(ret, name, value, ret_why)) return false;
	return true;
}

/* ---- matching ---- */

/* What a flow and a transition have in common. */
struct subject {
	uint64_t flow, master;
	const struct ct_tuple *orig, *reply; /* NULL: not known */
	uint8_t family, proto, state, helper;
	uint16_t status;
};

static bool in_network(const struct ctl_network *n, const union ct_addr *addr, uint8_t family)
{
	union ct_addr a = *addr;

	if (family != n->family)
		return false;
	mask(&a, n->prefix);
	return memcmp(&a, &n->addr, sizeof(a)) == 0;
}

static bool test_network(const struct ctl_network *n, const struct ct_tuple *t, bool source)
{
	return t && in_network(n, source ? &t->src : &t->dst, t->family);
}

static bool test_port(const struct ctl_ports *p, const struct ct_tuple *t, bool source)
{
	uint16_t port = t ? ntohs(source ? t->src_id_be : t->dst_id_be) : 0;

	return t && message_proto_has_ports(t->proto) && port >= p->first && port <= p->last;
}

static bool test_icmp(const struct ctl_filter *f, const struct ct_tuple *t)
{
	if (!t || (t->proto != IPPROTO_ICMP && t->proto != IPPROTO_ICMPV6))
		return false;
	if (ctl_filter_has(f, CTL_CONDITION_ICMP_TYPE) && ct_tuple_icmp_type(t) != f->icmp_type)
		return false;
	if (ctl_filter_has(f, CTL_CONDITION_ICMP_CODE) && ct_tuple_icmp_code(t) != f->icmp_code)
		return false;
	return !ctl_filter_has(f, CTL_CONDITION_ICMP_ID) || ntohs(t->src_id_be) == f->icmp_id;
}

static bool test_state(const struct ctl_states *s, const struct subject *x)
{
	if (!x->flow || x->state >= 32)
		return false;
	if (x->proto == IPPROTO_TCP)
		return s->tcp & (1U << x->state);
	return x->proto == IPPROTO_SCTP && s->sctp & (1U << x->state);
}

static bool test_status(const struct ctl_status *s, const struct subject *x)
{
	return x->flow && (x->status & s->set) == s->set && !(x->status & s->clear);
}

static bool test(const struct ctl_filter *f, enum ctl_condition c, const struct subject *x)
{
	switch (c) {
	case CTL_CONDITION_FLOW:
		return x->flow == f->flow;
	case CTL_CONDITION_FAMILY:
		return x->family == f->family;
	case CTL_CONDITION_PROTO:
		return x->proto == f->proto;
	case CTL_CONDITION_SRC:
		return test_network(&f->src, x->orig, true);
	case CTL_CONDITION_DST:
		return test_network(&f->dst, x->orig, false);
	case CTL_CONDITION_REPLY_SRC:
		return test_network(&f->reply_src, x->reply, true);
	case CTL_CONDITION_REPLY_DST:
		return test_network(&f->reply_dst, x->reply, false);
	case CTL_CONDITION_SPORT:
		return test_port(&f->sport, x->orig, true);
	case CTL_CONDITION_DPORT:
		return test_port(&f->dport, x->orig, false);
	case CTL_CONDITION_ICMP_TYPE:
	case CTL_CONDITION_ICMP_CODE:
	case CTL_CONDITION_ICMP_ID:
		return test_icmp(f, x->orig);
	case CTL_CONDITION_STATE:
		return test_state(&f->states, x);
	case CTL_CONDITION_STATUS:
		return test_status(&f->status, x);
	case CTL_CONDITION_HELPER:
		return x->helper == f->helper;
	case CTL_CONDITION_MASTER:
		return x->master == f->master;
	case CTL_CONDITION_ZONE:
		return x->orig && x->orig->zone == f->zone;
	case CTL_CONDITION_MAX:
		break;
	}
	return false;
}

static bool test_all(const struct ctl_filter *f, const struct subject *x)
{
	for (uint32_t left = f->has; left; left &= left - 1)
		if (!test(f, (enum ctl_condition)__builtin_ctz(left), x))
			return false;
	return true;
}

bool ctl_filter_view(const struct ctl_filter *f, const struct ct_view *v)
{
	const struct subject x = {
		.flow = v->flow,
		.master = v->master,
		.orig = &v->orig,
		.reply = &v->reply,
		.family = v->orig.family,
		.proto = v->orig.proto,
		.state = v->state,
		.helper = v->helper,
		.status = v->status,
	};

	return test_all(f, &x);
}

bool ctl_filter_event(const struct ctl_filter *f, const struct ct_event *ev)
{
	bool tuple = message_has_tuple(ev);
	const struct subject x = {
		.flow = ev->flow,
		.master = ev->master,
		.orig = tuple ? &ev->orig : NULL,
		.reply = ev->flow ? &ev->reply : NULL,
		.family = tuple ? ev->orig.family : ev->family,
		.proto = tuple ? ev->orig.proto : ev->l4proto,
		.state = ev->state_new,
		.helper = ev->helper,
		.status = ev->status,
	};

	return test_all(f, &x);
}
