/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/scene.h"

#include <arpa/inet.h>
#include <inttypes.h>

#include "log/message.h"
#include "util/clock.h"
#include "util/words.h"

#define MINUTE UINT64_C(60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

const char *scene_side(uint8_t dir)
{
	return dir == CT_DIR_REPLY ? "the responder" : "the initiator";
}

const char *scene_time(const struct scene *s, uint64_t time_ns, char buf[static SCENE_STRLEN])
{
	struct words w = {.buf = buf, .size = SCENE_STRLEN};
	struct look_clock clock = {.valid = false};

	*buf = '\0';
	look_time(s->look, &clock, s->begin_ns, time_ns, &w);
	if (s->look->time == TIMES_RELATIVE)
		words_add(&w, " s");
	return buf;
}

const char *scene_span(uint64_t ns, char buf[static SCENE_STRLEN])
{
	uint64_t s = ns / NS_PER_S;

	if (s == 0)
		snprintf(buf, SCENE_STRLEN, "%" PRIu64 " ms", ns / NS_PER_MS);
	else if (s < 10 * MINUTE)
		snprintf(buf, SCENE_STRLEN, "%" PRIu64 ".%" PRIu64 " s", s,
			 ns % NS_PER_S / (NS_PER_S / 10));
	else if (s < DAY)
		snprintf(buf, SCENE_STRLEN, "%" PRIu64 " h %" PRIu64 " min", s / HOUR,
			 s % HOUR / MINUTE);
	else
		snprintf(buf, SCENE_STRLEN, "%" PRIu64 " d %" PRIu64 " h", s / DAY, s % DAY / HOUR);
	return buf;
}

const char *scene_address(uint8_t family, const union ct_addr *addr, char buf[static SCENE_STRLEN])
{
	if (!inet_ntop(family, addr->b, buf, SCENE_STRLEN))
		snprintf(buf, SCENE_STRLEN, "?");
	return buf;
}

static void add_end(struct words *w, const struct ct_tuple *t, const union ct_addr *addr,
		    uint16_t port_be)
{
	char text[SCENE_STRLEN];

	scene_address(t->family, addr, text);
	if (!message_proto_has_ports(t->proto) || (t->src_id_be == 0 && t->dst_id_be == 0))
		words_add(w, "%s", text);
	else if (t->family == CT_AF_INET6)
		words_add(w, "[%s]:%u", text, ntohs(port_be));
	else
		words_add(w, "%s:%u", text, ntohs(port_be));
}

const char *scene_tuple(const struct ct_tuple *t, char buf[static SCENE_STRLEN])
{
	struct words w = {.buf = buf, .size = SCENE_STRLEN};
	char number[MESSAGE_PROTO_MAX];
	const char *proto = message_proto(t->proto, number);

	words_add(&w, "%s%s ", *proto >= '0' && *proto <= '9' ? "protocol " : "", proto);
	add_end(&w, t, &t->src, t->src_id_be);
	words_add(&w, " > ");
	add_end(&w, t, &t->dst, t->dst_id_be);
	return buf;
}

const char *scene_by(uint64_t number, char buf[static SCENE_STRLEN])
{
	*buf = '\0';
	if (number)
		snprintf(buf, SCENE_STRLEN, " (packet %" PRIu64 ")", number);
	return buf;
}

const char *scene_seq(const struct scene *s, uint8_t dir, uint32_t seq,
		      char buf[static SCENE_STRLEN])
{
	const struct recall_side *side =
		s->flow && s->flow->detail ? &s->flow->detail->side[dir] : NULL;

	if (side && side->based)
		snprintf(buf, SCENE_STRLEN, "%" PRIu32 " (rel. %" PRId32 ")", seq,
			 (int32_t)(seq - side->base));
	else
		snprintf(buf, SCENE_STRLEN, "%" PRIu32, seq);
	return buf;
}
