# SPDX-License-Identifier: GPL-2.0-or-later
# Rules that ctmarkctl prints, and rule sets with mistakes that it has to find.
rules_tests = \
	tests/rules/checkrules \
	tests/rules/test_check_hostile \
	tests/rules/test_rules \
	tests/rules/test_rules_clean

check_PROGRAMS     += $(rules_tests)
TESTS              += $(rules_tests) tests/rules/manual.sh
dist_check_SCRIPTS += tests/rules/manual.sh
EXTRA_DIST         += tests/rules/sets

tests/rules/manual.log: tests/rules/checkrules

tests_rules_checkrules_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_rules_checkrules_LDADD  = libctctl.la
tests_rules_test_check_hostile_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_rules_test_check_hostile_LDADD  = libctctl.la $(CMOCKA_LIBS)
tests_rules_test_rules_SOURCES = tests/rules/test_rules.c tests/rules/conf.h
tests_rules_test_rules_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_rules_test_rules_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_rules_test_rules_LDADD  = libctctl.la libctcore.la $(CMOCKA_LIBS)
tests_rules_test_rules_clean_SOURCES = tests/rules/test_rules_clean.c tests/rules/conf.h
tests_rules_test_rules_clean_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_rules_test_rules_clean_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_rules_test_rules_clean_LDADD  = libctctl.la $(CMOCKA_LIBS)
