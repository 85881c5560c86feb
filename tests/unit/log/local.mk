# SPDX-License-Identifier: GPL-2.0-or-later
# unit tests of src/log
log_tests = \
	tests/unit/log/test_fields \
	tests/unit/log/test_fields_flow \
	tests/unit/log/test_jlog \
	tests/unit/log/test_limit \
	tests/unit/log/test_oplog \
	tests/unit/log/test_plain \
	tests/unit/log/test_ring

check_PROGRAMS += $(log_tests)
TESTS          += $(log_tests)

tests_unit_log_test_fields_LDADD = libctshell.la $(CMOCKA_LIBS)
tests_unit_log_test_fields_flow_LDADD = libctshell.la $(CMOCKA_LIBS)
tests_unit_log_test_limit_LDADD  = libctshell.la $(CMOCKA_LIBS)
tests_unit_log_test_oplog_LDADD  = libctshell.la $(CMOCKA_LIBS)
tests_unit_log_test_plain_LDADD  = libctshell.la $(CMOCKA_LIBS)
tests_unit_log_test_ring_LDADD   = libctshell.la $(CMOCKA_LIBS)

# The journal refuses and hangs on demand.
tests_unit_log_test_jlog_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_log_test_jlog_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=access -Wl,--wrap=sd_journal_sendv -Wl,--wrap=ifname_get
