/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Values become text that means the same: the parsers are the judge. */

#include "conf/print.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "util/cleanup.h"

#define SEC    UINT64_C(1000000000)
#define ROUNDS 200

union value {
	struct conf conf;
	struct conf_zone zone;
};

static const struct conf_key *key_of(const char *name)
{
	for (size_t i = 0; i < conf_table_len; i++)
		if (strcmp(conf_table[i].name, name) == 0)
			return &conf_table[i];
	for (size_t i = 0; i < conf_zone_table_len; i++)
		if (strcmp(conf_zone_table[i].name, name) == 0)
			return &conf_zone_table[i];
	fail_msg("no key %s", name);
	return NULL;
}

static char *print(const struct conf_key *key, const void *field)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	conf_print(out, key, field);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void parse(const struct conf_key *key, const char *text, union value *ret)
{
	char why[CONF_WHY_MAX];

	memset(ret, 0, sizeof(*ret));
	if (*text && key->parse(&key->spec, text, ret, why) < 0)
		fail_msg("%s=%s: %s", key->name, text, why);
}

/* What text means is printed, and means the same; returned for a closer look. */
static char *round_trip(const struct conf_key *key, const char *text)
{
	static union value value, again; /* large */
	char *printed;

	parse(key, text, &value);
	printed = print(key, &value);
	parse(key, printed, &again);
	if (memcmp(&value, &again, sizeof(value)) != 0)
		fail_msg("%s=%s is printed as %s", key->name, text, printed);
	return printed;
}

/* --- known texts --------------------------------------------------------------------------------
 */

