"""Commands on PATH that are not ours, and whose they are."""

import os
from collections.abc import Iterable, Mapping

from detente.errors import ToolError
from detente.host.paths import Paths
from detente.scan.system import system
from detente.store.exposures import is_ours


def commands(paths: Paths, names: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the first file at each of `names` that is not ours: in our bin directory, or else on PATH.

    An active virtual environment's directory does not count: it goes when the shell leaves it.
    """
    active = os.path.join(environ.get("VIRTUAL_ENV") or "/nonexistent", "bin")
    folders = [folder for folder in environ.get("PATH", "").split(":") if folder.startswith("/") and folder != active]
    found = {}
    for name in names:
        for folder in (paths.bin, *folders):
            path = os.path.join(folder, name)
            if not os.path.lexists(path) or is_ours(paths, path):
                continue
            if folder == paths.bin or os.access(path, os.X_OK):
                found[name] = path
                break
    return found


def owners(found: Iterable[str], paths: Paths, environ: Mapping[str, str]) -> dict[str, str]:
    """Return whose each path is, as a phrase for a person; paths of unknown owner are left out.

    Other tools are known by where their links lead; of the rest the distro's records tell.
    """
    known = {path: phrase for path in found if (phrase := _by_place(path, paths.home))}
    rest = [path for path in found if path not in known]
    if rest:
        try:
            distro = system(environ, paths.cache)
            owned = distro.owners(rest) if distro is not None else {}
        except ToolError:  # its records cannot be read
            return known
        known |= {path: f"system package {name}" for path, name in owned.items()}
    return known


def _by_place(path: str, home: str) -> str:
    real = os.path.realpath(path)
    for mark, owner in (("/pipx/", "pipx"), ("/uv/tools/", "uv tool"), ("/.pyenv/", "pyenv"), ("/conda", "conda")):
        if mark in real or mark in path:
            return owner
    if path.startswith(f"{home}/.local/bin/"):
        return "not installed by detente"
    return ""
