# SPDX-License-Identifier: GPL-2.0-or-later
# Packet scripts: flowrun runs them in process, flowlive (started by tests/live/test_flows.py) against
# the running kernel.
check_LTLIBRARIES += libflow.la
libflow_la_SOURCES = \
	tests/flows/flow_lex.c tests/flows/flow_lex.h \
	tests/flows/flow_knob.c tests/flows/flow_knob.h \
	tests/flows/flow_options.c tests/flows/flow_options.h \
	tests/flows/flow_words.c tests/flows/flow_words.h \
	tests/flows/flow_data.c tests/flows/flow_data.h \
	tests/flows/flow_talk.c tests/flows/flow_talk.h \
	tests/flows/flow_script.c tests/flows/flow_script.h \
	tests/flows/flow_print.c tests/flows/flow_icmp.h \
	tests/flows/flow_sctp.c tests/flows/flow_sctp.h \
	tests/flows/flow_packet.c tests/flows/flow_packet.h \
	tests/flows/flow_engine.c tests/flows/flow_engine.h
libflow_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
libflow_la_LIBADD = libctcore.la

check_PROGRAMS += tests/flows/flowrun
TESTS += tests/flows/flowrun tests/flows/listed.sh tests/flows/wrong.sh
dist_check_SCRIPTS += tests/flows/listed.sh tests/flows/wrong.sh
tests/flows/wrong.log: tests/flows/flowrun
tests_flows_flowrun_SOURCES = tests/flows/flowrun.c
tests_flows_flowrun_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_flows_flowrun_LDADD = libflow.la libctcore.la

# Once more, as captures, through ctmark-replay.
check_PROGRAMS += tests/flows/flowreplay
TESTS += tests/flows/flowreplay
EXTRA_tests_flows_flowreplay_DEPENDENCIES = ctmark-replay
tests_flows_flowreplay_SOURCES = tests/flows/flowreplay.c tests/flows/flow_pcap.c tests/flows/flow_pcap.h
tests_flows_flowreplay_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_flows_flowreplay_CFLAGS = $(AM_CFLAGS) $(PCAP_CFLAGS) $(JANSSON_CFLAGS)
tests_flows_flowreplay_LDADD = libflow.la libctcore.la $(PCAP_LIBS) $(JANSSON_LIBS)

include tests/flows/scripts.mk
EXTRA_DIST += tests/flows/README.md $(flow_scripts)

check_PROGRAMS += tests/flows/flowlive
tests_flows_flowlive_SOURCES = tests/flows/flowlive.c \
	tests/flows/flow_wire.c tests/flows/flow_wire.h \
	tests/flows/flow_ctnetlink.c
tests_flows_flowlive_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_flows_flowlive_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS)
tests_flows_flowlive_LDADD = libflow.la libctcore.la $(MNL_LIBS)
