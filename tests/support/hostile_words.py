"""Wheels that say what is not so: RECORD, METADATA, WHEEL, entry points and file name."""

from collections.abc import Callable, Iterator
from typing import Any

from support.crafted import INFO, METADATA, WHEEL, Item, changed, hashed, record, wheel
from support.crafted import archive as packed
from support.hostile_wheels import DEMO, MAIN, POINTS, Case, parts, whole

SIZE = len(MAIN)
ROW = f"{INFO}/RECORD"
CODE = b"print('evil')\n"


def cases() -> Iterator[Case]:
    """Yield every case of this kind."""
    for group, rows in (("RECORD", _RECORD), ("identity", _IDENTITY), ("entry points", _POINTS)):
        for name, (make, says, *more) in rows.items():
            yield Case(group, name, make, says, advisory=more[0] if more else "")
    for name, (filename, says) in _FILENAMES.items():
        yield Case("file name", name, whole, says, filename=filename)


def row(text: str) -> Callable[[], bytes]:
    """Make a wheel whose RECORD has one row more."""
    return lambda: whole(edit=lambda old: old + text.encode() + b"\n")


def recorded(old: str, new: str) -> Callable[[], bytes]:
    """Make a wheel whose RECORD was edited."""

    def edit(text: bytes) -> bytes:
        assert old.encode() in text
        return text.replace(old.encode(), new.encode(), 1)

    return lambda: whole(edit=edit)


def points(text: str | bytes, group: str = "console_scripts") -> Callable[[], bytes]:
    """Make a wheel with these commands beside its own."""
    more = text.encode() if isinstance(text, str) else text
    content = f"[{group}]\n".encode() + more + b"\n[console_scripts]\ndemo = demo:main\n"
    return lambda: wheel([DEMO, changed(POINTS, content=content)])


def described(**how: Any) -> Callable[[], bytes]:
    """Make a wheel with other METADATA, WHEEL or `.dist-info`."""
    return lambda: whole(**how)


def _unlisted() -> bytes:
    return packed([*parts()[:-1], Item("evil.py", CODE), parts()[-1]])


def _unlisted_pth() -> bytes:
    return packed([*parts()[:-1], Item("evil.pth", b"import os\n"), parts()[-1]])


def _no_record() -> bytes:
    return packed(parts()[:-1])


def _elsewhere() -> bytes:
    """RECORD lies beside the .dist-info directory that it should lie in."""
    return packed([*parts()[:-1], Item("demo/RECORD", parts()[-1].content)])


def _renamed(info: str) -> Callable[[], bytes]:
    def make() -> bytes:
        named = [DEMO, Item(f"{info}/entry_points.txt", POINTS.content)]
        return wheel(named, info=info)

    return make


def _bare() -> bytes:
    return packed([DEMO])


def _without(file: str) -> Callable[[], bytes]:
    def make() -> bytes:
        kept = [item for item in parts()[:-1] if not str(item.name).endswith(file)]
        return packed([*kept, Item(ROW, record(kept))])

    return make


Rows = dict[str, tuple[Callable[[], bytes], str] | tuple[Callable[[], bytes], str, str]]
OWN = hashed(MAIN)

_RECORD: Rows = {
    "a member that it does not have": (_unlisted, "evil.py is not in RECORD"),
    "start-up code that it does not have": (_unlisted_pth, "evil.pth is not in RECORD"),
    "a row without a file": (row(f"ghost.py,{hashed(b'')},0"), "ghost.py is in RECORD, but not", "pip issue 13873"),
    "a row without file or hash": (row("ghost.py,,"), "ghost.py is in RECORD, but not", "pip issue 13873"),
    "a row that leaves": (row(f"../../bin/x,{hashed(b'')},0"), "../../bin/x is in RECORD", "GHSA-pjjw-68hj-v9mw"),
    "a row far up": (row(f"{'../' * 20}etc/passwd,,"), "etc/passwd is in RECORD", "GHSA-pjjw-68hj-v9mw"),
    "an absolute row": (row(f"/etc/passwd,{hashed(b'')},0"), "/etc/passwd is in RECORD", "GHSA-pjjw-68hj-v9mw"),
    "a row with a dot": (recorded("demo.py,", "./demo.py,"), "./demo.py is in RECORD"),
    "a row with a control character": (row("evil\x1b[2J.py,,"), "evil\\x1b[2J.py is in RECORD"),
    "no hash": (recorded(OWN, ""), "demo.py has no hash in RECORD"),
    "MD5": (recorded(OWN, hashed(MAIN, "md5")), "demo.py in demo-1.0.dist-info/RECORD has a weak"),
    "SHA-1": (recorded(OWN, hashed(MAIN, "sha1")), "weak or unknown hash (sha1)"),
    "an unknown hash": (recorded(OWN, "crc32=AAAA"), "weak or unknown hash (crc32)"),
    "a hash without a name": (recorded(OWN, OWN.partition("=")[2]), "demo.py"),
    "a damaged hash": (recorded(OWN, "sha256=!!"), "has a damaged hash"),
    "a short hash": (recorded(OWN, "sha256=YWJj"), "has a damaged hash"),
    "a wrong hash": (recorded(OWN, hashed(b"other")), "demo.py has not the hash that RECORD says"),
    "a wrong hash of METADATA": (recorded(hashed(METADATA), hashed(b"")), f"{INFO}/METADATA has not the hash"),
    "a wrong hash of the commands": (
        recorded(hashed(POINTS.content), hashed(b"")),
        "entry_points.txt has not the hash",
    ),
    "a wrong size": (recorded(f",{SIZE}\n", ",7\n"), f"demo.py has {SIZE} bytes, and 7 in RECORD"),
    "a size below nothing": (recorded(f",{SIZE}\n", ",-1\n"), "demo.py in demo-1.0.dist-info/RECORD has a size"),
    "a size that is no number": (recorded(f",{SIZE}\n", ",1e1\n"), "demo.py in demo-1.0.dist-info/RECORD has a size"),
    "four columns": (recorded(f",{SIZE}\n", f",{SIZE},x\n"), "has 4 columns"),
    "two hashes": (row(f"demo.py,{hashed(b'evil')},{SIZE}"), "demo.py is in demo-1.0.dist-info/RECORD twice"),
    "not UTF-8": (described(edit=lambda text: text + b"\xff"), "RECORD cannot be read"),
    "an open quote": (described(edit=lambda text: text + b'"x'), "RECORD cannot be read"),
    "a NUL": (described(edit=lambda text: text + b"a\0b,,\n"), "RECORD"),
    "nothing in it": (described(edit=lambda text: b""), "demo.py is not in RECORD"),
    "none": (_no_record, f"no {INFO}/RECORD"),
    "elsewhere": (_elsewhere, f"no {INFO}/RECORD"),
}

