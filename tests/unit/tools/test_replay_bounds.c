/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The intervals that an account names are those that decide: a segment at the edge of one is
 * accepted, and one behind it is refused for the same reason as the segment that was explained.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/tools/talk.h"

#define ROUNDS 400

struct sides {
	uint64_t random;
	uint32_t next[2]; /* of A and of B */
	uint32_t base[2];
	bool sack;
};

static uint32_t any(struct sides *t, uint32_t below)
{
	t->random = t->random * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(t->random >> 33) % below;
}

/* SACK-permitted and window scale, or not. */
static unsigned int random_options(struct sides *t, uint8_t opt[static 8])
{
	const uint8_t scale[] = {3, 3, (uint8_t)any(t, 15), 1};
	const uint8_t permitted[] = {4, 2, 1, 1};
	unsigned int len = 0;

	if (any(t, 3) > 0) {
		memcpy(opt, scale, sizeof(scale));
		len = 4;
	}
	if (t->sack) {
		memcpy(opt + len, permitted, sizeof(permitted));
		len += 4;
	}
	return len;
}

static void handshake(struct stage *s, struct sides *t)
{
	struct talk_segment seg = {.flags = FLOW_SYN};
	uint8_t opt[8];

	t->base[0] = any(t, 4) ? any(t, UINT32_MAX) : UINT32_MAX - any(t, 3000);
	t->base[1] = any(t, UINT32_MAX);
	t->sack = any(t, 2);
	for (int i = 0; i < 2; i++) {
		seg.back = i;
		seg.seq = t->base[i];
		seg.ack = i ? t->next[0] : 0;
		seg.win = 1 + any(t, 65535);
		seg.opt = opt;
		seg.optlen = random_options(t, opt);
		talk_add(s, &seg);
		t->next[i] = t->base[i] + 1;
		seg.flags |= FLOW_ACK;
	}
	talk_say(s, false, FLOW_ACK, t->next[0], t->next[1], 0);
}

/* Data both ways, all in order and all acknowledged at once. */
static void chat(struct stage *s, struct sides *t)
{
	for (uint32_t n = any(t, 6); n > 0; n--) {
		int from = (int)any(t, 2);
		struct talk_segment seg = {.back = from,
					   .flags = FLOW_ACK,
					   .seq = t->next[from],
					   .ack = t->next[!from],
					   .win = any(t, 65536),
					   .len = any(t, 300)};

		s->time_ns += CT_NS_PER_S / 100;
		talk_add(s, &seg);
		t->next[from] += seg.len;
	}
}

static const char *reason_or_none(const json_t *account)
{
	const char *reason = json_string_value(json_object_get(account, "reason"));

	return reason ? reason : "none";
}

/* Instead of the last packet another one: is it refused, and for this reason? */
static void expect(struct stage *s, const struct talk_segment *seg, const char *reason)
{
	json_t *account;

	stage_cut(s, s->n - 1);
	account = stage_object(s, talk_add(s, seg));
	if (strcmp(reason_or_none(account), reason) != 0)
		fail_msg("%s instead of %s at seq %u ack %u", reason_or_none(account), reason,
			 seg->seq, seg->ack);
	json_decref(account);
}

/* Returns whether the segment was refused for its sequence number. */
static bool try_seq(struct stage *s, struct sides *t)
{
	static const uint32_t acks[] = {0, 0, 0, 1, 100000, (uint32_t)-70000, (uint32_t)-900000};
	int from = (int)any(t, 2);
	struct talk_segment seg = {
		.back = from,
		.flags = FLOW_ACK | FLOW_PSH,
		.seq = t->next[from] + any(t, any(t, 2) ? 300000 : 1 << 30),
		.ack = t->next[!from] + acks[any(t, sizeof(acks) / sizeof(acks[0]))],
		.win = 100,
		.len = any(t, 1400),
	};
	json_t *account = stage_object(s, talk_add(s, &seg));
	bool refused = strcmp(reason_or_none(account), "tcp-seq-over") == 0;
	bool ack_good = true;

	if (refused) {
		uint32_t ack_max = (uint32_t)stage_number(account, "accepted.ack_max");

		ack_good = (int32_t)(seg.ack - ack_max) <= 0;
		seg.seq = (uint32_t)stage_number(account, "accepted.seq_limit");
		expect(s, &seg, ack_good ? "none" : "tcp-ack-over");
		seg.seq++;
		expect(s, &seg, "tcp-seq-over");
	}
	json_decref(account);
	return refused;
}

