"""docs/benchmarks.svg: the times of installing and running as points on a logarithmic scale, one row an application."""

import math
from html import escape

from bench.page import number
from bench.record import OURS, Record
from bench.works import INSTALLING, TITLES

SHOWN = ("cold-run", "warm", "first")
_WIDTH, _LEFT, _RIGHT = 860, 96, 28
_ROW, _PANEL_HEAD, _TOP, _BOTTOM = 42, 38, 52, 42
# Fill, or line where the point is hollow: colours that are told apart in print and by the colour-blind, on light and
# on dark ground.
_MARKS = {
    "pipx": ("#8b949e", False),
    "pipx-uv": ("#8b949e", True),
    "uv-compiled": ("#d9822b", True),
    "uv": ("#d9822b", False),
    OURS: ("#2f81f7", False),
}
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.card { fill: #ffffff; stroke: #d1d9e0; }
.rule { stroke: #d1d9e0; }
.hollow { fill: #ffffff; }
.title { font-weight: 600; font-size: 13px; }
.soft { fill: #59636e; }
.ours { font-weight: 600; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.card { fill: #0d1117; stroke: #3d444d; }
.rule { stroke: #3d444d; }
.hollow { fill: #0d1117; }
.soft { fill: #9198a1; }
}
"""


def plot(record: Record) -> str:
    """Return the plot; works and tools that were not measured are left out."""
    works = [work for work in INSTALLING if work.key in SHOWN and record.subjects(work.key)]
    tools = [tool for tool in reversed(_MARKS) if tool in record.tools(work.key for work in works)]
    times = [series.median for (work, _, tool), series in record.times.items() if work in SHOWN and tool in tools]
    scale = Scale(min(times, default=10), max(times, default=100))
    body, y = [_legend(tools)], float(_TOP)
    for work in works:
        body.append(_text(20, y + 26, work.title, "title"))
        y += _PANEL_HEAD
        body += _grid(scale, y, y + _ROW * len(record.subjects(work.key)))
        for subject in record.subjects(work.key):
            body += _row(record, work.key, subject, tools, scale, y + _ROW / 2)
            y += _ROW
    body += [_text(scale.x(tick), y + 22, _time(tick), "soft", "middle") for tick in scale.ticks()]
    height = y + _BOTTOM
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" '
        f'aria-labelledby="title">\n<title id="title">{escape(_summary(record))}</title>\n<style>{_STYLE}</style>\n'
        f'<rect class="card" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1:.0f}" rx="8"/>\n'
    )
    return head + "\n".join(body) + "\n</svg>\n"


class Scale:
    """Where a time stands: logarithmic, from a round number below `least` to one above `most`."""

    def __init__(self, least: float, most: float) -> None:
        self.low = math.log10(least * 0.7)
        self.high = math.log10(most * 1.4)

    def x(self, value: float) -> float:
        """Return the abscissa of `value`."""
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def ticks(self) -> list[float]:
        """Return the round numbers within: 1, 2 and 5 of each power of ten."""
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        values = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
        return [value for value in values if self.low <= math.log10(value) <= self.high]


def _summary(record: Record) -> str:
    date = record.about.get("date", "")
    return f"Times to install and run applications with détente, uv and pipx, measured {date}; less is better"


def _legend(tools: list[str]) -> str:
    parts, x = [], 26.0
    for tool in tools:
        parts += [_mark(tool, x, 28), _text(x + 11, 32, TITLES[tool], "ours" if tool == OURS else "")]
        x += 34 + 7.2 * len(TITLES[tool])
    parts.append(_text(_WIDTH - 20, 32, "less is better; logarithmic; medians", "soft", "end"))
    return "\n".join(parts)


def _grid(scale: Scale, top: float, bottom: float) -> list[str]:
    ticks = (f"{scale.x(value):.1f}" for value in scale.ticks())
    return [f'<line class="rule" x1="{x}" x2="{x}" y1="{top:.0f}" y2="{bottom:.0f}"/>' for x in ticks]


def _time(value: float) -> str:
    return f"{value:g} ms" if value < 1000 else f"{value / 1000:g} s"


def _row(record: Record, work: str, subject: str, tools: list[str], scale: Scale, y: float) -> list[str]:
    found = {tool: series.median for tool in tools if (series := record.series(work, subject, tool))}
    if not found:
        return []
    start, end = scale.x(min(found.values())), scale.x(max(found.values()))
    parts = [
        _text(20, y + 4, subject),
        f'<line class="rule" stroke-width="3" x1="{start:.1f}" x2="{end:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>',
    ]
    # the first of them, ours, is drawn last, on top; its figure stands above the line, the others' below
    parts += [_mark(tool, scale.x(found[tool]), y) for tool in reversed(tools) if tool in found]
    if OURS in found:
        parts.append(_text(scale.x(found[OURS]), y - 9, number(found[OURS]), "ours", "middle"))
    if "uv" in found:
        parts.append(_text(scale.x(found["uv"]), y + 18, number(found["uv"]), "soft", "middle"))
    return parts


def _mark(tool: str, x: float, y: float) -> str:
    colour, hollow = _MARKS[tool]
    if hollow:
        return f'<circle class="hollow" cx="{x:.1f}" cy="{y:.1f}" r="4.5" stroke="{colour}" stroke-width="2.5"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{colour}"/>'


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
