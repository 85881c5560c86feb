# SPDX-License-Identifier: GPL-2.0-or-later
# fuzz_X.c and corpus/X make one target: linked with libFuzzer under --enable-fuzzing, else with a
# main() that replays files.
fuzz_targets = \
	tests/fuzz/fuzz_packet \
	tests/fuzz/fuzz_track \
	tests/fuzz/fuzz_helper \
	tests/fuzz/fuzz_fragment \
	tests/fuzz/fuzz_adopt \
	tests/fuzz/fuzz_conf \
	tests/fuzz/fuzz_nlmsg \
	tests/fuzz/fuzz_rules \
	tests/fuzz/fuzz_varlink \
	tests/fuzz/fuzz_link \
	tests/fuzz/fuzz_pcap

if ENABLE_FUZZING
fuzz_main = tests/fuzz/fuzz.h
else
fuzz_main = tests/fuzz/main.c tests/fuzz/fuzz.h
endif

check_PROGRAMS += $(fuzz_targets)

tests_fuzz_fuzz_packet_SOURCES  = tests/fuzz/fuzz_packet.c $(fuzz_main)
tests_fuzz_fuzz_packet_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_packet_LDFLAGS  = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_packet_LDADD    = libctcore.la

tests_fuzz_fuzz_track_SOURCES  = tests/fuzz/fuzz_track.c \
	tests/fuzz/integrity.c tests/fuzz/integrity.h tests/fuzz/legal.c tests/fuzz/legal.h \
	tests/fuzz/twin.c tests/fuzz/twin.h $(fuzz_main)
tests_fuzz_fuzz_track_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_track_LDFLAGS  = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_track_LDADD    = libctcore.la

tests_fuzz_fuzz_helper_SOURCES  = tests/fuzz/fuzz_helper.c $(fuzz_main)
tests_fuzz_fuzz_helper_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_helper_LDFLAGS  = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_helper_LDADD    = libctcore.la

tests_fuzz_fuzz_fragment_SOURCES  = tests/fuzz/fuzz_fragment.c $(fuzz_main)
tests_fuzz_fuzz_fragment_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_fragment_LDFLAGS  = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_fragment_LDADD    = libctcore.la

tests_fuzz_fuzz_adopt_SOURCES  = tests/fuzz/fuzz_adopt.c $(fuzz_main)
tests_fuzz_fuzz_adopt_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_adopt_LDFLAGS  = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_adopt_LDADD    = libctcore.la

tests_fuzz_fuzz_conf_SOURCES  = tests/fuzz/fuzz_conf.c $(fuzz_main)
tests_fuzz_fuzz_conf_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_conf_LDFLAGS  = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_conf_LDADD    = libctshell.la

tests_fuzz_fuzz_nlmsg_SOURCES  = tests/fuzz/fuzz_nlmsg.c $(fuzz_main)
tests_fuzz_fuzz_nlmsg_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_nlmsg_LDFLAGS  = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_nlmsg_LDADD    = libctshell.la

tests_fuzz_fuzz_varlink_SOURCES  = tests/fuzz/fuzz_varlink.c $(ctl_service) $(fuzz_main)
tests_fuzz_fuzz_varlink_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_varlink_CFLAGS   = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS)
tests_fuzz_fuzz_varlink_LDFLAGS  = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_varlink_LDADD    = libctshell.la $(JANSSON_LIBS) $(CMOCKA_LIBS)

tests_fuzz_fuzz_rules_SOURCES  = tests/fuzz/fuzz_rules.c $(fuzz_main)
tests_fuzz_fuzz_rules_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_rules_CFLAGS   = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_rules_LDFLAGS  = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_rules_LDADD    = libctctl.la

tests_fuzz_fuzz_link_SOURCES  = tests/fuzz/fuzz_link.c $(fuzz_main)
tests_fuzz_fuzz_link_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_link_LDFLAGS  = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_link_LDADD    = libctreplay.la

tests_fuzz_fuzz_pcap_SOURCES  = tests/fuzz/fuzz_pcap.c $(fuzz_main)
tests_fuzz_fuzz_pcap_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_pcap_LDFLAGS  = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_pcap_LDADD    = libctreplay.la

dist_check_SCRIPTS += tests/fuzz/corpora.sh
TESTS              += tests/fuzz/corpora.sh
EXTRA_DIST         += tests/fuzz/main.c tests/fuzz/mkcorpus.py tests/fuzz/mkpacket.py \
	tests/fuzz/mknlmsg.py tests/fuzz/mkhelper.py tests/fuzz/mkfragment.py tests/fuzz/mkadopt.py \
	tests/fuzz/mkvarlink.py tests/fuzz/mkpcap.py \
	tests/fuzz/corpus

tests/fuzz/corpora.log: $(fuzz_targets)

# What is found stays in the build tree: fuzz-TARGET/ grows, crash-* and timeout-* are findings.
FUZZ_SECONDS = 60

.PHONY: fuzz-smoke
fuzz-smoke: $(fuzz_targets)
if ENABLE_FUZZING
	@for t in $(fuzz_targets); do \
		name=$${t##*/fuzz_}; \
		$(MKDIR_P) fuzz-$$name || exit 1; \
		echo "== $$t for $(FUZZ_SECONDS) s"; \
		./$$t -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=16384 -print_final_stats=1 \
			fuzz-$$name $(top_srcdir)/tests/fuzz/corpus/$$name || exit 1; \
	done
else
	@echo "fuzz-smoke needs a build configured with CC=clang --enable-fuzzing" >&2; exit 1
endif
