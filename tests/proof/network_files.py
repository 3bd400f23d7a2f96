"""Behaviours of whoever sends the files: all meet our own fetching."""

import os
from collections.abc import Callable
from typing import Any

from proof.network_scene import FILE, Behaviour, Expect, Scene
from support import wire
from support.answers import Raw
from support.index import Fault
from support.machine import Answer
from support.wheels import make_wheel

Arrange = Callable[[Scene], Expect]

_OCTETS = "application/octet-stream"
_LOGIN = b"<!DOCTYPE html><html><body><h1>Please log in to this network</h1></body></html>"


def _spoiled(status: int, says: str = "", limit: float = 30.0, /, **how: Any) -> Arrange:
    """Return how to arrange a scene whose file is answered with this Fault."""

    def arrange(scene: Scene) -> Expect:
        scene.file(**how)
        return Expect(status, says, limit)

    return arrange


def _raw(says: str, raw: Raw, status: int = 1) -> Arrange:
    return _spoiled(status, says, raw=raw)


def _resumed(scene: Scene) -> Expect:
    scene.file(times=1, reset=True, at=100_000)

    def after(scene: Scene, _: Answer) -> str:
        asked = [one.headers for one in scene.index.seen if one.path == FILE]
        second = asked[1] if len(asked) == 2 else {}
        if second.get("range") != "bytes=100000-" or not second.get("if-range"):
            return f"not resumed where it broke, but asked {second.get('range')}"
        return ""

    return Expect(after=after)


def _thrice(scene: Scene) -> Expect:
    for at in (100_000, 120_000, 150_000):
        scene.file(times=1, reset=True, at=at)
    return Expect()


def _resumes_badly(**how: Any) -> Arrange:
    """Return how to arrange: the first answer breaks off, the second one does this."""

    def arrange(scene: Scene) -> Expect:
        scene.file(times=1, **how)
        scene.file(times=1, truncate=100_000, etag=how.get("etag") and '"older"')
        return Expect()

    return arrange


def _redirected(target: str, says: str) -> Arrange:
    def arrange(scene: Scene) -> Expect:
        scene.file(redirect=target or scene.index.root + FILE)
        return Expect(1, says)

    return arrange


def _portal(scene: Scene) -> Expect:
    scene.file(redirect=f"{scene.index.root}/login")
    scene.index.fault("/login", Fault(body=_LOGIN))
    return Expect(1, "sent a web page instead of demo-1.0")


def _elsewhere(scene: Scene) -> Expect:
    other = scene.another()
    scene.file(redirect=other.file_url("demo-1.0-py3-none-any.whl"))
    return Expect()


def _of_another(scene: Scene) -> Expect:
    scene.file(body=(scene.wares / "dep-1.0-py3-none-any.whl").read_bytes(), content_type=_OCTETS)
    return Expect(1, "has another SHA-256")


def _moving(scene: Scene) -> Expect:
    """40 kB a second for more than half a minute: slow, and never idle."""
    wares = scene.folder / "large"
    make_wheel(
        wares, "demo", "1.0", commands=["demo"], requires=["dep>=1"], files={"demo/noise": os.urandom(1_400_000)}
    )
    make_wheel(wares, "dep", "1.0")
    index = scene.another(wares)
    data = (wares / FILE.rpartition("/")[2]).read_bytes()
    index.fault(FILE, Fault(raw=wire.slowly(data, _OCTETS, part=8000, pace=0.2)), whole=True)
    scene.use(index.url)
    scene.good["PIP_INDEX_URL"] = index.url
    return Expect(limit=120)


