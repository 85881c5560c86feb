# SPDX-License-Identifier: GPL-2.0-or-later
# Rules about the tree itself, as tests.
checks = \
	tests/check/selftest.sh \
	tests/check/format.sh \
	tests/check/layering.sh \
	tests/check/symbols.sh \
	tests/check/needed.sh \
	tests/check/catalog.sh \
	tests/check/journal-fields.sh \
	tests/check/metrics.sh \
	tests/check/headers.sh \
	tests/check/fnlen.sh \
	tests/check/names.sh \
	tests/check/man.sh \
	tests/check/unit.sh \
	tests/check/conf-docs.sh \
	tests/check/dropins.sh \
	tests/check/docs.sh \
	tests/check/documents.sh \
	tests/check/completion.sh \
	tests/check/version.sh \
	tests/check/packaging.sh \
	tests/check/analysis.sh

dist_check_SCRIPTS += $(checks)
TESTS              += $(checks)
EXTRA_DIST         += tests/check/tap.sh tests/check/alerts.yml

tests/check/symbols.log: libctcore.la
tests/check/needed.log: ctmarkd ctmarkctl ctmark-replay
tests/check/unit.log: $(systemdsystemunit_DATA) $(sysusers_DATA)
tests/check/conf-docs.log: tests/unit/conf/conf_table
tests/check/dropins.log: tests/unit/conf/conf_table
tests/check/metrics.log: tests/unit/ctl/metrics_text
tests/check/selftest.log: tests/unit/ctl/metrics_text ctmarkctl ctmarkd ctmark-replay
tests/check/completion.log: ctmarkctl ctmarkd ctmark-replay
tests/check/man.log: ctmarkctl ctmark-replay
tests/check/documents.log: tests/flows/flowrun ctmark-replay
