# SPDX-License-Identifier: GPL-2.0-or-later
# unit tests of src/daemon
daemon_tests = \
	tests/unit/daemon/test_accounts \
	tests/unit/daemon/test_cgroup \
	tests/unit/daemon/test_crowd \
	tests/unit/daemon/test_options \
	tests/unit/daemon/test_rounds \
	tests/unit/daemon/test_memory \
	tests/unit/daemon/test_state \
	tests/unit/daemon/test_status \
	tests/unit/daemon/test_store \
	tests/unit/daemon/test_takeover \
	tests/unit/daemon/test_strain \
	tests/unit/daemon/test_worker \
	tests/unit/daemon/test_worker_held \
	tests/unit/daemon/test_worker_seat \
	tests/unit/daemon/test_seat \
	tests/unit/daemon/test_settings \
	tests/unit/daemon/test_zones

check_PROGRAMS += $(daemon_tests)
TESTS          += $(daemon_tests)

tests_unit_daemon_test_settings_LDADD = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_cgroup_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_cgroup_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_crowd_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_crowd_LDADD    = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_options_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_options_LDADD  = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_rounds_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_rounds_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_status_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_status_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_strain_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_strain_LDADD   = libctshell.la $(CMOCKA_LIBS)
worker_fixture = tests/unit/daemon/fixture.c tests/unit/daemon/fixture.h
tests_unit_daemon_test_worker_SOURCES = tests/unit/daemon/test_worker.c $(worker_fixture)
tests_unit_daemon_test_worker_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_worker_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_worker_held_SOURCES = tests/unit/daemon/test_worker_held.c $(worker_fixture)
tests_unit_daemon_test_worker_held_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_worker_held_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_worker_seat_SOURCES = tests/unit/daemon/test_worker_seat.c $(worker_fixture)
tests_unit_daemon_test_worker_seat_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_worker_seat_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_worker_seat_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=ct_recall
tests_unit_daemon_test_seat_CFLAGS     = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_seat_LDADD      = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_accounts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_accounts_LDADD  = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_zones_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_zones_LDADD    = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_memory_SOURCES = tests/unit/daemon/test_memory.c
tests_unit_daemon_test_memory_LDADD   = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_state_SOURCES = tests/unit/daemon/test_state.c \
	tests/unit/core/packet.c tests/unit/core/packet.h
tests_unit_daemon_test_state_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_daemon_test_state_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_state_LDADD    = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_store_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_store_LDADD    = libctshell.la $(CMOCKA_LIBS)
tests_unit_daemon_test_takeover_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_daemon_test_takeover_LDADD  = libctshell.la $(CMOCKA_LIBS)
