"""Zip archives that two readers would read differently, or that are not what they say, are refused."""

import os
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.errors import HostileWheel
from detente.store import zipdirectory
from detente.store.archive import Archive
from support.crafted import STORED, Item, archive, changed, deflated

A = Item("a.py", b"a = 1\n" * 30)
B = Item("b.py", b"b = 2\n" * 30)
WHOLE = archive([A, B])
UNICODE_PATH = struct.pack("<HHBL", 0x7075, 5 + 7, 1, 0) + b"evil.py"


def contents(path: Path, data: bytes) -> dict[str, bytes]:
    """Return all members of the archive `data` as we read them."""
    file = path / "wheel"
    file.write_bytes(data)
    with Archive(str(file), "demo.whl") as opened:
        return {member.name: opened.read(member, 1 << 40) for member in opened.members}


def swapped(old: bytes, new: bytes, data: bytes = WHOLE) -> bytes:
    """Return `data` with the last `old` replaced."""
    assert old in data
    head, _, tail = data.rpartition(old)
    return head + new + tail


def overlapping() -> bytes:
    """Return an archive whose second member lies inside the first one."""
    inner = archive([B])[: -(46 + 4 + 22)]
    outer = Item("a.bin", inner, method=STORED)
    first = len(archive([outer])) - 22 - 46 - len("a.bin") - len(inner)
    return archive([outer, changed(B, offset=first)])


