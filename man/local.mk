# SPDX-License-Identifier: GPL-2.0-or-later
dist_man_MANS = man/ctmarkd.conf.5
dist_man_MANS += man/ctmarkd.journal-fields.7
dist_man_MANS += man/ctmarkd.metrics.7
dist_man_MANS += man/ctmarkctl.1
dist_man_MANS += man/ctmark-replay.1
dist_man_MANS += man/ctmarkd.8
dist_man_MANS += man/ctmarkctl-rules.1
