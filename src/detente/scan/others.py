"""What other tools installed for Python: read from their own records, nothing is run and nothing is changed."""

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from detente.host import regular
from detente.names import normalized

PIPX, UV_TOOL, USER, LOCAL, CONDA = "pipx", "uv tool", "pip --user", "sudo pip", "conda"
TOOLS = (PIPX, UV_TOOL, USER, LOCAL, CONDA)
_CONDA_ROOTS = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba")


class Other(NamedTuple):
    """One distribution that another tool installed.

    `tool` is one of the names above; `name` and `version` are as its metadata spells them, `version` "" where there is
    none. `place` is its environment, or the directory that it is imported from; `python` that one's minor version.
    `commands` are the names that the tool exposes of it. `asked`: a person named it, it is no dependency; conda does
    not say. `metadata` is its `.dist-info` or `.egg-info`, "" where there is none.
    """

    tool: str
    name: str
    version: str
    place: str
    python: str = ""
    commands: tuple[str, ...] = ()
    asked: bool = True
    metadata: str = ""


def found(environ: Mapping[str, str], home: str, root: str = "") -> list[Other]:
    """Return all that is found for the person whose home is `home`; `/usr/local` and `/opt` are those below `root`."""
    return [*_pipx(environ, home, root), *_uv(environ, home), *by_pip(environ, home, root), *_conda(home, root)]


def by_pip(environ: Mapping[str, str], home: str, root: str = "") -> Iterator[Other]:
    """Yield what pip put where Python looks before it looks at the distro's: the person's, then the machine's."""
    for folder, python in _pythons(os.path.join(user_base(environ, home), "lib")):
        yield from distributions(os.path.join(folder, "site-packages"), USER, python)
    for folder, python in _pythons(f"{root}/usr/local/lib"):
        for name in ("dist-packages", "site-packages"):
            yield from distributions(os.path.join(folder, name), LOCAL, python)


def user_base(environ: Mapping[str, str], home: str) -> str:
    """Return the directory below which `pip install --user` writes (site.USER_BASE)."""
    return environ.get("PYTHONUSERBASE") or os.path.join(home, ".local")


def distributions(folder: str, tool: str, python: str, place: str = "") -> Iterator[Other]:
    """Yield what has metadata in `folder`; nothing of its files is read."""
    for entry in _names(folder):
        stem, dot, kind = entry.rpartition(".")
        if not dot or kind not in ("dist-info", "egg-info") or entry.startswith((".", "~")):
            continue
        name, _, rest = stem.partition("-")
        metadata = os.path.join(folder, entry)
        asked = os.path.lexists(os.path.join(metadata, "REQUESTED"))
        yield Other(tool, name, rest.partition("-py")[0], place or folder, python, (), asked, metadata)


def has_file(other: Other, path: str) -> bool:
    """Say whether `path` is one of the files that the metadata of `other`, put there by pip, records."""
    folder = os.path.dirname(other.metadata)
    wanted = os.path.relpath(path, folder)
    for name in ("RECORD", "installed-files.txt"):
        try:
            data = b"\n" + regular.read(os.path.join(other.metadata, name))
        except OSError:
            continue
        needle = b"\n" + os.fsencode(wanted)
        return needle + b"," in data or b'\n"' + os.fsencode(wanted) + b'"' in data or needle + b"/" in data
    return False


def _pipx(environ: Mapping[str, str], home: str, root: str) -> Iterator[Other]:
    told = environ.get("PIPX_HOME")
    homes = [told] if told else [os.path.join(home, ".local/share/pipx"), os.path.join(home, ".local/pipx")]
    homes.append(environ.get("PIPX_GLOBAL_HOME") or f"{root}/opt/pipx")
    for folder in homes:
        venvs = os.path.join(os.path.expanduser(folder), "venvs")
        for name in _names(venvs):
            place = os.path.join(venvs, name)
            record = _json(os.path.join(place, "pipx_metadata.json"))
            if record is None:
                continue
            main = _table(record.get("main_package"))
            suffix = str(main.get("suffix") or "")
            packages = [main, *(_table(item) for item in _table(record.get("injected_packages")).values())]
            names = (command for item in packages for command in _exposed_by_pipx(item))
            title = str(main.get("package") or name)
            known = _metadata(place, title)
            version = str(main.get("package_version") or (known.version if known else ""))
            python = ".".join(str(record.get("python_version", "")).removeprefix("Python ").split(".")[:2])
            metadata = known.metadata if known else ""
            yield Other(PIPX, title + suffix, version, place, python, tuple(dict.fromkeys(names)), True, metadata)


