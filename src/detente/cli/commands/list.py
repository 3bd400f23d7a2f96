"""`detente list`: what is installed, whoever installed it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from detente.cli import described
from detente.cli.beside import Distro
from detente.cli.fitting import fit
from detente.cli.output import columns
from detente.host.paths import user_paths
from detente.store import generations

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from detente.cli.options import Invocation, Parser
    from detente.cli.output import Output
    from detente.distro.base import Installed
    from detente.host.paths import Paths
    from detente.model import Application
    from detente.scan.others import Other

_SHOWN = 5  # commands in one row
_NARROW = 20  # columns that the commands keep
_ENDLESS = 10_000  # columns of a file or pipe: programs read it line by line


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.option("-a", "--all", action="store_true", help="every Python system package too, and what other tools have")
    parser.reading()
    parser.examples(
        ("detente list", "your applications, and the system packages in Python that you asked for"),
        ("detente list --all", "and what came along with them, or by pip, pipx, uv and conda"),
        ("detente list --json", "for programs: each has a `kind`"),
    )


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Print it."""
    paths = user_paths(invocation.environ)
    items = list(generations.current(paths)[0].applications.values())
    distro = Distro(invocation, paths)
    packages = sorted(distro.installed().values(), key=lambda item: item.package)
    packages = [item for item in packages if item.state != "config-files" and (item.manual or parsed.all)]
    others: list[Other] = []
    if parsed.all:
        from detente.scan.others import found

        others = found(invocation.environ, paths.home, distro.root)
    invocation.output.data(
        [
            *map(described.application, items),
            *map(described.system_package, packages),
            *map(described.other, others),
        ]
    )
    if invocation.output.json:
        return 0
    _applications(invocation.output, items)
    _broken(invocation.output, items, paths)
    asked = [item for item in packages if item.manual]
    _packages(invocation.output, asked, f"System packages of {distro.title} that you asked for:")
    rest = [item for item in packages if not item.manual]
    _packages(invocation.output, rest, f"System packages of {distro.title} that came along:")
    _others(invocation.output, others, paths.home)
    return 0


def _applications(output: Output, items: Sequence[Application]) -> None:
    if not items:
        output.text("no application is installed: detente install NAME")
        return
    rows = []
    for item in items:
        asked = item.wish.requirement if item.wish.requirement != item.name else ""
        if item.wish.editable:
            asked = f"-e {asked}"
        asked += "".join(f" --with {text}" for text in item.wish.added)
        asked += f" --with-distro {','.join(item.wish.with_distro)}" if item.wish.with_distro else ""
        rows.append([item.key, item.version, item.python, "", asked.strip()])
    heads = ["NAME", "VERSION", "PYTHON", "COMMANDS", "ASKED FOR AS"]
    room = _room([heads, *rows], 3)
    for row, item in zip(rows, items, strict=True):
        row[3] = _some(item.commands, max(room, _NARROW))
    _fitted(output, heads, rows, [(4, 16), (3, _NARROW), (0, 16), (1, 10)], wraps=(3, 4))


def _broken(output: Output, items: Sequence[Application], paths: Paths) -> None:
    for item in items:
        if item.wish.with_distro:
            from detente.scan.distro_modules import is_broken

            if is_broken(paths, item.environment):
                output.note(f"note: {item.key} lacks modules that it has from the distro: detente show {item.key}")


def _packages(output: Output, items: Sequence[Installed], heading: str) -> None:
    if not items:
        return
    output.text()
    output.text(heading)
    rows = []
    for item in items:
        state = item.state if item.state != "installed" else "held" if item.held else ""
        rows.append([item.package, item.version, "", state])
    heads = ["NAME", "VERSION", "COMMANDS", "STATE"]
    if not any(row[3] for row in rows):
        heads, rows = heads[:3], [row[:3] for row in rows]
    room = _room([heads, *rows], 2)
    for row, item in zip(rows, items, strict=True):
        row[2] = _some(dict.fromkeys(os.path.basename(path) for path in item.commands), room)
    _fitted(output, heads, rows, [(2, _NARROW), (1, 14), (0, 24)], wraps=(2,))


def _others(output: Output, items: Sequence[Other], home: str) -> None:
    if not items:
        return
    output.text()
    output.text("Installed by other tools, which look after it:")
    rows = [(item.name, item.version, item.tool, _short(item.place, home)) for item in items]
    _fitted(output, ("NAME", "VERSION", "TOOL", "PLACE"), rows, [(3, 20), (1, 10), (0, 16)], wraps=(3,))


def _fitted(
    output: Output,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    shrink: Sequence[tuple[int, int]],
    wraps: Sequence[int],
) -> None:
    """Print the table, in the width of the terminal where there is one."""
    table = fit([heads, *rows], columns(_ENDLESS), shrink, wraps)
    output.table(table[0], table[1:])


def _room(rows: Sequence[Sequence[str]], place: int) -> int:
    """Return the width that is left for the column `place` of a table."""
    others = [column for column in range(len(rows[0])) if column != place]
    return columns() - sum(max(len(row[column]) for row in rows) + 2 for column in others)


def _some(commands: Iterable[str], room: int) -> str:
    """Return the first of `commands`, as many as there is room for, and how many more there are."""
    names = list(commands)
    for shown in range(min(len(names), _SHOWN), 1, -1):
        text = _counted(names, shown)
        if len(text) <= room:
            return text
    return _counted(names, min(len(names), 1))


def _counted(names: Sequence[str], shown: int) -> str:
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest else "")


def _short(path: str, home: str) -> str:
    return "~" + path[len(home) :] if path.startswith(home + "/") else path
