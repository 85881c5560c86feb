# SPDX-License-Identifier: GPL-2.0-or-later
# How much of the engine its tests reach. The report with every line is in coverage/index.html.
GCOVR          = gcovr
COVERAGE_LEAST = 95

# What runs the engine in process; the others read the tree, or know nothing of it.
covering_tests = printf '%s\n' $(TESTS) | grep -E '^tests/(unit|flows|fuzz)/' | paste -sd ' ' -

.PHONY: coverage
coverage:
if ENABLE_COVERAGE
	@find . -name '*.gcda' -exec rm -f {} +
	$(MAKE) $(AM_MAKEFLAGS) check TESTS="$$($(covering_tests))"
	@$(MKDIR_P) coverage
	$(GCOVR) --root $(top_srcdir) --object-directory . --filter '$(top_srcdir)/src/core/' \
		--txt --print-summary --html-details coverage/index.html \
		--fail-under-line $(COVERAGE_LEAST)
else
	@echo "coverage needs a build configured with --enable-coverage" >&2; exit 1
endif
