"""What one run of the bench measured: every sample, so that page and plot can be made again from it alone."""

import json
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.space import Usage
from bench.timing import Sample

FILE = Path(__file__).resolve().parents[1] / "docs/figures/bench.json"
OURS = "detente"


@dataclass(frozen=True)
class Series:
    """What one tool needed for the same work each time, in milliseconds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many samples there are."""
        return len(self.wall)

    @property
    def median(self) -> float:
        """The middle of the times by the clock."""
        return statistics.median(self.wall)

    @property
    def least(self) -> float:
        """The least time by the clock: what a quiet machine would need."""
        return min(self.wall)

    @property
    def processors(self) -> float:
        """The middle of the times of all processors."""
        return statistics.median(self.cpu)


Key = tuple[str, str, str]  # work, subject, tool


@dataclass
class Record:
    """`times` and `sizes` by (work, subject, tool); `about` says when, where and with which versions.

    A subject is an application or a number of them; of works without one it is "".
    """

    about: dict[str, str] = field(default_factory=dict)
    applications: dict[str, dict[str, str]] = field(default_factory=dict)
    times: dict[Key, Series] = field(default_factory=dict)
    sizes: dict[Key, Usage] = field(default_factory=dict)

    def note(self, work: str, subject: str, tool: str, sample: Sample) -> None:
        """Add one sample."""
        series = self.times.setdefault((work, subject, tool), Series())
        series.wall.append(round(sample.wall, 2))
        series.cpu.append(round(sample.cpu, 2))

    def series(self, work: str, subject: str = "", tool: str = OURS) -> Series | None:
        """Return what was measured, None where nothing was."""
        return self.times.get((work, subject, tool))

    def subjects(self, work: str) -> list[str]:
        """Return of what `work` was measured, in the order of measuring."""
        return list(dict.fromkeys(subject for one, subject, _ in (*self.times, *self.sizes) if one == work))

    def tools(self, works: Iterable[str]) -> list[str]:
        """Return with which tools `works` were measured, in the order of measuring."""
        wanted = set(works)
        return list(dict.fromkeys(tool for work, _, tool in (*self.times, *self.sizes) if work in wanted))

    def to_json(self) -> str:
        """Return the whole as text, a line for each row: a change of it can be read."""
        parts = [
            f'"about": {_text(self.about)}',
            f'"applications": {_text(self.applications)}',
            f'"times": {_rows([*key, asdict(series)] for key, series in self.times.items())}',
            f'"sizes": {_rows([*key, *size] for key, size in self.sizes.items())}',
        ]
        return "{\n" + ",\n".join(parts) + "\n}\n"


def from_json(text: str) -> Record:
    """Return the record that `to_json` made `text` of."""
    value = json.loads(text)
    return Record(
        value["about"],
        value["applications"],
        {(work, subject, tool): Series(**series) for work, subject, tool, series in value["times"]},
        {(work, subject, tool): Usage(*size) for work, subject, tool, *size in value["sizes"]},
    )


def load(path: Path = FILE) -> Record:
    """Return what was measured last."""
    return from_json(path.read_text("utf-8"))


def renewed(last: Record, part: Record, names: list[str]) -> Record:
    """Return the figures of the `last` run with those of `part` in the place of the same ones."""
    last.times |= part.times
    last.sizes |= part.sizes
    last.about |= {key: value for key, value in part.about.items() if key not in last.about}
    for name in names:
        last.about[f"{name} renewed"] = f"{part.about['date']} (load {part.about['load at the start']})"
    return last


def _rows(rows: Iterable[object]) -> str:
    return "[\n" + ",\n".join(" " + _text(row) for row in rows) + "\n]"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
