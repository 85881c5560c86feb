/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crowd.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log/message.h"
#include "util/words.h"

/* --- when ------------------------------------------------------------------------------------ */

bool crowd_due(struct crowd *c, const struct crowd_look *look, uint64_t ret[static CROWD_MAX])
{
	uint64_t percent = look->flows * 100 / look->max;
	bool filling = percent >= CROWD_FILLING_PERCENT && look->now_ns >= c->filling_next_ns;

	ret[CROWD_FULL] = limiter_due(&c->full, look->full, look->now_ns, CROWD_INTERVAL_NS);
	ret[CROWD_EARLY] = limiter_due(&c->early, look->early, look->now_ns, CROWD_INTERVAL_NS);
	ret[CROWD_FILLING] = 0;
	if (ret[CROWD_FULL] == 0 && ret[CROWD_EARLY] == 0 && !filling)
		return false;
	c->filling_next_ns = look->now_ns + CROWD_INTERVAL_NS;
	if (ret[CROWD_FULL] == 0 && ret[CROWD_EARLY] == 0)
		ret[CROWD_FILLING] = percent;
	return true;
}

/* --- in which words --------------------------------------------------------------------------- */

static struct words words(char *buf, size_t size)
{
	*buf = '\0';
	return (struct words){.buf = buf, .size = size};
}

/* "192.0.2.7", "2001:db8:1:2::/64", "203.0.113.5 tcp/443 zone/5", with separator for the spaces. */
static void say_party(struct words *w, const struct ct_party *p, char separator)
{
	char addr[INET6_ADDRSTRLEN], proto[MESSAGE_PROTO_MAX];

	if (!inet_ntop(p->family, p->addr.b, addr, sizeof(addr)))
		return;
	words_add(w, "%s", addr);
	if (p->prefix != (p->family == CT_AF_INET ? 32 : 128))
		words_add(w, "/%u", p->prefix);
	if (p->service)
		words_add(w, "%c%s", separator, message_proto(p->proto, proto));
	if (p->port_be)
		words_add(w, "/%u", ntohs(p->port_be));
	if (p->zone)
		words_add(w, "%czone/%u", separator, p->zone);
}

char *crowd_talkers(const struct ct_talkers *who, char buf[static CROWD_TALKERS_STRLEN])
{
	struct words w = words(buf, CROWD_TALKERS_STRLEN);

	for (unsigned int i = 0; i < who->nsources; i++) {
		words_add(&w, "%s", i ? " " : "");
		say_party(&w, &who->source[i].party, ',');
		words_add(&w, "=%u", who->source[i].permille);
	}
	return buf;
}

char *crowd_target(const struct ct_talkers *who, char buf[static CROWD_TARGET_STRLEN])
{
	struct words w = words(buf, CROWD_TARGET_STRLEN);

	if (who->has_target) {
		say_party(&w, &who->target.party, ',');
		words_add(&w, "=%u", who->target.permille);
	}
	return buf;
}

static void say_who(struct words *w, const struct ct_talkers *who)
{
	if (who->nsources == 0)
		words_add(w, "; no source%s stands out",
			  who->has_target ? "" : " and no destination");
	for (unsigned int i = 0; i < who->nsources; i++) {
		words_add(w, "%s", i ? ", " : "; most flows: ");
		say_party(w, &who->source[i].party, ' ');
		words_add(w, " (%u %%)", who->source[i].permille / 10);
	}
	if (who->has_target) {
		words_add(w, "; %u %% go to ", who->target.permille / 10);
		say_party(w, &who->target.party, ' ');
	}
}

static void say_kind(struct words *w, enum crowd_kind kind, uint64_t n,
		     const struct crowd_look *look, bool shadow)
{
	switch (kind) {
	case CROWD_FULL:
		words_add(w, "Table full: %" PRIu64 " of %" PRIu64 " flows, %" PRIu64 " packets %s",
			  look->flows, look->max, n,
			  shadow ? "would have been dropped" : "dropped");
		break;
	case CROWD_EARLY:
		words_add(w,
			  "Making room: %" PRIu64 " flows ended early in a full table of %" PRIu64,
			  n, look->max);
		break;
	case CROWD_FILLING:
		words_add(w, "Table filling: %" PRIu64 " of %" PRIu64 " flows (%" PRIu64 " %%)",
			  look->flows, look->max, n);
		break;
	case CROWD_MAX:
		break;
	}
}

char *crowd_line(enum crowd_kind kind, uint64_t n, const struct crowd_look *look, bool shadow,
		 const struct ct_talkers *who, char buf[static CROWD_LINE_STRLEN])
{
	struct words w = words(buf, CROWD_LINE_STRLEN);

	say_kind(&w, kind, n, look, shadow);
	if (who->sample > 0)
		say_who(&w, who);
	return buf;
}
