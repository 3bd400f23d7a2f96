"""Modules of the distro's Python for an environment: which system packages have them, and whether they still do."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from detente.distro.apt_words import typed_install
from detente.errors import DetenteError, NotFound, Refused, UsageError
from detente.model import DistroModules, Interpreter
from detente.plan.damage import ENVIRONMENT, MISSING, NEEDS, Finding
from detente.scan.distro_links import links, owned, owns, uncovered
from detente.scan.system import system
from detente.store import distro_farm, environments

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from detente.host.paths import Paths
    from detente.model import Application
    from detente.scan.system import System

_THERE = frozenset(("installed", "triggers-awaited", "triggers-pending"))  # dpkg's states of what can be used
_STANDARD = sys.stdlib_module_names | {"distutils", "lib2to3"}  # the newest Python does not have these any more
_NEEDS = "needs "
_PLACES = ("/usr/bin/", "/bin/")  # of the distro's own Python


def find(names: Sequence[str], interpreter: Interpreter, environ: Mapping[str, str], cache: str) -> DistroModules:
    """Return what an environment on `interpreter` links to have `names`: modules, or system packages that have some.

    With them comes what else their system packages have, and those that these depend on. Raise Refused where they are
    not installed, or `interpreter` is not the distro's own Python; NotFound where the distro has no such module.
    """
    known = system(environ, cache)
    if known is None:
        raise Refused(
            "which system packages there are is not known: this distribution is not supported yet",
            hint="leave out --with-distro",
        )
    _check(known, interpreter)
    needed = _needed(_packages(names, known), known)
    found = _owned(known, needed)
    return DistroModules(tuple(names), needed, known.release.python, links(found, interpreter.cache_tag))


def _check(known: System, interpreter: Interpreter) -> None:
    own = known.release.python
    fits = interpreter.implementation == "cpython" and ".".join(map(str, interpreter.minor)) == own
    if not fits or not os.path.realpath(interpreter.path).startswith(_PLACES):
        raise Refused(
            f"modules of {known.release.title} are for its own Python {own}, not for {interpreter.path}",
            hint="take that one: --python /usr/bin/python3; or leave out --with-distro",
        )


def _owned(known: System, packages: Iterable[str]) -> dict[str, str]:
    paths = [known.root + path for package in packages for path in known.files(package)]
    return owned(paths, known.release.python)


def _needed(packages: Sequence[str], known: System) -> dict[str, str]:
    """Return `packages` and what they depend on, as far as its modules can be imported, each with its version."""
    closure = known.closure(packages)
    return {name: known.installed()[name].version for name in closure if name in packages or _owned(known, [name])}


def _packages(names: Iterable[str], known: System) -> list[str]:
    """Return the installed system packages that `names` mean, those that were named first."""
    found: list[str] = []
    absent: dict[str, list[str]] = {}
    for name in names:
        here = _installed(name, known)
        if not here:
            absent[name] = _elsewhere(name, known)
        found += here
    if absent:
        _refuse(absent)
    for package in dict.fromkeys(found):
        state = known.installed()[package].state
        if state not in _THERE:
            raise Refused(f"{package} is {state}, not installed", hint=_as_root("dpkg --configure -a"))
    return list(dict.fromkeys(found))


def _installed(name: str, known: System) -> list[str]:
    """Return the installed system packages that have the module, or are called, `name`."""
    top = name.partition(".")[0]
    have = [item for item in known.installed().values() if top in item.modules and top not in _STANDARD]
    trees = {item.package: _owned(known, [item.package]) for item in have}
    for wanted in (True, False):
        if found := [package for package in trees if owns(trees[package], name) is wanted]:
            return found
    above = name.rpartition(".")[0]  # code may make modules of its own, such as gi.repository.Gtk; a namespace does not
    while above:
        if found := [package for package in trees if owns(trees[package], above)]:
            return found
        above = above.rpartition(".")[0]
    if have and all(owns(tree, name.partition(".")[0]) is None for tree in trees.values()):
        raise Refused(
            f"{have[0].package} is installed, and its module {name} is missing on the disk",
            hint=_as_root(f"apt install --reinstall {have[0].package}"),
        )
    package = known.installed().get(name)
    return [name] if package is not None and package.modules else []


def _elsewhere(name: str, known: System) -> list[str]:
    """Return the system packages that would bring `name`; raise where there are none."""
    top = name.partition(".")[0]
    called = f"python3-{name.lower()}"
    packages = known.of_module(top)
    if called in packages or (name != top and called in known.candidates([called])):  # a part of a namespace
        return [called]
    if packages and known.installed().keys().isdisjoint(packages):
        return packages
    if top in sys.stdlib_module_names:
        from detente.scan.reach import APART

        apart = APART.get(top, "")
        raise UsageError(
            f"`{name}` is a module of Python itself",
            hint="leave it out of --with-distro"
            + (f"; where it is missing: {_as_root(typed_install([apart]))}" if apart else ""),
        )
    if name in known.candidates([name]):
        if name.startswith("python3-"):
            return [name]
        raise NotFound(
            f"the system package {name} has no modules for the distro's Python",
            hint="name the module as it is imported, for example: --with-distro gi",
        )
    raise NotFound(
        f"{known.release.title} has no Python module {name}, nor a system package of that name",
        hint="name it as it is imported (gi), or its system package (python3-gi)",
    )


def _refuse(absent: Mapping[str, Sequence[str]]) -> None:
    """Say which system packages would have to be installed for the modules `absent`."""
    said = []
    for name, packages in absent.items():
        of = " or ".join(packages[:3])
        said.append(f"{name} is not installed" if of == name else f"{name} is in {of}, which is not installed")
    first = list(dict.fromkeys(packages[0] for packages in absent.values()))
    raise Refused("; ".join(said), hint=_as_root(typed_install(first)))


def _as_root(typed: str) -> str:
    """Return the command line that runs `typed` as root on this machine."""
    from detente.host import escalate  # only what is wrong needs it

    return escalate.as_root(typed, escalate.seat({}))


def today(distro: DistroModules, cache_tag: str, environ: Mapping[str, str], cache: str) -> DistroModules:
    """Return `distro` with the links that its system packages want now; as it is where one of them is gone."""
    try:
        known = system(environ, cache)
        if known is None or _gone(distro, known):
            return distro
    except DetenteError:  # the distro's records cannot be read
        return distro
    versions = {name: known.installed()[name].version for name in distro.packages}
    return distro._replace(packages=versions, links=links(_owned(known, versions), cache_tag))


def _gone(distro: DistroModules, known: System) -> list[str]:
    installed = known.installed()
    return [name for name in distro.packages if name not in installed or installed[name].state not in _THERE]


def lacking(distro: DistroModules, environ: Mapping[str, str], cache: str) -> list[str]:
    """Return what is wrong with `distro` now that an environment has it: the rest of sentences about its farm."""
    dangling = distro_farm.dangling(distro)
    try:
        known = system(environ, cache)
        if known is not None:
            return _differences(distro, known, dangling)
    except DetenteError:  # the distro's records cannot be read: what can be seen without them is said
        pass
    return [f"leads to {distro.links[path]}, which is gone" for path in dangling]


def _differences(distro: DistroModules, known: System, dangling: Sequence[str]) -> list[str]:
    gone = _gone(distro, known)
    if gone:
        return [f"{_NEEDS}{name}, which is not installed any more: {_as_root(typed_install([name]))}" for name in gone]
    if distro.python != known.release.python:
        return [f"{_NEEDS}to be for Python {known.release.python} by now, not {distro.python}: ask for it again"]
    more = [name for name in _needed(list(distro.packages), known) if name not in distro.packages]
    if more:
        return [f"{_NEEDS}{', '.join(more)} as well by now: ask for it again"]
    if not dangling and not uncovered(distro.links, _owned(known, distro.packages)):
        return []
    installed = known.installed()
    changed = [
        f"was made for {name} {version}, and {installed[name].version} has other files"
        for name, version in distro.packages.items()
        if installed[name].version != version
    ]
    return changed or [f"lacks files that {', '.join(distro.packages)} should have"]


def recorded(paths: Paths, directory: str) -> DistroModules | None:
    """Return what environment `directory` has from the distro; None where nothing, or its record cannot be read."""
    try:
        return distro_farm.decode(environments.record_of(paths, directory))
    except (DetenteError, LookupError, TypeError):
        return None


def is_broken(paths: Paths, directory: str) -> bool:
    """Say whether environment `directory` has links to the distro that lead nowhere; nobody is asked."""
    distro = recorded(paths, directory)
    return distro is not None and bool(distro_farm.dangling(distro))


def as_asked(paths: Paths, directory: str, environ: Mapping[str, str]) -> bool:
    """Say whether environment `directory` has all that its distro modules should have now."""
    distro = recorded(paths, directory)
    return distro is not None and not lacking(distro, environ, paths.cache)


def findings(paths: Paths, directory: str, environ: Mapping[str, str]) -> list[Finding]:
    """Return what `verify` says of the distro's modules in environment `directory`."""
    distro = recorded(paths, directory)
    if distro is None:
        return []
    said = lacking(distro, environ, paths.cache)
    kinds = (NEEDS if what.startswith(_NEEDS) else MISSING for what in said)
    return [
        Finding(ENVIRONMENT, directory, distro_farm.FOLDER, kind, what) for kind, what in zip(kinds, said, strict=True)
    ]


def told(paths: Paths, item: Application, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what `show` says of the modules that `item` has from the distro; None where it has none.

    `modules` are what was asked for, `packages` whose they are, with versions; `lacking` what is wrong, in words.
    """
    distro = recorded(paths, item.environment) if item.wish.with_distro else None
    if distro is None:
        return None
    said = lacking(distro, environ, paths.cache)
    distro = today(distro, "", environ, paths.cache)
    return {
        "modules": list(item.wish.with_distro),
        "packages": distro.packages,
        "lacking": said,
    }
