/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tests/differential/volley.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/differential/fragment.h"
#include "util/cleanup.h"

#define BUFFER	      65536
#define BARRIER_MS    5000
#define BARRIER_PROTO 254
#define TOS_WATCHED   8

uint64_t volley_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * CT_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Several records of each packet of a volley have room, whoever sets the default. */
int volley_init(struct volley *v, struct flow_wire *wire)
{
	const int room = 16 << 20;

	*v = (struct volley){.wire = wire};
	return setsockopt(mnl_socket_get_fd(wire->log), SOL_SOCKET, SO_RCVBUFFORCE, &room,
			  sizeof(room)) < 0
		       ? -errno
		       : 0;
}

/* --- sending ---------------------------------------------------------------------------- */

static int send_shot(struct volley *v, struct shot *s)
{
	struct flow_bytes pieces[FRAGMENT_MAX];
	size_t n = fragment_split(&s->sent, s->family, s->id, s->pieces, pieces);
	int e = 0;

	s->arrived = s->logged = s->came = s->out = false;
	s->mark = 0;
	s->sent_ns = volley_now_ns();
	if (n == 0)
		return flow_wire_send(v->wire, s->packet, &s->sent, s->family);
	for (size_t i = 0; e == 0 && i < n; i++)
		e = flow_wire_send(v->wire, s->packet, &pieces[s->backwards ? n - 1 - i : i],
				   s->family);
	return e;
}

/* A packet between hosts that take part in no conversation, with a number in it. */
static int send_barrier(struct volley *v, struct flow_bytes *ret)
{
	struct flow_packet p;
	int e;

	flow_packet_init(&p);
	p.src = FLOW_HOST_A2;
	p.dst = FLOW_HOST_B2;
	p.l4 = FLOW_PROTO;
	p.proto = BARRIER_PROTO;
	p.len = 8;
	e = flow_packet_build(&p, CT_AF_INET, UINT16_MAX, ret);
	if (e < 0)
		return e;
	v->barriers++;
	memcpy(ret->data + ret->len - 4, &v->barriers, 4);
	ret->data[1] = TOS_WATCHED;
	flow_packet_fit(ret, CT_AF_INET);
	return flow_wire_send(v->wire, &p, ret, CT_AF_INET);
}

/* --- reading the log ---------------------------------------------------------------------- */

struct reading {
	struct shot **shots;
	size_t n;
	size_t next; /* where the next one is likely to be */
	const struct flow_bytes *barrier;
	bool over;
};

/* Where a record was made: what the rules of tests/lab/differential.py call it. */
enum place { ARRIVED = 'a', SEEN = 's', CAME = 'c', OUT = 'o' };

struct record {
	const uint8_t *data;
	size_t len;
	uint32_t mark;
	char place;
};

static int take_attr(const struct nlattr *attr, void *data)
{
	struct record *r = data;

	switch (mnl_attr_get_type(attr)) {
	case NFULA_PREFIX:
		r->place = mnl_attr_get_str(attr)[0];
		break;
	case NFULA_MARK:
		r->mark = ntohl(mnl_attr_get_u32(attr));
		break;
	case NFULA_PAYLOAD:
		r->data = mnl_attr_get_payload(attr);
		r->len = mnl_attr_get_payload_len(attr);
		break;
	}
	return MNL_CB_OK;
}

/* Whole frames are what leaves. */
static void skip_ethernet(struct record *r)
{
	if (r->place != OUT || r->len < ETH_HLEN)
		return;
	r->data += ETH_HLEN;
	r->len -= ETH_HLEN;
}

/* Where the transport begins; everything before it, but for the addresses, may change on the way.
 */
static size_t header_len(const uint8_t *data, size_t len)
{
	return len > 0 && data[0] >> 4 == 4 ? 4 * (size_t)(data[0] & 15) : 40;
}

/* A packet that has been forwarded: hop limit, options and checksum of the header are others. */
static bool same_forwarded(const struct flow_bytes *b, const struct record *r)
{
	size_t header = header_len(r->data, r->len), n = r->len < b->len ? r->len : b->len;
	bool v4 = b->data[0] >> 4 == 4;

	return n >= header && header_len(b->data, b->len) == header &&
	       memcmp(b->data + (v4 ? 12 : 8), r->data + (v4 ? 12 : 8), v4 ? 8 : 32) == 0 &&
	       memcmp(b->data + header, r->data + header, n - header) == 0;
}

static bool same(const struct flow_bytes *b, const struct record *r)
{
	if (r->place == CAME || r->place == OUT)
		return same_forwarded(b, r);
	return r->len <= b->len && memcmp(b->data, r->data, r->len) == 0;
}

/* As the rules should see it, or just as it was sent: what cannot be reassembled passes on alone.
 */
static bool is_of(struct shot *s, const struct record *r)
{
	if (same(&s->seen, r))
		return true;
	if (s->sent.len == s->seen.len || !same(&s->sent, r))
		return false;
	s->seen = s->sent;
	return true;
}

static void note(struct shot *s, const struct record *r)
{
	switch (r->place) {
	case ARRIVED:
		s->arrived = true;
		break;
	case SEEN:
		s->logged = true;
		s->mark = r->mark;
		break;
	case CAME:
		s->came = true;
		break;
	case OUT:
		s->out = true;
		break;
	}
}

static int take_record(const struct nlmsghdr *nlh, void *data)
{
	struct reading *reading = data;
	struct record r = {0};

	if (mnl_attr_parse(nlh, sizeof(struct nfgenmsg), take_attr, &r) < 0 || !r.data)
		return MNL_CB_OK;
	skip_ethernet(&r);
	for (size_t i = 0; i < reading->n; i++) {
		size_t at = (reading->next + i) % reading->n;

		if (!is_of(reading->shots[at], &r))
			continue;
		note(reading->shots[at], &r);
		reading->next = at;
		return MNL_CB_OK;
	}
	if (r.place == OUT && same(reading->barrier, &r))
		reading->over = true;
	return MNL_CB_OK;
}

static int read_log(struct volley *v, struct reading *reading)
{
	struct pollfd pfd = {.fd = mnl_socket_get_fd(v->wire->log), .events = POLLIN};
	char buf[BUFFER];

	while (!reading->over) {
		ssize_t n;

		if (poll(&pfd, 1, BARRIER_MS) == 0)
			return -ETIME;
		n = mnl_socket_recvfrom(v->wire->log, buf, sizeof(buf));
		if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, 0, take_record, reading) < 0)
			return -errno;
	}
	return 0;
}

int volley_fire(struct volley *v, struct shot *shots[], size_t n)
{
	struct flow_bytes barrier;
	struct reading reading = {.shots = shots, .n = n, .barrier = &barrier};
	uint64_t now;
	int e = 0;

	for (size_t i = 0; e == 0 && i < n; i++)
		e = send_shot(v, shots[i]);
	if (e == 0)
		e = send_barrier(v, &barrier);
	if (e == 0)
		e = read_log(v, &reading);
	now = volley_now_ns();
	for (size_t i = 0; i < n; i++)
		shots[i]->done_ns = now;
	return e;
}
