/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * FTP: PORT and EPRT of the client, answers 227 and 229 of the server (semantics 6.4, RFC 959,
 * RFC 2428).
 *
 * A command counts only at the start of a line, else a file name that a user can choose would open
 * ports. Segments are not put together here: a line starts where one ended before, so the sequence
 * numbers behind a newline are remembered, two for each direction because a segment may be repeated
 * or come late. The first segment of each direction can therefore only teach; in a real session
 * these are the greeting and USER.
 *
 * A command in two segments cannot be read. If it were let through, the other side would act on it
 * and its connection be refused, so the packet is dropped: the sender repeats it, mostly with the
 * rest. That is the one place where tracking costs a packet.
 *
 * Whoever announces may announce itself only. Another address would let a server or client open a
 * hole to any third host behind the firewall; such a command is passed on and expects nothing.
 *
 * Numbers are not checked for their range, and wrap, as in the kernel: what counts is the address
 * and port that they come to.
 */

#include "core/helper/helper.h"
#include "core/helper/text.h"
#include "core/pkt.h"

#define LINES 2 /* sequence numbers remembered in each direction */

/* Where a command was announced to, or that it cannot be told. */
struct announced {
	union ct_addr addr;
	uint16_t port_be;
};

enum found { FOUND_NOTHING, FOUND_PARTIAL, FOUND_ALL };

typedef bool read_numbers(struct ct_text t, const struct ct_help *h, struct announced *a);

/* --- lines --------------------------------------------------------------------------------- */

static bool at_line_start(const struct ct_help *h)
{
	const uint32_t *line = h->kin->priv.ftp.line[h->dir];

	for (unsigned int i = 0; i < h->kin->priv.ftp.lines[h->dir]; i++)
		if (line[i] == h->seq)
			return true;
	return false;
}

static bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* A line begins at seq; it takes the place of the older one, unless it is older itself. */
static void remember_line(struct ct_help *h, uint32_t seq)
{
	uint32_t *line = h->kin->priv.ftp.line[h->dir];
	uint8_t *n = &h->kin->priv.ftp.lines[h->dir];
	unsigned int old;

	for (unsigned int i = 0; i < *n; i++)
		if (line[i] == seq)
			return;
	if (*n < LINES) {
		line[(*n)++] = seq;
		return;
	}
	old = after(line[1], line[0]) ? 0 : 1;
	if (after(seq, line[old]))
		line[old] = seq;
}

static void learn(struct ct_help *h)
{
	struct ct_bytes v = h->payload;

	if (v.cap == v.len && v.data[v.len - 1] == '\n')
		remember_line(h, h->seq + v.len);
}

/* --- numbers ------------------------------------------------------------------------------- */

/*
 * n numbers separated by sep, the last of them followed by the byte end (-1: by any). An empty one
 * is 0. The text goes on behind the end.
 */
static bool read_list(struct ct_text *t, unsigned int n, uint8_t sep, int end, uint32_t *ret)
{
	for (unsigned int i = 0; i < n; i++) {
		ret[i] = ct_text_digits(t);
		if (i + 1 < n && !ct_text_byte(t, sep))
			return false;
	}
	/* a separator is not an end: it begins another number */
	if (ct_text_left(*t) == 0 || *t->p == sep || (end >= 0 && *t->p != end))
		return false;
	t->p++;
	return true;
}

/* Four numbers as an address. In IPv6 they are its first bytes, and the rest is the sender's. */
static union ct_addr addr4(const struct ct_help *h, const uint32_t n[4])
{
	uint32_t host = n[0] << 24 | n[1] << 16 | n[2] << 8 | n[3];
	union ct_addr a = h->tuple[h->dir].src;

	for (unsigned int i = 0; i < 4; i++)
		a.b[i] = (uint8_t)(host >> (24 - 8 * i));
	return a;
}

/* 10,1,0,1,200,1 */
static bool read_six(struct ct_text t, int end, const struct ct_help *h, struct announced *a)
{
	uint32_t n[6];

	if (!read_list(&t, 6, ',', end, n))
		return false;
	a->addr = addr4(h, n);
	a->port_be = ct_be16((uint16_t)(n[4] << 8 | n[5]));
	return true;
}

static bool read_port(struct ct_text t, const struct ct_help *h, struct announced *a)
{
	return read_six(t, '\r', h, a);
}

/* The answer to PASV says it in words of the server's own. */
static bool read_pasv(struct ct_text t, const struct ct_help *h, struct announced *a)
{
	while (ct_text_left(t) > 0 && !ct_text_is_digit(*t.p))
		t.p++;
	return read_six(t, -1, h, a);
}

/* "51201|": a port that is not 0, with its delimiter. */
static bool read_extended_port(struct ct_text t, uint8_t delim, struct announced *a)
{
	uint16_t port = (uint16_t)ct_text_digits(&t);

	a->port_be = ct_be16(port);
	return port != 0 && ct_text_byte(&t, delim);
}

