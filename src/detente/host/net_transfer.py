"""One file over HTTP, in a thread of its own: tries, redirects, resumption, and the check of what came.

The thread may block for as long as the network likes; `net.Fetcher` watches it from outside and abandons it when
it stalls or the person presses Ctrl-C. Hence the rule: after `abandon` the thread touches nothing that is shared.
"""

import contextlib
import hashlib
import threading
import time
from typing import TYPE_CHECKING, NoReturn, Protocol
from urllib.parse import urljoin, urlsplit, urlunsplit

import detente
from detente.errors import DetenteError, NetworkError
from detente.host import net_errors
from detente.host.net_access import Access, basic
from detente.host.net_answers import Again, dismiss, is_page, retry_after, validator

if TYPE_CHECKING:
    from collections.abc import Callable

    import urllib3

_TRIES = 5  # of one file without progress; a connection that cannot be made is tried _CONNECTS times
_CONNECTS = 3
_REDIRECTS = 10
_CHUNK = 1 << 18
_WORTH = 1 << 16  # bytes between two silences that make up for the first


class Target(Protocol):
    """Where the bytes go."""

    def write(self, data: bytes) -> None:
        """Append `data`."""

    def restart(self) -> None:
        """Forget everything written."""


class Transfer:
    """Fetches one URL into a target; `run` in a thread, then look at `done` and `error`.

    `arrived` counts bytes as they come, those of broken tries too; `written` is how much of the file is there;
    `alive` is until when it has a reason to be silent; `at` is the URL asked now, after redirects.
    """

    def __init__(
        self,
        access: Access,
        url: str,
        target: Target,
        *,
        sha256: str,
        size: int,
        limit: int,
        timeout: float,
        silence: float,
        pause: float,
    ) -> None:
        self._access = access
        self._url = url
        self._target = target
        self._sha256 = sha256
        self._size = size
        self._limit = limit
        self._timeout = timeout
        self._silence = silence
        self._silent = 0.0  # seconds of silence since the file last grew by more than a little
        self._pause = pause
        self._patience = timeout  # how long a server may have us wait (Retry-After), all in all
        self._digest = hashlib.sha256()
        self._validator = ""
        self._resumed = False
        self._tries = 0
        self._lock = threading.Lock()
        self._abandoned = threading.Event()
        self._response: urllib3.BaseHTTPResponse | None = None
        self.done = threading.Event()
        self.error: BaseException | None = None
        self.arrived = 0
        self.written = 0
        self.alive = time.monotonic()
        self.at = url

    def run(self) -> None:
        """Fetch; never raises, see `error`."""
        try:
            self._fetch()
        except BaseException as err:  # noqa: BLE001 - raised again in the calling thread
            self.error = err
        finally:
            self.done.set()

    def abandon(self) -> None:
        """Give up: from the moment this returns, nothing is written to the target."""
        with self._lock:
            self._abandoned.set()
            response = self._response
        shutdown: Callable[[], None] | None = getattr(response, "shutdown", None)
        if shutdown is not None:
            # Wakes the thread if it is reading; where that fails it has ended, or waits for its own timeout.
            with contextlib.suppress(OSError, ValueError, RuntimeError):
                shutdown()

    def _fetch(self) -> None:
        best = heard = 0
        pause = self._pause
        while not self._abandoned.is_set():
            self._tries += 1
            try:
                self._try()
                return
            except Again as again:
                if self.written > best:
                    best, self._tries, pause = self.written, 0, self._pause
                if self.written >= heard + _WORTH:
                    heard, self._silent = self.written, 0.0
                self._silent += again.silent
                if self._silent >= self._timeout:
                    raise net_errors.stalled(self.at, self._timeout, 0) from again
                if self._tries >= (_CONNECTS if again.connecting else _TRIES):
                    raise again.final from again
                if again.wait:
                    self.alive = time.monotonic() + again.wait
                self._abandoned.wait(again.wait or pause)
                pause *= 2

    def _try(self) -> None:
        from urllib3 import exceptions

        response, url = self._open()
        try:
            with self._lock:
                self._response = response
            self._receive(response, url)
            if self._ends_early(response):
                raise Again(net_errors.broken_off(url))
        except exceptions.ReadTimeoutError as err:
            raise Again(net_errors.stalled(url, self._silence, 0), silent=self._bearable()) from err
        except (exceptions.HTTPError, OSError) as err:
            raise Again(net_errors.broken_off(url)) from err
        finally:
            with self._lock:
                self._response = None
            response.close()
        self._check(url)

    def _open(self) -> "tuple[urllib3.BaseHTTPResponse, str]":
        """Return the answer that carries the file, and the URL that it came from after redirects."""
        url = self.at = self._url
        for _ in range(_REDIRECTS):
            response = self._ask(url)
            location = response.headers.get("Location", "")
            if response.status not in (301, 302, 303, 307, 308) or not location:
                self._judge(response, url)
                return response, url
            dismiss(response)
            try:
                target = urljoin(url, location)
                scheme, _ = urlsplit(target).scheme, urlsplit(target).port
            except ValueError:
                raise net_errors.bad_redirect(url, "", "to an address that cannot be read") from None
            if scheme not in ("http", "https"):
                raise net_errors.bad_redirect(url, target, f"to a {scheme}: URL")
            if scheme == "http" and urlsplit(url).scheme == "https":
                raise net_errors.bad_redirect(url, target, "to an unencrypted address")
            url = self.at = target
        raise net_errors.bad_redirect(self._url, url, f"more than {_REDIRECTS} times")

    def _ask(self, url: str) -> "urllib3.BaseHTTPResponse":
        import urllib3
        from urllib3 import exceptions

        # identity: what is hashed is the file, not some encoding of it.
        headers = {"User-Agent": f"detente/{detente.__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
        login = self._access.login(url)
        if login is not None:
            headers["Authorization"] = basic(login)
        if self.written and self._validator:
            headers["Range"] = f"bytes={self.written}-"
            headers["If-Range"] = self._validator
        connect = min(self._timeout / 4, 8.0)
        try:
            return self._access.pool(url).request(
                "GET",
                _bare(url),
                headers=headers,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=connect, read=self._bearable()),
            )
        except exceptions.ReadTimeoutError as err:
            raise Again(net_errors.stalled(url, self._silence, 0), silent=self._bearable()) from err
        except (exceptions.LocationValueError, exceptions.ProxySchemeUnknown) as err:
            raise NetworkError(f"{net_errors.shown(url)} is not a URL that can be fetched", hint=None) from err
        except (exceptions.HTTPError, OSError) as err:
            final = net_errors.unreachable(err, url, self._access.proxy_for(url))
            if _is_refusal(err):
                raise final from err
            early = exceptions.ConnectTimeoutError, exceptions.ProxyError, exceptions.SSLError
            raise Again(final, connecting=isinstance(err, early)) from err

    def _bearable(self) -> float:
        """Return how many seconds of silence this try may take."""
        return max(0.1, min(self._silence, self._timeout - self._silent))

    def _judge(self, response: "urllib3.BaseHTTPResponse", url: str) -> None:
        """Raise unless `response` carries the file or the rest of it; start over where it carries all of it."""
        status = response.status
        if status == 206 and self.written and self._validator:
            if response.headers.get("Content-Range", "").startswith(f"bytes {self.written}-"):
                self._resumed = True
                return
            status = 416
        if status == 200:
            self._restart()
            self._validator = validator(response)
            return
        dismiss(response)
        if status == 416 and self.written:
            self._restart()
            self._validator = ""
            raise Again(net_errors.bad_status(url, status, self._tries, None, ""))
        wait = retry_after(response.headers.get("Retry-After", ""))
        final = net_errors.bad_status(url, status, self._tries, wait, self._access.login_note)
        lasting = status < 500 and status not in (408, 425, 429)
        if lasting or (wait or 0.0) > self._patience:
            raise final
        self._patience -= wait or 0.0
        raise Again(final, wait=wait or 0.0)

    def _receive(self, response: "urllib3.BaseHTTPResponse", url: str) -> None:
        length = response.headers.get("Content-Length", "")
        announced = int(length) if length.isdecimal() else 0
        while data := response.read1(_CHUNK):
            with self._lock:
                if self._abandoned.is_set():
                    return
                if not self.written and is_page(data) and not self._url.endswith((".html", ".htm")):
                    raise net_errors.web_page(url, self._url)
                fits = self.written + len(data) <= self._limit and announced <= self._limit
                if fits:
                    self._target.write(data)
                    self._digest.update(data)
                    self.written += len(data)
                    self.arrived += len(data)
            if not fits:
                self._refuse(net_errors.too_large(url, self._limit, bool(self._size)))

    def _ends_early(self, response: "urllib3.BaseHTTPResponse") -> bool:
        """Say whether the end of an answer of unknown length came before the size that the lock names."""
        known = {"Content-Length", "Transfer-Encoding"} & {name.title() for name in response.headers}
        return not known and self.written < self._size and not self._abandoned.is_set()

    def _check(self, url: str) -> None:
        found = self._digest.hexdigest()
        if found == self._sha256 or self._abandoned.is_set():
            return
        self._refuse(net_errors.another_hash(self._url, self._sha256, found))

    def _refuse(self, final: DetenteError) -> NoReturn:
        """Raise `final`, unless these are two halves of two files: then fetch the whole once more."""
        if not self._resumed:
            raise final
        # The server's validator did not hold.
        self._restart()
        self._validator = ""
        raise Again(NetworkError(final.message, hint=final.hint, context=final.context))

    def _restart(self) -> None:
        with self._lock:
            if self.written and not self._abandoned.is_set():
                self._target.restart()
                self._digest = hashlib.sha256()
                self._resumed = False
                self.written = 0


def _bare(url: str) -> str:
    """Return `url` without userinfo and fragment."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=net_errors.host_of(url), fragment=""))


def _is_refusal(err: BaseException) -> bool:
    """Say whether asking again would change nothing: an unfit certificate, a proxy that says no."""
    import ssl

    original = getattr(err, "original_error", err)
    certificate = any(isinstance(inner, ssl.SSLCertVerificationError) for inner in (original, *original.args))
    return certificate or "Tunnel connection failed: 4" in str(original)
