"""Which of the installed system packages are Python's, and what each brings: distributions, commands, modules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from detente.distro import dpkg
from detente.distro.base import Installed
from detente.host import regular

if TYPE_CHECKING:
    from collections.abc import Container

    from detente.distro.dpkg import Diversion, Paragraph
    from detente.scan.dpkg_files import DpkgFiles

_APART = re.compile(r"/usr/lib/python3\.\d+/(?:lib-dynload/)?([A-Za-z_]\w*)(?:[/.].*)?(?:\.py|\.so)\Z", re.ASCII)
_LIBRARY = re.compile(r"libpython3|python3\.\d+(?:-minimal)?\Z")


def python_packages(files: DpkgFiles, applications: Container[str]) -> dict[str, Installed]:
    """Return those with metadata or modules, those of `applications` (names), and commands split off from either.

    Split off: a system package of the same source, with programs, that requires the one with the metadata
    (`certbot` beside `python3-certbot`).
    """
    paragraphs, automatic = files.paragraphs(), files.automatic()
    moved = {each.path: each for each in files.diversions()}
    found: dict[str, Installed] = {}
    sources: dict[str, set[str]] = {}
    for key, paragraph in paragraphs.items():
        text = files.listed(paragraph)
        if not dpkg.is_python(text) and not _may_be_apart(paragraph, text):
            continue
        installed = _installed(files, paragraph, text, moved, automatic)
        if installed.distributions or installed.modules:
            found[key] = installed
            if installed.distributions:
                sources.setdefault(paragraph.source, set()).add(paragraph.package)
    for key, paragraph in paragraphs.items():
        if key in found or not (paragraph.package in applications or _requires(paragraph, sources)):
            continue
        installed = _installed(files, paragraph, files.listed(paragraph), moved, automatic)
        if installed.commands or paragraph.package in applications:
            found[key] = installed
    return dict(sorted(found.items()))


def _may_be_apart(paragraph: Paragraph, text: str) -> bool:
    """Say whether it can have modules of the standard library that the distro keeps apart (python3-tk); cheap."""
    return "\n/usr/lib/python3." in text and not _LIBRARY.match(paragraph.package)


def _apart(paragraph: Paragraph, paths: list[str], text: str) -> set[str]:
    """Return the modules of the standard library that it has, if it is none of those that are Python itself."""
    if not _may_be_apart(paragraph, text):
        return set()
    return {match[1] for path in paths if "/dist-packages/" not in path and (match := _APART.match(path))}


def _requires(paragraph: Paragraph, sources: dict[str, set[str]]) -> bool:
    """Say whether it requires a system package of its own source that has metadata."""
    own = sources.get(paragraph.source, set())
    return bool(own) and any(name in own for group in dpkg.requirements(paragraph.depends) for name in group)


def _installed(
    files: DpkgFiles, paragraph: Paragraph, text: str, moved: dict[str, Diversion], automatic: set[tuple[str, str]]
) -> Installed:
    paths = text.split("\n")
    return Installed(
        package=paragraph.package,
        version=paragraph.version,
        architecture=paragraph.architecture,
        source=paragraph.source,
        state=paragraph.state,
        manual=not _is_automatic(paragraph, automatic),
        held=paragraph.wanted == "hold",
        size=paragraph.size,
        distributions=_distributions(files.root, paths),
        commands=dpkg.programs(paths, paragraph.package, moved, files.placed),
        modules=tuple(sorted({*dpkg.modules(paths), *_apart(paragraph, paths, text)})),
    )


def _is_automatic(paragraph: Paragraph, automatic: set[tuple[str, str]]) -> bool:
    """Say whether apt's mark is on it; apt writes the machine's architecture for packages that are for all."""
    if paragraph.architecture == "all":
        return any(package == paragraph.package for package, _ in automatic)
    return (paragraph.package, paragraph.architecture) in automatic


def _distributions(root: str, paths: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, directory in dpkg.metadata(paths).items():
        name, version = dpkg.distribution(directory)
        if not version:
            said, version = dpkg.recorded(_head(root + path))
            name = said or name
        found.setdefault(name, version)
    return found


def _head(path: str) -> str:
    """Return the text of the metadata at `path`: a file, or a directory with one."""
    for place in (f"{path}/METADATA", f"{path}/PKG-INFO", path):
        try:
            return regular.read(place, 1 << 16).decode("utf-8", "replace")
        except (OSError, ValueError):  # ValueError: a name with a null in it
            continue
    return ""