BEHAVIOURS = [
    Behaviour("a file never begins", _spoiled(1, "sent nothing of demo-1.0", stall=300), waits=True),
    Behaviour("a file does not begin the first time", _spoiled(0, stall=300, times=1), waits=True),
    Behaviour(
        "a file stops in the middle",
        _spoiled(1, "sent nothing of demo-1.0", stall=300, at=5000, no_ranges=True),
        waits=True,
    ),
    Behaviour("a file stops in the middle once", _spoiled(0, stall=300, at=5000, times=1), waits=True),
    Behaviour("a file comes a byte a second", _spoiled(1, "sent only [0-9]+ bytes of demo-1.0", drip=1), waits=True),
    Behaviour("a file comes slowly, but it comes", _moving, waits=True, heavy=True),
    Behaviour("a file breaks off once: resumed there", _resumed),
    Behaviour("a file breaks off three times, each further on", _thrice),
    Behaviour("a file always breaks off at the same place", _spoiled(1, "broke", reset=True, at=5000, no_ranges=True)),
    Behaviour("a file breaks off every 50 kB", _spoiled(0, truncate=50_000)),
    Behaviour("a file is reset before it begins", _spoiled(1, "broke", reset=True)),
    Behaviour("a file ends early, its length known", _spoiled(0, truncate=5000, times=1)),
    Behaviour(
        "a file always ends early, its length known",
        _spoiled(1, "broke the connection off", truncate=5000, no_ranges=True),
    ),
    Behaviour(
        "a file ends early, its length unknown",
        _raw("broke the connection off", wire.until_the_end(b"PK\3\4" + b"x" * 5000, _OCTETS)),
    ),
    Behaviour("a file announces too few bytes", _spoiled(1, "another SHA-256|broke", claim=5000)),
    Behaviour("a file announces too many bytes", _spoiled(1, "larger than|broke", claim=9_000_000)),
    Behaviour(
        "a file announces a length that is no number",
        _raw("length|HTTP|SHA-256|broke", wire.length(b"many", b"x" * 99, _OCTETS)),
    ),
    Behaviour(
        "a file announces a negative length", _raw("length|HTTP|SHA-256|broke", wire.length(b"-5", b"x" * 99, _OCTETS))
    ),
    Behaviour("one bit of a file is flipped", _spoiled(1, "has another SHA-256 than the lock", flip=70_000)),
    Behaviour("another distribution's bytes under this name", _of_another),
    Behaviour("a file is a log-in page (200)", _spoiled(1, "sent a web page instead of", body=_LOGIN)),
    Behaviour("a file leads to a log-in page (302)", _portal),
    Behaviour("a file leads to itself", _redirected("", "redirects .* more than 10 times")),
    Behaviour(
        "a file leads to file:///etc/passwd", _redirected("file:///etc/passwd", "to a file: URL, which is refused")
    ),
    Behaviour("a file leads to ftp://", _redirected("ftp://127.0.0.1/x.whl", "to a ftp: URL, which is refused")),
    Behaviour("a file leads to another host", _elsewhere),
    *[
        Behaviour(f"a file is answered {status}", _spoiled(1, says, status=status))
        for status, says in (
            (401, r"refuses access to demo-1.0\S+ \(401\)"),
            (403, r"refuses access to demo-1.0\S+ \(403\)"),
            (404, r"has no demo-1.0\S+ \(404\)"),
            (410, r"has no demo-1.0\S+ \(410\)"),
            (418, "answered 418"),
        )
    ],
    *[
        Behaviour(f"a file is answered {status} for ever", _spoiled(1, rf"{status} after", status=status), waits=True)
        for status in (500, 502, 503)
    ],
    Behaviour("a file is answered 503 three times, then well", _spoiled(0, status=503, times=3), waits=True),
    Behaviour("a file is answered 429, wait two seconds", _spoiled(0, status=429, retry_after=2, times=1), waits=True),
    Behaviour("a file is answered 429, wait an hour", _spoiled(1, "too many requests", status=429, retry_after=3600)),
    Behaviour("a file is answered 503, wait a week", _spoiled(1, "503", status=503, retry_after=604_800)),
    Behaviour(
        "a file never ends",
        _raw("larger than the [0-9]+ bytes", wire.endless(_OCTETS, b"PK")),
    ),
    Behaviour("a file has 10 MB of headers", _raw("HTTP|broke", wire.headers(10_000_000))),
    Behaviour(
        "a file begins with 100 Continue for ever", _raw("sent nothing|HTTP|broke", wire.continuing()), waits=True
    ),
    Behaviour("a file begins with 102 Processing for ever", _raw("102|HTTP", wire.interim()), waits=True),
    Behaviour("a file comes as HTTP/0.9", _raw("HTTP|broke", wire.old_style(b"PK\3\4 and so on"))),
    Behaviour("a file has a chunk of 16 exabytes", _raw("broke|larger", wire.chunk_of(b"FFFFFFFFFFFFFFFF", _OCTETS))),
    Behaviour("a file has a chunk of no size at all", _raw("broke|HTTP", wire.chunk_of(b"zebra", _OCTETS))),
    Behaviour(
        "a file says it is gzip",
        _spoiled(0, headers={"Content-Encoding": "gzip"}),
    ),
    Behaviour("resuming: the range is ignored", _resumes_badly(no_ranges=True)),
    Behaviour("resuming: another range comes, and is called so", _resumes_badly(misplace=50, honest=True)),
    Behaviour("resuming: another range comes, and is called right", _resumes_badly(misplace=50)),
    Behaviour("resuming: the file has another ETag by now", _resumes_badly(etag='"newer"')),
    Behaviour("resuming: 416 instead", _resumes_badly(status=416)),
]
