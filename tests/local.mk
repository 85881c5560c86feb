# SPDX-License-Identifier: GPL-2.0-or-later
# Tiers that need no privileges; the live tier is started by ./bootstrap check. What takes longest begins
# first.
include tests/check/local.mk
include tests/unit/core/local.mk
include tests/unit/io/local.mk
include tests/unit/log/local.mk
include tests/unit/conf/local.mk
include tests/unit/ctl/local.mk
include tests/unit/daemon/local.mk
include tests/unit/tools/local.mk
include tests/replay/local.mk
include tests/rules/local.mk
include tests/pictures/local.mk
include tests/analysis/local.mk
include tests/lab/local.mk
include tests/flows/local.mk
include tests/differential/local.mk
include tests/live/local.mk
include tests/bench/local.mk
include tests/fuzz/local.mk
include tests/coverage.mk