HOSTILE = {
    "no archive at all": (b"hello", "it is no zip archive: 5 bytes, starts with hello"),
    "a captive portal's page": (
        b"<html><body>log in</body></html>" * 9,
        "it is no zip archive: 288 bytes, starts with <html><body>log",
    ),
    "nothing": (b"", "it is no zip archive: 0 bytes"),
    "a cut inside a member": (WHOLE[:60], "cut off after 60 bytes"),
    "a cut in the end record": (WHOLE[:-3], "no end record"),
    "a missing comment": (archive([A], comment=b"long comment")[:-4], "cut off in its end record"),
    "data before it": (b"#!/bin/sh\nevil\n" + WHOLE, "central directory is not where"),
    "data before it, honestly counted": (
        archive([A], before=b"#!/bin/sh\n"),
        "10 bytes lie before its first member a.py",
    ),
    "data after it": (archive([A], after=b"evil"), "4 bytes follow its end record"),
    "another archive after it": (WHOLE + archive([B]), "central directory is not where"),
    "two end records": (archive([A], comment=archive([B])), "two end records"),
    "an end record in the comment": (archive([A], comment=b"PK\x05\x06" + bytes(30)), "two end records"),
    "data between directory and end": (
        swapped(b"PK\x05\x06", b"evil" + b"PK\x05\x06"),
        "central directory is not where",
    ),
    "a gap between members": (archive([changed(A, gap=b"evil"), B]), "4 bytes that belong to nothing follow a.py"),
    "a gap after the last member": (
        archive([A, changed(B, gap=b"evil")]),
        "4 bytes that belong to nothing follow b.py",
    ),
    "members that overlap": (overlapping(), "a.bin overlaps what follows it"),
    "two names for one member": (archive([A, changed(B, name="c.py", offset=0)]), "overlaps"),
    "a member behind the directory": (archive([A, changed(B, offset=1 << 20)]), "b.py"),
    "more members than entries": (archive([A, B], end={"count": 3}), "claims 3 members in a directory of 100"),
    "fewer members than entries": (archive([A, B], end={"count": 1}), "follow the last entry"),
    "too many members": (archive([A], end={"count": 60000}), "claims 60000 members"),
    "several disks": (archive([A], end={"disk": 1}), "several parts"),
    "a directory elsewhere": (archive([A], end={"offset": 7}), "central directory is not where"),
    "no zip64 record": (archive([A], end={"offset": 0xFFFFFFFF}), "Zip64 record that is not there"),
    "a zip64 locator to nowhere": (
        swapped(b"PK\x06\x06", b"PK\x06\x00", archive([A], wide=True)),
        "Zip64 end record is not where",
    ),
    "end records that disagree": (archive([A], wide=True)[:-22] + archive([A, B])[-22:], "two end records disagree"),
    "a zip64 size that is missing": (archive([changed(A, central={"size": 0xFFFFFFFF})]), "a.py lacks its Zip64 sizes"),
    "another name in its header": (
        archive([changed(A, local={"name": b"e.py"})]),
        "a.py has another name in its own header: e.py",
    ),
    "a longer name in its header": (archive([changed(A, local={"name": b"evil.py"})]), "a.py"),
    "another method in its header": (archive([changed(A, local={"method": 0})]), "a.py has another method"),
    "another size in its header": (archive([changed(A, local={"size": 3})]), "a.py has other sizes"),
    "another packed size in its header": (archive([changed(A, local={"packed": 3})]), "a.py has other sizes"),
    "another CRC in its header": (archive([changed(A, local={"crc": 3})]), "a.py has other sizes or another CRC"),
    "a larger size in the directory": (
        archive([changed(A, central={"size": 500}, local={"size": 500})]),
        "a.py has not the size",
    ),
    "a smaller size in the directory": (
        archive([changed(A, central={"size": 5}, local={"size": 5})]),
        "a.py has not the size",
    ),
    "a wrong CRC": (archive([changed(A, central={"crc": 5}, local={"crc": 5})]), "a.py is damaged: its CRC is wrong"),
    "two sizes of a stored member": (
        archive([changed(A, method=STORED, central={"size": 7})]),
        "a.py is stored, but its two sizes differ",
    ),
    "a wrong data descriptor": (archive([changed(A, descriptor="wrong")]), "a.py has a wrong data descriptor"),
    "no data descriptor": (
        archive([changed(A, local={"flags": 8}, central={"flags": 8}), B]),
        "a.py has a wrong data descriptor",
    ),
    "a data descriptor in one header": (
        archive([changed(A, descriptor="signed", central={"flags": 0})]),
        "a.py has another method or other flags",
    ),
    "bytes after the deflate stream": (
        archive([changed(A, packed=deflated(A.content) + b"evil")]),
        "a.py has not the size",
    ),
    "a deflate stream without end": (archive([changed(A, packed=deflated(A.content)[:-2])]), "a.py"),
    "no deflate stream": (archive([changed(A, packed=b"\xff\xff\xff")]), "a.py is damaged"),
    "encryption": (archive([changed(A, central={"flags": 1}, local={"flags": 1})]), "a.py is encrypted"),
    "strong encryption": (archive([changed(A, central={"flags": 0x41}, local={"flags": 0x41})]), "a.py is encrypted"),
    "patch data": (archive([changed(A, central={"flags": 0x20}, local={"flags": 0x20})]), "a.py uses features"),
    "bzip2": (archive([changed(A, method=12)]), "a.py uses the compression method 12"),
    "deflate64": (archive([changed(A, method=9)]), "a.py uses the compression method 9"),
    "a second name in the directory": (
        archive([changed(A, central_extra=UNICODE_PATH)]),
        "a.py has a second name: evil.py",
    ),
    "a second name in its header": (archive([changed(A, local_extra=UNICODE_PATH)]), "a.py has a second name"),
    "a damaged extra field": (
        archive([changed(A, central_extra=b"\x01\x00\xff\xff")]),
        "a.py has a damaged extra field",
    ),
    "a name twice": (archive([A, changed(B, name="a.py")]), "a.py is there twice"),
    "a bomb": (archive([Item("zeros.bin", bytes(200 << 20))]), "mostly zeros.bin: that is a zip bomb"),
    "a bomb that lies about its size": (
        archive([Item("zeros.bin", bytes(9 << 20), central={"size": 100}, local={"size": 100})]),
        "zeros.bin has not the size",
    ),
    "a large bomb that lies about its size": (
        archive([Item("zeros.bin", bytes(40 << 20), central={"size": 5 << 20}, local={"size": 5 << 20})]),
        "zeros.bin is larger than its header says",
    ),
    "many bombs": (
        archive([Item(f"{number}.bin", b"", packed=b"", method=8, central={"size": 1 << 30}) for number in range(70)]),
        "zip bomb",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_an_archive_is_refused_for(tmp_path: Path, case: str) -> None:
    data, words = HOSTILE[case]
    with pytest.raises(HostileWheel) as caught:
        contents(tmp_path, data)
    assert words in "\n".join([caught.value.message, *caught.value.context])


@pytest.mark.parametrize("cut", range(0, len(WHOLE), 7))
def test_an_archive_cut_anywhere_is_refused(tmp_path: Path, cut: int) -> None:
    with pytest.raises(HostileWheel, match=r"demo\.whl is not a sound wheel"):
        contents(tmp_path, WHOLE[:cut])


@pytest.mark.parametrize(
    "data",
    [
        WHOLE,
        archive([A, B], comment=b"words"),
        archive([A, B], wide=True),
        archive([changed(A, descriptor="signed"), changed(B, descriptor="plain")]),
        archive([changed(A, wide=True), B]),
        archive([changed(A, method=STORED), B]),
        archive([changed(A, local_extra=b"\xfe\xca\x02\0xx", central_extra=b"\xfe\xca\x00\0"), B]),
    ],
    ids=["plain", "comment", "zip64", "descriptors", "zip64 header", "stored", "extra fields"],
)
def test_an_honest_archive_is_read_as_python_reads_it(tmp_path: Path, data: bytes) -> None:
    assert contents(tmp_path, data) == {"a.py": A.content, "b.py": B.content}
    with zipfile.ZipFile(tmp_path / "wheel") as theirs:
        assert {name: theirs.read(name) for name in theirs.namelist()} == contents(tmp_path, data)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("size", [0, 1, 4 << 20, (4 << 20) + 1, 9 << 20])
def test_members_larger_than_a_piece_come_whole(tmp_path: Path, size: int, method: int) -> None:
    text = os.urandom(1000) * (size // 1000 + 1)
    with zipfile.ZipFile(tmp_path / "wheel", "w", method) as theirs:
        theirs.writestr("small", b"x")
        theirs.writestr("large", text[:size])
        with theirs.open("streamed", "w", force_zip64=True) as stream:
            stream.write(text[:size])
    with Archive(str(tmp_path / "wheel"), "demo.whl") as opened:
        found = {member.name: list(opened.pieces(member)) for member in opened.members}
    assert {name: b"".join(pieces) for name, pieces in found.items()} == {
        "small": b"x",
        "large": text[:size],
        "streamed": text[:size],
    }
    assert max(len(piece) for piece in found["large"]) <= 4 << 20


def test_a_large_member_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    large = Item("large.bin", os.urandom(5 << 20), method=STORED)
    with pytest.raises(HostileWheel, match=r"large\.bin is damaged: its CRC is wrong"):
        contents(tmp_path, archive([changed(large, central={"crc": 1}, local={"crc": 1})]))


def test_an_archive_streamed_to_a_pipe_is_read(tmp_path: Path) -> None:
    """What cannot seek writes data descriptors behind every member."""
    reader, writer = os.pipe()
    with open(writer, "wb") as pipe, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as theirs:
        theirs.writestr("a.py", A.content)
        theirs.writestr("b.py", B.content)
    with open(reader, "rb") as pipe:
        data = pipe.read()
    assert b"PK\x07\x08" in data
    assert contents(tmp_path, data) == {"a.py": A.content, "b.py": B.content}


def test_a_member_over_the_limit_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "wheel").write_bytes(WHOLE)
    with (
        Archive(str(tmp_path / "wheel"), "demo.whl") as opened,
        pytest.raises(HostileWheel, match=r"a\.py has 180 bytes, more than 100"),
    ):
        opened.read(opened.members[0], 100)


def test_more_members_than_any_wheel_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipdirectory, "MOST_MEMBERS", 1)
    with pytest.raises(HostileWheel, match="it has 2 members, more than 1"):
        contents(tmp_path, WHOLE)


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostileWheel, match="not a regular file"):
        Archive(str(tmp_path), "demo.whl")


