# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel knows of the queues of a namespace."""


def kernel_queues(space):
    """{queue: (port id, waiting, dropped by the kernel, dropped at the socket, ids given)}"""
    text = space.run("cat", "/proc/net/netfilter/nfnetlink_queue")
    rows = [[int(word) for word in line.split()] for line in text.splitlines()]
    return {r[0]: (r[1], r[2], r[5], r[6], r[7]) for r in rows}
