"""Behaviours of an index: its pages and the metadata beside the files, which the engine reads."""

import json
from collections.abc import Callable
from typing import Any

from proof.network_scene import PAGE, Behaviour, Expect, Scene
from support import wire
from support.answers import Raw
from support.index import Fault
from support.machine import Answer
from support.wheels import make_wheel

Arrange = Callable[[Scene], Expect]
_JSON = wire.JSON
_META = "/files/demo-1.0-py3-none-any.whl.metadata"
_LOGIN = b"<!DOCTYPE html><html><body><h1>Please log in to this network</h1></body></html>"
_ODD = "does not answer as an index does"
_CUT = "broke off the connection"
_LOST = "lists no file of demo"
_LATE = "does not answer in time"


def _spoiled(status: int, says: str = "", /, **how: Any) -> Arrange:
    """Return how to arrange a scene whose page of demo is answered with this Fault."""

    def arrange(scene: Scene) -> Expect:
        scene.page(**how)
        return Expect(status, says)

    return arrange


def _raw(status: int, says: str, raw: Raw) -> Arrange:
    return _spoiled(status, says, raw=raw)


def _beside(status: int, says: str = "", /, **how: Any) -> Arrange:
    """Return how to arrange a scene whose metadata file of demo is answered with this Fault."""

    def arrange(scene: Scene) -> Expect:
        scene.index.fault(_META, Fault(**how))
        return Expect(status, says)

    return arrange


def _edited(status: int, says: str, change: Callable[[dict[str, Any]], None]) -> Arrange:
    """Return how to arrange a scene whose JSON page of demo was changed."""

    def edit(body: bytes) -> bytes:
        page = json.loads(body)
        change(page)
        return json.dumps(page).encode()

    return _spoiled(status, says, edit=edit)


def _row(**new: Any) -> Callable[[dict[str, Any]], None]:
    return lambda page: page["files"][0].update(new)


def _portal(scene: Scene) -> Expect:
    scene.index.fault("/simple/", Fault(redirect=f"{scene.index.root}/login"))
    scene.index.fault("/login", Fault(body=_LOGIN))
    return Expect(4, f"{_LOST}.*log-in page")


def _circle(scene: Scene) -> Expect:
    scene.page(redirect=scene.index.root + PAGE)
    return Expect(1, f"redirects|{_ODD}")


def _foreign_name(scene: Scene) -> Expect:
    """The page of demo offers a newer wheel of another distribution."""
    make_wheel(scene.folder / "evil", "evil", "9.9", commands=["demo"])
    row = {"filename": "evil-9.9-py3-none-any.whl", "url": scene.index.file_url("evil"), "hashes": {"sha256": "0" * 64}}
    _edited(0, "", lambda page: page["files"].append(row))(scene)
    return Expect()


def _masked(scene: Scene) -> Expect:
    """The page offers another distribution's wheel under a higher version of this name."""
    wares = scene.folder / "masked"
    make_wheel(wares, "demo", "1.0", commands=["demo"], requires=["dep>=1"])
    make_wheel(wares, "dep", "1.0")
    real = make_wheel(scene.folder / "evil", "evil", "9.9", commands=["demo"])
    (wares / "demo-9.9-py3-none-any.whl").write_bytes(real.read_bytes())
    scene.use(scene.another(wares).url)

    def after(scene: Scene, _: Answer) -> str:
        said = scene.machine.call("demo").out
        return "" if said.startswith("demo 1.0") else f"the masked release was taken: {said}"

    return Expect(after=after)


def _lying(scene: Scene) -> Expect:
    """The metadata beside the wheel, with the page's blessing, hides what the wheel requires."""
    scene.index.metadata["demo-1.0-py3-none-any.whl"] = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
    return Expect(1, "demo.* requires? dep|metadata")


