"""What a word means that is no distribution's name: people type system packages and modules, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detente.distro import apt_words
from detente.distro.base import LOCAL
from detente.errors import DetenteError, NotFound, Refused
from detente.host import escalate
from detente.scan import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detente.scan.system import System


def distribution_of(system: System, package: str) -> str:
    """Return the distribution (normalized) that the system package `package` is, "" where it is none, or many."""
    here = system.installed().get(package)
    names = list(here.distributions) if here is not None else []
    if not names:
        names = [row.name for row in tables.in_package(system.release, package)]
    plain = package.removeprefix("python3-").removeprefix("python-")
    return plain if plain in names else names[0] if len(names) == 1 else ""


def respelled(system: System, name: str, typed: str) -> str:
    """Return the distribution that `name` (normalized) means to the distro: itself, or that of a system package.

    `typed` is how it was spelled: system packages may have dots in their names.
    """
    if system.offers([name], asking=False):
        return name
    return distribution_of(system, typed) or distribution_of(system, name) or name


def check_package(system: System, name: str, environ: Mapping[str, str]) -> None:
    """Raise Refused, with the command that installs it, where the distro has `name`, and not as a distribution."""
    if _has_package(system, name):
        raise Refused(
            f"{system.release.title} has a system package {name}, and it is no distribution that détente knows",
            hint=_as_root(apt_words.typed_install([name]), environ),
        )


def check_offered(system: System, package: str, err: NotFound, way_out: str) -> None:
    """Raise, in place of `err`, that no source has `package` for this machine, where sources are known at all."""
    found = system.candidates(["dpkg", package])
    sources = [origin for each in found["dpkg"].versions for origin in each.origins] if "dpkg" in found else []
    if (package in found and found[package].candidate) or all(origin.kind == LOCAL for origin in sources):
        return
    raise NotFound(
        f"{system.release.title} has no {package} for this machine, or no source of apt's has it",
        hint=way_out,
        context=err.context,
    ) from err


def name_it(err: NotFound, word: str, system: System, environ: Mapping[str, str]) -> None:
    """Add to `err`, that the index has no `word`, what it means to the distro: a module, or a system package."""
    try:
        name, package = _of_module(system, word)
        if name:
            err.context = (*err.context, f"the module {word} is in {name}, {system.release.title}'s {package}")
            err.hint = f"detente install {name}"
            return
        name = distribution_of(system, word)
        if name:
            err.context = (*err.context, f"{word} is the system package of {name} in {system.release.title}")
            err.hint = f"detente install {name} --from distro"
        elif _has_package(system, word):
            err.context = (*err.context, f"{word} is a system package of {system.release.title}")
            err.hint = _as_root(apt_words.typed_install([word]), environ)
    except DetenteError:
        return  # what is broken there is no matter of the index


def _of_module(system: System, word: str) -> tuple[str, str]:
    """Return the distribution that lets Python import `word`, and its system package; ("", "") for none."""
    for package in system.of_module(word) if word.isidentifier() else ():
        name = distribution_of(system, package)
        if name:
            return name, package
    return "", ""


def _has_package(system: System, package: str) -> bool:
    """Say whether the package manager has a system package of that very name: installed, or to be installed."""
    found = system.candidates([package]).get(package)
    return found is not None and bool(found.installed or found.candidate)


def _as_root(typed: str, environ: Mapping[str, str]) -> str:
    return escalate.as_root(typed, escalate.seat(environ))
