# SPDX-License-Identifier: GPL-2.0-or-later
# Pictures of ctmark-replay as files; in a browser: tests/live/test_pictures.py.
dist_check_SCRIPTS += tests/pictures/pictures.sh
TESTS              += tests/pictures/pictures.sh
EXTRA_DIST         += tests/pictures/web.svg

tests/pictures/pictures.log: ctmark-replay
