"""docs/benchmarks.md, written from the figures alone; only `between.md` is typed by hand."""

from collections.abc import Iterable
from pathlib import Path

from bench.budgets import added, budgets, ratio
from bench.record import FILE, OURS, Key, Record, Series
from bench.space import Usage
from bench.works import ALL, HISTORY, INSTALLING, LOOKING, SIZES, STARTING, TITLES, Work

PAGE = FILE.parents[1] / "benchmarks.md"
PLOT = FILE.parents[1] / "benchmarks.svg"
BETWEEN = Path(__file__).with_name("between.md")
_HEAD = """# Benchmarks

Written by `bench/run` from [its own measurements](figures/bench.json); nothing here is typed by hand but
[the last words](#what-stands-between). One command makes it anew, peers included: `bench/run`.

![Times to install and to run, on a logarithmic scale](benchmarks.svg)
"""
_HOW = """
## How

- The tools take turns (a, b, c, b, c, a, …) in one run on one machine. **Read the ratios**: *(0.36)* behind a peer's
  time says that détente needs 0.36 times as long. Times are milliseconds by the clock, medians; the least times, the
  time of processors and the number of trials N are [below](#every-figure).
- Every tool has a home of its own for every application, on a real file system. Before each install all that was
  written is synced, so that no tool pays for what another left unwritten. détente ends when everything is durable; the
  peers do not wait for the disk.
- All tools install the same version of the application, for the distribution's Python, from the engine's default index
  (or the one that the environment names). détente calls the very uv that it is compared with. The command of ansible is
  that of ansible-core, which each tool is told to expose.
- *uv* is `uv tool install`, *uv, compiled* the same with `--compile-bytecode`; *pipx (pip)* and *pipx (uv)* are `pipx
  install` with each of its backends (it takes uv where it finds one). The pip that pipx shares is made beforehand.
- détente is installed by its own `setup`. Processors' time is that of the program and of all children it waited for.
"""
_LOOKING = """
## Looking at the distro

The machine's own system packages, in a home without applications. What an earlier call learned is remembered as long as
apt's lists and dpkg's status are as they were. Clock, and processors' time.

"""


def page(record: Record) -> str:
    """Return the page."""
    parts = [_HEAD, _about(record), _HOW]
    parts += ["\n## Goals\n\n", _goals(record)]
    parts += ["\n## Installing\n\n", _applications(record)]
    parts += [_times(record, work) for work in INSTALLING]
    parts += ["\n## Room on the disk\n\nMiB and inodes, hard links counted once.\n"]
    parts += [_sizes(record, work) for work in SIZES]
    parts += ["\n## Starting\n\nEach tool has the same small applications. Clock, and processors' time, in ms.\n\n"]
    parts += [_answers(record, STARTING), _launcher(record)]
    if record.subjects("why-again"):
        parts += [_LOOKING, _answers(record, LOOKING)]
    parts += ["\n## Changing and going back\n\nIn the same homes, without network. Clock, and processors' time.\n\n"]
    parts += [_answers(record, HISTORY)]
    parts += ["\n## What stands between\n\n", BETWEEN.read_text("utf-8").strip() + "\n"]
    parts += ["\n## Every figure\n\nMilliseconds.\n\n", _every(record)]
    return "".join(parts)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    first = list(head)
    lines = [first, ["---"] * len(first), *map(list, rows)]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def number(value: float) -> str:
    """Return milliseconds with as many digits as mean something."""
    return f"{value:.1f}" if abs(value) < 20 else f"{value:,.0f}"


def _about(record: Record) -> str:
    parts = [value if key == "date" else f"{key} {value}" for key, value in record.about.items()]
    return f"\nMeasured {'; '.join(parts)}.\n"


def _goals(record: Record) -> str:
    rows = []
    for one in budgets(record):
        digits = (lambda value: f"{value:.2f}") if one.unit == "×" else number
        measured, least = (
            digits(value) + one.unit if value is not None else "–" for value in (one.measured, one.least)
        )
        rows.append((one.work, one.goal, measured, least, f"**{one.verdict}**"))
    return table(("work", "goal, at most", "measured", "by the least times", ""), rows)