def test_no_descriptor_is_left_open_by_a_refusal(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for data in (b"hello", archive([changed(A, method=12)])):
        with pytest.raises(HostileWheel):
            contents(tmp_path, data)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_of_many_members_is_read_by_few_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = os.pread

    def counted(*arguments: int) -> bytes:
        calls.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(zipdirectory.os, "pread", counted)
    found = contents(tmp_path, archive([Item(f"{number}.py", b"x = 1\n") for number in range(2000)]))
    assert len(found) == 2000
    assert len(calls) < 10


@pytest.mark.property
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_damaged_archives_are_refused_or_read_as_python_reads_them(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever we accept, the standard library reads to the same names and bytes."""
    whole = bytearray(archive([changed(A, descriptor="plain"), changed(B, method=STORED), Item("d/", mode=0o40755)]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        kind = data.draw(st.sampled_from(["set", "cut", "double"]))
        if kind == "set":
            whole[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del whole[at : at + data.draw(st.integers(1, 40))]
        else:
            whole[at:at] = whole[at : at + data.draw(st.integers(1, 40))]
        if not whole:
            break
    folder = tmp_path_factory.mktemp("damaged")
    try:
        ours = contents(folder, bytes(whole))
    except HostileWheel:
        return
    with zipfile.ZipFile(folder / "wheel") as theirs:
        assert {name: theirs.read(name) for name in theirs.namelist()} == ours
