"""The distro and its package manager, as one command sees them: asked in bulk, and remembered until they change."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from detente.distro.base import SAME, UNPROVED, Candidate, Installed, Known, Offer
from detente.host.paths import is_anothers
from detente.names import normalized
from detente.scan import release, remembered, tables
from detente.scan.dpkg_files import DpkgFiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from detente.distro.base import Release, Simulation
    from detente.scan.candidates import Candidates

_KEPT = [str, str, str, str, str, bool, bool, int, dict, list, list]  # the fields of Installed, as JSON has them


def system(environ: Mapping[str, str], cache: str) -> System | None:
    """Return the distro's facts, None where no backend knows it or DETENTE_DISTRO is `none`.

    `cache` is detente's cache directory (`Paths.cache`). DETENTE_DISTRO (or the key `distro` of the configuration) is
    `auto`, `none`, or the path of another root file system to look at; ConfigError where it is something else. Cheap:
    nothing is asked before it is needed.
    """
    root = release.chosen(environ)
    if root is None or not release.is_supported(root):
        return None
    return System(root, os.devnull if is_anothers(cache) else cache)  # below which nothing is kept


class System:
    """Facts of one distro, as they were when each was first asked for: look again with a new one.

    Every method may raise ToolError (its package manager is broken), with a hint. A path is one of the distro's own
    root; where that is not this machine's, it lies below `root`.
    """

    def __init__(self, root: str, cache: str) -> None:
        self._place = os.path.join(cache, "system" + root.replace("/", "-"))
        self.release = release.release(root)._replace(root=root, cache=self._place)
        self.root = root
        self._files = DpkgFiles(root)
        self._held: dict[str, list[str]] | None = None
        self._candidates: Candidates | None = None
        self._installed: dict[str, Installed] | None = None

    def installed(self) -> dict[str, Installed]:
        """Return all installed system packages that have Python metadata, modules, or are an application's.

        By name; where one is there for two architectures, the one that is not the machine's own is `name:arch`.
        """
        if self._installed is None:
            place = os.path.join(self._place, "installed.json")
            names = tables.shipped(self.release) or f"{self.root}/var/lib/apt/lists"
            stamped = remembered.stamp([*self._files.records(), names])
            kept = remembered.read(place, stamped)
            self._installed = _revived(kept) if kept is not None else None
            if self._installed is None:
                from detente.scan.python_packages import python_packages

                self._installed = python_packages(self._files, _Applications(self.release))
                remembered.write(place, stamped, self._installed)
        return self._installed

    def candidates(self, packages: Iterable[str]) -> dict[str, Candidate]:
        """Return what the package manager knows of `packages` (any system packages), in one call."""
        return self._answers().get(packages)

    def known(self, names: Iterable[str]) -> dict[str, Known]:
        """Return the table's rows of the distributions `names` (normalized), corrected by what is installed."""
        wanted = list(dict.fromkeys(names))
        rows = tables.known(self.release, wanted)
        return {name: row for name in wanted if (row := self._row(name, rows.get(name))) is not None}

    def offers(self, names: Iterable[str], *, asking: bool = True) -> dict[str, Offer]:
        """Return what the distro has of the distributions `names` (normalized); those not known are left out.

        Not `asking`: the package manager is left alone, and no offer has a candidate.
        """
        wanted = list(dict.fromkeys(names))
        known = tables.known(self.release, wanted)
        rows = [row for name in wanted if (row := self._row(name, known.get(name))) is not None]
        return {offer.known.name: offer for offer in self._offers(rows, asking=asking)}

    def may_have(self, package: str) -> bool:
        """Say, without reading all that is installed, whether something of system package `package` may be there."""
        return self._files.may_have(package)

    def of_command(self, command: str) -> Offer | None:
        """Return the offer whose system package has the program `command`, installed or not."""
        rows = tables.of_command(self.release, command)
        here = [each for each in self.installed().values() if command in map(os.path.basename, each.commands)]
        if here:  # what is installed beats the table
            return self._offers([self._having(command, here[0], rows)])[0]
        if not rows:
            return None
        plain = normalized(command)
        best = next((row for row in rows if row.name == plain), rows[0])
        return self._offers([self.known([best.name]).get(best.name, best)])[0]

    def of_module(self, module: str) -> list[str]:
        """Return the system packages, installed or not, that let the distro's Python import `module`."""
        here = [each.package for each in self.installed().values() if module in each.modules]
        return list(dict.fromkeys([*here, *tables.of_module(self.release, module)]))

    def owners(self, paths: Iterable[str]) -> dict[str, str]:
        """Return path to the system package that owns it; diversions and merged /usr are seen through."""
        return self._files.owners(paths)

    def files(self, package: str) -> list[str]:
        """Return the paths that the installed system package `package` has brought; [] where it is not there."""
        return self._files.files(package)

    def closure(self, packages: Iterable[str]) -> list[str]:
        """Return `packages` and what they require, as far as it is installed and in `installed()`: Python's part."""
        from detente.distro import dpkg

        paragraphs, python = self._files.paragraphs(), self.installed()
        providers: dict[str, list[str]] = {}
        for key, paragraph in paragraphs.items():
            for group in dpkg.requirements(paragraph.provides):
                providers.setdefault(group[0], []).append(key)
        seen: dict[str, None] = {}
        waiting = list(packages)
        while waiting:
            name = waiting.pop(0)
            if name in seen or name not in paragraphs:
                continue
            seen[name] = None
            for group in dpkg.requirements(paragraphs[name].depends):
                waiting += [each for one in group for each in ([one] if one in paragraphs else providers.get(one, []))]
        return [name for name in seen if name in python]

    def descriptions(self, words: str) -> dict[str, str]:
        """Return the system packages whose name or description has all of `words`, with one-line descriptions."""
        return self._answers().descriptions(words)

    def simulate(self, packages: Sequence[str]) -> Simulation:
        """Return what installing `packages` would do; raise NotFound, Refused or ToolError as the backend explains."""
        return self._answers().simulate(packages)

    def _having(self, command: str, each: Installed, rows: Sequence[Known]) -> Known:
        """Return what is known of the distribution whose `command` the installed system package `each` has."""
        name = next((row.name for row in rows if each.package in (row.application, row.package)), "")
        name = name or _closest(command, self._distributions_of(each))
        row = self.known([name]).get(name) or Known(name or normalized(command), "")
        return row._replace(application=each.package, commands=row.commands or _names(each.commands))

    def _row(self, name: str, row: Known | None) -> Known | None:
        """Return what is known of `name`: the table's `row`, corrected by what is installed; None where nothing is."""
        here = self._holders().get(name)
        if not here:
            return row
        package = row.package if row is not None and row.package in here else _likeliest(name, here)
        if row is not None and row.package == package:
            return row
        application = self._application(package)
        commands = _names(self.installed()[application].commands) if application else ()
        # What the table proves, it proves of its own package: another one may have another project's metadata.
        identity = row.identity if row is not None and row.identity != SAME else UNPROVED
        return Known(name, package, application, commands, identity)

    def _holders(self) -> dict[str, list[str]]:
        """Return the installed system packages that have each distribution's metadata."""
        if self._held is None:
            self._held = {}
            for each in self.installed().values():
                for name in each.distributions:
                    self._held.setdefault(name, []).append(each.package)
        return self._held

    def _application(self, package: str) -> str:
        """Return the installed system package with the commands of `package`: itself, or one split off; "" for none."""
        installed = self.installed()
        if installed[package].commands:
            return package
        source = installed[package].source
        split = [each.package for each in installed.values() if each.source == source and each.commands]
        split = [each for each in split if not installed[each].distributions]
        return split[0] if len(split) == 1 else ""

    def _distributions_of(self, each: Installed) -> list[str]:
        """Return the distributions that the program's system package, or the one it was split off from, records."""
        if each.distributions:
            return list(each.distributions)
        family = [other for other in self.installed().values() if other.source == each.source]
        return [name for other in family for name in other.distributions]

    def _offers(self, rows: Sequence[Known], *, asking: bool = True) -> list[Offer]:
        packages = [row.application or row.package for row in rows]
        asked = self.candidates(packages) if asking else {}
        return [self._offer(row, package, asked.get(package)) for row, package in zip(rows, packages, strict=True)]

    def _answers(self) -> Candidates:
        if self._candidates is None:
            from detente.scan.candidates import Candidates

            backend = release.backend(self.root)
            self._candidates = Candidates(backend, os.path.join(self._place, "candidates.json"), self._files)
        return self._candidates

    def _offer(self, row: Known, package: str, candidate: Candidate | None) -> Offer:
        from detente.distro import versions

        here = self.installed().get(package)
        holder = self.installed().get(row.package)
        now = then = ""
        if here is not None:
            exact = holder.distributions.get(row.name, "") if holder is not None else ""
            usable = exact not in ("", "0.0.0") and holder is not None and _same_upstream(holder, here)
            now = _version(exact) if usable else ""
            now = now or versions.upstream_of(row, here.version)
        if candidate is not None and candidate.candidate:
            same = here is not None and here.version == candidate.candidate
            then = now if same else versions.upstream_of(row, candidate.candidate)
        return Offer(row, package, here, candidate, now, then)


