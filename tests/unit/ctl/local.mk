# SPDX-License-Identifier: GPL-2.0-or-later
# unit tests of src/ctl
ctl_tests = \
	tests/unit/ctl/test_metrics

check_PROGRAMS += $(ctl_tests) tests/unit/ctl/metrics_text
TESTS          += $(ctl_tests)

tests_unit_ctl_test_metrics_SOURCES  = tests/unit/ctl/test_metrics.c \
	tests/unit/ctl/sample.c tests/unit/ctl/sample.h
tests_unit_ctl_test_metrics_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_ctl_test_metrics_LDADD    = libctshell.la $(CMOCKA_LIBS)

# every metric, for tests/check/metrics.sh
tests_unit_ctl_metrics_text_SOURCES  = tests/unit/ctl/metrics_text.c \
	tests/unit/ctl/sample.c tests/unit/ctl/sample.h
tests_unit_ctl_metrics_text_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_ctl_metrics_text_LDADD    = libctshell.la
