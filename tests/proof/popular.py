"""The wheels of much-used distributions: locked by the engine, fetched by our own code, kept for the next time.

Names are those of `tests/live/popular.txt`. Versions are what the engine's default index had when a name was first
asked for; removing the directory `KEPT` asks anew.
"""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from detente.engine import lock, uv
from detente.engine.sources import NOTHING
from detente.errors import DetenteError
from detente.host.net import Fetcher
from detente.model import Artifact
from detente.scan.inventory import Inventory, Probe
from support.machine import engine

NAMES = Path(__file__).resolve().parents[1] / "live/popular.txt"
KEPT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "detente-check/popular"
LARGEST = 80 << 20  # bytes of one wheel
# looked at by hand and found to break the format: the wheel's name, and what its refusal must say
BROKEN = {
    "easyocr-1.7.2": "easyocr/dict/ab.txt is in RECORD, but not in the archive",
    "nodejs-bin-18.4.0a4": "nodejs/bin/npm is a symbolic link",  # a file with the link's text, where pip takes it
}
_AT_ONCE = 50  # names in one question to the engine
_FETCHERS = 8


def names(most: int) -> list[str]:
    """Return the first `most` names of the list."""
    lines = NAMES.read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")][:most]


def locked(wanted: Sequence[str]) -> list[Artifact]:
    """Return the wheel of each of `wanted` that has one for this Python, as the engine locks it."""
    KEPT.mkdir(parents=True, exist_ok=True)
    probe = Inventory(str(KEPT / "interpreters.json")).probe(sys.executable)
    found: dict[str, Artifact] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        for text in _locks(wanted[start : start + _AT_ONCE], probe):
            for artifact in lock.artifacts(text, base=str(KEPT), tags=probe.tags, markers=probe.markers):
                if artifact.kind == "wheel":
                    found[artifact.name] = artifact
    return list(found.values())


def _locks(wanted: Sequence[str], probe: Probe) -> Iterator[str]:
    """Yield locks that hold those of `wanted` that can be locked: where one cannot, its half is asked without it."""
    kept = KEPT / f"pylock.{_digest([probe.interpreter.version, *wanted])}.toml"
    if not kept.exists() and not _ask(wanted, probe, kept):
        kept.write_text("")
    text = kept.read_text("utf-8")
    if text:
        yield text
    elif len(wanted) > 1:
        middle = len(wanted) // 2
        yield from _locks(wanted[:middle], probe)
        yield from _locks(wanted[middle:], probe)


def _ask(wanted: Sequence[str], probe: Probe, output: Path) -> bool:
    command = uv.resolve(
        engine(),
        wanted,
        interpreter=probe.interpreter.path,
        output=str(output),
        cache=str(KEPT / "uv"),
        sources=NOTHING,
        prerelease=False,
        offline=False,
        environ=os.environ,
        builds=False,
    )
    argv = [*command.argv, "--no-deps", "--quiet"]
    done = subprocess.run(
        argv, input=command.stdin, env=command.environment, cwd="/", capture_output=True, text=True, check=False
    )
    if done.returncode and re.search(r"Failed to fetch|error sending request|dns error|timed out", done.stderr):
        raise ConnectionError(done.stderr)
    return done.returncode == 0


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def is_broken(artifact: Artifact, refusal: str) -> bool:
    """Say whether a wheel was rightly refused, for what is known to be wrong with it."""
    words = BROKEN.get(f"{artifact.name}-{artifact.version}")
    return words is not None and words in refusal


def fetched(artifacts: Sequence[Artifact]) -> Iterator[tuple[Artifact, Path]]:
    """Yield each wheel with its file, fetched where it is not kept yet; one over `LARGEST` bytes is left out."""
    files = KEPT / "files"
    files.mkdir(exist_ok=True)
    with Fetcher(environ=os.environ) as fetcher, ThreadPoolExecutor(_FETCHERS) as crew:

        def have(artifact: Artifact) -> Path | None:
            path = files / artifact.sha256
            left_out = files / f"{artifact.sha256}.large"
            if left_out.exists():
                return None
            if not path.exists():
                part = files / f"{artifact.sha256}.part"
                try:
                    fetcher.fetch(artifact.location, part, sha256=artifact.sha256, size=LARGEST)
                except DetenteError as err:
                    if "is larger than" in err.message:
                        left_out.touch()
                        return None
                    raise
                part.rename(path)
            return path

        for artifact, path in zip(artifacts, crew.map(have, artifacts), strict=True):
            if path is not None:
                yield artifact, path