def _exposed_by_pipx(package: dict[str, Any]) -> list[str]:
    names = _words(package.get("apps")) if package.get("include_apps", True) else []
    if package.get("include_dependencies"):
        names += _words(package.get("apps_of_dependencies"))
    return [f"{name}{package.get('suffix') or ''}" for name in names]  # what was injected has none


def _uv(environ: Mapping[str, str], home: str) -> Iterator[Other]:
    data = environ.get("XDG_DATA_HOME") or os.path.join(home, ".local/share")
    folder = environ.get("UV_TOOL_DIR") or os.path.join(data, "uv/tools")
    for name in _names(folder):
        place = os.path.join(folder, name)
        try:
            text = regular.read(os.path.join(place, "uv-receipt.toml"))
        except OSError:
            continue
        known = _metadata(place, name)
        python = known.python if known else ""
        title, version, metadata = (known.name, known.version, known.metadata) if known else (name, "", "")
        yield Other(UV_TOOL, title, version, place, python, _entry_points(text), True, metadata)


def _entry_points(receipt: bytes) -> tuple[str, ...]:
    """Return the names of the commands that uv's `receipt` lists."""
    import tomllib

    try:
        tool = _table(tomllib.loads(receipt.decode("utf-8", "replace")).get("tool"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return ()
    points = tool.get("entrypoints")
    items = [_table(item) for item in points] if isinstance(points, list) else []
    return tuple(os.path.basename(str(item.get("install-path") or item.get("name", ""))) for item in items)


def _conda(home: str, root: str) -> Iterator[Other]:
    prefixes = []
    try:
        text = regular.read(os.path.join(home, ".conda/environments.txt")).decode("utf-8", "surrogateescape")
        prefixes = [line.strip() for line in text.splitlines() if line.startswith("/") and "\0" not in line]
    except OSError:
        pass
    for base in (*(os.path.join(home, name) for name in _CONDA_ROOTS), f"{root}/opt/conda"):
        if os.path.isdir(os.path.join(base, "conda-meta")):
            prefixes.append(base)
            prefixes += (os.path.join(base, "envs", name) for name in _names(os.path.join(base, "envs")))
    for prefix in dict.fromkeys(prefixes):
        if os.path.isdir(os.path.join(prefix, "conda-meta")):
            for folder, python in _pythons(os.path.join(prefix, "lib")):
                if not os.path.islink(folder):  # lib/python3.1 leads to lib/python3.12
                    yield from distributions(os.path.join(folder, "site-packages"), CONDA, python, prefix)


def _metadata(environment: str, name: str) -> Other | None:
    """Return what the environment of a tool has of the distribution `name`."""
    for folder, python in _pythons(os.path.join(environment, "lib")):
        for item in distributions(os.path.join(folder, "site-packages"), "", python):
            if normalized(item.name) == normalized(name):
                return item
    return None


def _pythons(lib: str) -> Iterator[tuple[str, str]]:
    """Yield the directories of `lib` that belong to one minor version of Python, and that version."""
    for name in _names(lib):
        minor = name.removeprefix("python").removesuffix("t")
        if name.startswith("python3.") and minor[2:].isdecimal():
            yield os.path.join(lib, name), minor


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _json(path: str) -> dict[str, Any] | None:
    """Return the object in `path`, {} where it is broken, None where there is no such file."""
    import json

    try:
        return _table(json.loads(regular.read(path)))
    except OSError:
        return None
    except (ValueError, RecursionError):
        return {}


def _words(value: object) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
