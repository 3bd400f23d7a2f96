"""What a word means on this machine: an application, a command, a module, a system package, a path, a distribution."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from detente.errors import NotFound
from detente.names import is_command, is_name, key_of, normalized
from detente.scan import others, reach
from detente.store.exposures import is_ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from detente.distro.base import Candidate, Installed, Offer
    from detente.host.paths import Paths
    from detente.model import Application, Generation
    from detente.scan.others import Other
    from detente.scan.reach import File, Owners
    from detente.scan.system import System

_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+\Z")  # what a system package may be called
_PYTHONS = ("python3-", "python-")  # so begin names that are the distro's


class Subject(NamedTuple):
    """All that is here of `word`, the index apart.

    `name` is the distribution that it is about (normalized), "" where it is about none that is known. `offer` is what
    the distro has of that one; `package` and `bare` are the system package of that very name or with that module or
    command, as far as no distribution is known of it. `others` have the distribution, by other tools. `commands` are
    the files of each command that is worth a look, in the order of PATH; `modules` what `/usr/bin/python3` finds as
    `word`, and `module_packages` the system packages, installed or not, that let it. `path` is set where `word` is one.
    """

    word: str
    name: str = ""
    application: Application | None = None
    offer: Offer | None = None
    package: Installed | None = None
    bare: Candidate | None = None
    others: tuple[Other, ...] = ()
    commands: dict[str, list[File]] = {}  # noqa: RUF012 - nobody writes to it
    modules: tuple[File, ...] = ()
    standard: bool = False
    module_packages: tuple[str, ...] = ()
    path: File | None = None

    @property
    def known(self) -> bool:
        """Whether anything here bears that name."""
        return bool(
            self.application or self.offer or self.package or self.bare or self.others or self.path
            or self.commands.get(self.word) or self.modules or self.standard or self.module_packages
        )  # fmt: skip

    @property
    def foreign(self) -> bool:
        """Whether it is a command or a part of Python that no index is to be asked about: it is known, and none's."""
        return not self.name and self.known


def is_path(word: str) -> bool:
    """Say whether `word` was meant as a path."""
    return "/" in word or word in (".", "..", "~")


def of_path(word: str, environ: Mapping[str, str], owners: Owners) -> Subject:
    """Return whose the path `word` is, and what hides it or is hidden by it. Raise NotFound where nothing is there."""
    expanded = os.path.expanduser(word) if word.startswith("~") else word
    path = os.path.abspath(expanded)
    if not os.path.lexists(path):
        raise NotFound(f"there is nothing at {word}", hint="a command or a distribution is named without a slash")
    command = os.path.basename(path)
    same = reach.on_path(command, environ) if is_command(command) else []
    beside = owners.files(same) if any(_same(path, each) for each in same) else []
    return Subject(word, path=owners.files([path])[0], commands={command: beside} if len(beside) > 1 else {})


def _same(one: str, other: str) -> bool:
    return os.path.join(os.path.realpath(os.path.dirname(one)), os.path.basename(one)) == os.path.join(
        os.path.realpath(os.path.dirname(other)), os.path.basename(other)
    )


