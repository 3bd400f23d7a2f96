"""Reads a lock (PEP 751, `pylock.toml`) and picks the one file of each distribution that fits an interpreter. Pure.

The rules are those of `packaging.pylock`, without its import, which costs five times what reading a lock does.
"""

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

from detente.engine.applies import applies, contains, malformed, suggested_python
from detente.engine.sources import file_path
from detente.errors import IntegrityError, ResolutionError
from detente.model import Artifact
from detente.names import is_name, normalized

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")

Table = dict[str, Any]


def artifacts(text: str, *, base: str, tags: Sequence[str], markers: Mapping[str, str]) -> tuple[Artifact, ...]:
    """Return one artifact per distribution of the lock `text`, sorted by name.

    `base` is the directory that relative paths count from; `tags` are the interpreter's (`py3-none-any`), the best
    first; `markers` its environment markers. The best wheel is taken, else the source distribution. Entries whose
    marker says no are left out. Raise ConfigError for what is no lock we can read, ResolutionError where the lock or
    one of its distributions is not for this interpreter, IntegrityError where a file has no SHA-256.
    """
    lock = _parsed(text)
    _check_interpreter(lock, markers)
    ranks = {tag: rank for rank, tag in reversed(list(enumerate(tags)))}
    chosen: dict[str, Artifact] = {}
    for entry in _tables(lock, "packages"):
        name = _text(entry, "name")
        if not is_name(name):
            raise malformed(f"{name!r} is not a distribution name")
        marker = _text(entry, "marker")
        if marker and not applies(marker, markers):
            continue
        artifact = _Entry(entry, normalized(name), base).artifact(ranks, tags, markers)
        if artifact.name in chosen:
            raise ResolutionError(
                f"the lock has {artifact.name} twice for this interpreter",
                hint="ask for it again: detente install NAME",
                context=(f"{chosen[artifact.name].version} and {artifact.version}",),
            )
        chosen[artifact.name] = artifact
    return tuple(chosen[name] for name in sorted(chosen))


class _Entry:
    """One distribution of the lock."""

    def __init__(self, entry: Table, name: str, base: str) -> None:
        self.entry = entry
        self.name = name
        self.version = _text(entry, "version")
        self.base = base
        self.title = f"{name} {self.version}".rstrip()

    def artifact(self, ranks: Mapping[str, int], tags: Sequence[str], markers: Mapping[str, str]) -> Artifact:
        """Return the file or tree to install, or raise as `artifacts` does."""
        self.check_python(markers)
        for kind in ("vcs", "directory", "archive"):
            source = self.entry.get(kind)
            if isinstance(source, dict):
                return {"vcs": self.vcs, "directory": self.directory, "archive": self.archive}[kind](
                    source, ranks, tags
                )
        wheel = self.best_wheel(ranks)
        if wheel is not None:
            return self.file("wheel", wheel)
        sdist = self.entry.get("sdist")
        if isinstance(sdist, dict):
            return self.file("sdist", sdist)
        raise self.unfit(tags, [_filename(wheel) for wheel in _tables(self.entry, "wheels")])

    def check_python(self, markers: Mapping[str, str]) -> None:
        """Raise ResolutionError where this distribution says that it is not for the interpreter's version."""
        wanted = _text(self.entry, "requires-python")
        if wanted and not contains(wanted, markers):
            raise ResolutionError(
                f"{self.title} needs Python {wanted}, and this is {markers.get('python_full_version')}",
                hint=f"choose another interpreter: --python {suggested_python(wanted) or '3.x'}",
            )

    def best_wheel(self, ranks: Mapping[str, int]) -> Table | None:
        """Return the wheel with the best tag, of several the one with the highest build number."""
        best: Table | None = None
        best_key: tuple[int, tuple[int, str]] | None = None
        for wheel in _tables(self.entry, "wheels"):
            rank, build = _rank(_filename(wheel), ranks)
            if rank is None:
                continue
            key = (-rank, build)
            if best_key is None or key > best_key:
                best, best_key = wheel, key
        return best

    def file(self, kind: str, source: Table) -> Artifact:
        """Return the artifact for one file, which must have a SHA-256."""
        filename = _filename(source)
        hashes = source.get("hashes")
        sha256 = str(hashes.get("sha256", "")).lower() if isinstance(hashes, dict) else ""
        if not _SHA256.match(sha256):
            known = ", ".join(sorted(map(str, hashes))) if isinstance(hashes, dict) and hashes else "none"
            raise IntegrityError(
                f"the lock has no SHA-256 for {filename or self.title}",
                hint="the index must offer SHA-256 hashes; ask who runs it, or name another one with --index-url",
                context=(f"hashes in the lock: {known}",),
            )
        size = source.get("size")
        return Artifact(
            kind=kind,
            name=self.name,
            version=self.version,
            location=self.location(source),
            filename=filename,
            sha256=sha256,
            size=size if isinstance(size, int) and size > 0 else 0,
            subdirectory=_inside(_text(source, "subdirectory")),
        )

    def archive(self, source: Table, ranks: Mapping[str, int], tags: Sequence[str]) -> Artifact:
        """Return the artifact of a direct URL or path: a wheel that fits, or a source archive."""
        filename = _filename(source)
        if not filename.endswith(".whl"):
            return self.file("archive", source)
        if _rank(filename, ranks)[0] is None:
            raise self.unfit(tags, [filename])
        return self.file("wheel", source)

    def directory(self, source: Table, _ranks: Mapping[str, int], _tags: Sequence[str]) -> Artifact:
        """Return the artifact of a directory of this machine."""
        return Artifact(
            kind="directory",
            name=self.name,
            version=self.version,
            location=self.location(source),
            subdirectory=_inside(_text(source, "subdirectory")),
            editable=source.get("editable") is True,
        )

    def vcs(self, source: Table, _ranks: Mapping[str, int], _tags: Sequence[str]) -> Artifact:
        """Return the artifact of a commit."""
        kind, commit = _text(source, "type"), _text(source, "commit-id")
        if kind != "git":
            raise ResolutionError(
                f"{self.title} comes from {kind or 'an unknown system'}, only git is known", hint=None
            )
        if not _COMMIT.match(commit):
            raise IntegrityError(f"the lock names no full commit for {self.title}", hint="make the lock again")
        return Artifact(
            kind="vcs",
            name=self.name,
            version=self.version,
            location=self.location(source),
            commit=commit,
            subdirectory=_inside(_text(source, "subdirectory")),
        )

    def location(self, source: Table) -> str:
        """Return the URL, or the absolute path of what lies on this machine."""
        url = _text(source, "url")
        if url:
            return file_path(url) or url
        path = _text(source, "path")
        if not path:
            raise malformed(f"{self.title} has neither url nor path")
        return posixpath.normpath(posixpath.join(self.base, path))

    def unfit(self, tags: Sequence[str], files: Sequence[str]) -> ResolutionError:
        """Return the error for a distribution none of whose files fits."""
        best = tags[0] if tags else "no tags"
        return ResolutionError(
            f"{self.title} has no file for this interpreter ({best})",
            hint=f"try another Python (--python 3.x) or another version: detente install '{self.name}<{self.version}'",
            context=tuple(f"it has {name}" for name in files[:8]),
        )