static bool try_ack(struct stage *s, struct sides *t)
{
	int from = (int)any(t, 2);
	struct talk_segment seg = {
		.back = from,
		.flags = FLOW_ACK,
		.seq = t->next[from],
		.ack = t->next[!from] + 1 + any(t, any(t, 2) ? 10 : 1 << 30),
		.win = 100,
		.len = any(t, 100),
	};
	json_t *account = stage_object(s, talk_add(s, &seg));
	bool refused = strcmp(reason_or_none(account), "tcp-ack-over") == 0;

	if (refused) {
		seg.ack = (uint32_t)stage_number(account, "accepted.ack_max");
		expect(s, &seg, "none");
		seg.ack++;
		expect(s, &seg, "tcp-ack-over");
	}
	json_decref(account);
	return refused;
}

/* The acknowledgement is in order; a block of SACK goes further. */
static bool try_sack(struct stage *s, struct sides *t)
{
	uint32_t right = t->next[1] + 1 + any(t, 100000);
	uint8_t opt[12] = {1, 1, 5, 10};
	struct talk_segment seg = {.flags = FLOW_ACK,
				   .seq = t->next[0],
				   .ack = t->next[1],
				   .win = 100,
				   .opt = opt,
				   .optlen = sizeof(opt)};
	bool refused;
	json_t *account;

	for (int i = 0; i < 4; i++)
		opt[8 + i] = (uint8_t)(right >> (24 - 8 * i));
	account = stage_object(s, talk_add(s, &seg));
	refused = strcmp(reason_or_none(account), "tcp-ack-over") == 0;
	if (refused) {
		right = (uint32_t)stage_number(account, "accepted.ack_max");
		for (int i = 0; i < 4; i++)
			opt[8 + i] = (uint8_t)(right >> (24 - 8 * i));
		expect(s, &seg, "none");
		opt[11]++;
		if (opt[11] != 0)
			expect(s, &seg, "tcp-ack-over");
	}
	json_decref(account);
	return refused;
}

static bool try_reset(struct stage *s, struct sides *t)
{
	int from = (int)any(t, 2);
	struct talk_segment seg = {
		.back = from,
		.flags = FLOW_RST,
		.seq = t->next[from] - 1 - any(t, any(t, 2) ? 10 : 1 << 30),
	};
	json_t *account = stage_object(s, talk_add(s, &seg));
	bool refused = strcmp(reason_or_none(account), "tcp-rst-stale") == 0;

	if (refused) {
		seg.seq = (uint32_t)stage_number(account, "accepted.seq_min");
		expect(s, &seg, "none");
		seg.seq--;
		expect(s, &seg, "tcp-rst-stale");
		seg.seq = (uint32_t)stage_number(account, "accepted.seq_max");
		expect(s, &seg, "none");
	}
	json_decref(account);
	return refused;
}

static unsigned int rounds(bool (*attempt)(struct stage *, struct sides *), uint64_t seed)
{
	struct sides t = {.random = seed};
	unsigned int refused = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct stage s;

		stage_init(&s);
		s.once = true; /* other settings are not the question here */
		handshake(&s, &t);
		chat(&s, &t);
		refused += attempt(&s, &t);
		stage_done(&s);
	}
	return refused;
}

static void sequence_numbers(void **state)
{
	assert_true(rounds(try_seq, 1) > ROUNDS / 4);
}

static void acknowledgements(void **state)
{
	assert_true(rounds(try_ack, 2) > ROUNDS / 4);
}

static void selective_acknowledgements(void **state)
{
	assert_true(rounds(try_sack, 3) > ROUNDS / 8);
}

static void resets(void **state)
{
	assert_true(rounds(try_reset, 4) > ROUNDS / 4);
}

/* Of a sender that was not seen before one more is believed: a FIN may have been missed. */
static void reset_as_the_first_answer(void **state)
{
	struct talk_segment rst = {
		.back = true, .flags = FLOW_RST | FLOW_ACK, .seq = 7, .ack = 99999};
	struct stage s;
	json_t *account;

	stage_init(&s);
	s.once = true;
	talk_say(&s, false, FLOW_SYN, 1000, 0, 0);
	account = stage_object(&s, talk_add(&s, &rst));
	assert_string_equal(reason_or_none(account), "tcp-ack-over");
	rst.ack = (uint32_t)stage_number(account, "accepted.ack_max");
	assert_int_equal(rst.ack, 1002);
	expect(&s, &rst, "none");
	rst.ack++;
	expect(&s, &rst, "tcp-ack-over");
	json_decref(account);
	stage_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequence_numbers),	      cmocka_unit_test(acknowledgements),
		cmocka_unit_test(selective_acknowledgements), cmocka_unit_test(resets),
		cmocka_unit_test(reset_as_the_first_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
