# SPDX-License-Identifier: GPL-2.0-or-later
# Captures, and what ctmark-replay has to say of each.
dist_check_SCRIPTS += tests/replay/golden.sh tests/replay/captures.sh
TESTS              += tests/replay/golden.sh tests/replay/captures.sh
EXTRA_DIST         += tests/replay

tests/replay/golden.log tests/replay/captures.log: ctmark-replay