_IDENTITY: Rows = {
    "no .dist-info": (_bare, "no .dist-info directory"),
    "no WHEEL": (_without("WHEEL"), f"no {INFO}/WHEEL"),
    "no METADATA": (_without("METADATA"), f"no {INFO}/METADATA"),
    "a .dist-info of another name": (_renamed("other-1.0.dist-info"), "other-1.0.dist-info"),
    "a .dist-info of another version": (_renamed("demo-2.0.dist-info"), "demo-2.0.dist-info"),
    "a .dist-info without a version": (_renamed("demo.dist-info"), "demo.dist-info"),
    "metadata of another name": (described(metadata=METADATA.replace(b"Name: demo", b"Name: evil")), "evil"),
    "metadata of another version": (described(metadata=METADATA.replace(b"Version: 1.0", b"Version: 1.1")), "1.1"),
    "metadata with another local version": (
        described(metadata=METADATA.replace(b"Version: 1.0", b"Version: 1.0+evil")),
        "1.0+evil",
    ),
    "metadata without a name": (described(metadata=METADATA.replace(b"Name: demo\n", b"")), "METADATA has no Name"),
    "metadata without a version": (
        described(metadata=METADATA.replace(b"\nVersion: 1.0", b"")),
        "METADATA has no Version",
    ),
    "metadata with two names": (
        described(metadata=METADATA.replace(b"Name: demo", b"Name: demo\nName: evil")),
        "METADATA has more than one Name",
    ),
    "empty metadata": (described(metadata=b""), "METADATA has no Name"),
    "wheel format 2": (described(wheel=WHEEL.replace(b"1.0", b"2.0")), f"{INFO}/WHEEL has Wheel-Version 2.0"),
    "wheel format nonsense": (described(wheel=b"Wheel-Version: one\n"), f"{INFO}/WHEEL has the Wheel-Version one"),
    "no wheel format": (described(wheel=b"Generator: x\n"), f"{INFO}/WHEEL has no Wheel-Version"),
}

_POINTS: Rows = {
    "a path": (points("../evil = demo:main"), "cannot be one: ../evil", "GHSA-4gg8-gxpx-9rph"),
    "a path far up": (points("../../../../tmp/x = demo:main"), "cannot be one", "CVE-2026-8643"),
    "an absolute path": (points("/tmp/detente-evil = demo:main"), "cannot be one: /tmp/detente-evil", "CVE-2026-8643"),
    "a path of a window": (points("../evil = demo:main", "gui_scripts"), "cannot be one: ../evil", "CVE-2026-8643"),
    "two dots": (points(".. = demo:main"), "cannot be one: .."),
    "a hidden file": (points(".profile = demo:main"), "cannot be one: .profile"),
    "a space": (points("two words = demo:main"), "cannot be one: two words"),
    "an option": (points("-rf = demo:main"), "cannot be one: -rf"),
    "a shell's word": (points("a;reboot = demo:main"), "cannot be one: a;reboot"),
    "a substitution": (points("$(reboot) = demo:main"), "cannot be one: $(reboot)"),
    "a backslash": (points("..\\evil = demo:main"), "cannot be one"),
    "a NUL": (points("a\0b = demo:main"), "cannot be one: a\\x00b"),
    "an escape": (points("a\x1b[2Jb = demo:main"), "cannot be one: a\\x1b[2Jb"),
    "a letter that looks like another": (points("l\u0455 = demo:main"), "cannot be one: l\\u0455"),
    "no name": (points("= demo:main"), "cannot be one"),
    "300 letters": (points(f"{'x' * 300} = demo:main"), "cannot be one: xxx"),
    "code": (points("evil = demo:main();import os"), "no module:attribute: evil"),
    "code in the module": (points("evil = os;x:main"), "no module:attribute: evil"),
    "a call": (points("evil = os:system('id')"), "no module:attribute: evil"),
    "no attribute": (points("evil = demo"), "no module:attribute"),
    "no identifier": (points("evil = demo:1main"), "no module:attribute"),
    "a path as a module": (points("evil = ../demo:main"), "no module:attribute"),
    "one name for two": (points("demo = demo:evil"), "two commands named demo"),
    "not UTF-8": (points(b"\xff = demo:main"), f"{INFO}/entry_points.txt is not in UTF-8"),
}

_FILENAMES = {
    "of another distribution": ("other-1.0-py3-none-any.whl", "other"),
    "of another version": ("demo-1.1-py3-none-any.whl", "1.1"),
    "with another local version": ("demo-1.0+evil-py3-none-any.whl", "1.0+evil"),
}
