"""Executables that could be interpreters, looked at without running them: names, links, virtual environments."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping

from detente.errors import NotFound

_VERSIONED = re.compile(r"(python|pypy)(\d+)\.(\d+)(t?)\Z")
_PLAIN = re.compile(r"(python|pypy)3?\Z")


def canonical(path: str) -> str:
    """Return the lasting name of the interpreter at `path` (absolute), which exists, without running it.

    A link of a virtual environment gives its base interpreter; a plain name gives the versioned name of the
    same file in the same directory. Raises NotFound where a virtual environment has lost its base.
    """
    for _ in range(8):  # an environment made from an environment names the real base; the bound is for loops
        config = _environment_of(path)
        if config is None:
            break
        path = _base(path, config)
    folder, name = os.path.split(path)
    if folder == "/bin" and same("/bin", "/usr/bin"):
        folder = "/usr/bin"
    if _VERSIONED.match(name):
        return os.path.join(folder, name)
    likely = os.path.join(folder, os.path.basename(os.path.realpath(path)))
    if _VERSIONED.match(os.path.basename(likely)) and same(likely, path):
        return likely
    for other in _names(folder):
        candidate = os.path.join(folder, other)
        if _VERSIONED.match(other) and same(candidate, path):
            return candidate
    return os.path.join(folder, name)


def candidates(environ: Mapping[str, str], minor: tuple[int, int] | None) -> Iterator[tuple[int, str]]:
    """Yield a rank and a path for every executable that could be an interpreter, each file once."""
    seen = set()
    for rank, folder in _folders(environ):
        for name in sorted(_names(folder), key=lambda each: (not _VERSIONED.match(each), each)):
            path = os.path.join(folder, name)
            known = _VERSIONED.match(os.path.basename(os.path.realpath(path)))
            if minor is not None and known and (int(known[2]), int(known[3])) != minor:
                continue
            try:
                info = os.stat(path)
            except OSError:
                continue
            if (info.st_dev, info.st_ino) in seen or not os.access(path, os.X_OK) or is_script(path):
                continue
            seen.add((info.st_dev, info.st_ino))
            yield rank, path


def _folders(environ: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Yield the directories that are searched, with a rank: the distro's, the person's PATH, version tools'."""
    home = environ.get("HOME", "")
    share = environ.get("XDG_DATA_HOME") or os.path.join(home, ".local/share")
    tools = (
        os.path.join(environ.get("PYENV_ROOT") or os.path.join(home, ".pyenv"), "versions"),
        environ.get("UV_PYTHON_INSTALL_DIR") or os.path.join(share, "uv/python"),
    )
    groups: tuple[Iterable[str], ...] = (
        ("/usr/bin", "/usr/local/bin"),
        environ.get("PATH", "").split(":"),
        (os.path.join(tool, name, "bin") for tool in tools for name in _listed(tool)),
        (f"/opt/{name}/bin" for name in _listed("/opt") if name.startswith("python")),
    )
    seen = set()
    for rank, group in enumerate(groups):
        for folder in group:
            real = os.path.realpath(folder)
            if folder.startswith("/") and real not in seen and os.path.isdir(real):
                seen.add(real)
                yield rank, folder


def _names(folder: str) -> list[str]:
    return [name for name in _listed(folder) if _VERSIONED.match(name) or _PLAIN.match(name)]


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _environment_of(path: str) -> str | None:
    """Return the `pyvenv.cfg` of the virtual environment that the executable `path` belongs to, or None."""
    folder = os.path.dirname(path)
    for place in (folder, os.path.dirname(folder)):
        config = os.path.join(place, "pyvenv.cfg")
        if os.path.isfile(config):
            return config
    return None


def _base(path: str, config: str) -> str:
    """Return the executable that the virtual environment of `config` was made from (PEP 405)."""
    try:
        with open(config, encoding="utf-8", errors="replace") as file:
            pairs = (line.partition("=") for line in file)
            said = {key.strip().lower(): value.strip() for key, _, value in pairs}
    except OSError:
        said = {}
    home = said.get("home", "")
    version = ".".join(re.split(r"\.", said.get("version_info", said.get("version", "")))[:2])
    for name in (f"python{version}", os.path.basename(os.path.realpath(path)), "python3", "python", "pypy3"):
        candidate = os.path.join(home, name)
        if home.startswith("/") and os.path.isfile(candidate):
            return candidate
    raise NotFound(
        f"the virtual environment {os.path.dirname(config)} has lost its interpreter",
        hint="name another interpreter, for example --python /usr/bin/python3",
        context=(f"it was made from the Python in {home}",) if home else (),
    )


def is_script(path: str) -> bool:
    """Say whether `path` is a script, as version managers' shims are."""
    try:
        with open(path, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def same(one: str, other: str) -> bool:
    """Say whether both paths are one file."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
