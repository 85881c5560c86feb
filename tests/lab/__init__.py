# SPDX-License-Identifier: GPL-2.0-or-later
"""Throwaway networks to run ctmarkd in. Standard library, ip, nft and iptables only."""
