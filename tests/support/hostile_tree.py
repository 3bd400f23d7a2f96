"""Wheels whose members lead elsewhere, are no files, or would meet another one."""

from collections.abc import Iterator

from support.crafted import DATA, INFO, METADATA, Item, changed
from support.crafted import archive as packed
from support.hostile_wheels import DEMO, Case, parts, whole

CODE = b"print('evil')\n"
LONG = "/".join(["x" * 200] * 25)


def cases() -> Iterator[Case]:
    """Yield every case of this kind."""
    for group, rows in (("path", _PATHS), ("kind", _KINDS), ("scheme", _SCHEMES), ("meeting", _MEETINGS)):
        for name, (items, says, *more) in rows.items():
            yield Case(group, name, lambda items=items: whole(items), says, advisory=more[0] if more else "")  # type: ignore[misc]
    yield Case("meeting", "a module twice", _twice, "demo.py is there twice")
    yield Case("meeting", "METADATA twice", _metadata_twice, f"{INFO}/METADATA is there twice")
    yield Case("meeting", "RECORD twice", lambda: packed([*parts(), parts()[-1]]), f"{INFO}/RECORD is there twice")


def _twice() -> bytes:
    return packed([*parts(), changed(DEMO, content=CODE)])


def _metadata_twice() -> bytes:
    other = METADATA.replace(b"Summary", b"Requires-Dist: evil\nSummary")
    return packed([*parts(), Item(f"{INFO}/METADATA", other)])


def one(name: str | bytes, **how: int | dict[str, int]) -> list[Item]:
    """Return one member of this name."""
    return [Item(name, CODE, **how)]  # type: ignore[arg-type]


_PATHS = {
    "absolute": (one("/tmp/detente-evil.py"), "/tmp/detente-evil.py is an absolute path"),
    "two slashes": (one("//tmp/detente-evil.py"), "//tmp/detente-evil.py is an absolute path"),
    "a parent in the middle": (one("demo/../../evil.py"), "demo/../../evil.py leaves its directory"),
    "a parent at the start": (one("../evil.py"), "../evil.py leaves"),
    "a parent that stays inside": (one("a/../evil.py"), "a/../evil.py leaves"),
    "far up": (one("../" * 30 + "etc/detente-evil"), "etc/detente-evil leaves"),
    "a sibling of the target": (
        one("../site-packages-evil/x.py"),
        "../site-packages-evil/x.py leaves",
        "CVE-2026-1703",
    ),
    "a sibling of the library": (one("../lib-evil/x.py"), "../lib-evil/x.py leaves", "CVE-2026-1703"),
    "a dot": (one("demo2/./evil.py"), "demo2/./evil.py is not a plain path"),
    "a dot at the start": (one("./evil.py"), "./evil.py is not a plain path"),
    "an empty component": (one("demo2//evil.py"), "demo2//evil.py is not a plain path"),
    "only a dot": (one("."), ". is not a plain path"),
    "only two dots": (one(".."), ".. leaves"),
    "no name": (one(""), "no name"),
    "a backslash": (one("..\\evil.py"), "..\\evil.py has a backslash"),
    "a drive letter": (one("C:\\evil.py"), "C:\\evil.py has a backslash"),
    "a NUL": (one("demo2\0.py"), "demo2\\x00.py has the control character U+0000"),
    "a NUL before an end": (one("evil.py\0.txt"), "evil.py\\x00.txt has the control character"),
    "a newline": (one("demo2\n.py"), "demo2\\n.py has the control character"),
    "a carriage return": (one("demo2\r.py"), "demo2\\r.py has the control character"),
    "an escape": (one("\x1b[31mdemo2.py"), "\\x1b[31mdemo2.py has the control character"),
    "a C1 control": (one("demo2\x9b.py"), "demo2\\x9b.py has the control character"),
    "a delete": (one("demo2\x7f.py"), "demo2\\x7f.py has the control character"),
    "text that runs backwards": (one("demo2\u202eyp.py"), "demo2\\u202eyp.py has the control character"),
    "a space nobody sees": (one("demo2\u200b.py"), "demo2\\u200b.py has the control character"),
    "a byte order mark": (one("\ufeffdemo2.py"), "\\ufeffdemo2.py has the control character"),
    "a line separator": (one("demo2\u2028.py"), "demo2\\u2028.py has the control character"),
    "not UTF-8": (one(b"d\xe9mo.py"), "d\\xe9mo.py is not in UTF-8"),
    "UTF-8 that is not marked": (one("démo.py", local={"flags": 0}, central={"flags": 0}), "d\\xe9mo.py does not say"),
    "an overlong slash": (one(b"..\xc0\xafevil.py"), "evil.py is not in UTF-8"),
    "a lone surrogate": (one(b"demo\xed\xa0\x80.py"), "is not in UTF-8"),
    "300 bytes": (one("x" * 300), "has a name longer than 255 bytes"),
    "300 bytes of UTF-8": (one("é" * 150), "has a name longer than 255 bytes"),
    "longer than the system's": (one(LONG), "path too long"),
}

