# SPDX-License-Identifier: GPL-2.0-or-later
# Benchmarks: tests/bench/run is the command
check_PROGRAMS += tests/bench/engine
tests_bench_engine_SOURCES = tests/bench/engine.c tests/bench/traffic.c tests/bench/traffic.h
tests_bench_engine_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_bench_engine_LDADD = libctshell.la