/* The delimiter that an extended form begins with: printable, and no digit. */
static bool read_delimiter(struct ct_text *t, uint8_t *ret)
{
	if (ct_text_left(*t) < 4 || *t->p < 33 || *t->p > 126 || ct_text_is_digit(*t->p))
		return false;
	*ret = *t->p++;
	return true;
}

/*
 * An IPv6 address and the byte that ends it: the delimiter, which may be one of its own
 * characters, a zero, or behind one that ends as IPv4 a colon.
 */
static bool read_addr6(struct ct_text *t, uint8_t delim, union ct_addr *ret)
{
	struct ct_text part = *t;

	while (part.p < part.end && *part.p != delim && *part.p != 0)
		part.p++;
	part = (struct ct_text){t->p, part.p};
	if (!ct_text_addr(&part, CT_AF_INET6, ret) || part.p == t->end ||
	    (ct_text_left(part) > 0 && *part.p != ':'))
		return false;
	t->p = part.p + 1;
	return true;
}

/* |1|10.1.0.1|51201| or |2|fd00::1|51201| */
static bool read_eprt(struct ct_text t, const struct ct_help *h, struct announced *a)
{
	bool v4 = h->flow->orig.family == CT_AF_INET;
	uint32_t n[4];
	uint8_t delim;

	if (!read_delimiter(&t, &delim) || !ct_text_byte(&t, v4 ? '1' : '2') ||
	    !ct_text_byte(&t, delim))
		return false;
	if (!v4)
		return read_addr6(&t, delim, &a->addr) && read_extended_port(t, delim, a);
	if (!read_list(&t, 4, '.', delim, n))
		return false;
	a->addr = addr4(h, n);
	return read_extended_port(t, delim, a);
}

/* |||51201| */
static bool read_epsv(struct ct_text t, const struct ct_help *h, struct announced *a)
{
	uint8_t delim;

	a->addr = h->tuple[h->dir].src;
	return read_delimiter(&t, &delim) && ct_text_byte(&t, delim) && ct_text_byte(&t, delim) &&
	       read_extended_port(t, delim, a);
}

/* --- commands ------------------------------------------------------------------------------ */

struct command {
	const char *word;
	uint8_t skip; /* what follows begins behind the next such byte; 0: at once */
	read_numbers *read;
};

static enum found match(struct ct_text t, const struct command *c, const struct ct_help *h,
			struct announced *a)
{
	/* no more than a part: the rest is in a segment to come */
	if (ct_text_is_part(t, c->word))
		return FOUND_PARTIAL;
	if (!ct_text_word(&t, c->word))
		return FOUND_NOTHING;
	if (c->skip && !ct_text_to(&t, c->skip))
		return FOUND_PARTIAL;
	return c->read(t, h, a) ? FOUND_ALL : FOUND_PARTIAL;
}

static enum found search(const struct ct_help *h, struct announced *a)
{
	static const struct command commands[CT_DIR_MAX][2] = {
		[CT_DIR_ORIGINAL] = {{"PORT", ' ', read_port}, {"EPRT", ' ', read_eprt}},
		[CT_DIR_REPLY] = {{"227 ", 0, read_pasv}, {"229 ", '(', read_epsv}},
	};

	for (unsigned int i = 0; i < 2; i++) {
		enum found found = match(ct_text_of(h->payload, 0), &commands[h->dir][i], h, a);

		if (found != FOUND_NOTHING)
			return found;
	}
	return FOUND_NOTHING;
}

static enum ct_help_result expect(struct ct_help *h, const struct announced *a)
{
	const struct ct_tuple *back =
		&h->tuple[h->dir == CT_DIR_ORIGINAL ? CT_DIR_REPLY : CT_DIR_ORIGINAL];
	struct ct_expect_spec spec = ct_help_spec(h, CT_PROTO_TCP);

	if (memcmp(&a->addr, &h->tuple[h->dir].src, sizeof(a->addr)) != 0)
		return CT_HELP_ACCEPT;
	spec.tuple.src = back->src;
	spec.tuple.dst = a->addr;
	spec.tuple.dst_id_be = a->port_be;
	spec.any_src_id = true;
	return ct_help_expect(h, &spec);
}

static enum ct_help_result read_line(struct ct_help *h)
{
	struct announced a = {0};
	enum ct_help_result result = CT_HELP_ACCEPT;

	switch (search(h, &a)) {
	case FOUND_PARTIAL:
		/* the copy may be to blame; the packet is not */
		return h->payload.cap < h->payload.len ? CT_HELP_ACCEPT : ct_help_unreadable(h);
	case FOUND_ALL:
		result = expect(h, &a);
		break;
	case FOUND_NOTHING:
		break;
	}
	learn(h);
	return result;
}

static enum ct_help_result help(struct ct_help *h)
{
	if ((h->info != CT_INFO_ESTABLISHED && h->info != CT_INFO_ESTABLISHED_REPLY) ||
	    h->payload.len == 0)
		return CT_HELP_ACCEPT;
	if (at_line_start(h))
		return read_line(h);
	learn(h);
	return CT_HELP_ACCEPT;
}

const struct ct_helper ct_helper_ftp = {
	.facts = &ct_helper_facts[CT_HELPER_FTP],
	.help = help,
};
