"""What the package manager would install: asked in bulk, and remembered until its lists or the status change."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from detente.distro.base import Candidate, Origin, Version
from detente.errors import NotFound, ToolError
from detente.host import fs, proc
from detente.scan import remembered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from detente.distro.base import Backend, Simulation
    from detente.model import Command, Completed
    from detente.scan.dpkg_files import DpkgFiles

_OURS = "apt-"  # and the number of the process: a package cache, for a moment
KEPT = 4000  # system packages that are remembered at once: more of them would be slower to read than to ask for
_SETTINGS = (
    "/etc/apt",
    "/etc/apt/preferences.d",
    "/etc/apt/sources.list.d",
    "/etc/apt/apt.conf.d",
    "/var/lib/apt/lists",
)


class Candidates:
    """The answers of `backend` for one root (that of `files`), kept in the file `place`."""

    def __init__(self, backend: Backend, place: str, files: DpkgFiles) -> None:
        self._backend = backend
        self._place = place
        self._root = files.root
        self._files = files
        self._cache = ""
        self._stamp: list[Any] = []
        self._known: dict[str, Candidate | None] = {}
        self._origins: dict[str, Origin] = {}

    def get(self, packages: Iterable[str]) -> dict[str, Candidate]:
        """Return what is known of `packages`; those that nobody knows are left out. No program runs for known ones.

        Raises what the backend's `complaint` makes of a failure, ToolError where its program is missing.
        """
        wanted = [package for package in dict.fromkeys(packages) if package]
        if not wanted:
            return {}
        self._recall()
        missing = [package for package in wanted if package not in self._known]
        if missing:
            self._ask(missing)
            self._keep()
        return {package: found for package in wanted if (found := self._known.get(package)) is not None}

    def descriptions(self, words: str) -> dict[str, str]:
        """Return the system packages whose name or description has all of `words`, with one-line descriptions."""
        with self._cached():
            return self._backend.parse_descriptions(
                self._run(self._backend.descriptions(words.split(), self._root)).stdout
            )

    def simulate(self, packages: Sequence[str]) -> Simulation:
        """Return what installing `packages` would do; raise what the backend's `complaint` makes of a failure.

        NotFound, too, where it would do something else, as apt does for a name with a sign behind it (`foo-` goes)
        and for one that others only provide. apt's simulation names no sizes, so the candidates' own are added up.
        """
        for package in packages:
            if package.endswith("-"):
                raise NotFound(f"no system package is called {package}", hint=f"detente search {package.strip('-')}")
        with self._cached():
            simulation = self._backend.parse_simulation(self._run(self._backend.simulate(packages, self._root)).stdout)
            self._check(packages, simulation)
            known = self.get(change.package for change in simulation.changes)
        if simulation.download or simulation.disk:
            return simulation
        download = disk = 0
        for change in simulation.changes:
            candidate = known.get(change.package)
            if candidate is not None and change.after and candidate.candidate == change.after:
                download += candidate.download
                disk += 0 if change.before else candidate.size
        return simulation._replace(download=download, disk=disk)

    def _check(self, packages: Sequence[str], simulation: Simulation) -> None:
        """Raise NotFound for one of `packages` that is not there, nor would be after `simulation`."""
        there = {change.package.partition(":")[0] for change in simulation.changes if change.after}
        there |= {name.partition(":")[0] for name, each in self._files.paragraphs().items() if each.version}
        there -= {change.package.partition(":")[0] for change in simulation.changes if not change.after}
        for package in packages:
            if package.partition(":")[0] not in there:
                raise NotFound(
                    f"the package manager would not install {package} itself",
                    hint=f"see what it says of it: apt policy {package}",
                )

    def _recall(self) -> None:
        if self._stamp:
            return
        folders = [self._root + folder for folder in _SETTINGS]
        self._stamp = remembered.stamp([*remembered.within(folders), f"{self._root}/var/lib/dpkg/status"])
        kept = remembered.read(self._place, self._stamp)
        if isinstance(kept, dict):
            try:
                self._known = {name: _revived(row) if row else None for name, row in kept["packages"].items()}
                self._origins = {name: Origin(*map(str, row)) for name, row in kept["origins"].items()}
            except (TypeError, ValueError, LookupError, AttributeError):
                self._known, self._origins = {}, {}

    def _keep(self) -> None:
        if len(self._known) <= KEPT:
            remembered.write(self._place, self._stamp, {"packages": self._known, "origins": self._origins})

    def _ask(self, packages: Sequence[str]) -> None:
        sized: dict[tuple[str, str], tuple[int, int]] = {}
        asked: dict[str, Candidate] = {}
        held = frozenset(name for name, each in self._files.paragraphs().items() if each.wanted == "hold")
        backend, root = self._backend, self._root
        with self._cached():
            for part in backend.split(packages):
                said = self._run(backend.candidates(part, root))
                question = None if self._origins else backend.origins(root)
                if question is not None:
                    self._origins = backend.parse_origins(self._run(question).stdout)
                asked |= backend.parse_candidates(said.stdout, self._origins)
                offered = [name for name in part if name in asked and asked[name].candidate]
                question = backend.sizes(offered, root) if offered else None
                if question is not None:
                    sized |= backend.parse_sizes(self._run(question).stdout)
        for package in packages:
            found = asked.get(package)
            if found is not None:
                size, download = sized.get((package.partition(":")[0], found.candidate), (found.size, found.download))
                found = found._replace(held=package in held, size=size, download=download)
            self._known[package] = found

    @contextlib.contextmanager
    def _cached(self) -> Iterator[None]:
        """Keep a package cache for the commands inside where apt keeps none: the first makes it, the others read it."""
        own = self._backend.OWN_CACHE
        if self._cache or not own or os.path.exists(self._root + own):
            yield
            return
        folder = os.path.dirname(self._place)
        place = os.path.join(folder, f"{_OURS}{os.getpid()}")
        try:
            fs.make_directory(folder)
            _sweep(folder)
            fs.make_directory(place, 0o700)
        except OSError:  # no room for it, or no permission: apt works without
            yield
            return
        self._cache = os.path.join(place, "pkgcache.bin")
        try:
            yield
        finally:
            self._cache = ""
            with contextlib.suppress(OSError):
                fs.remove_tree(place)

    def _run(self, command: Command) -> Completed:
        if not os.path.exists(command.argv[0]):
            raise ToolError(f"there is no {command.argv[0]} here", hint="DETENTE_DISTRO=none does without the distro")
        answer = proc.run(self._backend.faster(command, self._cache) if self._cache else command)
        if answer.returncode != 0:
            raise self._backend.complaint(answer)
        return answer


def _sweep(folder: str) -> None:
    """Remove the package caches that killed processes left."""
    for name in os.listdir(folder):
        number = name.removeprefix(_OURS)
        if name.startswith(_OURS) and number.isdigit() and not os.path.exists(f"/proc/{number}"):
            with contextlib.suppress(OSError):
                fs.remove_tree(os.path.join(folder, name))


def _revived(row: Sequence[Any]) -> Candidate:
    """Return what JSON has kept as the record it was made of; raise TypeError or ValueError where it is another."""
    words = [
        *row[:3],
        *(word for text, origins in row[3] for word in (text, *(each for one in origins for each in one))),
    ]
    if [*map(type, row[4:])] != [bool, int, int] or not {*map(type, words)} <= {str}:
        raise TypeError
    versions = tuple(Version(text, tuple(Origin(*origin) for origin in origins)) for text, origins in row[3])
    return Candidate(row[0], row[1], row[2], versions, *row[4:])
