"""Fetching the files that a lock names. A file arrives whole, with the hash of the lock, or not at all.

`net_transfer` speaks HTTP, `net_access` knows proxies, certificates and logins, `net_errors` has the words. Their
library, urllib3, is imported when the first URL is fetched.
"""

import contextlib
import hashlib
import os
import stat
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, Self
from urllib.parse import unquote, urlsplit

from detente.errors import DiskError, IntegrityError, Interrupted, NetworkError
from detente.host import net_errors
from detente.host.fs import disk_error
from detente.host.net_access import Access
from detente.host.net_transfer import Transfer

_LARGEST = 1 << 32  # accepted where the lock does not say the size
_THREADS = 8  # that may share a Fetcher, each with its connection kept open
_GLANCE = 0.1  # seconds between two looks at a transfer
_TRICKLE = 1024  # bytes that must come within the timeout, or the server counts as stalled


class Fetcher:
    """Fetches files by URL or absolute path; safe for threads, use it as a context manager.

    `environ` gives proxies, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR, NETRC and HOME; the other settings go before
    it. `credentials` maps `host` or `host:port` to user and password. `timeout` is in seconds: how long a server
    may send nothing, or next to nothing, over all tries; after `silence` of them another connection is tried.
    `pause` is the time before the second try, doubled each time.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        ca_file: str | None = None,
        client_cert: str | None = None,
        proxy: str | None = None,
        insecure_hosts: Sequence[str] = (),
        timeout: float = 22.0,
        silence: float | None = None,
        credentials: Mapping[str, tuple[str, str]] | None = None,
        pause: float = 0.25,
    ) -> None:
        self._timeout = timeout
        self._silence = timeout * 0.4 if silence is None else silence
        self._pause = pause
        self._access = Access(
            environ,
            ca_file=ca_file,
            client_cert=client_cert,
            proxy=proxy,
            insecure_hosts=insecure_hosts,
            credentials=credentials or {},
            connections=_THREADS,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections."""
        self._access.close()

    def fetch(
        self,
        url: str,
        into: str | os.PathLike[str] | BinaryIO,
        *,
        sha256: str,
        size: int = 0,
        received: Callable[[int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """Fetch `url` (http, https, file, or an absolute path) and write it to `into`.

        `into` is a path, made or replaced, or a seekable file, written from where it stands. On any error the path
        is removed, the file cut to where it stood. `sha256` is the hex digest the bytes must have; `size` the most
        there may be, 0 where unknown. `received` is called in the calling thread with the number of bytes that
        came since it was last called; `cancelled` is asked at least twice a second.

        Raises NetworkError, IntegrityError, DiskError, ConfigError, or Interrupted once `cancelled` says True.
        """
        with _Place(into) as place:
            path = _local_path(url)
            if len(sha256) != 64:
                raise IntegrityError(f"the lock names no SHA-256 for {net_errors.file_of(url)}", hint="make a new lock")
            watch = _Watch(received or (lambda _: None), cancelled or (lambda: False))
            if path is None:
                self._fetch_remote(url, place, sha256.lower(), size, watch)
            else:
                _copy(path, url, place, sha256.lower(), size, watch)
            place.keep()

    def _fetch_remote(self, url: str, place: "_Place", sha256: str, size: int, watch: "_Watch") -> None:
        transfer = Transfer(
            self._access,
            url,
            place,
            sha256=sha256,
            size=size,
            limit=size or _LARGEST,
            timeout=self._timeout,
            silence=self._silence,
            pause=self._pause,
        )
        # A daemon, because a thread that looks up a name cannot be woken and must not keep us from exiting.
        threading.Thread(target=transfer.run, name="detente-fetch", daemon=True).start()
        try:
            since, counted = transfer.alive, 0
            while not transfer.done.wait(_GLANCE):
                watch.look(transfer.written)
                now, arrived = time.monotonic(), transfer.arrived
                if arrived - counted >= _TRICKLE:
                    since, counted = now, arrived
                since = max(since, transfer.alive)
                if now - since > self._timeout:
                    raise net_errors.stalled(transfer.at, self._timeout, arrived - counted)
        finally:
            transfer.abandon()
        if transfer.error is not None:
            raise transfer.error
        watch.look(transfer.written)


class _Watch:
    """Tells the caller what came, and asks whether to stop."""

    def __init__(self, received: Callable[[int], None], cancelled: Callable[[], bool]) -> None:
        self._received = received
        self._cancelled = cancelled
        self._told = 0

    def look(self, written: int) -> None:
        """Report growth up to `written` bytes (a file that starts over is not told twice); raise Interrupted."""
        if written > self._told:
            self._received(written - self._told)
            self._told = written
        if self._cancelled():
            raise Interrupted


class _Place:
    """Where a file is written: kept when all is well, else removed."""

    def __init__(self, into: str | os.PathLike[str] | BinaryIO) -> None:
        self._path = os.fspath(into) if isinstance(into, str | os.PathLike) else ""
        self._given = None if isinstance(into, str | os.PathLike) else into
        self._kept = False
        self._start = 0
        self.file: BinaryIO

    def __enter__(self) -> Self:
        if self._given is not None:
            self.file = self._given
            self._start = self.file.tell()
            return self
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self.file = os.fdopen(os.open(self._path, flags, 0o644), "wb", buffering=0)
        except OSError as err:
            raise disk_error(err, f"writing {self._path}") from err
        return self

    def write(self, data: bytes) -> None:
        """Append all of `data`; raise DiskError where the file system refuses."""
        view = memoryview(data)
        try:
            while view:
                view = view[self.file.write(view) :]
        except OSError as err:
            raise disk_error(err, f"writing {self._path or 'a fetched file'}") from err

    def restart(self) -> None:
        """Cut the file to where it started."""
        self.file.seek(self._start)
        self.file.truncate()

    def keep(self) -> None:
        """What was written is right; raise DiskError where the file system says so only now."""
        try:
            self.file.flush()
            if self._given is None:
                self.file.close()
        except OSError as err:
            raise disk_error(err, f"writing {self._path or 'a fetched file'}") from err
        self._kept = True

    def __exit__(self, *_: object) -> None:
        if self._given is not None:
            if not self._kept:
                with contextlib.suppress(OSError, ValueError):
                    self.restart()
            return
        with contextlib.suppress(OSError):
            self.file.close()
        if not self._kept:
            with contextlib.suppress(OSError):
                os.unlink(self._path)


def _local_path(url: str) -> str | None:
    """Return the path that `url` names on this machine, None for http and https; raise NetworkError for others."""
    if url.startswith("/") and "\0" not in url:
        return url
    try:
        parts = urlsplit(url)
        local = parts.netloc in ("", "localhost")
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return None
    except ValueError:  # a port that is no number, a broken IPv6 address
        raise NetworkError("the lock names a URL that cannot be read", hint="make a new lock") from None
    if parts.scheme == "file" and local and parts.path.startswith("/") and "%00" not in parts.path:
        return unquote(parts.path)
    raise NetworkError(
        f"{net_errors.shown(url)} cannot be fetched: only http, https and file URLs and absolute paths can",
        hint="make a new lock from an index that serves https",
    )


def _copy(path: str, url: str, place: _Place, sha256: str, size: int, watch: _Watch) -> None:
    try:
        # O_NONBLOCK: opening a FIFO must not wait for its writer.
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb", buffering=0) as source:
            if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                raise DiskError(f"{path} is not a regular file", hint="check the path")
            digest, written, limit = hashlib.sha256(), 0, size or _LARGEST
            while data := source.read(1 << 20):
                written += len(data)
                if written > limit:
                    raise net_errors.too_large(url, limit, bool(size))
                place.write(data)
                digest.update(data)
                watch.look(written)
    except FileNotFoundError as err:
        raise DiskError(f"{path} does not exist any more", hint="put it back, or make a new lock") from err
    except OSError as err:
        raise disk_error(err, f"reading {path}") from err
    if digest.hexdigest() != sha256:
        raise net_errors.another_hash(url, sha256, digest.hexdigest())