class _Applications:
    """The table's column of system packages with commands, read only if somebody asks."""

    def __init__(self, found: Release) -> None:
        self._release = found
        self._names: frozenset[str] | None = None

    def __contains__(self, package: object) -> bool:
        if self._names is None:
            rows = tables.known(self._release, tables.names(self._release)).values()
            self._names = frozenset(row.application for row in rows if row.application)
        return package in self._names


def _revived(kept: object) -> dict[str, Installed] | None:
    """Return what JSON has kept as the records it was made of; None where it is something else."""
    if not isinstance(kept, dict):
        return None
    found = {}
    for name, row in kept.items():
        if not isinstance(row, list) or [*map(type, row)] != _KEPT:
            return None
        if not {*map(type, (*row[8].values(), *row[9], *row[10]))} <= {str}:
            return None
        found[name] = Installed(*row[:8], row[8], tuple(row[9]), tuple(row[10]))  # type: ignore[call-arg]
    return found


def _names(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(map(os.path.basename, paths)))


def _likeliest(name: str, packages: Sequence[str]) -> str:
    """Return the one of `packages` that is called after `name`, else the first: dpkg lets no two own one directory."""
    return next((each for each in (f"python3-{name}", name) if each in packages), packages[0])


def _closest(command: str, names: Sequence[str]) -> str:
    """Return the distribution of `names` that `command` is called after, else the only one; "" where that is open."""
    plain = normalized(command)
    return plain if plain in names else names[0] if len(names) == 1 else ""


def _same_upstream(holder: Installed, here: Installed) -> bool:
    return holder.package == here.package or holder.source == here.source


def _version(text: str) -> str:
    """Return `text` where it can be a PEP 440 version; what it really means, only `packaging` knows."""
    return text if text[:1].isdigit() else ""
