# SPDX-License-Identifier: GPL-2.0-or-later
# Not a part of make check, as it takes a minute or two: ./bootstrap analyze
EXTRA_DIST += tests/analysis/run tests/analysis/cppcheck.cfg tests/analysis/cppcheck.suppressions \
	tests/.clang-tidy
