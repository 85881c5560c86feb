# SPDX-License-Identifier: GPL-2.0-or-later
"""
What is expected of the figures, in one place. A budget that is missed is said and nothing else: machines differ,
and a noisy one must not fail.
"""

# (measurement, figure): (at least or at most, value, unit)
BUDGETS = {
    ("udp-256", "rate"): (">=", 0.95, ""),
    ("udp-1m", "rate"): (">=", 0.90, ""),
    ("bulk", "rate"): (">=", 0.75, ""),
    ("expiry", "delay-max"): ("<=", 1.0, "ms"),
    ("expiry", "destroy-late"): ("<=", 2.0, "s"),
    ("expiry", "idle"): ("<=", 1.0, "%"),
    ("engine", "udp-hot"): ("<=", 60, "ns"),
    ("engine", "udp-1m-lookup"): ("<=", 250, "ns"),
    ("engine", "udp-1m-create"): ("<=", 900, "ns"),
    ("engine", "threads-2"): (">=", 1.7, "x"),
}


def of(measurement, name, value):
    """The budget of a figure as a dictionary, None if there is none."""
    found = BUDGETS.get((measurement, name))
    if not found:
        return None
    relation, limit, unit = found
    return {"relation": relation, "limit": limit, "text": f"{relation} {limit:g} {unit}".rstrip(),
            "reached": value >= limit if relation == ">=" else value <= limit}
