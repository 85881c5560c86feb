/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Headers of SIP messages (RFC 3261, section 7.3), read as the kernel's helper reads them.
 */

#include "core/helper/text.h"

/* Headers that matter. Suffix, name, compact form ("" if there is none). */
#define CT_SIP_HEADER_LIST(X)                                                                      \
	X(CONTACT, "contact", "m")                                                                 \
	X(CONTENT_LENGTH, "content-length", "l")                                                   \
	X(CSEQ, "cseq", "")                                                                        \
	X(EXPIRES, "expires", "")

enum ct_sip_header {
#define X(suffix, ...) CT_SIP_##suffix,
	CT_SIP_HEADER_LIST(X)
#undef X
};

/* A letter, in Latin-1. */
bool ct_sip_is_letter(int byte);

/* To the next beginning of a line that has at least one byte. */
bool ct_sip_next_line(struct ct_text *t);

/* To the value of the next header of that kind; the first line of t is never one. */
bool ct_sip_find(struct ct_text *t, enum ct_sip_header which);

/* A number of at most eleven digits, below 2^32. */
bool ct_sip_number(struct ct_text *t, uint32_t *ret);

/*
 * The number that the first header of that kind begins with; *t is then behind its digits. False
 * if there is no such header, or another value in it.
 */
bool ct_sip_find_number(struct ct_text *t, enum ct_sip_header which, uint32_t *ret);

/* Where a URI leads. */
struct ct_sip_uri {
	union ct_addr addr;
	uint16_t port_be;    /* 5060 if it says none */
	struct ct_text rest; /* of the message, behind the URI's host and port */
};

/* A walk through the Contact headers of a message. */
struct ct_sip_contacts {
	struct ct_text rest;
	uint8_t family;
	bool inside;		 /* of a header that may list more of them */
	const uint8_t *user_end; /* the last user part goes as far as this */
	const uint8_t *no_host;	 /* here stands none, as far as is known */
};

struct ct_sip_contacts ct_sip_contacts(struct ct_text message, uint8_t family);

/* The next "sip:" URI whose host is an address of that family, its port absent or over 1023. */
bool ct_sip_next_contact(struct ct_sip_contacts *c, struct ct_sip_uri *ret);

/* To the value of a parameter of the URI or header value that t continues; name ends with "=". */
bool ct_sip_param(struct ct_text *t, const char *name);
