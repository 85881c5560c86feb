/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Headers of SIP messages.
 *
 * This is no parser of SIP. What a header is, and where it ends, is decided exactly as the kernel's
 * helper decides, because the flows that will be RELATED depend on it: lines end with CR, LF or
 * both; a header is looked for in the whole message, its body included; a line that continues a
 * header begins with a blank, and the byte behind that blank does not begin anything; an empty line
 * of a lone LF hides the line below it; a header whose name goes on where a colon should be ends
 * the search. Each of these was found in the kernel by asking it.
 *
 * The kernel looks for the "@" behind a user name from every URI to the end of the line, and so
 * spends quadratic time on a line full of URIs without one. The walk here remembers how far the
 * last look went, and which host was none: every byte is visited a constant number of times.
 */

#include "core/helper/sip_message.h"

#define DEFAULT_PORT 5060
#define PORT_MIN     1024
#define PORT_DIGITS  5
#define DIGITS	     11 /* of other numbers: one more than the largest needs */

bool ct_sip_is_letter(int byte)
{
	int low = byte | 0x20;

	return (low >= 'a' && low <= 'z') || (byte >= 0xc0 && low != 0xf7);
}

static bool is_blank(int byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_eol(int byte)
{
	return byte == '\r' || byte == '\n';
}

/* Over the end of a line, if there is something behind it. */
static bool pass_eol(struct ct_text *t)
{
	struct ct_text at = *t;

	if (ct_text_byte(&at, '\r'))
		(void)ct_text_byte(&at, '\n');
	else
		at.p++;
	if (ct_text_left(at) == 0)
		return false;
	*t = at;
	return true;
}

bool ct_sip_next_line(struct ct_text *t)
{
	struct ct_text at = *t;

	while (ct_text_left(at) > 0 && !is_eol(*at.p))
		at.p++;
	if (ct_text_left(at) == 0 || !pass_eol(&at))
		return false;
	*t = at;
	return true;
}

/* From the end of a line to the text of the next one, if that continues it. */
static bool unfold(struct ct_text *t)
{
	struct ct_text at = *t;

	if (!pass_eol(&at) || !is_blank(*at.p))
		return false;
	ct_text_skip(&at, " \t");
	*t = at;
	return true;
}

/* Over blanks, which may go on in one more line. */
static bool skip_blanks(struct ct_text *t)
{
	ct_text_skip(t, " \t");
	return !is_eol(ct_text_peek(*t)) || unfold(t);
}

/* --- headers ------------------------------------------------------------------------------ */

static bool named(struct ct_text *t, enum ct_sip_header which)
{
#define X(suffix, name, compact) [CT_SIP_##suffix] = {name, compact},
	static const char *const names[][2] = {CT_SIP_HEADER_LIST(X)};
#undef X
	struct ct_text at = *t;

	if (ct_text_word(t, names[which][0]))
		return true;
	if (!*names[which][1] || !ct_text_word(&at, names[which][1]) || ct_text_left(at) == 0 ||
	    ct_sip_is_letter(*at.p))
		return false;
	*t = at;
	return true;
}

bool ct_sip_find(struct ct_text *t, enum ct_sip_header which)
{
	struct ct_text at = *t;

	while (ct_sip_next_line(&at)) {
		if (is_blank(*at.p) || !named(&at, which)) {
			at.p++;
			continue;
		}
		if (!skip_blanks(&at) || !ct_text_byte(&at, ':') || ct_text_left(at) == 0 ||
		    !skip_blanks(&at))
			return false;
		*t = at;
		return true;
	}
	return false;
}

/* To behind the next such word in a header. */
static bool find_in_header(struct ct_text *t, const char *word)
{
	size_t n = strlen(word);
	struct ct_text at = *t;

	if (ct_text_left(at) <= n)
		return false;
	at.end -= n; /* at least one byte has to follow the word */
	for (; at.p < at.end; at.p++) {
		struct ct_text here = {at.p, t->end};

		if (is_eol(*at.p)) {
			if (!unfold(&at))
				return false;
		} else if (ct_text_word(&here, word)) {
			*t = here;
			return true;
		}
	}
	return false;
}

bool ct_sip_param(struct ct_text *t, const char *name)
{
	struct ct_text comma = *t, value = *t;

	if (find_in_header(&comma, ","))
		value.end = comma.p - 1;
	if (!find_in_header(&value, name))
		return false;
	value.end = t->end;
	*t = value;
	return true;
}

/* --- numbers ------------------------------------------------------------------------------ */

static bool number(struct ct_text *t, uint32_t max, long digits, uint32_t *ret)
{
	struct ct_text at = *t;
	uint32_t n;

	if (!ct_text_number(&at, max, &n) || at.p - t->p > digits)
		return false;
	*t = at;
	*ret = n;
	return true;
}

bool ct_sip_number(struct ct_text *t, uint32_t *ret)
{
	return number(t, UINT32_MAX, DIGITS, ret);
}

bool ct_sip_find_number(struct ct_text *t, enum ct_sip_header which, uint32_t *ret)
{
	struct ct_text at = *t;

	if (!ct_sip_find(&at, which) || !ct_sip_number(&at, ret))
		return false;
	*t = at;
	return true;
}

/* --- URIs --------------------------------------------------------------------------------- */

static bool read_port(struct ct_text *t, uint16_t *ret_be)
{
	uint32_t port = DEFAULT_PORT;

	if (ct_text_byte(t, ':') && (!number(t, UINT16_MAX, PORT_DIGITS, &port) || port < PORT_MIN))
		return false;
	*ret_be = ct_be16((uint16_t)port);
	return true;
}

/* An address, in brackets if it is one of IPv6, its port, and at least one byte behind. */
static bool read_host(struct ct_text *t, uint8_t family, struct ct_sip_uri *ret)
{
	bool brackets = family == CT_AF_INET6;
	struct ct_text at = *t;

	if (brackets && !ct_text_byte(&at, '['))
		return false;
	if (!ct_text_addr(&at, family, &ret->addr))
		return false;
	if (brackets && !ct_text_byte(&at, ']'))
		return false;
	if (!read_port(&at, &ret->port_be) || ct_text_left(at) == 0)
		return false;
	*t = at;
	return true;
}

struct ct_sip_contacts ct_sip_contacts(struct ct_text message, uint8_t family)
{
	return (struct ct_sip_contacts){
		.rest = message,
		.family = family,
		.user_end = message.p,
	};
}

/* Where the host of the URI begins that c->rest is in: behind the "@" of this line, if any. */
static struct ct_text host_of(struct ct_sip_contacts *c)
{
	struct ct_text at = c->rest;

	if (at.p > c->user_end) {
		while (ct_text_left(at) > 0 && *at.p != '@' && !is_eol(*at.p))
			at.p++;
		c->user_end = at.p;
	}
	at.p = c->user_end;
	return ct_text_byte(&at, '@') ? at : c->rest;
}

static bool read_uri(struct ct_sip_contacts *c, struct ct_sip_uri *ret)
{
	struct ct_text host = host_of(c);

	if (host.p == c->no_host)
		return false;
	if (!read_host(&host, c->family, ret)) {
		c->no_host = host.p;
		return false;
	}
	c->rest = host;
	ret->rest = host;
	return true;
}

bool ct_sip_next_contact(struct ct_sip_contacts *c, struct ct_sip_uri *ret)
{
	while (c->inside && find_in_header(&c->rest, ",") && find_in_header(&c->rest, "sip:"))
		if (read_uri(c, ret))
			return true;
	c->inside = false;
	while (ct_sip_find(&c->rest, CT_SIP_CONTACT)) {
		if (!find_in_header(&c->rest, "sip:") || !read_uri(c, ret))
			continue;
		c->inside = true;
		return true;
	}
	return false;
}
