# SPDX-License-Identifier: GPL-2.0-or-later
# unit tests of src/tools
tools_tests = \
	tests/unit/tools/test_ctmarkctl_conntrack \
	tests/unit/tools/test_ctmarkctl_options \
	tests/unit/tools/test_ctmarkctl_screen \
	tests/unit/tools/test_ctmarkctl_text \
	tests/unit/tools/test_replay_choice \
	tests/unit/tools/test_replay_decode \
	tests/unit/tools/test_replay_text \
	tests/unit/tools/test_replay_markup \
	tests/unit/tools/test_replay_pictures

check_PROGRAMS += $(tools_tests)
TESTS          += $(tools_tests)

tests_unit_tools_test_ctmarkctl_conntrack_LDADD = libctctl.la $(CMOCKA_LIBS) $(JANSSON_LIBS)
tests_unit_tools_test_ctmarkctl_options_LDADD   = libctctl.la $(CMOCKA_LIBS) $(JANSSON_LIBS)
tests_unit_tools_test_ctmarkctl_screen_LDADD    = libctctl.la $(CMOCKA_LIBS) $(JANSSON_LIBS)
tests_unit_tools_test_ctmarkctl_text_LDADD      = libctctl.la $(CMOCKA_LIBS) $(JANSSON_LIBS)

tests_unit_tools_test_replay_decode_LDADD = libctreplay.la libcoretest.la $(CMOCKA_LIBS)
tests_unit_tools_test_replay_choice_LDADD = libctreplay.la $(CMOCKA_LIBS)
tests_unit_tools_test_replay_text_LDADD   = libctreplay.la libcoretest.la $(CMOCKA_LIBS)

tests_unit_tools_test_replay_markup_SOURCES = tests/unit/tools/test_replay_markup.c \
	tests/unit/tools/drawn.c tests/unit/tools/drawn.h
tests_unit_tools_test_replay_markup_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_tools_test_replay_markup_LDADD = libctreplay.la $(CMOCKA_LIBS)
tests_unit_tools_test_replay_pictures_SOURCES = tests/unit/tools/test_replay_pictures.c \
	tests/unit/tools/drawn.c tests/unit/tools/drawn.h
tests_unit_tools_test_replay_pictures_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_tools_test_replay_pictures_LDADD = libctreplay.la libcoretest.la $(CMOCKA_LIBS)
