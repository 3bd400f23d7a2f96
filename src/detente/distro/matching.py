"""From what Contents says to rows of a table: which system package stands for which distribution. Pure.

Precise first: where several packages carry one name and nothing decides, the name is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from detente.distro.base import Known
from detente.distro.contents import COMMAND, METADATA, MODULE, PORTION, PUBLIC, Finding
from detente.names import normalized

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAMESPACE = 8  # a directory that more packages have a portion of says nothing about any of them


class Package(NamedTuple):
    """What the package manager's own index says of a system package; `depends` are the names, without versions."""

    version: str
    source: str
    depends: frozenset[str] = frozenset()
    homepage: str = ""


class Matched(NamedTuple):
    """`rows` by name; the versions in the names of their metadata; module to packages; names that several carry."""

    rows: list[Known]
    versions: dict[str, str]
    modules: dict[str, tuple[str, ...]]
    shared: dict[str, tuple[str, ...]]


def match(findings: Iterable[Finding], packages: Mapping[str, Package]) -> Matched:
    """Return the table that `findings` make, with nothing said about identity and exceptions.

    `packages` are those that can be installed; when it is empty all that are found count, and only a package that has
    both metadata and commands is known as an application's.
    """
    seen = _Seen(packages)
    for finding in findings:
        seen.add(finding)
    chosen, shared = {}, {}
    for name, carriers in seen.metadata.items():
        package = _carrier(name, carriers)
        if package:
            chosen[name] = package
        else:
            shared[name] = tuple(sorted(carriers))
    brings: dict[str, list[str]] = {}
    for name, package in chosen.items():
        brings.setdefault(package, []).append(name)
    rows = []
    for name in sorted(chosen):
        application, commands = _application(name, chosen[name], brings, seen)
        known = seen.packages.get(chosen[name])
        rows.append(Known(name, chosen[name], application, commands, recorded=known.version if known else ""))
    versions = {name: seen.metadata[name][package].version for name, package in chosen.items()}
    return Matched(rows, versions, seen.importable(), shared)


class _Seen:
    """All findings, by what they are about."""

    def __init__(self, packages: Mapping[str, Package]) -> None:
        self.packages = packages
        self.metadata: dict[str, dict[str, Finding]] = {}
        self.commands: dict[str, set[str]] = {}
        self.modules: dict[str, set[str]] = {}
        self.portions: dict[str, set[str]] = {}
        self.siblings: dict[str, list[str]] = {}
        for name, package in packages.items():
            self.siblings.setdefault(package.source, []).append(name)

    def add(self, finding: Finding) -> None:
        there = [name for name in finding.packages if not self.packages or name in self.packages]
        for package in there:
            if finding.kind == METADATA:
                carriers = self.metadata.setdefault(finding.name, {})
                if package not in carriers or finding.where == PUBLIC:
                    carriers[package] = finding
            elif finding.kind == COMMAND:
                self.commands.setdefault(package, set()).add(finding.name)
            elif finding.kind == MODULE:
                self.modules.setdefault(finding.name, set()).add(package)
            elif finding.kind == PORTION:
                self.portions.setdefault(finding.name, set()).add(package)

    def importable(self) -> dict[str, tuple[str, ...]]:
        """Return each module with the packages that have it, or, for a namespace, portions of it."""
        scattered = {name: having for name, having in self.portions.items() if len(having) <= NAMESPACE}
        return {name: tuple(sorted(having)) for name, having in sorted({**scattered, **self.modules}.items())}

    def users(self, package: str) -> list[str]:
        """Return the packages of the same source that have commands and need `package`."""
        known = self.packages.get(package)
        if known is None:
            return []
        family = set(self.siblings[known.source])
        return [name for name in sorted(family) if self.commands.get(name) and package in self._needs(name, family)]

    def _needs(self, package: str, family: set[str]) -> set[str]:
        """Return those of `family` that `package` depends on, also over another of them."""
        needed: set[str] = set()
        waiting = [package]
        while waiting:
            new = (self.packages[waiting.pop()].depends & family) - needed - {package}
            needed |= new
            waiting.extend(new)
        return needed


def _carrier(name: str, carriers: Mapping[str, Finding]) -> str:
    """Return the package that stands for `name`, "" where nothing decides."""
    for eligible in (
        list(carriers),
        [package for package, finding in carriers.items() if finding.where == PUBLIC],
        [package for package in carriers if package == f"python3-{name}"],
        [package for package in carriers if package == name],
    ):
        if len(eligible) == 1:
            return eligible[0]
    return ""


def _application(name: str, package: str, brings: Mapping[str, list[str]], seen: _Seen) -> tuple[str, tuple[str, ...]]:
    """Return the package that has the commands of `name`, and these; nothing where it is not clear."""
    own = seen.commands.get(package, set())
    users = seen.users(package)
    if name not in map(normalized, own):
        namesakes = [user for user in users if name in map(normalized, seen.commands[user]) or user == name]
        if len(namesakes) == 1:
            return namesakes[0], tuple(sorted(seen.commands[namesakes[0]]))
    if own:
        # The commands of a package with several distributions can be anybody's, but for those called like one.
        found = own if len(brings[package]) == 1 else {one for one in own if normalized(one) == name}
        return (package, tuple(sorted(found))) if found else ("", ())
    if len(users) == 1 and len(brings[package]) == 1:
        family = set(seen.siblings[seen.packages[package].source])
        others = [other for other in family - {package} if other in brings]
        if not others:
            return users[0], tuple(sorted(seen.commands[users[0]]))
    return "", ()
