# SPDX-License-Identifier: GPL-2.0-or-later
# Random traffic, judged by kernel, daemon and engine: tests/differential/run, as root
check_PROGRAMS += tests/differential/differential
differential_sources = \
	tests/flows/flow_wire.c tests/flows/flow_wire.h \
	tests/flows/flow_ctnetlink.c \
	tests/differential/dice.c tests/differential/dice.h \
	tests/differential/talk.c tests/differential/talk.h \
	tests/differential/talk_tcp.c \
	tests/differential/talk_sctp.c \
	tests/differential/talk_udp.c \
	tests/differential/talk_icmp.c \
	tests/differential/talk_damage.c \
	tests/differential/talk_helper.c \
	tests/differential/talk_pptp.c \
	tests/differential/talk_sip.c \
	tests/differential/dialog.c tests/differential/dialog.h \
	tests/differential/fragment.c tests/differential/fragment.h \
	tests/differential/plan.c tests/differential/plan.h \
	tests/differential/engine.c tests/differential/engine.h \
	tests/differential/entry.c tests/differential/entry.h \
	tests/differential/volley.c tests/differential/volley.h \
	tests/differential/cover.c tests/differential/cover.h \
	tests/differential/duel.c tests/differential/duel.h \
	tests/differential/shrink.c tests/differential/shrink.h \
	tests/differential/tell.c tests/differential/tell.h \
	tests/differential/differential.c
tests_differential_differential_SOURCES = $(differential_sources)
tests_differential_differential_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_differential_differential_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS)
tests_differential_differential_LDADD = libflow.la libctcore.la $(MNL_LIBS)

# The same with an engine that is wrong where $CTMARK_MUTANT says, to see that it is noticed
check_PROGRAMS += tests/differential/mutant
tests_differential_mutant_SOURCES = $(differential_sources) tests/differential/mutant.c
tests_differential_mutant_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_differential_mutant_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS)
tests_differential_mutant_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=ct_tcp_fsm -Wl,--wrap=ct_sctp_fsm -Wl,--wrap=plan_engine
tests_differential_mutant_LDADD = libflow.la libctcore.la $(MNL_LIBS)
EXTRA_DIST += tests/differential/run
