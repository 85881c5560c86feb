# SPDX-License-Identifier: GPL-2.0-or-later
# unit tests of src/io
io_tests = \
	tests/unit/io/test_ifname \
	tests/unit/io/test_nfqueue \
	tests/unit/io/test_nfqueue_random \
	tests/unit/io/test_nfqueue_adopt \
	tests/unit/io/test_nfqueue_killed \
	tests/unit/io/test_desk \
	tests/unit/io/test_nlpacket \
	tests/unit/io/test_outstanding \
	tests/unit/io/test_rcvbuf \
	tests/unit/io/test_verdict \
	tests/unit/io/test_queuelist \
	tests/unit/io/test_link \
	tests/unit/io/test_pcap

check_PROGRAMS += $(io_tests)
TESTS          += $(io_tests)

# The library loses messages on demand.
tests_unit_io_test_ifname_CFLAGS    = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_ifname_LDADD     = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_ifname_LDFLAGS   = $(AM_LDFLAGS) \
	-Wl,--wrap=nlif_open -Wl,--wrap=nlif_close -Wl,--wrap=nlif_fd -Wl,--wrap=nlif_query \
	-Wl,--wrap=nlif_catch -Wl,--wrap=nlif_index2name -Wl,--wrap=nlif_get_ifflags

# A kernel of their own.
fake_kernel = tests/unit/io/fake_kernel.c tests/unit/io/fake_kernel.h
fake_kernel_ldflags = \
	-Wl,--wrap=mnl_socket_open2 -Wl,--wrap=mnl_socket_fdopen -Wl,--wrap=mnl_socket_bind -Wl,--wrap=mnl_socket_get_fd \
	-Wl,--wrap=mnl_socket_setsockopt -Wl,--wrap=mnl_socket_sendto -Wl,--wrap=mnl_socket_close \
	-Wl,--wrap=setsockopt -Wl,--wrap=getsockopt -Wl,--wrap=poll -Wl,--wrap=recv \
	-Wl,--wrap=recvmmsg -Wl,--wrap=send -Wl,--wrap=clock_gettime
tests_unit_io_test_nfqueue_SOURCES = tests/unit/io/test_nfqueue.c $(fake_kernel)
tests_unit_io_test_nfqueue_CFLAGS  = $(AM_CFLAGS) $(MNL_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_nfqueue_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_nfqueue_LDFLAGS = $(AM_LDFLAGS) $(fake_kernel_ldflags)
tests_unit_io_test_nfqueue_random_SOURCES = tests/unit/io/test_nfqueue_random.c $(fake_kernel)
tests_unit_io_test_nfqueue_random_CFLAGS  = $(AM_CFLAGS) $(MNL_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_nfqueue_random_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_nfqueue_random_LDFLAGS = $(AM_LDFLAGS) $(fake_kernel_ldflags)
tests_unit_io_test_nfqueue_adopt_SOURCES = tests/unit/io/test_nfqueue_adopt.c $(fake_kernel)
tests_unit_io_test_nfqueue_adopt_CFLAGS  = $(AM_CFLAGS) $(MNL_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_nfqueue_adopt_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_nfqueue_adopt_LDFLAGS = $(AM_LDFLAGS) $(fake_kernel_ldflags)
tests_unit_io_test_nfqueue_killed_SOURCES = tests/unit/io/test_nfqueue_killed.c $(fake_kernel)
tests_unit_io_test_nfqueue_killed_CFLAGS  = $(AM_CFLAGS) $(MNL_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_nfqueue_killed_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_nfqueue_killed_LDFLAGS = $(AM_LDFLAGS) $(fake_kernel_ldflags)

tests_unit_io_test_nlpacket_CFLAGS  = $(AM_CFLAGS) $(MNL_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_nlpacket_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_desk_CFLAGS      = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_desk_LDADD       = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_outstanding_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_outstanding_LDADD  = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_rcvbuf_CFLAGS    = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_rcvbuf_LDADD     = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_verdict_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_verdict_LDADD    = libctshell.la $(CMOCKA_LIBS)
tests_unit_io_test_queuelist_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_queuelist_LDADD  = libctshell.la $(CMOCKA_LIBS)

tests_unit_io_test_link_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_io_test_link_LDADD  = libctreplay.la $(CMOCKA_LIBS)

tests_unit_io_test_pcap_SOURCES = tests/unit/io/test_pcap.c tests/unit/io/capture_file.c tests/unit/io/capture_file.h
tests_unit_io_test_pcap_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_io_test_pcap_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PCAP_CFLAGS) $(ZLIB_CFLAGS)
tests_unit_io_test_pcap_LDADD  = libctreplay.la $(CMOCKA_LIBS) $(ZLIB_LIBS)
