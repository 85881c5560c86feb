# SPDX-License-Identifier: GPL-2.0-or-later
# unit tests of src/core
core_tests = \
	tests/unit/core/test_mark \
	tests/unit/core/test_siphash \
	tests/unit/core/test_pkt \
	tests/unit/core/test_tuple \
	tests/unit/core/test_checksum \
	tests/unit/core/test_table \
	tests/unit/core/test_room \
	tests/unit/core/test_flood \
	tests/unit/core/test_talkers \
	tests/unit/core/test_view \
	tests/unit/core/test_view_window \
	tests/unit/core/test_threads_view \
	tests/unit/core/test_history \
	tests/unit/core/test_track \
	tests/unit/core/test_batch \
	tests/unit/core/test_confirm \
	tests/unit/core/test_fragment \
	tests/unit/core/test_held \
	tests/unit/core/test_expect \
	tests/unit/core/test_text \
	tests/unit/core/test_helper_ftp \
	tests/unit/core/test_helper_tftp \
	tests/unit/core/test_helper_irc \
	tests/unit/core/test_helper_sip \
	tests/unit/core/test_helper_pptp \
	tests/unit/core/test_helper_amanda \
	tests/unit/core/test_helper_sane \
	tests/unit/core/test_expiry \
	tests/unit/core/test_adopt \
	tests/unit/core/test_adopt_size \
	tests/unit/core/test_adopt_odd \
	tests/unit/core/test_crash \
	tests/unit/core/test_threads \
	tests/unit/core/test_threads_fragments \
	tests/unit/core/test_names \
	tests/unit/core/test_tcp_table \
	tests/unit/core/test_tcp_window \
	tests/unit/core/test_sctp_table \
	tests/unit/core/test_sctp \
	tests/unit/core/test_gre \
	tests/unit/core/test_keymap

check_PROGRAMS += $(core_tests)
TESTS          += $(core_tests)

check_LTLIBRARIES += libcoretest.la
libcoretest_la_SOURCES = tests/unit/core/packet.c tests/unit/core/packet.h \
	tests/unit/core/helped.c tests/unit/core/helped.h
libcoretest_la_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
libcoretest_la_LIBADD  = libctcore.la $(CMOCKA_LIBS)

tests_unit_core_test_mark_SOURCES = tests/unit/core/test_mark.c
tests_unit_core_test_mark_LDADD   = libcoretest.la
tests_unit_core_test_siphash_SOURCES = tests/unit/core/test_siphash.c
tests_unit_core_test_siphash_LDADD   = libcoretest.la
tests_unit_core_test_pkt_SOURCES = tests/unit/core/test_pkt.c
tests_unit_core_test_pkt_LDADD   = libcoretest.la
tests_unit_core_test_tuple_SOURCES = tests/unit/core/test_tuple.c
tests_unit_core_test_tuple_LDADD   = libcoretest.la
tests_unit_core_test_checksum_SOURCES = tests/unit/core/test_checksum.c
tests_unit_core_test_checksum_LDADD   = libcoretest.la
tests_unit_core_test_table_SOURCES = tests/unit/core/test_table.c
tests_unit_core_test_table_LDADD   = libcoretest.la
tests_unit_core_test_room_SOURCES = tests/unit/core/test_room.c
tests_unit_core_test_room_LDADD   = libcoretest.la
tests_unit_core_test_flood_SOURCES = tests/unit/core/test_flood.c \
	tests/unit/core/kernel_table.c tests/unit/core/kernel_table.h
