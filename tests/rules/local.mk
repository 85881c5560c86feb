# SPDX-License-Identifier: GPL-2.0-or-later
# Rules that ctmarkctl prints.
rules_tests = tests/rules/test_rules

check_PROGRAMS += $(rules_tests)
TESTS          += $(rules_tests)

tests_rules_test_rules_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_rules_test_rules_LDADD  = libctctl.la libctcore.la $(CMOCKA_LIBS)
