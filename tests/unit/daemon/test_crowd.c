/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crowd.h"

#include <ctype.h>
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define SEC  UINT64_C(1000000000)
#define HOUR 3600

/* --- when ------------------------------------------------------------------------------------- */

/* What was told in a run of looks, one a second. */
struct told {
	struct crowd crowd;
	struct crowd_look look;
	uint64_t last_s[CROWD_MAX]; /* 0: not yet */
	uint64_t times[CROWD_MAX], sum[CROWD_MAX];
};

static void look(struct told *t, uint64_t s)
{
	uint64_t due[CROWD_MAX];
	bool any;

	t->look.now_ns = s * SEC;
	any = crowd_due(&t->crowd, &t->look, due);
	assert_int_equal(any, due[CROWD_FULL] || due[CROWD_EARLY] || due[CROWD_FILLING]);
	for (enum crowd_kind i = 0; i < CROWD_MAX; i++) {
		if (due[i] == 0)
			continue;
		if (t->last_s[i])
			assert_true(s - t->last_s[i] >= 60);
		t->last_s[i] = s;
		t->times[i]++;
		t->sum[i] += due[i];
	}
	if (t->last_s[CROWD_FILLING] == s)
		for (enum crowd_kind i = CROWD_FULL; i <= CROWD_EARLY; i++)
			assert_true(t->last_s[i] == 0 || s - t->last_s[i] >= 60);
}

static uint32_t dice(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

/* Half a day around the threshold, and from there into the full table and out of it again. */
static void test_oscillation(void **state)
{
	struct told t = {.look = {.max = 1000}};
	uint32_t seed = 1;

	for (uint64_t s = 1; s <= 12 * HOUR; s++) {
		t.look.flows = 790 + dice(&seed) % 20;
		if (s / (2 * HOUR) % 2 && dice(&seed) % 7 == 0) {
			t.look.flows = 1000;
			t.look.full += dice(&seed) % 3;
			t.look.early += dice(&seed) % 50;
		}
		look(&t, s);
	}
	assert_in_range(t.times[CROWD_FILLING], 6 * 57, 6 * 60 + 6);
	assert_in_range(t.times[CROWD_FULL], 6 * 45, 6 * 60 + 3);
	assert_in_range(t.times[CROWD_EARLY], 6 * 50, 6 * 60 + 3);
	look(&t, 13 * HOUR); /* what came since the last report */
	assert_int_equal(t.sum[CROWD_FULL], t.look.full);
	assert_int_equal(t.sum[CROWD_EARLY], t.look.early);
}

/* Each second the other side of the threshold. */
static void test_seesaw(void **state)
{
	struct told t = {.look = {.max = 64}};

	for (uint64_t s = 1; s <= HOUR; s++) {
		t.look.flows = s % 2 ? 52 : 51;
		look(&t, s);
	}
	assert_int_equal(t.times[CROWD_FILLING], 60);
	assert_int_equal(t.sum[CROWD_FILLING], 60 * 81);
	assert_int_equal(t.times[CROWD_FULL] + t.times[CROWD_EARLY], 0);
}

/* News that is worse does not wait for the minute of the warning before it; the warning does. */
static void test_worse_news(void **state)
{
	struct told t = {.look = {.flows = 79, .max = 100}};

	look(&t, 1);
	assert_int_equal(t.times[CROWD_FILLING], 0);
	t.look.flows = 80;
	look(&t, 2);
	assert_int_equal(t.times[CROWD_FILLING], 1);
	t.look.flows = 100;
	t.look.early = 3;
	look(&t, 3);
	assert_int_equal(t.sum[CROWD_EARLY], 3);
	t.look.full = 5;
	look(&t, 4);
	assert_int_equal(t.sum[CROWD_FULL], 5);
	for (uint64_t s = 5; s < 64; s++)
		look(&t, s);
	assert_int_equal(t.times[CROWD_FILLING], 1);
	look(&t, 64);
	assert_int_equal(t.times[CROWD_FILLING], 2);
	assert_int_equal(t.times[CROWD_FULL] + t.times[CROWD_EARLY], 2);
}

/* --- in which words --------------------------------------------------------------------------- */

static struct ct_party ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t prefix)
{
	return (struct ct_party){.addr.b = {a, b, c, d}, .family = CT_AF_INET, .prefix = prefix};
}

static struct ct_party service(struct ct_party p, uint8_t proto, uint16_t port)
{
	p.service = true;
	p.proto = proto;
	p.port_be = htobe16(port);
	return p;
}

static const struct crowd_look full_look = {.flows = 64, .max = 64};

static void check_line(enum crowd_kind kind, bool shadow, const struct ct_talkers *who,
		       const char *want)
{
	char line[CROWD_LINE_STRLEN];

	assert_string_equal(crowd_line(kind, 120, &full_look, shadow, who, line), want);
}

