"""What the index says of a distribution: the names, versions and addresses that tell whether the distro means it too.

It is asked once for each name; answers are kept in the cache directory, shortened. No index is written down here: it
is the one that pip on this machine uses.
"""

import contextlib
import hashlib
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import threading
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import urllib3

KEPT = ("name", "version", "summary", "home_page", "project_urls", "author", "author_email", "maintainer")
AT_ONCE = 30
TAILS = (1 << 16, 1 << 21)  # bytes at the end of a wheel: the first most often has its whole directory
SHORT = 400  # bytes; a shorter file says nothing
LARGE = 40 << 20  # bytes; larger archives are not looked into


def address() -> str:
    """Return the index that pip uses, without `/simple` at its end: what it is told, or its own."""
    told = os.environ.get("PIP_INDEX_URL", "")
    if not told:
        words = [sys.executable, "-m", "pip", "config", "list"]
        asked = subprocess.run(words, capture_output=True, text=True, check=True)
        pairs = (line.partition("=") for line in asked.stdout.splitlines())
        told = next((value.strip("'") for key, _, value in pairs if key.endswith(".index-url")), "")
    if not told:
        from pip._internal.models.index import PyPI

        told = PyPI.simple_url
    return told.rstrip("/").removesuffix("/simple")


def _pool() -> "urllib3.PoolManager":
    import urllib3

    return urllib3.PoolManager(maxsize=AT_ONCE, retries=urllib3.Retry(5, backoff_factor=0.5), ca_certs=_certificates())


def ask(names: Iterable[str], cache: Path) -> dict[str, dict[str, Any]]:
    """Return what the index says of each of `names`: {} where it has none of that name. Raise OSError."""
    folder = cache / "index"
    folder.mkdir(parents=True, exist_ok=True)
    pool, base = _pool(), address()

    def one(name: str) -> tuple[str, dict[str, Any]]:
        kept = folder / f"{name}.json"
        if not kept.exists():
            page = f"{base}/pypi/{name}/json"
            answer = pool.request("GET", page)
            if answer.status not in {200, 404}:
                raise OSError(f"the index said {answer.status} to {name}")
            short = _shortened(answer.json(), page) if answer.status == 200 else {}
            kept.write_text(json.dumps(short), encoding="utf-8")
        found: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        return name, found

    with ThreadPoolExecutor(AT_ONCE) as crew:
        return dict(crew.map(one, names))


def _shortened(answer: dict[str, Any], page: str) -> dict[str, Any]:
    kept = {key: answer["info"].get(key) for key in KEPT}
    releases: dict[str, list[dict[str, Any]]] = answer.get("releases") or {}
    # A version without files was withdrawn, but was there: it still tells that the project had it.
    return {**kept, "versions": {version: _file(files, page) for version, files in releases.items()}}


def _file(files: list[dict[str, Any]], page: str) -> list[str]:
    """Return the address and the day of the file that is quickest to look into: a wheel, else an archive."""
    order = sorted(
        files, key=lambda one: (one["packagetype"] != "bdist_wheel", one["packagetype"] != "sdist", one["size"])
    )
    return [urllib.parse.urljoin(page, order[0]["url"]), order[0]["upload_time"][:10]] if order else []


def _certificates() -> str | None:
    return next((os.environ[name] for name in ("PIP_CERT", "SSL_CERT_FILE") if os.environ.get(name)), None)


def sources(files: Iterable[str], cache: Path) -> dict[str, frozenset[str]]:
    """Return, for the address of each of `files`, the paths of Python's in it; empty where it cannot be told."""
    folder = cache / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    pool = _pool()

    def one(address: str) -> tuple[str, frozenset[str]]:
        kept = folder / f"{address.rpartition('/')[2].partition('#')[0]}.txt"
        if not kept.exists():
            try:
                names = _names(pool, address)
            except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError):
                names = []
            found = sorted(name for name in names if name.endswith((".py", ".pyx", ".pyi")))
            kept.write_text("\n".join(found), encoding="utf-8", errors="surrogateescape")
        return address, frozenset(kept.read_text("utf-8", "surrogateescape").splitlines())

    with ThreadPoolExecutor(AT_ONCE) as crew:
        return dict(crew.map(one, files))


def _names(pool: "urllib3.PoolManager", address: str) -> list[str]:
    """Return the names of the members of a wheel or archive."""
    if address.endswith((".whl", ".zip", ".egg")):
        for tail in TAILS:
            answer = pool.request("GET", address, headers={"Range": f"bytes=-{tail}"})
            start = answer.headers.get("Content-Range", "bytes 0-").removeprefix("bytes ").partition("-")[0]
            with contextlib.suppress(ValueError), zipfile.ZipFile(_Tail(answer.data, int(start))) as archive:
                return archive.namelist()
        return []
    if int(pool.request("HEAD", address).headers.get("Content-Length", 0)) > LARGE:
        return []
    with tarfile.open(fileobj=io.BytesIO(pool.request("GET", address).data)) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def digests(address: str, cache: Path) -> frozenset[bytes]:
    """Return the digests of the Python files in the file at `address` that are long enough to be nobody else's."""
    kept = cache / "files" / address.rpartition("/")[2].partition("#")[0]
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        pool = _pool()
        small = int(pool.request("HEAD", address).headers.get("Content-Length", 0)) <= LARGE
        part = kept.with_name(f"{kept.name}.{threading.get_ident()}")
        part.write_bytes(pool.request("GET", address).data if small else b"")
        part.rename(kept)
    found = set()
    if zipfile.is_zipfile(kept):
        with zipfile.ZipFile(kept) as wheel:
            found = {digest(wheel.read(name)) for name in wheel.namelist() if name.endswith(".py")}
    elif tarfile.is_tarfile(kept):
        with tarfile.open(kept) as archive:
            members = (one for one in archive if one.isfile() and one.name.endswith(".py"))
            found = {digest(stream.read()) for one in members if (stream := archive.extractfile(one)) is not None}
    return frozenset(found - {b""})


def digest(data: bytes) -> bytes:
    """Return a digest of `data`, b"" where it is so short that two projects can have it."""
    return hashlib.sha256(data).digest() if len(data) >= SHORT else b""


class _Tail(io.BytesIO):
    """The end of a file, which takes places as the whole file has them."""

    def __init__(self, data: bytes, start: int) -> None:
        super().__init__(data)
        self._start = start

    def seek(self, place: int, whence: int = 0) -> int:
        return super().seek(place - self._start if whence == 0 else place, whence) + self._start

    def tell(self) -> int:
        return super().tell() + self._start
