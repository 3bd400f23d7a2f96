"""The text of a table: sorted lines, so that one is found by halving and two tables can be compared. Pure.

    n NAME <tab> package <tab> application <tab> commands <tab> identity <tab> recorded <tab> exception
    c COMMAND <tab> names of the distributions
    m MODULE <tab> packages

What a rule says is left out: an empty package is `python3-NAME`, an empty identity `same`; `=` as application is the
package. Fields that are empty at the end of a line are not written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from detente.distro.base import SAME, Known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME, COMMAND, MODULE = "n", "c", "m"
_SAME_PACKAGE = "="
_FIELDS = 7


def key(kind: str, word: str) -> str:
    """Return the beginning of the line about `word`."""
    return f"{kind} {word}\t"


def lines(rows: Iterable[Known], modules: Mapping[str, tuple[str, ...]], title: str) -> list[str]:
    """Return the lines of a table, sorted as bytes; `title` becomes a comment, which sorts first."""
    found: list[str] = []
    names: dict[str, list[str]] = {}
    for row in rows:
        found.append(written(row))
        for command in row.commands:
            names.setdefault(command, []).append(row.name)
    found += [key(COMMAND, command) + " ".join(sorted(having)) for command, having in names.items()]
    for module, packages in modules.items():
        found.append(key(MODULE, module) + ("" if packages == (_guess(module),) else " ".join(packages)))
    return [f"# {title}", *sorted(found)]


def written(row: Known) -> str:
    """Return the line of one distribution."""
    fields = (
        "" if row.package == f"python3-{row.name}" else row.package,
        _SAME_PACKAGE if row.application == row.package else row.application,
        " ".join(row.commands),
        "" if row.identity == SAME else row.identity,
        row.recorded,
        row.exception,
    )
    return key(NAME, row.name) + "\t".join(fields).rstrip("\t")


def read(line: str) -> Known:
    """Return what the line of a distribution says."""
    fields = line[2:].split("\t")
    fields += [""] * (_FIELDS - len(fields))
    name, package, application, commands, identity, recorded, exception = fields
    package = package or f"python3-{name}"
    application = package if application == _SAME_PACKAGE else application
    return Known(name, package, application, tuple(commands.split()), identity or SAME, recorded, exception)


def words(line: str) -> list[str]:
    """Return the names or packages that the line of a command or module has."""
    start, _, rest = line.partition("\t")
    return rest.split() or [_guess(start[2:])]


def _guess(module: str) -> str:
    return f"python3-{module.lower().replace('_', '-')}"