static void test_sources(void **state)
{
	char talkers[CROWD_TALKERS_STRLEN], target[CROWD_TARGET_STRLEN];
	struct ct_talkers who = {
		.sample = 1000,
		.nsources = 3,
		.source = {{ipv4(192, 0, 2, 7, 32), 419},
			   {ipv4(198, 51, 100, 0, 24), 120},
			   {{.addr.b = {0x20, 1, 0xd, 0xb8, 0, 1},
			     .family = CT_AF_INET6,
			     .prefix = 64,
			     .zone = 5},
			    50}},
	};

	check_line(CROWD_FULL, false, &who,
		   "Table full: 64 of 64 flows, 120 packets dropped; most flows: 192.0.2.7 (41 %), "
		   "198.51.100.0/24 (12 %), 2001:db8:1::/64 zone/5 (5 %)");
	assert_string_equal(crowd_talkers(&who, talkers),
			    "192.0.2.7=419 198.51.100.0/24=120 2001:db8:1::/64,zone/5=50");
	assert_string_equal(crowd_target(&who, target), "");
	who.nsources = 1;
	who.has_target = true;
	who.target = (struct ct_talker){service(ipv4(203, 0, 113, 5, 32), 17, 53), 389};
	check_line(CROWD_EARLY, false, &who,
		   "Making room: 120 flows ended early in a full table of 64; "
		   "most flows: 192.0.2.7 (41 %); 38 % go to 203.0.113.5 udp/53");
	assert_string_equal(crowd_talkers(&who, talkers), "192.0.2.7=419");
	assert_string_equal(crowd_target(&who, target), "203.0.113.5,udp/53=389");
}

static void test_no_source(void **state)
{
	struct ct_talkers who = {
		.sample = 1000,
		.has_target = true,
		.target = {service(ipv4(203, 0, 113, 5, 32), 6, 443), 871},
	};
	char talkers[CROWD_TALKERS_STRLEN], target[CROWD_TARGET_STRLEN];

	check_line(CROWD_FULL, true, &who,
		   "Table full: 64 of 64 flows, 120 packets would have been dropped; "
		   "no source stands out; 87 % go to 203.0.113.5 tcp/443");
	assert_string_equal(crowd_talkers(&who, talkers), "");
	who.target.party = service(ipv4(203, 0, 113, 5, 32), 1, 0);
	who.target.party.zone = 9;
	assert_string_equal(crowd_target(&who, target), "203.0.113.5,icmp,zone/9=871");
	who.target.party = ipv4(203, 0, 113, 5, 32);
	assert_string_equal(crowd_target(&who, target), "203.0.113.5=871");
	who.has_target = false;
	check_line(CROWD_FULL, false, &who,
		   "Table full: 64 of 64 flows, 120 packets dropped; "
		   "no source and no destination stands out");
	who.sample = 0; /* all gone meanwhile */
	check_line(CROWD_FILLING, false, &who, "Table filling: 64 of 64 flows (120 %)");
}

/* The longest of all is neither cut nor anything but one line of plain characters. */
static void test_longest(void **state)
{
	const struct crowd_look most = {.flows = UINT64_MAX, .max = UINT64_MAX};
	char talkers[CROWD_TALKERS_STRLEN], target[CROWD_TARGET_STRLEN], line[CROWD_LINE_STRLEN];
	struct ct_talkers who = {.sample = 1, .nsources = CT_TALKERS_MAX, .has_target = true};
	struct ct_talker longest = {{.zone = 65535, .family = CT_AF_INET6, .prefix = 127}, 1000};

	for (unsigned int i = 0; i < sizeof(longest.party.addr); i++)
		longest.party.addr.b[i] = 0xff;
	for (unsigned int i = 0; i < CT_TALKERS_MAX; i++)
		who.source[i] = longest;
	who.target = longest;
	who.target.party = service(longest.party, 136, 65535);
	crowd_line(CROWD_FULL, UINT64_MAX, &most, true, &who, line);
	assert_true(strlen(line) < sizeof(line) - 1);
	for (const char *c = line; *c; c++)
		assert_true(isprint((unsigned char)*c));
	assert_string_equal(strchr(line, '%') + strlen(strchr(line, '%')) - 6, "/65535");
	assert_true(strlen(crowd_talkers(&who, talkers)) < sizeof(talkers) - 1);
	assert_true(strlen(crowd_target(&who, target)) < sizeof(target) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oscillation), cmocka_unit_test(test_seesaw),
		cmocka_unit_test(test_worse_news),  cmocka_unit_test(test_sources),
		cmocka_unit_test(test_no_source),   cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
