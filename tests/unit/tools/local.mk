# SPDX-License-Identifier: GPL-2.0-or-later
# unit tests of src/tools
tools_tests = \
	tests/unit/tools/test_ctmarkctl_conntrack \
	tests/unit/tools/test_ctmarkctl_options \
	tests/unit/tools/test_ctmarkctl_screen \
	tests/unit/tools/test_ctmarkctl_text \
	tests/unit/tools/test_replay_bounds \
	tests/unit/tools/test_replay_choice \
	tests/unit/tools/test_replay_decode \
	tests/unit/tools/test_replay_explain \
	tests/unit/tools/test_replay_markup \
	tests/unit/tools/test_replay_pictures \
	tests/unit/tools/test_replay_reasons \
	tests/unit/tools/test_replay_run \
	tests/unit/tools/test_replay_scripts \
	tests/unit/tools/test_replay_text

check_PROGRAMS += $(tools_tests)
TESTS          += $(tools_tests)

tests_unit_tools_test_ctmarkctl_conntrack_LDADD = libctctl.la $(CMOCKA_LIBS) $(JANSSON_LIBS)
tests_unit_tools_test_ctmarkctl_options_LDADD   = libctctl.la $(CMOCKA_LIBS) $(JANSSON_LIBS)
tests_unit_tools_test_ctmarkctl_screen_LDADD    = libctctl.la $(CMOCKA_LIBS) $(JANSSON_LIBS)
tests_unit_tools_test_ctmarkctl_text_LDADD      = libctctl.la $(CMOCKA_LIBS) $(JANSSON_LIBS)

tests_unit_tools_test_replay_decode_LDADD = libctreplay.la libcoretest.la $(CMOCKA_LIBS)
tests_unit_tools_test_replay_choice_LDADD = libctreplay.la $(CMOCKA_LIBS)
tests_unit_tools_test_replay_text_LDADD   = libctreplay.la libcoretest.la $(CMOCKA_LIBS)

# Captures that are made by the test.
check_LTLIBRARIES += libstage.la
libstage_la_SOURCES = tests/unit/tools/stage.c tests/unit/tools/stage.h \
	tests/unit/tools/talk.c tests/unit/tools/talk.h
libstage_la_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
libstage_la_LIBADD  = libflow.la libctreplay.la $(CMOCKA_LIBS)

tests_unit_tools_test_replay_bounds_LDADD  = libstage.la libflow.la libctreplay.la $(CMOCKA_LIBS)
tests_unit_tools_test_replay_explain_LDADD = libstage.la libflow.la libctreplay.la $(CMOCKA_LIBS)
tests_unit_tools_test_replay_reasons_LDADD = libctreplay.la $(CMOCKA_LIBS)
tests_unit_tools_test_replay_run_LDADD     = libstage.la libcoretest.la libctreplay.la $(CMOCKA_LIBS)
tests_unit_tools_test_replay_scripts_LDADD = libstage.la libflow.la libctreplay.la $(CMOCKA_LIBS)
tests_unit_tools_test_replay_markup_SOURCES = tests/unit/tools/test_replay_markup.c \
	tests/unit/tools/drawn.c tests/unit/tools/drawn.h
tests_unit_tools_test_replay_markup_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_tools_test_replay_markup_LDADD = libctreplay.la $(CMOCKA_LIBS)
tests_unit_tools_test_replay_pictures_SOURCES = tests/unit/tools/test_replay_pictures.c \
	tests/unit/tools/drawn.c tests/unit/tools/drawn.h
tests_unit_tools_test_replay_pictures_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_tools_test_replay_pictures_LDADD = libctreplay.la libcoretest.la $(CMOCKA_LIBS)
