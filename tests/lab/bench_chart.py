# SPDX-License-Identifier: GPL-2.0-or-later
"""A line chart as SVG: nanoseconds per packet against the number of flows in the table."""

import html
import math

WIDTH, HEIGHT = 700, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 110, 62, 56  # what the axes and the names of the lines need

# A line's colours on a light ground and on a dark one; told apart by their marks as well.
COLOURS = (("#0b62c4", "#6cb6ff"), ("#b3500a", "#ffa657"), ("#2b7a34", "#7ee787"), ("#8b3fb8", "#d2a8ff"))

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .faint { fill: #59636e }
  .ground { fill: #ffffff }
  .grid { stroke: #d9dee3; stroke-width: 1 }
  .axis { stroke: #59636e; stroke-width: 1 }
  .line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
"""
DARK = """
    text { fill: #e6edf3 }
    .faint { fill: #9198a1 }
    .ground { fill: #0d1117 }
    .grid { stroke: #2f3742 }
    .axis { stroke: #9198a1 }
"""


def colour_rules(shade):
    return "".join(f"    .s{i} {{ stroke: {pair[shade]} }} .m{i} {{ fill: {pair[shade]} }} "
                   f"text.n{i} {{ fill: {pair[shade]}; font-weight: 600 }}\n" for i, pair in enumerate(COLOURS))


def style():
    return (f"<style>{STYLE}{colour_rules(0)}  @media (prefers-color-scheme: dark) {{{DARK}{colour_rules(1)}  }}\n"
            "</style>")


def count_text(n):
    """1000 as 1 k, 9984 as 10 k, 4000000 as 4 M."""
    for size, unit in ((1000000, " M"), (1000, " k")):
        if n >= size:
            return f"{n / size:.3g}{unit}"
    return str(n)


def steps(highest):
    """Round values from 0 to beyond the highest, not more than seven."""
    raw = max(highest, 1) / 5
    size = 10 ** math.floor(math.log10(raw))
    step = next(f * size for f in (1, 2, 5, 10) if f * size >= raw)
    return [round(step * i, 6) for i in range(math.ceil(highest / step) + 1)]


class Axes:
    def __init__(self, series):
        points = [point for line in series.values() for point in line]
        self.flows = sorted({x for x, _ in points})
        self.levels = steps(max(y for _, y in points))
        self._low, self._high = math.log10(self.flows[0]), math.log10(self.flows[-1])

    def x(self, flows):
        share = (math.log10(flows) - self._low) / ((self._high - self._low) or 1)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, ns):
        return round(HEIGHT - BOTTOM - ns / self.levels[-1] * (HEIGHT - TOP - BOTTOM), 1)

    def draw(self):
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        for ns in self.levels:
            y = self.y(ns)
            yield f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}"/>'
            yield f'<text class="faint" x="{LEFT - 8}" y="{y + 4.5}" text-anchor="end">{ns:g}</text>'
        yield f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/>'
        for flows in self.flows:
            x = self.x(flows)
            yield f'<line class="axis" x1="{x}" y1="{bottom}" x2="{x}" y2="{bottom + 5}"/>'
            yield f'<text class="faint" x="{x}" y="{bottom + 21}" text-anchor="middle">{count_text(flows)}</text>'
        yield f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">flows in the table</text>'


def mark(i, x, y):
    """A disc, a square, a diamond, a triangle."""
    shapes = (f'<circle class="m{i}" cx="{x}" cy="{y}" r="4.5"/>',
              f'<rect class="m{i}" x="{x - 4}" y="{y - 4}" width="8" height="8"/>',
              f'<path class="m{i}" d="M{x} {y - 6}l6 6-6 6-6-6z"/>',
              f'<path class="m{i}" d="M{x} {y - 6}l6 10h-12z"/>')
    return shapes[i]


def spread(wanted, gap=18):
    """Heights for texts that would lie on each other, in the same order."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    found = list(wanted)
    for before, after in zip(order, order[1:]):
        found[after] = max(found[after], found[before] + gap)
    return found


def lines(series, axes):
    heights = spread([axes.y(points[-1][1]) for points in series.values()])
    for i, ((name, points), height) in enumerate(zip(series.items(), heights)):
        places = [(axes.x(flows), axes.y(ns)) for flows, ns in points]
        yield f'<polyline class="line s{i}" points="{" ".join(f"{x},{y}" for x, y in places)}"/>'
        for (x, y), (flows, ns) in zip(places, points):
            yield f'<g>{mark(i, x, y)}<title>{name}, {count_text(flows)} flows: {ns:g} ns</title></g>'
        yield f'<text class="n{i}" x="{places[-1][0] + 14}" y="{height + 4.5}">{name} {points[-1][1]:.0f}</text>'


def svg(series, title="Processor time per packet as the table grows"):
    """series: {name: [(flows, ns), ...]}, four at most; the text of the picture."""
    series = {html.escape(name): points for name, points in list(series.items())[:len(COLOURS)]}
    axes = Axes(series)
    said = "; ".join(f"{name}: " + ", ".join(f"{ns:.0f} ns at {count_text(flows)}" for flows, ns in points)
                     for name, points in series.items())
    parts = ["<!-- SPDX-License-Identifier: GPL-2.0-or-later -->",
             f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
             f'height="{HEIGHT}" role="img" aria-label="{title}. {said}">',
             style(), f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
             f'<text class="title" x="{LEFT - 44}" y="26">{title}</text>',
             f'<text class="faint" x="{LEFT - 44}" y="46">nanoseconds; one thread, the engine alone</text>',
             *axes.draw(), *lines(series, axes), "</svg>"]
    return "\n".join(parts) + "\n"
