# SPDX-License-Identifier: GPL-2.0-or-later
# The throwaway networks of the live tests and of the demonstration
EXTRA_DIST += \
	tests/conftest.py \
	tests/lab/__init__.py \
	tests/lab/bench.py \
	tests/lab/bench_budget.py \
	tests/lab/bench_chart.py \
	tests/lab/bench_engine.py \
	tests/lab/bench_expiry.py \
	tests/lab/bench_flood.py \
	tests/lab/bench_full.py \
	tests/lab/bench_list.py \
	tests/lab/bench_load.py \
	tests/lab/bench_more.py \
	tests/lab/bench_new.py \
	tests/lab/bench_place.py \
	tests/lab/bench_report.py \
	tests/lab/bench_stream.py \
	tests/lab/cgroup.py \
	tests/lab/continuity.py \
	tests/lab/ctmarkctl.py \
	tests/lab/daemon.py \
	tests/lab/demo.py \
	tests/lab/differential.py \
	tests/lab/document.py \
	tests/lab/echo.py \
	tests/lab/fake_service.py \
	tests/lab/frames.py \
	tests/lab/journald.py \
	tests/lab/machine.py \
	tests/lab/netlink.py \
	tests/lab/netns.py \
	tests/lab/nflog.py \
	tests/lab/package.py \
	tests/lab/packet.py \
	tests/lab/pieces.py \
	tests/lab/pptp.py \
	tests/lab/queues.py \
	tests/lab/rules.py \
	tests/lab/sample_answers.py \
	tests/lab/services.py \
	tests/lab/soak.py \
	tests/lab/steady.py \
	tests/lab/strict.py \
	tests/lab/traffic.py \
	tests/lab/varlink.py \
	tests/lab/wire.py