def _applications(record: Record) -> str:
    rows = []
    for name, facts in record.applications.items():
        if "distributions" in facts:
            same = facts["differ"] or "the same with every tool"
            rows.append((name, facts["version"], facts["distributions"], same))
    return table(("application", "version", "distributions", ""), rows) if rows else ""


def _times(record: Record, work: Work) -> str:
    """Return the table of one work: a row for each application, a column for each tool."""
    subjects = record.subjects(work.key)
    beside = work.beside or work.key
    tools = [tool for tool in record.tools([work.key, beside]) if tool != OURS]
    if not subjects:
        return ""
    rows = []
    for subject in subjects:
        ours = record.series(work.key, subject)
        cells = [subject, f"**{number(ours.median)}**" if ours else "–"]
        for tool in tools:
            its = record.series(beside, subject, tool)
            part = ratio(record, work.key, subject, tool, lambda series: series.median, beside=beside)
            cells.append("–" if its is None else number(its.median) + (f" ({part:.2f})" if part is not None else ""))
        rows.append(cells)
    head = ("ms", TITLES[OURS], *(TITLES[tool] for tool in tools))
    return f"\n### {work.title}\n\n{work.what}\n\n{table(head, rows)}"


def _sizes(record: Record, work: Work) -> str:
    subjects, tools = record.subjects(work.key), record.tools([work.key])
    if not subjects:
        return ""
    rows = []
    for subject in subjects:
        many = f"{subject} applications" if subject.isdigit() else subject
        found = [record.sizes.get((work.key, subject, tool)) for tool in tools]
        rows.append((many, *map(_room, found)))
    head = ("", *(TITLES[tool] for tool in tools))
    names = ", ".join(name for name, facts in record.applications.items() if facts.get("several"))
    more = f" The {len(names.split(', '))} applications: {names}." if names and work is SIZES[0] else ""
    return f"\n### {work.title}\n\n{work.what}{more}\n\n{table(head, rows)}"


def _room(size: Usage | None) -> str:
    return "–" if size is None else f"{size.bytes / 2**20:,.1f} MiB, {size.inodes:,}"


def _answers(record: Record, works: Iterable[Work]) -> str:
    """Return one table of works that have no subject: a row for each, a column for each tool."""
    found = [work for work in works if record.subjects(work.key)]
    tools = record.tools(work.key for work in found)
    rows = []
    for work in found:
        (subject,) = record.subjects(work.key)
        of = f" ({subject})" if subject else ""
        rows.append((work.title + of, *(_both(record.series(work.key, subject, tool)) for tool in tools)))
    return table(("clock / processors, ms", *(TITLES[tool] for tool in tools)), rows) if rows else ""


def _launcher(record: Record) -> str:
    bare = record.series("bare", "", "python")
    ours, plain = record.series("launch"), record.series("launch", "", "script")
    words = f"The bare interpreter, `python3 -I -S -c pass`, takes {_both(bare)}.\n" if bare else ""
    if ours and plain:
        words += (
            f"A small command takes {_both(ours)} through its launcher and {_both(plain)} as the plain script of the "
            f"same environment; the median of {ours.count} differences, each between two runs one after the other, is "
            f"{added(ours, plain):.1f} ms.\n"
        )
    return f"\n{words}" if words else ""


def _both(series: Series | None) -> str:
    return "–" if series is None else f"{number(series.median)} / {number(series.processors)}"


def _every(record: Record) -> str:
    titles = {work.key: work.title for work in ALL}
    order = [work.key for work in ALL]
    names = list(record.applications)

    def place(key: Key) -> tuple[int, int]:
        return order.index(key[0]), names.index(key[1]) if key[1] in names else -1

    rows = []
    for key in sorted(record.times, key=place):
        work, subject, tool = key
        series = record.times[key]
        figures = (number(value) for value in (series.median, series.least, series.processors))
        rows.append((titles[work], subject, TITLES[tool], str(series.count), *figures))
    return table(("work", "of", "tool", "N", "median", "least", "processors"), rows)