_KINDS = {
    "a symbolic link": ([Item("link", b"/etc/passwd", mode=0o120777)], "link is a symbolic link"),
    "a link to the outside, and a file below it": (
        [Item("out", b"/tmp", mode=0o120777), Item("out/detente-evil.py", CODE)],
        "out is a symbolic link",
    ),
    "a link by a relative way": ([Item("out", b"../../..", mode=0o120777)], "out is a symbolic link"),
    "a named pipe": (one("pipe", mode=0o010644), "pipe is a named pipe"),
    "a character device": (one("tty", mode=0o020644), "tty is a device"),
    "a block device": (one("disk", mode=0o060644), "disk is a device"),
    "a socket": (one("sock", mode=0o140644), "sock is a socket"),
    "a door": (one("door", mode=0o150644), "door is a file of an unknown kind"),
    "a directory without a slash": (one("dir", mode=0o040755), "dir is a directory without"),
    "a directory by DOS attribute": (one("dir", mode=0, attributes=0x10), "dir is a directory without"),
    "a file with a slash": (one("dir/"), "dir/ is a file with a directory's name"),
    "a directory with bytes in it": (one("dir/", mode=0o040755), "dir/ is a directory with content"),
    "a link with a slash": ([Item("dir/", b"", mode=0o120777)], "dir/ is a symbolic link"),
}

_SCHEMES = {
    "an unknown one": (one(f"{DATA}/etc/passwd"), f"{DATA}/etc/passwd belongs to no known scheme"),
    "none": (one(f"{DATA}/passwd"), f"{DATA}/passwd belongs to no known scheme"),
    "in capitals": (one(f"{DATA}/Scripts/ls"), f"{DATA}/Scripts/ls belongs to no known scheme"),
    "include": (one(f"{DATA}/include/x.h"), f"{DATA}/include/x.h belongs to no known scheme"),
    "the data directory of another": (one("other-1.0.data/scripts/ls"), "other-1.0.data/scripts/ls lies in"),
    "the data directory of another version": (one("demo-2.0.data/scripts/ls"), "demo-2.0.data/scripts/ls lies in"),
    "scripts that leave": (one(f"{DATA}/scripts/../../../ls"), f"{DATA}/scripts/../../../ls leaves"),
    "data that leave": (one(f"{DATA}/data/../../../etc/x"), f"{DATA}/data/../../../etc/x leaves"),
    "headers that leave": (one(f"{DATA}/headers/../../x.h"), f"{DATA}/headers/../../x.h leaves"),
    "a script in a directory": (one(f"{DATA}/scripts/a/b"), f"{DATA}/scripts/a/b cannot be a command"),
    "a script that is an option": (one(f"{DATA}/scripts/-rf"), f"{DATA}/scripts/-rf cannot be a command"),
    "a .dist-info in purelib": (
        [Item(f"{DATA}/purelib/other-1.0.dist-info/METADATA", METADATA)],
        "other-1.0.dist-info/METADATA would be",
    ),
    "a .dist-info in platlib": (
        [Item(f"{DATA}/platlib/pip-99.dist-info/METADATA", METADATA)],
        "pip-99.dist-info/METADATA would be",
    ),
}

_MEETINGS = {
    "a file that is a directory too": ([Item("a", CODE), Item("a/b.py", CODE)], "a/b.py lies below it"),
    "a file that is an empty directory too": ([Item("a", CODE), Item("a/", mode=0o40755)], "a/ lies below it"),
    "one file by two schemes": (one(f"{DATA}/purelib/demo.py"), f"{DATA}/purelib/demo.py"),
    "one file by three": (
        [Item(f"{DATA}/purelib/x.py", CODE), Item(f"{DATA}/platlib/x.py", CODE)],
        f"{DATA}/platlib/x.py",
    ),
    "file and directory by two schemes": (
        [Item("a/b.py", CODE), Item(f"{DATA}/platlib/a", CODE)],
        f"{DATA}/platlib/a is a file",
    ),
    "two .dist-info": ([Item("other-1.0.dist-info/METADATA", METADATA)], "other-1.0.dist-info"),
    "a .dist-info of another version": ([Item("demo-2.0.dist-info/METADATA", METADATA)], "demo-2.0.dist-info"),
    "a .dist-info in capitals": ([Item("DEMO-1.0.DIST-INFO/METADATA", METADATA)], "DEMO-1.0.DIST-INFO"),
    "METADATA by way of purelib": ([Item(f"{DATA}/purelib/{INFO}/METADATA", METADATA)], "would be a second"),
}
