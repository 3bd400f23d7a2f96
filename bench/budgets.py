"""The goals, and what was measured of each."""

import statistics
from collections.abc import Callable
from typing import NamedTuple

from bench.record import OURS, Record, Series

Figure = Callable[[Series], float]


class Budget(NamedTuple):
    """`measured` and `least` (by the least times instead of the medians) are None where there is no measurement."""

    work: str
    goal: str
    limit: float
    measured: float | None
    least: float | None
    unit: str

    @property
    def verdict(self) -> str:
        """Say whether the goal was reached: the median decides."""
        if self.measured is None:
            return "not measured"
        return "reached" if self.measured <= self.limit else "missed"


def budgets(record: Record) -> list[Budget]:
    """Return every goal with what `record` has of it."""
    found = [_time(record, work, title, 15, cpu=True) for work, title in _ANSWERS.items()]
    found += [_time(record, work, f"`{work}`", 50, cpu=False) for work in ("list", "show")]
    for work, limit in {"list": 60, "why": 150}.items():
        found.append(_time(record, f"{work}-again", f"`{work}`, the distro looked at, remembered", limit, cpu=False))
    for name, limit in {"httpie": 0.6, "black": 1.3, "jupyterlab": 0.4, "ansible": 0.2}.items():
        found.append(_ratio(record, "warm", name, "uv", limit, f"warm install of {name}, without network"))
    for name in _NAMES:
        found.append(_ratio(record, "warm", name, "uv-compiled", 0.05, f"the same of {name}, with bytecode"))
    for name in _NAMES:
        found.append(_ratio(record, "cold-run", name, "uv", 1.1, f"cold install of {name}, until it has run"))
    for name in _NAMES:
        found.append(_ratio(record, "cold", name, "uv-compiled", 1.2, f"cold install of {name}, with bytecode"))
    for name in _NAMES:
        found.append(_ratio(record, "first", name, "uv", 0.5, f"first run of {name}"))
    found += [_launcher(record), _inodes(record)]
    return found


_NAMES = ("httpie", "black", "jupyterlab", "ansible")
_ANSWERS = {"help": "`--help`", "version": "`--version`", "typo": "a typo"}


def ratio(record: Record, work: str, subject: str, tool: str, figure: Figure, *, beside: str = "") -> float | None:
    """Return ours divided by `tool`'s `figure` of `work` (`tool` at the work `beside`), None where one is missing."""
    ours, its = record.series(work, subject), record.series(beside or work, subject, tool)
    return figure(ours) / figure(its) if ours and its else None


def _ratio(record: Record, work: str, subject: str, tool: str, limit: float, words: str) -> Budget:
    beside = {"uv": "uv", "uv-compiled": "uv, compiled"}[tool]
    median = ratio(record, work, subject, tool, lambda series: series.median)
    least = ratio(record, work, subject, tool, lambda series: series.least)
    return Budget(words, f"{limit} × {beside}", limit, median, least, "×")


def _time(record: Record, work: str, title: str, limit: float, *, cpu: bool) -> Budget:
    series = record.series(work)
    kind = "processors" if cpu else "clock"
    if series is None:
        return Budget(title, f"{limit:g} ms, {kind}", limit, None, None, " ms")
    measured, least = (series.processors, min(series.cpu)) if cpu else (series.median, series.least)
    return Budget(title, f"{limit:g} ms, {kind}", limit, measured, least, " ms")


def _launcher(record: Record) -> Budget:
    words, limit = "launcher over a plain script", 1.5
    ours, plain = record.series("launch"), record.series("launch", "", "script")
    if not ours or not plain:
        return Budget(words, f"{limit} ms, clock", limit, None, None, " ms")
    return Budget(words, f"{limit} ms, clock", limit, added(ours, plain), ours.least - plain.least, " ms")


def added(ours: Series, plain: Series) -> float:
    """Return what ours takes longer: the median of the differences, each between two that ran one after the other."""
    return statistics.median(one - other for one, other in zip(ours.wall, plain.wall, strict=True))


def _inodes(record: Record) -> Budget:
    """Compare all that lies outside caches: the store counts as ours."""
    subject = max(record.subjects("installed"), key=lambda one: int(one) if one.isdigit() else 0, default="")
    ours = record.sizes.get(("installed", subject, OURS))
    its = record.sizes.get(("installed", subject, "uv"))
    measured = ours.inodes / its.inodes if ours and its and subject.isdigit() else None
    words = f"inodes of {subject if subject.isdigit() else 20} applications, store included"
    return Budget(words, "0.1 × uv", 0.1, measured, measured, "×")