def _parsed(text: str) -> Table:
    import tomllib

    try:
        lock = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise malformed(str(err)) from err
    version = lock.get("lock-version")
    if not isinstance(version, str) or not re.match(r"1\.\d+\Z", version):
        raise malformed(f"its lock-version is {version!r}, we read 1.0")
    return lock


def _tables(table: Table, key: str) -> list[Table]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise malformed(f"{key} is not a list of tables")
    return found


def _text(table: Table, key: str) -> str:
    found = table.get(key, "")
    if not isinstance(found, str):
        raise malformed(f"{key} is not a text")
    return found


def _filename(source: Table) -> str:
    name = _text(source, "name")
    if not name:
        url = _text(source, "url")
        name = posixpath.basename(re.split(r"[?#]", url, maxsplit=1)[0] if url else _text(source, "path"))
        if "%" in name and url:
            from urllib.parse import unquote

            name = unquote(name)
    if "/" in name or "\0" in name:
        raise malformed(f"{name!r} is not a file name")
    return name


def _inside(subdirectory: str) -> str:
    """Return `subdirectory` in its shortest form, empty for the root; refuse one that leaves the tree."""
    path = posixpath.normpath(subdirectory) if subdirectory else ""
    if path.startswith(("/", "../")) or path == "..":
        raise malformed(f"the subdirectory {subdirectory!r} leaves its tree")
    return "" if path == "." else path


def _rank(filename: str, ranks: Mapping[str, int]) -> tuple[int | None, tuple[int, str]]:
    """Return the rank of the best tag of a wheel (None: does not fit) and its build number."""
    parts = filename.removesuffix(".whl").split("-")
    if not filename.endswith(".whl") or len(parts) not in (5, 6):
        return None, (0, "")
    best: int | None = None
    for python in parts[-3].split("."):
        for abi in parts[-2].split("."):
            for platform in parts[-1].split("."):
                rank = ranks.get(f"{python}-{abi}-{platform}".lower())
                if rank is not None and (best is None or rank < best):
                    best = rank
    if len(parts) == 5:
        return best, (0, "")
    build = re.match(r"(\d+)(.*)", parts[2])
    return (best, (int(build[1]), build[2])) if build else (None, (0, ""))


def _check_interpreter(lock: Table, markers: Mapping[str, str]) -> None:
    wanted = _text(lock, "requires-python")
    if wanted and not contains(wanted, markers):
        raise ResolutionError(
            f"the lock is for Python {wanted}, and this is {markers.get('python_full_version')}",
            hint=f"choose another interpreter: --python {suggested_python(wanted) or '3.x'}",
        )
    environments = lock.get("environments", [])
    if environments and not any(applies(str(marker), markers) for marker in environments):
        raise ResolutionError(
            "the lock is not for this machine",
            hint="ask for it again: detente install NAME",
            context=tuple(f"it is for {marker}" for marker in environments),
        )