class Look:
    """Finds out what words mean, for one command."""

    def __init__(
        self,
        paths: Paths,
        environ: Mapping[str, str],
        generation: Generation,
        system: System | None,
        owners: Owners,
    ) -> None:
        self._paths = paths
        self._environ = environ
        self._applications = generation.applications
        self._system = system
        self._owners = owners

    def of(self, word: str) -> Subject:
        """Return what `word`, which is no path, means here; raise ToolError where the distro's records are broken."""
        files = self._owners.files(reach.on_path(word, self._environ)) if is_command(word) else []
        application = self._application(word, files)
        offer, package = self._in_distro(word, application, files)
        modules, standard, module_packages = self._module(word)
        if offer is None and application is None and package is None and module_packages:
            offer, package = self._of_package(module_packages[0])
        bare = self._bare(word, offer, package, module_packages)
        if bare is not None and application is None and package is None and bare.package == word:
            offer = self._offer_of(word)  # a system package that is not installed, by its own name
            bare = bare if offer is None else None
        theirs = self._others(word, application, offer)
        name = self._name(application, offer, theirs)
        taken = bool(files) and files[0].owner.kind == reach.SYSTEM
        named = bare is not None and (bare.package != word or word.startswith(_PYTHONS))
        if not name and not (taken or package or named or modules or standard or module_packages) and is_name(word):
            name = normalized(word)
        commands = self._commands(word, files, application, offer, theirs)
        return Subject(
            word, name, application, offer, package, bare, theirs, commands, modules, standard, module_packages
        )

    def _module(self, word: str) -> tuple[tuple[File, ...], bool, tuple[str, ...]]:
        """Return the files of the module `word`, whether it is Python's own, and the system packages that have it."""
        if not word.isidentifier():
            return (), False, ()
        python = reach.python_minor(self._system)
        found = reach.importable(word, python, self._environ, self._paths.home, self._root())
        files = self._owners.files(found)
        packages = self._having(word, files)
        if not found:  # built into Python: it has no file
            return (), word in sys.builtin_module_names, tuple(packages)
        standard = reach.is_standard(found[0], python) and files[0].owner.name not in packages
        return tuple(files), standard, tuple(packages)

    def _having(self, module: str, files: Sequence[File]) -> list[str]:
        """Return the system packages, installed or not, that let the distro's Python import `module`."""
        if self._system is None:
            return []
        packages = self._system.of_module(module)
        apart = reach.APART.get(module, "")
        return packages if packages or files else list(self._system.candidates([apart]))

    def _root(self) -> str:
        return self._system.root if self._system is not None else ""

    def _application(self, word: str, files: Iterable[File]) -> Application | None:
        key = key_of(word, frozenset(self._applications))
        if key in self._applications:
            return self._applications[key]
        for item in files:  # the command that really runs
            if item.owner.kind == reach.APPLICATION:
                return self._applications.get(item.owner.name)
            break
        return next((item for item in self._applications.values() if word in item.commands), None)

    def _in_distro(
        self, word: str, application: Application | None, files: list[File]
    ) -> tuple[Offer | None, Installed | None]:
        if self._system is None:
            return None, None
        names = [application.name] if application else []
        if is_name(word):
            names.append(normalized(word))
        offers = self._system.offers(names) if names else {}
        for name in names:
            if name in offers:
                return offers[name], None
        if application is not None:
            return None, None
        if word in self._system.installed():
            return self._of_package(word)
        if files and files[0].owner.kind in others.TOOLS:
            return None, None  # another tool's: the distro's command of that name is another matter
        offer = self._system.of_command(word) if is_command(word) else None
        if offer is not None and not offer.known.package:  # a system package without a distribution of that name
            return None, offer.installed
        return offer, None

    def _of_package(self, package: str) -> tuple[Offer | None, Installed | None]:
        """Return the distribution that `package` has, as an offer, or else the package itself where it is installed."""
        assert self._system is not None
        here = self._system.installed().get(package)
        names = list(here.distributions) if here is not None else self._recorded(package)
        for offer in self._system.offers(names).values():
            if len(names) == 1 or package in (offer.package, offer.known.package):
                return offer, None
        return None, here

    def _recorded(self, package: str) -> list[str]:
        """Return the distributions that the table says are in `package`."""
        from detente.scan import tables

        assert self._system is not None
        return [row.name for row in tables.in_package(self._system.release, package)]

    def _others(self, word: str, application: Application | None, offer: Offer | None) -> tuple[Other, ...]:
        names = {normalized(word)}
        if application:
            names = {application.name}
        elif offer:
            names.add(offer.known.name)
        return tuple(item for item in self._owners.others if normalized(item.name) in names or word in item.commands)

    def _name(self, application: Application | None, offer: Offer | None, theirs: tuple[Other, ...]) -> str:
        if application is not None:
            return application.name
        if offer is not None:
            return offer.known.name
        if theirs:
            return normalized(theirs[0].name)
        return ""

    def _bare(
        self, word: str, offer: Offer | None, package: Installed | None, module_packages: tuple[str, ...]
    ) -> Candidate | None:
        """Return what the package manager knows of a package that nothing else is known of."""
        if self._system is None or offer is not None:
            return None
        if package is not None or module_packages:
            name = package.package if package is not None else module_packages[0]
            return self._system.candidates([name]).get(name)
        if _PACKAGE.match(word):
            return self._system.candidates([word]).get(word)
        return None

    def _offer_of(self, package: str) -> Offer | None:
        """Return the one distribution that the table says is in `package`; None where none is, or several."""
        assert self._system is not None
        names = self._recorded(package)
        return self._system.offers(names).get(names[0]) if len(names) == 1 else None

    def _commands(
        self,
        word: str,
        files: list[File],
        application: Application | None,
        offer: Offer | None,
        theirs: tuple[Other, ...],
    ) -> dict[str, list[File]]:
        """Return the command `word`, and those of the same distribution that are there twice, or not reached."""
        found = {word: files} if files else {}
        names: list[str] = [*application.commands] if application is not None else []
        if offer is not None and offer.installed is not None:
            names += map(os.path.basename, offer.installed.commands)
        names += [command for item in theirs for command in item.commands]
        for name in dict.fromkeys(names):
            if name not in found:
                same = reach.on_path(name, self._environ)
                missed = application is not None and name in application.commands and self._is_missed(same)
                if len(same) > 1 or missed:
                    found[name] = self._owners.files(same)
        return found

    def _is_missed(self, files: list[str]) -> bool:
        """Say whether a command of ours is not what runs: its directory is not on PATH, or not ahead."""
        return not files or not is_ours(self._paths, files[0])
