# SPDX-License-Identifier: GPL-2.0-or-later
# How fast, in ratios to a loop that does nothing: tests/bench/run, as root
check_PROGRAMS += tests/bench/blast tests/bench/nothing tests/bench/probe
tests_bench_nothing_LDADD = libctshell.la
EXTRA_DIST += tests/bench/run

# The engine by itself, one JSON object a line
check_PROGRAMS += tests/bench/engine
tests_bench_engine_SOURCES = tests/bench/engine.c tests/bench/traffic.c tests/bench/traffic.h
tests_bench_engine_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_bench_engine_LDADD = libctshell.la

# What stands around it in ctmark-replay, likewise
check_PROGRAMS += tests/bench/replay
tests_bench_replay_SOURCES = tests/bench/replay.c tests/bench/traffic.c tests/bench/traffic.h
tests_bench_replay_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_bench_replay_LDADD = libctreplay.la
