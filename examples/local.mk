# SPDX-License-Identifier: GPL-2.0-or-later
examplesdir = $(docdir)/examples
dist_examples_DATA = examples/grafana-dashboard.json examples/prometheus-alerts.yml

capturesdir = $(examplesdir)/captures
dist_captures_DATA = examples/captures/README.md \
	examples/captures/tcp-life.pcap examples/captures/tcp-life.svg \
	examples/captures/refused.pcap examples/captures/refused.svg \
	examples/captures/out-of-window.pcap examples/captures/out-of-window.svg \
	examples/captures/ftp.pcap examples/captures/ftp.svg \
	examples/captures/icmp-error.pcap examples/captures/icmp-error.svg \
	examples/captures/midstream.pcap examples/captures/midstream.svg \
	examples/captures/sctp.pcap examples/captures/sctp.svg