tests_unit_core_test_flood_LDADD   = libcoretest.la
tests_unit_core_test_talkers_SOURCES = tests/unit/core/test_talkers.c
tests_unit_core_test_talkers_LDADD   = libcoretest.la
tests_unit_core_test_view_SOURCES = tests/unit/core/test_view.c
tests_unit_core_test_view_LDADD   = libcoretest.la
tests_unit_core_test_view_window_SOURCES = tests/unit/core/test_view_window.c
tests_unit_core_test_view_window_LDADD   = libcoretest.la
tests_unit_core_test_threads_view_SOURCES = tests/unit/core/test_threads_view.c
tests_unit_core_test_threads_view_LDADD   = libcoretest.la
tests_unit_core_test_history_SOURCES = tests/unit/core/test_history.c
tests_unit_core_test_history_LDADD   = libcoretest.la
tests_unit_core_test_track_SOURCES = tests/unit/core/test_track.c
tests_unit_core_test_track_LDADD   = libcoretest.la
tests_unit_core_test_batch_SOURCES = tests/unit/core/test_batch.c
tests_unit_core_test_batch_LDADD   = libcoretest.la
tests_unit_core_test_confirm_SOURCES = tests/unit/core/test_confirm.c
tests_unit_core_test_confirm_LDADD   = libcoretest.la
tests_unit_core_test_fragment_SOURCES = tests/unit/core/test_fragment.c
tests_unit_core_test_fragment_LDADD   = libcoretest.la
tests_unit_core_test_held_SOURCES = tests/unit/core/test_held.c
tests_unit_core_test_held_LDADD   = libcoretest.la
tests_unit_core_test_expect_SOURCES = tests/unit/core/test_expect.c
tests_unit_core_test_expect_LDADD   = libcoretest.la
tests_unit_core_test_text_SOURCES = tests/unit/core/test_text.c
tests_unit_core_test_text_LDADD   = libcoretest.la
tests_unit_core_test_helper_ftp_SOURCES = tests/unit/core/test_helper_ftp.c
tests_unit_core_test_helper_ftp_LDADD   = libcoretest.la
tests_unit_core_test_helper_tftp_SOURCES = tests/unit/core/test_helper_tftp.c
tests_unit_core_test_helper_tftp_LDADD   = libcoretest.la
tests_unit_core_test_helper_irc_SOURCES = tests/unit/core/test_helper_irc.c
tests_unit_core_test_helper_irc_LDADD   = libcoretest.la
tests_unit_core_test_helper_sip_SOURCES = tests/unit/core/test_helper_sip.c
tests_unit_core_test_helper_sip_LDADD   = libcoretest.la
tests_unit_core_test_crash_SOURCES = tests/unit/core/test_crash.c
tests_unit_core_test_crash_LDADD   = libcoretest.la
tests_unit_core_test_adopt_size_SOURCES = tests/unit/core/test_adopt_size.c \
	tests/unit/core/will.c tests/unit/core/will.h
tests_unit_core_test_adopt_size_LDADD   = libcoretest.la
tests_unit_core_test_adopt_odd_SOURCES = tests/unit/core/test_adopt_odd.c \
	tests/unit/core/will.c tests/unit/core/will.h
tests_unit_core_test_adopt_odd_LDADD   = libcoretest.la
tests_unit_core_test_adopt_SOURCES = tests/unit/core/test_adopt.c \
	tests/unit/core/will.c tests/unit/core/will.h
tests_unit_core_test_adopt_LDADD   = libcoretest.la
tests_unit_core_test_expiry_SOURCES = tests/unit/core/test_expiry.c
tests_unit_core_test_expiry_LDADD   = libcoretest.la
tests_unit_core_test_threads_fragments_SOURCES = tests/unit/core/test_threads_fragments.c
tests_unit_core_test_threads_fragments_LDADD   = libcoretest.la
tests_unit_core_test_threads_SOURCES = tests/unit/core/test_threads.c
tests_unit_core_test_threads_LDADD   = libcoretest.la
tests_unit_core_test_names_SOURCES = tests/unit/core/test_names.c
tests_unit_core_test_names_LDADD   = libcoretest.la
tests_unit_core_test_tcp_table_SOURCES = tests/unit/core/test_tcp_table.c
tests_unit_core_test_tcp_table_LDADD   = libcoretest.la
tests_unit_core_test_tcp_window_SOURCES = tests/unit/core/test_tcp_window.c
tests_unit_core_test_tcp_window_LDADD   = libcoretest.la
tests_unit_core_test_sctp_table_SOURCES = tests/unit/core/test_sctp_table.c
tests_unit_core_test_sctp_table_LDADD   = libcoretest.la
tests_unit_core_test_sctp_SOURCES = tests/unit/core/test_sctp.c
tests_unit_core_test_sctp_LDADD   = libcoretest.la
tests_unit_core_test_gre_SOURCES = tests/unit/core/test_gre.c
tests_unit_core_test_gre_LDADD   = libcoretest.la
tests_unit_core_test_keymap_SOURCES = tests/unit/core/test_keymap.c
tests_unit_core_test_keymap_LDADD   = libcoretest.la
tests_unit_core_test_helper_pptp_SOURCES = tests/unit/core/test_helper_pptp.c
tests_unit_core_test_helper_pptp_LDADD   = libcoretest.la
tests_unit_core_test_helper_amanda_SOURCES = tests/unit/core/test_helper_amanda.c
tests_unit_core_test_helper_amanda_LDADD   = libcoretest.la
tests_unit_core_test_helper_sane_SOURCES = tests/unit/core/test_helper_sane.c
tests_unit_core_test_helper_sane_LDADD   = libcoretest.la
