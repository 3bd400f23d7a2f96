"""A real index for tests: serves a folder of distributions over HTTP on loopback, and misbehaves when told to.

PEP 503 (HTML), PEP 691 (JSON), PEP 658 (metadata beside the file), Range, ETag. It is also an HTTP proxy
(absolute URLs and CONNECT), so that proxy settings can be tested against it.
"""

import hashlib
import os
import threading
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from support.answers import Fault, Seen, Server
from support.pages import JSON, File, described, html_project, html_root, json_project, json_root

__all__ = ["Fault", "Index", "Seen"]


class Index:
    """Serves the files of `directory`, looking at it anew for each request; use it as a context manager.

    `url` is the index (".../simple/"), `root` the server. `certificate` (a PEM file with chain and key) makes it
    HTTPS. `uploaded` gives a file's upload time (others have `upload_time`), `yanked` a reason for a filename,
    `metadata` another METADATA than the wheel's own.
    `page_cache_control` is sent with pages; by default clients ask again each time.
    """

    upload_time = "2020-01-01T00:00:00.000000Z"
    page_cache_control = "no-cache"
    file_cache_control = "max-age=31536000, immutable"

    def __init__(self, directory: str | os.PathLike[str], *, certificate: str | os.PathLike[str] | None = None) -> None:
        self.directory = Path(directory)
        self.uploaded: dict[str, str] = {}
        self.yanked: dict[str, str] = {}
        self.metadata: dict[str, bytes] = {}
        self.seen: list[Seen] = []
        self.connections = 0
        self.closing = threading.Event()
        self._faults: list[tuple[str, bool, list[int], Fault]] = []
        self._known: dict[tuple[str, int, int], File] = {}
        self._lock = threading.Lock()
        self._server = Server(self, certificate)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def host(self) -> str:
        """Address and port, as in the URL."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def root(self) -> str:
        """The server's URL, without a slash at the end."""
        return f"{'https' if self._server.context else 'http'}://{self.host}"

    @property
    def url(self) -> str:
        """The index's URL, as given to an installer."""
        return f"{self.root}/simple/"

    def file_url(self, filename: str) -> str:
        """The URL of one file."""
        return f"{self.root}/files/{filename}"

    @property
    def requests(self) -> list[str]:
        """The paths asked for so far, in order (whole URLs where it served as a proxy)."""
        return [one.path for one in self.seen]

    def fault(self, prefix: str, fault: Fault, *, whole: bool = False) -> None:
        """From now on spoil answers to paths that start with `prefix` (after "/files/" also a bare filename fits).

        With `whole` the path must be `prefix`: a wheel, and not the metadata beside it.

        Of several that fit, the one added last rules until its `times` are used up.
        """
        with self._lock:
            self._faults.append((prefix, whole, [-1 if fault.times is None else fault.times], fault))

    def mend(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._faults.clear()

    def fault_for(self, path: str) -> Fault:
        """Return the fault that spoils this request, and count it."""
        with self._lock:
            for prefix, whole, left, fault in reversed(self._faults):
                places = (prefix, f"/files/{prefix}")
                if left[0] and (path in places if whole else path.startswith(places)):
                    left[0] -= 1
                    return fault
        return Fault()

    def files(self) -> list[File]:
        """What lies in the directory now."""
        found = []
        for path in sorted(self.directory.iterdir()):
            if path.name.endswith((".whl", ".tar.gz", ".zip")):
                found.append(self._describe(path))
        return found

    def _describe(self, path: Path) -> File:
        info = path.stat()
        key = (path.name, info.st_mtime_ns, info.st_size)
        if key not in self._known:
            self._known[key] = described(path)
        found = self._known[key]
        return found._replace(metadata=self.metadata.get(path.name, found.metadata))

    def answer(self, path: str, accept: str, fault: Fault) -> tuple[str, bytes, str] | None:
        """Return content type, body and cache control of `path`, None where there is no such page."""
        parts = [unquote(part) for part in path.split("?", maxsplit=1)[0].strip("/").split("/")]
        if parts[0] == "simple" and len(parts) <= 2:
            return self._page(parts[1:], accept, fault)
        if parts[0] == "files" and len(parts) == 2:
            name = parts[1].removesuffix(".metadata")
            target = self.directory / name
            if target.is_file() and name == parts[1]:
                return "application/octet-stream", target.read_bytes(), self.file_cache_control
            text = self._describe(target).metadata if target.is_file() else None
            if text is not None:
                return "text/plain", text, self.file_cache_control
        return None

    def _page(self, name: list[str], accept: str, fault: Fault) -> tuple[str, bytes, str] | None:
        files = self.files()
        as_json = JSON in accept
        if not name:
            projects = sorted({file.project for file in files})
            body = json_root(projects) if as_json else html_root(projects)
        else:
            chosen = [file for file in files if file.project == name[0]]
            if not chosen:
                return None
            if fault.wrong_hash:
                chosen = [file._replace(sha256=hashlib.sha256(b"another").hexdigest()) for file in chosen]
            if as_json:
                body = json_project(name[0], chosen, self.uploaded, self.yanked, self.upload_time)
            else:
                body = html_project(chosen, self.yanked)
        return (JSON if as_json else "text/html; charset=utf-8"), body, self.page_cache_control
