# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# A host beside this one, in a network namespace: what comes from it, and what goes to it, is queued.
# There is no --queue-bypass, so a packet that nobody answers is a packet lost.

peer_end()
{
	for family in iptables ip6tables; do
		$family -w -t mangle -D PREROUTING -i ctm0 -j NFQUEUE --queue-num 0 || true
		$family -w -t mangle -D OUTPUT -o ctm0 -j NFQUEUE --queue-num 0 || true
	done
	ip netns del ctmarkd-peer || true
}

peer_begin()
{
	service_runs
	trap peer_end EXIT
	ip netns add ctmarkd-peer
	ip link add ctm0 type veth peer name eth0 netns ctmarkd-peer
	ip address add 203.0.113.1/24 dev ctm0
	ip link set ctm0 up
	ip -n ctmarkd-peer address add 203.0.113.2/24 dev eth0
	ip -n ctmarkd-peer link set eth0 up
	for family in iptables ip6tables; do
		$family -w -t mangle -A PREROUTING -i ctm0 -j NFQUEUE --queue-num 0
		$family -w -t mangle -A OUTPUT -o ctm0 -j NFQUEUE --queue-num 0
	done
}

# Skips the test where the kernel cannot do it: that is what the exit code 77 of ctmarkd says.
service_runs()
{
	systemctl is-active --quiet ctmarkd && return
	systemctl --no-pager --full status ctmarkd || true
	[ "$(systemctl show -P ExecMainStatus ctmarkd)" != 77 ] || exit 77
	exit 1
}

# peer_ping OPTION...: from the peer to this host, in a process of its own
peer_ping()
(
	exec ip netns exec ctmarkd-peer ping -n "$@" 203.0.113.1
)
