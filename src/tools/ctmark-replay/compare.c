/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Recorded marks against computed ones: a daemon, or whatever writes such marks, held against the
 * engine on the same packets. A packet without a class in its mark differs, too, for the daemon
 * leaves none without; it may have gone past the queue.
 *
 * Packets that differ are told of as they come, the first ones; the counts come at the end.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "tools/ctmark-replay/sinks.h"

#define SHOWN_MAX 20
#define NO_MARK	  CT_INFO_MAX /* in the place of a recorded class */

struct compare {
	struct sink base;
	const struct look *look;
	bool json;
	bool *ret_differs;
	uint64_t packets, differences;
	uint64_t count[CT_INFO_MAX + 1][CT_INFO_MAX]; /* by recorded and computed class */
};

static const char *recorded_name(unsigned int recorded)
{
	return recorded == NO_MARK ? "no mark" : ct_info_name((enum ct_info)recorded);
}

/* The name as JSON has it. */
static void print_recorded(FILE *out, unsigned int recorded)
{
	if (recorded == NO_MARK)
		fputs("\"recorded\":null", out);
	else
		fprintf(out, "\"recorded\":\"%s\"", recorded_name(recorded));
}

static void show_json(const struct compare *c, const struct record *r, unsigned int recorded)
{
	FILE *out = c->look->out;

	fprintf(out, "{\"packet\":%" PRIu64 ",", r->packet->number);
	if (r->flow > 0)
		fprintf(out, "\"flow\":%" PRIu64 ",", r->flow);
	print_recorded(out, recorded);
	fprintf(out, ",\"recorded_mark\":\"%#x\",\"ctinfo\":\"%s\",\"mark\":\"%#x\"",
		r->packet->link.mark, ct_info_name((enum ct_info)r->out->info), r->out->mark);
	if (r->out->reason)
		fprintf(out, ",\"reason\":\"%s\"", ct_reason_name((enum ct_reason)r->out->reason));
	fputs("}\n", out);
}

static void show(const struct compare *c, const struct record *r, unsigned int recorded)
{
	FILE *out = c->look->out;

	if (c->json) {
		show_json(c, r, recorded);
		return;
	}
	fprintf(out, "packet %" PRIu64, r->packet->number);
	if (r->flow > 0)
		fprintf(out, " of flow %" PRIu64, r->flow);
	fprintf(out, ": mark %#x is %s, computed %s", r->packet->link.mark, recorded_name(recorded),
		ct_info_name((enum ct_info)r->out->info));
	if (r->out->reason)
		fprintf(out, " (%s)", ct_reason_name((enum ct_reason)r->out->reason));
	fputc('\n', out);
}

static int compare_packet(struct sink *s, const struct record *r)
{
	struct compare *c = (struct compare *)s;
	unsigned int recorded = NO_MARK;
	enum ct_info info;

	if (!r->packet->link.has_mark || !choice_has_packet(c->look->choice, r))
		return 0;
	if (ct_mark_decode(&c->look->track->mark, r->packet->link.mark, &info))
		recorded = info;
	c->packets++;
	c->count[recorded][r->out->info]++;
	if (recorded != r->out->info && c->differences++ < SHOWN_MAX)
		show(c, r, recorded);
	return 0;
}

static void table_json(const struct compare *c)
{
	const char *comma = "";
	FILE *out = c->look->out;

	fprintf(out, "{\"compared\":%" PRIu64 ",\"differences\":%" PRIu64 ",\"table\":[",
		c->packets, c->differences);
	for (unsigned int i = 0; i <= CT_INFO_MAX; i++) {
		for (unsigned int k = 0; k < CT_INFO_MAX; k++) {
			if (c->count[i][k] == 0)
				continue;
			fprintf(out, "%s{", comma);
			print_recorded(out, i);
			fprintf(out, ",\"ctinfo\":\"%s\",\"packets\":%" PRIu64 "}",
				ct_info_name((enum ct_info)k), c->count[i][k]);
			comma = ",";
		}
	}
	fputs("]}\n", out);
}

static void table_text(const struct compare *c)
{
	FILE *out = c->look->out;

	if (c->differences > SHOWN_MAX)
		fprintf(out, "... and %" PRIu64 " more that differ\n", c->differences - SHOWN_MAX);
	fprintf(out, "%-18s %-18s %12s\n", "recorded", "computed", "packets");
	for (unsigned int i = 0; i <= CT_INFO_MAX; i++)
		for (unsigned int k = 0; k < CT_INFO_MAX; k++)
			if (c->count[i][k] > 0)
				fprintf(out, "%-18s %-18s %12" PRIu64 "%s\n", recorded_name(i),
					ct_info_name((enum ct_info)k), c->count[i][k],
					i == k ? "" : "  differ");
	fprintf(out, "%" PRIu64 " of %" PRIu64 " packets differ\n", c->differences, c->packets);
}

static int compare_done(struct sink *s, const struct replay_totals *t)
{
	struct compare *c = (struct compare *)s;

	if (!t->capture->marks) {
		fputs("ctmark-replay: there are no marks to compare with: only captures of NFLOG "
		      "carry them (tcpdump -i nflog:GROUP)\n",
		      stderr);
		return -EINVAL;
	}
	if (c->json)
		table_json(c);
	else
		table_text(c);
	*c->ret_differs = c->differences > 0;
	return 0;
}

static void compare_free(struct sink *s)
{
	free(s);
}

static const struct sink_ops compare_ops = {
	.packet = compare_packet,
	.done = compare_done,
	.free = compare_free,
};

struct sink *compare_new(const struct look *look, bool json, bool *ret_differs)
{
	struct compare *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->base.ops = &compare_ops;
	c->look = look;
	c->json = json;
	c->ret_differs = ret_differs;
	return &c->base;
}
