"""What a name reaches: the files of a command on PATH, those of a module of the distro's Python, and whose they are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from detente.scan import others
from detente.store.exposures import is_ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from detente.host.paths import Paths
    from detente.model import Application, Generation
    from detente.scan.others import Other
    from detente.scan.system import System

APPLICATION, SYSTEM, ENVIRONMENT, STORE, ITSELF = "application", "system package", "environment", "store", "detente"
PYTHON = "/usr/bin/python3"
# Modules of the standard library that Debian and its children keep in system packages of their own.
APART = {
    "tkinter": "python3-tk", "_tkinter": "python3-tk", "turtle": "python3-tk", "idlelib": "idle",
    "distutils": "python3-distutils", "lib2to3": "python3-lib2to3", "_gdbm": "python3-gdbm",
    "ensurepip": "python3-venv",
}  # fmt: skip
_BY_PLACE = (
    ("/.pyenv/", "pyenv"), ("/snap/", "snap"), ("/.cargo/", "cargo"), ("/linuxbrew/", "Homebrew"), ("/.asdf/", "asdf"),
    ("/mise/", "mise"), ("/nix/store/", "Nix"), ("/flatpak/", "Flatpak"),
)  # fmt: skip
_ENDINGS = (".py", ".abi3.so", ".so", ".pyc")


class Owner(NamedTuple):
    """Whose a path is. `kind` is one of those above, the name of a tool, or "" where nobody is known.

    `name` and `version` are the owner's, as far as they are known; `place` is its environment or directory.
    """

    kind: str = ""
    name: str = ""
    version: str = ""
    place: str = ""


NOBODY = Owner()


class File(NamedTuple):
    """One file that a name could mean: the first of them is the one that it does mean."""

    path: str
    owner: Owner


class Owners:
    """Says whose paths are, for one command: what it has looked at once it keeps."""

    def __init__(self, paths: Paths, environ: Mapping[str, str], generation: Generation, system: System | None) -> None:
        self._paths = paths
        self._environ = environ
        self._generation = generation
        self._system = system
        self._root = system.root if system is not None else ""
        self._others: list[Other] | None = None

    @property
    def others(self) -> list[Other]:
        """What other tools installed."""
        if self._others is None:
            self._others = others.found(self._environ, self._paths.home, self._root)
        return self._others

    def files(self, found: Sequence[str]) -> list[File]:
        """Return `found` with their owners; raise ToolError where the distro's records are broken."""
        known = {path: owner for path in found if (owner := self._ours(path)) is not None}
        rest = {path: [self._inner(each) for each in _spellings(path)] for path in found if path not in known}
        asked = dict.fromkeys(spelling for spellings in rest.values() for spelling in spellings)
        packages = self._system.owners(list(asked)) if self._system is not None and asked else {}
        for path, spellings in rest.items():
            package = next((packages[each] for each in spellings if each in packages), "")
            known[path] = self._system_package(package) if package else self._other(path)
        return [File(path, known[path]) for path in found]

    def _inner(self, path: str) -> str:
        """Return `path` as the distro calls it, whose root may lie elsewhere."""
        root = self._root
        return path[len(root) :] if root and path.startswith(root + "/") else path

    def _ours(self, path: str) -> Owner | None:
        items = self._generation.applications.values()
        if is_ours(self._paths, path):
            name = os.path.basename(path)
            found = next((item for item in items if name in item.commands), None)
            return _application(found, self._paths) if found else Owner(ITSELF)
        for spelling in (path, os.path.realpath(path)):
            for top, kind in ((self._paths.environments, ENVIRONMENT), (self._paths.store, STORE)):
                if spelling.startswith(top + "/"):
                    return self._inside(kind, spelling[len(top) + 1 :].partition("/")[0])
            if spelling.startswith(self._paths.data + "/"):
                return Owner(ITSELF)
        return None

    def _inside(self, kind: str, name: str) -> Owner:
        """Return the owner of what lies in the environment or the store entry `name`."""
        if kind == ENVIRONMENT:
            found = [item for item in self._generation.applications.values() if item.environment == name]
            place = os.path.join(self._paths.environments, name)
            return _application(found[0], self._paths) if found else Owner(ENVIRONMENT, name, "", place)
        from detente.store.wheels import find_entry

        place = os.path.join(self._paths.store, name)
        entry = find_entry(place)
        return Owner(STORE, entry.name, entry.version, place) if entry else Owner(STORE, name, "", place)

    def _system_package(self, name: str) -> Owner:
        assert self._system is not None
        known = self._system.installed().get(name)
        return Owner(SYSTEM, name, known.version if known else "")

    def _other(self, path: str) -> Owner:
        spellings = (path, os.path.realpath(path))
        for item in self.others:
            if item.tool in (others.USER, others.LOCAL):
                continue
            if any(spelling.startswith(item.place + "/") for spelling in spellings):
                if item.tool == others.CONDA:
                    return Owner(item.tool, os.path.basename(item.place), "", item.place)
                return Owner(item.tool, item.name, item.version, item.place)
        for item in self.others:
            if item.tool in (others.USER, others.LOCAL) and any(_near(item, spelling) for spelling in spellings):
                return Owner(item.tool, item.name, item.version, item.place)
        for spelling in spellings:
            for mark, tool in _BY_PLACE:
                if mark in spelling:
                    return Owner(tool)
        return _environment(path)