static void test_texts(void **state)
{
	static const struct {
		const char *key, *text, *printed;
	} rows[] = {
		{"Range", "0", "0"},
		{"Range", "3-3", "3"},
		{"Range", "0-255", "0-255"},
		{"MaxPackets", "4294967295", "4294967295"},
		{"FailOpen", "ON", "yes"},
		{"FailOpen", "0", "no"},
		{"CopyRange", "auto", "auto"},
		{"CopyRange", "1K", "1K"},
		{"CopyRange", "1025", "1025"},
		{"ReceiveBuffer", "65536", "64K"},
		{"ReceiveBuffer", "64m", "64M"},
		{"ReceiveBuffer", "65537K", "65537K"},
		{"ReceiveBuffer", "67108865", "67108865"},
		{"CPUAffinity", "", ""},
		{"CPUAffinity", "3 1,2 0 8", "0-3,8"},
		{"CPUAffinity", "1023", "1023"},
		{"Encoding", "flags", "flags"},
		{"Mask", "0x000F", "0xf"},
		{"Mask", "0xffffffff", "0xffffffff"},
		{"TCPMaxRetrans", "0", "0"},
		{"MaxExpectations", "0", "0"},
		{"Helpers", "", ""},
		{"Helpers", "ftp:2121,21 tftp", "ftp:2121,21 tftp:69"},
		{"StateFile", "/a/b c", "/a/b c"},
		{"StateFile", "none", "none"},
		{"FragmentTimeout", "1", "1s"},
		{"TCPEstablished", "432000", "5d"},
		{"TCPEstablished", "1h30min", "90min"},
		{"TCPEstablished", "1w 1s", "604801s"},
		{"UDP", "30s", "30s"},
		{"Generic", "600", "10min"},
		{"Generic", "25h", "25h"},
		{"New", "queue:65535", "queue:65535"},
		{"Invalid", "drop", "drop"},
		{"Target", "console", "console"},
		{"Events", "invalid, new", "new invalid"},
		{"RateLimit", "0", "0"},
		{"RateLimit", "0/s", "0"},
		{"RateLimit", "17/s", "17/s"},
		{"Level", "err", "err"},
		{"Level", "debug", "debug"},
		{"Id", "", ""},
		{"Id", "65535", "65535"},
		{"InputInterface", " eth0\tvlan* ", "eth0 vlan*"},
		{"Queue", "3, 1-2", "3,1-2"},
		{"Queue", "", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *printed = round_trip(key_of(rows[i].key), rows[i].text);

		assert_string_equal(printed, rows[i].printed);
		free(printed);
	}
}

static void test_defaults(void **state)
{
	for (size_t i = 0; i < conf_table_len; i++) {
		const struct conf_key *key = &conf_table[i];
		char *printed = round_trip(key, key->def), *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		assert_non_null(out);
		conf_print_default(out, key);
		assert_int_equal(fclose(out), 0);
		assert_string_equal(text, printed);
		free(text);
		free(printed);
	}
}

/* --- random values ------------------------------------------------------------------------------
 */

static uint64_t dice(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* From min to max, all magnitudes alike. */
static uint64_t number(uint64_t *seed, uint64_t min, uint64_t max)
{
	uint64_t value = dice(seed) >> dice(seed) % 64;

	return value < min ? min : value > max ? min + value % (max - min + 1) : value;
}

static void random_words(FILE *out, const struct conf_spec *spec, uint64_t *seed, bool several)
{
	uint64_t n = 0;

	while (spec->words[n])
		n++;
	fputs(spec->words[dice(seed) % n], out);
	while (several && dice(seed) % 4)
		fprintf(out, " %s", spec->words[dice(seed) % n]);
}

static void random_mask(FILE *out, uint64_t *seed)
{
	uint64_t low = dice(seed) % 32, bits = 1 + dice(seed) % (32 - low);

	fprintf(out, "0x%" PRIx64, ((UINT64_C(1) << bits) - 1) << low);
}

static void random_verdict(FILE *out, uint64_t *seed)
{
	static const char *const words[] = {"accept", "drop", "repeat"};
	uint64_t which = dice(seed) % 4;

	if (which < ARRAY_SIZE(words))
		fputs(words[which], out);
	else
		fprintf(out, "queue:%" PRIu64, number(seed, 0, UINT16_MAX));
}

static void random_cpus(FILE *out, uint64_t *seed)
{
	do {
		uint64_t first = dice(seed) % 1024;

		fprintf(out, "%" PRIu64 "-%" PRIu64 " ", first,
			first + dice(seed) % (1024 - first));
	} while (dice(seed) % 8);
}

/* Ranges that do not meet. */
static void random_queues(FILE *out, uint64_t *seed)
{
	uint64_t next = 0, n = 1 + dice(seed) % CONF_RANGES_MAX;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t first = next + dice(seed) % 1000, last = first + dice(seed) % 1000;

		fprintf(out, "%" PRIu64 "-%" PRIu64 ",", first, last);
		next = last + 1;
	}
}

/* Ports that differ from each other, with one helper or several. */
static void random_helpers(FILE *out, uint64_t *seed)
{
	uint64_t port = 1 + dice(seed) % 1000;

	for (int h = CT_HELPER_NONE + 1; h < CT_HELPER_MAX; h++) {
		uint64_t n = dice(seed) % (CONF_HELPER_PORTS_MAX + 1);

		for (uint64_t i = 0; i < n; i++) {
			if (i > 0)
				fprintf(out, ",%" PRIu64, port);
			else
				fprintf(out, " %s:%" PRIu64, ct_helper_name(h), port);
			port += 1 + dice(seed) % 1000;
		}
	}
}

static void random_interfaces(FILE *out, uint64_t *seed)
{
	uint64_t n = 1 + dice(seed) % 12;

	for (uint64_t i = 0; i < n; i++)
		fprintf(out, "\t%c%" PRIu64 "%s", (char)('a' + dice(seed) % 26), i,
			dice(seed) % 2 ? "*" : "");
}

static void random_text(FILE *out, const struct conf_key *key, uint64_t *seed)
{
	const struct conf_spec *spec = &key->spec;

	if (key->parse == conf_parse_boolean)
		fputs(dice(seed) % 2 ? "true" : "off", out);
	else if (key->parse == conf_parse_number || key->parse == conf_parse_size_or_auto)
		fprintf(out, "%" PRIu64, number(seed, spec->min, spec->max));
	else if (key->parse == conf_parse_span)
		fprintf(out, "%" PRIu64, number(seed, spec->min / SEC, spec->max / SEC));
	else if (key->parse == conf_parse_rate)
		fprintf(out, "%" PRIu64 "/s", number(seed, spec->min, spec->max));
	else if (key->parse == conf_parse_word || key->parse == conf_parse_word_set)
		random_words(out, spec, seed, key->parse == conf_parse_word_set);
	else if (key->parse == conf_parse_queue_range)
		fprintf(out, "%" PRIu64 "-%" PRIu64, dice(seed) % 100, 100 + dice(seed) % 100);
	else if (key->parse == conf_parse_mask)
		random_mask(out, seed);
	else if (key->parse == conf_parse_verdict)
		random_verdict(out, seed);
	else if (key->parse == conf_parse_cpus)
		random_cpus(out, seed);
	else if (key->parse == conf_parse_file || key->parse == conf_parse_socket)
		fprintf(out, "/%" PRIx64 " %%s/x", dice(seed));
	else if (key->parse == conf_parse_interfaces)
		random_interfaces(out, seed);
	else if (key->parse == conf_parse_queues)
		random_queues(out, seed);
	else if (key->parse == conf_parse_helpers)
		random_helpers(out, seed);
	else
		fail_msg("%s has a parser that is not known here", key->name);
}

static void try_random(const struct conf_key *key, uint64_t *seed)
{
	char *text = NULL, *printed, *again;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	random_text(out, key, seed);
	assert_int_equal(fclose(out), 0);
	printed = round_trip(key, text + strspn(text, " \t"));
	free(text);
	again = round_trip(key, printed);
	assert_string_equal(printed, again);
	free(printed);
	free(again);
}

static void test_random(void **state)
{
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

	for (int i = 0; i < ROUNDS; i++) {
		for (size_t k = 0; k < conf_table_len; k++)
			try_random(&conf_table[k], &seed);
		for (size_t k = 0; k < conf_zone_table_len; k++)
			try_random(&conf_zone_table[k], &seed);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("conf/print", tests, NULL, NULL);
}
