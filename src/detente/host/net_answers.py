"""Small questions about an HTTP answer: what may be resumed, how long to wait, is it a web page, may one ask again."""

import contextlib
import time
from typing import TYPE_CHECKING

from detente.errors import NetworkError

if TYPE_CHECKING:
    import urllib3

_SHORT = 1 << 16


class Again(Exception):
    """This try failed, another one may not; `final` is what to raise when it was the last."""

    def __init__(
        self, final: NetworkError, *, wait: float = 0.0, connecting: bool = False, silent: float = 0.0
    ) -> None:
        super().__init__(final.message)
        self.final = final
        self.wait = wait
        self.connecting = connecting
        self.silent = silent  # seconds that the server said nothing


def is_page(data: bytes) -> bool:
    """Say whether `data` begins like HTML, which no wheel and no source distribution does."""
    return data.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))


def validator(response: "urllib3.BaseHTTPResponse") -> str:
    """Return what If-Range may carry (RFC 9110, 13.1.5): a strong ETag, else nothing."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') and response.headers.get("Accept-Ranges") != "none" else ""


def retry_after(value: str) -> float | None:
    """Return the seconds that a Retry-After header asks for, None without one that can be read."""
    if value.isdecimal():
        return float(value)
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def dismiss(response: "urllib3.BaseHTTPResponse") -> None:
    """Be done with an answer: read a short one, so that its connection can be used again, and hang up on others."""
    from urllib3.exceptions import HTTPError

    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) <= _SHORT:
        with contextlib.suppress(HTTPError, OSError):  # nobody wants the page
            response.read()
    response.close()
