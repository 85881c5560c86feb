# SPDX-License-Identifier: GPL-2.0-or-later
# unit tests of src/io
io_tests = \
	tests/unit/io/test_ifname \
	tests/unit/io/test_nlpacket \
	tests/unit/io/test_outstanding \
	tests/unit/io/test_verdict \
	tests/unit/io/test_queuelist

check_PROGRAMS += $(io_tests)
TESTS          += $(io_tests)

# The library loses messages on demand.
tests_unit_io_test_ifname_CFLAGS    = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_ifname_LDADD     = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_ifname_LDFLAGS   = $(AM_LDFLAGS) \
	-Wl,--wrap=nlif_open -Wl,--wrap=nlif_close -Wl,--wrap=nlif_fd -Wl,--wrap=nlif_query \
	-Wl,--wrap=nlif_catch -Wl,--wrap=nlif_index2name -Wl,--wrap=nlif_get_ifflags

tests_unit_io_test_nlpacket_CFLAGS  = $(AM_CFLAGS) $(MNL_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_nlpacket_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_outstanding_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_outstanding_LDADD  = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_verdict_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_verdict_LDADD    = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_queuelist_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_queuelist_LDADD  = libctshell.la $(CMOCKA_LIBS)