def _spellings(path: str) -> list[str]:
    """Return what may have an owner of `path`: itself, what it leads to, and of a module's directory its first file."""
    real = os.path.realpath(path)
    first = os.path.join(real, "__init__.py")
    return [path, real, *([first] if os.path.isfile(first) else [])]


def _application(item: Application, paths: Paths) -> Owner:
    return Owner(APPLICATION, item.key, item.version, os.path.join(paths.environments, item.environment))


def _near(item: Other, path: str) -> bool:
    """Say whether `path` is a file of `item`; its record is read only where that can be."""
    prefix = item.place.partition("/lib/python")[0]
    return path.startswith(prefix + "/") and others.has_file(item, path)


def _environment(path: str) -> Owner:
    """Return the virtual environment that `path` lies in."""
    folder = os.path.dirname(path)
    while len(folder) > 1:
        if os.path.isfile(os.path.join(folder, "pyvenv.cfg")):
            return Owner(ENVIRONMENT, os.path.basename(folder), "", folder)
        folder = os.path.dirname(folder)
    return NOBODY


def on_path(command: str, environ: Mapping[str, str]) -> list[str]:
    """Return every executable called `command` in the order of PATH; of a directory with two names only the first."""
    found: dict[str, str] = {}
    for folder in environ.get("PATH", "").split(":"):
        path = os.path.join(folder, command)
        if folder.startswith("/") and os.access(path, os.X_OK) and not os.path.isdir(path):
            found.setdefault(os.path.join(os.path.realpath(folder), command), path)
    return list(found.values())


def python_minor(system: System | None) -> str:
    """Return the minor version of the distro's Python, `3.11`, or "" where there is none."""
    if system is not None and system.release.python:
        return system.release.python
    name = os.path.basename(os.path.realpath(PYTHON)).removeprefix("python")
    return name if name[:2] == "3." else ""


def importable(module: str, python: str, environ: Mapping[str, str], home: str, root: str = "") -> list[str]:
    """Return what the distro's Python, of minor version `python`, finds as top-level `module`: the first is imported.

    Built-in modules, and those that a `.pth` file or an import hook adds, are not seen.
    """
    folders = [folder for folder in environ.get("PYTHONPATH", "").split(":") if folder.startswith("/")]
    folders += [f"{root}/usr/lib/python{python}", f"{root}/usr/lib/python{python}/lib-dynload"]
    if not environ.get("PYTHONNOUSERSITE"):
        folders.append(os.path.join(others.user_base(environ, home), f"lib/python{python}/site-packages"))
    folders += [f"{root}/usr/local/lib/python{python}/dist-packages", f"{root}/usr/lib/python3/dist-packages"]
    return [path for folder in dict.fromkeys(folders) for path in _modules(folder, module)]


def is_standard(path: str, python: str) -> bool:
    """Say whether `path`, one of `importable`, belongs to Python's own library."""
    return f"/usr/lib/python{python}/" in path


def _modules(folder: str, module: str) -> Iterable[str]:
    """Return the file or directory that `import module` would take in `folder`, as a list of one or none."""
    package = os.path.join(folder, module)
    if os.path.isfile(os.path.join(package, "__init__.py")):
        return [package]
    try:
        names = sorted(name for name in os.listdir(folder) if name.startswith(module + "."))
    except OSError:
        return []
    for name in names:
        if name.endswith(_ENDINGS) and name.partition(".")[0] == module:
            return [os.path.join(folder, name)]
    return [package] if os.path.isdir(package) and not os.path.islink(package) and _has_modules(package) else []


def _has_modules(folder: str) -> bool:
    """Say whether a directory without `__init__.py` is likely a namespace package and not a directory of data."""
    try:
        return any(name.endswith(_ENDINGS) or "." not in name for name in os.listdir(folder) if name != "__pycache__")
    except OSError:
        return False
