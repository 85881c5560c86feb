# SPDX-License-Identifier: GPL-2.0-or-later
# Tests with real packets and a real systemd; ./bootstrap check runs them as root.
EXTRA_DIST += \
	tests/live/jumping_clock.c \
	tests/live/sip/callee.xml \
	tests/live/sip/caller.xml \
	tests/live/sip/phone.xml \
	tests/live/sip/registrar.xml \
	tests/live/test_adoption.py \
	tests/live/test_bench.py \
	tests/live/test_buffers.py \
	tests/live/test_bulk.py \
	tests/live/test_captures.py \
	tests/live/test_check_rules.py \
	tests/live/test_control.py \
	tests/live/test_control_hostile.py \
	tests/live/test_control_systemd.py \
	tests/live/test_continuity.py \
	tests/live/test_ctmarkctl.py \
	tests/live/test_ctmarkctl_client.py \
	tests/live/test_demo.py \
	tests/live/test_differential.py \
	tests/live/test_documents.py \
	tests/live/test_exit.py \
	tests/live/test_flood.py \
	tests/live/test_flows.py \
	tests/live/test_fragments.py \
	tests/live/test_hostile.py \
	tests/live/test_hostile_names.py \
	tests/live/test_journal_private.py \
	tests/live/test_killed.py \
	tests/live/test_lab.py \
	tests/live/test_losses.py \
	tests/live/test_mark.py \
	tests/live/test_overload.py \
	tests/live/test_overload_journal.py \
	tests/live/test_overload_limits.py \
	tests/live/test_package.py \
	tests/live/test_pictures.py \
	tests/live/test_queues.py \
	tests/live/test_real_helpers.py \
	tests/live/test_real_network.py \
	tests/live/test_real_services.py \
	tests/live/test_real_sip.py \
	tests/live/test_reload_keys.py \
	tests/live/test_replay_compare.py \
	tests/live/test_rules.py \
	tests/live/test_runs.py \
	tests/live/test_service.py \
	tests/live/test_supervision.py \
	tests/live/test_soak.py \
	tests/live/test_systemd.py \
	tests/live/test_textfile.py \
	tests/live/test_takeover.py \
	tests/live/test_verdict.py \
	tests/live/test_zones.py

# drives the log against a journal of the test's own
check_PROGRAMS += tests/live/journal_writer
tests_live_journal_writer_LDADD = libctshell.la

# answers a queue in one process after the other
check_PROGRAMS += tests/live/heirs
tests_live_heirs_LDADD = libctshell.la
