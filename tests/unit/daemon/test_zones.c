/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Zones applied to interfaces: look-up, equality, and the interfaces that this machine has. */

#include "daemon/zones.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define MANY 1000

static struct conf conf_of(const char *text)
{
	FILE *f = fmemopen((void *)text, strlen(text), "r");
	struct conf c;

	assert_int_equal(conf_load_stream(&c, f, "x.conf", NULL, NULL), 0);
	fclose(f);
	return c;
}

static struct zones *apply(const char *text, const struct if_nameindex *list)
{
	struct conf c = conf_of(text);
	struct zones *z = NULL;

	assert_int_equal(zones_new(&z, &c, list), 0);
	return z;
}

static const char two[] = "[Zone a]\nId=5\nInputInterface=lan0 vlan*\n"
			  "[Zone b]\nId=6\nInputInterface=vlan9\n";

static void test_get(void **state)
{
	const struct if_nameindex list[] = {{1, (char[]){"lo"}},
					    {2, (char[]){"lan0"}},
					    {6, (char[]){"vlan9"}},
					    {4000000000, (char[]){"vlan8"}},
					    {0, NULL}};
	struct zones *z = apply(two, list);

	assert_int_equal(zones_get(z, 1, 0), 0);
	assert_int_equal(zones_get(z, 1, 77), 77);
	assert_int_equal(zones_get(z, 2, 77), 5);
	assert_int_equal(zones_get(z, 6, 77), 6);
	assert_int_equal(zones_get(z, 4000000000, 77), 5);
	assert_int_equal(zones_get(z, 10, 77), 77); /* where 2 and 6 are, modulo the slots */
	assert_int_equal(zones_get(z, 0, 77), 77);  /* sent by this machine */
	zones_free(z);
}

static void test_none(void **state)
{
	const struct if_nameindex list[] = {{1, (char[]){"lo"}}, {2, (char[]){"eth0"}}, {0, NULL}};

	assert_null(apply(two, list));
	assert_null(apply("", list));
	assert_int_equal(zones_get(NULL, 2, 0), 0);
	assert_int_equal(zones_get(NULL, 2, 9), 9);
}

static void test_many(void **state)
{
	static char names[MANY][IF_NAMESIZE];
	static struct if_nameindex list[MANY + 1];
	struct zones *z;

	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "%s%u", i % 3 ? "vlan" : "other", i + 100);
		list[i] = (struct if_nameindex){(i + 1) * 64, names[i]};
	}
	z = apply(two, list);
	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(zones_get(z, (i + 1) * 64, 0), i % 3 ? 5 : 0);
	assert_int_equal(zones_get(z, 63, 0), 0);
	zones_free(z);
}

static void test_equal(void **state)
{
	const struct if_nameindex one[] = {
		{2, (char[]){"lan0"}}, {6, (char[]){"vlan9"}}, {0, NULL}};
	const struct if_nameindex same[] = {
		{6, (char[]){"vlan9"}}, {9, (char[]){"x"}}, {2, (char[]){"vlan1"}}, {0, NULL}};
	const struct if_nameindex other[] = {
		{2, (char[]){"vlan9"}}, {6, (char[]){"lan0"}}, {0, NULL}};
	const struct if_nameindex more[] = {
		{2, (char[]){"lan0"}}, {6, (char[]){"vlan9"}}, {7, (char[]){"vlan7"}}, {0, NULL}};
	const struct if_nameindex *const lists[] = {one, same, other, more};
	struct zones *z[4];

	for (int i = 0; i < 4; i++)
		z[i] = apply(two, lists[i]);
	assert_true(zones_equal(z[0], z[0]));
	assert_true(zones_equal(z[0], z[1]));
	assert_false(zones_equal(z[0], z[2]));
	assert_false(zones_equal(z[0], z[3]));
	assert_false(zones_equal(z[3], z[0]));
	assert_false(zones_equal(z[0], NULL));
	assert_false(zones_equal(NULL, z[0]));
	assert_true(zones_equal(NULL, NULL));
	for (int i = 0; i < 4; i++)
		zones_free(z[i]);
}

static void test_read(void **state)
{
	struct conf c = conf_of("[Zone a]\nId=5\nInputInterface=l?\n");
	struct zones *z = NULL;

	assert_int_equal(zones_read(&z, &c), 0);
	assert_int_equal(zones_get(z, if_nametoindex("lo"), 0), 5);
	zones_free(z);
	c = conf_of("");
	assert_int_equal(zones_read(&z, &c), 0);
	assert_null(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),  cmocka_unit_test(test_none),
		cmocka_unit_test(test_many), cmocka_unit_test(test_equal),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests_name("daemon/zones", tests, NULL, NULL);
}
