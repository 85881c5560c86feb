# SPDX-License-Identifier: GPL-2.0-or-later
examplesdir = $(docdir)/examples
dist_examples_DATA = examples/grafana-dashboard.json examples/prometheus-alerts.yml
