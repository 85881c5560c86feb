# SPDX-License-Identifier: GPL-2.0-or-later
# unit tests of src/conf
conf_tests = \
	tests/unit/conf/test_value \
	tests/unit/conf/test_conf \
	tests/unit/conf/test_print \
	tests/unit/conf/test_settings \
	tests/unit/conf/test_search

check_PROGRAMS += $(conf_tests) tests/unit/conf/conf_table
TESTS          += $(conf_tests)
EXTRA_DIST     += tests/unit/conf/report.h

tests_unit_conf_test_value_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_conf_test_value_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_conf_test_conf_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_conf_test_conf_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_conf_test_conf_LDADD    = libctshell.la $(CMOCKA_LIBS)
tests_unit_conf_test_print_LDADD     = libctshell.la $(CMOCKA_LIBS)
tests_unit_conf_test_settings_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_conf_test_settings_LDADD  = libctshell.la $(CMOCKA_LIBS)
tests_unit_conf_test_search_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_conf_test_search_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_conf_test_search_LDADD  = libctshell.la $(CMOCKA_LIBS)

# the table, for tests/check/conf-docs.sh
tests_unit_conf_conf_table_LDADD = libctshell.la