def _unblessed(scene: Scene) -> Expect:
    """The metadata beside the wheel is not what the page announced."""
    scene.index.fault(
        _META, Fault(body=b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n", content_type="text/plain")
    )
    return Expect(1, "metadata.* not what was promised")


def _garbled(scene: Scene) -> Expect:
    scene.index.metadata["demo-1.0-py3-none-any.whl"] = b"\0\xff\xfe garbage"
    return Expect(4, "metadata")


def _partial(scene: Scene) -> Expect:
    scene.index.fault("/simple/dep/", Fault(status=503))
    return Expect(1, "answers with an error .status 503")


def _yanked(scene: Scene) -> Expect:
    wares = scene.folder / "yanked"
    for version in ("1.0", "2.0"):
        make_wheel(wares, "demo", version, commands=["demo"], requires=["dep>=1"])
    make_wheel(wares, "dep", "1.0")
    index = scene.another(wares)
    index.yanked["demo-2.0-py3-none-any.whl"] = "broken"
    scene.use(index.url)

    def after(scene: Scene, _: Answer) -> str:
        said = scene.machine.call("demo").out
        return "" if said.startswith("demo 1.0") else f"the yanked release was taken: {said}"

    return Expect(after=after)


def _all_yanked(scene: Scene) -> Expect:
    scene.index.yanked["demo-1.0-py3-none-any.whl"] = "broken"
    return Expect(4, "every release of demo .* withdrawn: broken", after=lambda *_: scene.index.yanked.clear() or "")


def _html(scene: Scene) -> Expect:
    scene.page(body=b"<!DOCTYPE <<<a href=\0\xff<<<<>&&&&;</", content_type="text/html")
    return Expect(4, _LOST)


def _gone(scene: Scene) -> Expect:
    scene.page(status=404)
    return Expect(3, "no distribution is called demo")


def _bomb(scene: Scene) -> Expect:
    scene.page(body=wire.bomb(16 << 30), content_type=_JSON, headers={"Content-Encoding": "gzip"})
    return Expect(1, "too large")


BEHAVIOURS = [
    Behaviour("a page never begins", _spoiled(1, _LATE, stall=300), waits=True),
    Behaviour("a page does not begin the first time", _spoiled(0, stall=300, times=1), waits=True),
    Behaviour("a page stops in the middle", _spoiled(1, _LATE, stall=300, at=100), waits=True),
    Behaviour("a page stops in the middle once", _spoiled(0, stall=300, at=100, times=1), waits=True),
    Behaviour(
        "a page comes a byte a second", _raw(1, "only [0-9]+ bytes", wire.slowly(b'{"meta":' + b" " * 3000)), waits=True
    ),
    Behaviour("a page is reset before it begins", _spoiled(1, _CUT, reset=True), waits=True),
    Behaviour("a page is reset in the middle", _spoiled(1, _CUT, reset=True, at=100), waits=True),
    Behaviour("a page is reset in the middle once", _spoiled(0, reset=True, at=100, times=1), waits=True),
    Behaviour("a page ends early, its length known", _spoiled(1, _CUT, truncate=100), waits=True),
    Behaviour("a page ends early, its length unknown", _raw(1, _ODD, wire.until_the_end(b'{"meta": {"api'))),
    Behaviour("a page announces too few bytes", _spoiled(1, _ODD, claim=100)),
    Behaviour("a page announces too many bytes", _spoiled(1, _CUT, claim=100_000), waits=True),
    Behaviour("a page announces a length that is no number", _raw(1, "HTTP", wire.length(b"many")), waits=True),
    Behaviour("a page names another hash", _spoiled(1, "has another SHA-256 than the lock names", wrong_hash=True)),
    Behaviour(
        "a page of 16 GB that came as 16 MB",
        _bomb,
        heavy=True,
    ),
    Behaviour("a page of 500 MB", _raw(1, "too large", wire.large_page(500_000_000)), heavy=True),
    Behaviour("a page never ends", _raw(1, "too large", wire.endless()), heavy=True),
    Behaviour("a page is no JSON", _spoiled(1, _ODD, body=b'{"files": [}', content_type=_JSON)),
    Behaviour("a page is JSON of another kind", _spoiled(1, _ODD, body=b'["demo"]', content_type=_JSON)),
    Behaviour("a page has bytes that are no text", _spoiled(1, _ODD, body=b"\0garbage\xff", content_type=_JSON)),
    Behaviour("a page is JSON nested a million deep", _spoiled(1, _ODD, body=b"[" * 1_000_000, content_type=_JSON)),
    Behaviour("a page is HTML that nobody can read", _html),
    Behaviour("a page is HTML and says it is JSON", _spoiled(1, _ODD, body=_LOGIN, content_type=_JSON)),
    Behaviour("a page is a PDF", _spoiled(1, _ODD, body=b"%PDF-1.7", content_type="application/pdf")),
    Behaviour("a page is empty", _spoiled(1, _ODD, body=b"", content_type=_JSON)),
    Behaviour("a page is a log-in page (200)", _spoiled(4, f"{_LOST}.*log-in page", body=_LOGIN)),
    Behaviour("every page leads to a log-in page (302)", _portal),
    Behaviour("a page leads to itself", _circle),
    Behaviour(
        "a page leads to file:///etc/passwd", _spoiled(1, "redirects to a file: address", redirect="file:///etc/passwd")
    ),
    *[
        Behaviour(f"a page is answered {status}", _spoiled(1, says, status=status))
        for status, says in (
            (401, "asks for a name and password"),
            (403, r"refuses access \(status 403\)"),
            (410, r"status 410|no such page"),
        )
    ],
    Behaviour("a page is answered 404", _gone),
    *[
        Behaviour(f"a page is answered {status} for ever", _spoiled(1, f"status {status}", status=status), waits=True)
        for status in (500, 502, 503)
    ],
    Behaviour("a page is answered 503 twice, then well", _spoiled(0, status=503, times=2), waits=True),
    Behaviour("a page is answered 429, wait two seconds", _spoiled(0, status=429, retry_after=2, times=1), waits=True),
    Behaviour(
        "a page is answered 429, wait an hour",
        _spoiled(1, "too many requests", status=429, retry_after=3600),
        waits=True,
    ),
    Behaviour("one of two pages is answered 503", _partial, waits=True),
    Behaviour("a page has 10 MB of headers", _raw(1, "HTTP|headers", wire.headers(10_000_000)), waits=True),
    Behaviour("a page begins with 100 Continue for ever", _raw(1, "does not answer", wire.continuing()), waits=True),
    Behaviour("a page begins with 102 Processing for ever", _raw(1, "does not answer", wire.interim()), waits=True),
    Behaviour("a page comes as HTTP/0.9", _raw(1, "HTTP", wire.old_style(b'{"files": []}')), waits=True),
    Behaviour("a page has a chunk of 16 exabytes", _raw(1, _CUT, wire.chunk_of(b"FFFFFFFFFFFFFFFF")), waits=True),
    Behaviour("a page has a chunk of no size at all", _raw(1, "HTTP|broke off", wire.chunk_of(b"zebra")), waits=True),
    Behaviour("a page lists nothing", _edited(4, _LOST, lambda page: page.update(files=[]))),
    Behaviour("a page lists another distribution's file", _foreign_name),
    Behaviour("a page lists another distribution's file under this name", _masked),
    Behaviour("a file's address is ftp://", _edited(1, "ftp: address", _row(url="ftp://127.0.0.1/x.whl"))),
    Behaviour("a file's address is javascript:", _edited(1, "javascript: address", _row(url="javascript:alert(1)"))),
    Behaviour(
        "a file's name leaves its directory", _edited(4, "demo", _row(filename="../../demo-1.0-py3-none-any.whl"))
    ),
    Behaviour("a file has no hash", _edited(0, "", _row(hashes={}))),
    Behaviour("the metadata never begins", _beside(1, _LATE, stall=300), waits=True),
    Behaviour("the metadata is answered 503 for ever", _beside(1, "status 503", status=503), waits=True),
    Behaviour("the metadata is not there", _beside(1, "no such page or file", status=404)),
    Behaviour("the metadata lies about what is required", _lying),
    Behaviour("the metadata is not what the page announced", _unblessed),
    Behaviour("the metadata is garbage", _garbled),
    Behaviour("the newest release is yanked", _yanked),
    Behaviour("every release is yanked", _all_yanked),
]
