"""Which ELF files work only beside another wheel: told from their dynamic section, in both widths and byte orders."""

import os
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.store import elf, wheels
from support.crafted import DATA, FILENAME, NAME, VERSION, Item, wheel

NEEDED, STRTAB, STRSZ, RPATH, RUNPATH = 1, 5, 10, 15, 29
BASE = 0x400000  # where the file is mapped, so that addresses differ from offsets


def binary(
    needed: Sequence[str] = (),
    runpath: str = "",
    rpath: str = "",
    *,
    wide: bool = True,
    order: str = "<",
    program: bool = False,
) -> bytes:
    """Return the smallest ELF file with that dynamic section."""
    strings = b"\0"
    entries = []
    for key, texts in ((NEEDED, needed), (RUNPATH, [runpath] * bool(runpath)), (RPATH, [rpath] * bool(rpath))):
        for text in texts:
            entries.append((key, len(strings)))
            strings += text.encode() + b"\0"
    head_size, segment_size = (64, 56) if wide else (52, 32)
    pair = struct.Struct(order + ("qQ" if wide else "iI"))
    count = 2 + program
    dynamic_at = head_size + segment_size * count
    strings_at = dynamic_at + pair.size * (len(entries) + 3)
    entries += [(STRTAB, BASE + strings_at), (STRSZ, len(strings)), (0, 0)]
    dynamic = b"".join(pair.pack(*entry) for entry in entries)
    whole = strings_at + len(strings)

    def segment(kind: int, offset: int, size: int) -> bytes:
        if wide:
            return struct.pack(order + "IIQQQQQQ", kind, 4, offset, BASE + offset, 0, size, size, 8)
        return struct.pack(order + "IIIIIIII", kind, offset, BASE + offset, 0, size, size, 4, 4)

    table = segment(1, 0, whole) + segment(2, dynamic_at, len(dynamic))
    if program:
        table += segment(3, strings_at, 1)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    word = "Q" if wide else "I"
    head = ident + struct.pack(
        order + "HHI" + word * 3 + "IHHHHHH", 3, 62, 1, 0, head_size, 0, 0, head_size, segment_size, count, 0, 0, 0
    )
    return head + table + dynamic + strings


def reason(folder: Path, data: bytes, provided: set[str] | None = None, name: str = "x.so") -> str | None:
    path = folder / name
    path.write_bytes(data)
    return elf.leaves_its_tree(str(path), f"demo/{name}", provided or set())


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [True, False])
def test_the_dynamic_section_is_read_in_every_form(tmp_path: Path, wide: bool, order: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(binary(["liba.so", "libb.so.1"], "$ORIGIN/..:/usr/lib", wide=wide, order=order, program=True))
    assert elf.read_dynamic(str(path)) == elf.Dynamic(("liba.so", "libb.so.1"), ("$ORIGIN/..", "/usr/lib"), True)


def test_a_library_of_another_wheel_by_a_path_that_climbs_is_found(tmp_path: Path) -> None:
    data = binary(["libc.so.6", "libshiboken6.abi3.so.6.8"], "$ORIGIN/Qt/lib:$ORIGIN/../shiboken6")
    said = reason(tmp_path, data)
    assert said == "demo/x.so needs libshiboken6.abi3.so.6.8 from $ORIGIN/../shiboken6"


@pytest.mark.parametrize(
    ("data", "provided"),
    [
        (binary(["libother.so"], "${ORIGIN}/../other"), set()),
        (binary(["libother.so"], rpath="$ORIGIN/../other"), set()),
        (binary(["libmine.so", "libother.so"], "$ORIGIN/../.."), {"libmine.so"}),
    ],
    ids=["braces", "rpath", "one of two"],
)
def test_other_spellings_of_that_are_found(tmp_path: Path, data: bytes, provided: set[str]) -> None:
    assert "libother.so" in (reason(tmp_path, data, provided) or "")


@pytest.mark.parametrize(
    ("data", "provided"),
    [
        (binary(["libmine.so"], "$ORIGIN/../mine"), {"libmine.so"}),
        (binary(["libc.so.6", "libstdc++.so.6", "libm.so.6", "ld-linux-x86-64.so.2"], "$ORIGIN/../mine"), set()),
        (binary(["libcuda.so.1", "libX11.so.6", "libz.so.1"], "$ORIGIN/../mine"), set()),
        (binary(["libother.so"], "$ORIGIN/Qt/lib"), set()),
        (binary(["libother.so"], "/usr/lib/../lib"), set()),
        (binary(["libother.so"], "$ORIGIN/../demo.libs"), set()),
        (binary(["libother.so"]), set()),
        (binary(["/opt/libother.so"], "$ORIGIN/.."), set()),
        (binary(["libother.so"], "$ORIGINAL/.."), set()),
        (binary(["libother.so"], "$ORIGIN/lib", rpath="$ORIGIN/../other"), set()),
    ],
    ids=[
        "own library",
        "system's",
        "drivers and desktop",
        "below itself",
        "absolute",
        "auditwheel's",
        "no path",
        "a path needed",
        "another variable",
        "RPATH beside RUNPATH counts for nothing",
    ],
)
def test_what_stays_in_its_tree_is_left_alone(tmp_path: Path, data: bytes, provided: set[str]) -> None:
    assert reason(tmp_path, data, provided) is None


def test_a_program_needs_no_climbing_path(tmp_path: Path) -> None:
    """The kernel resolves links before it starts a program, so its $ORIGIN is in the store."""
    data = binary(["libother.so"], "$ORIGIN/lib", program=True)
    assert reason(tmp_path, data, name="tool") == "demo/tool needs libother.so from $ORIGIN/lib"
    assert reason(tmp_path, data, name="libtool.so.6") is None, "a library that can be run is loaded by its path"


def test_the_rule_for_programs_is_what_the_kernel_does(tmp_path: Path) -> None:
    """Run a real program through a link: what it says of itself is the store's path."""
    store, env = tmp_path / "store", tmp_path / "env"
    store.mkdir()
    env.mkdir()
    (store / "tool").write_bytes(Path("/bin/readlink").resolve().read_bytes())
    (store / "tool").chmod(0o755)
    (env / "tool").symlink_to(store / "tool")
    reader, writer = os.pipe()
    child = os.posix_spawn(
        env / "tool", ["tool", "/proc/self/exe"], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1)]
    )
    os.close(writer)
    os.waitpid(child, 0)
    assert os.read(reader, 4096).decode().strip() == str(store / "tool")
    os.close(reader)


def test_a_real_interpreter_is_read() -> None:
    dynamic = elf.read_dynamic(os.path.realpath(sys.executable))
    assert dynamic is not None
    assert dynamic.program
    assert "libc.so.6" in dynamic.needed


@pytest.mark.parametrize("cut", range(0, 260, 9))
def test_a_cut_file_gives_no_answer_and_no_error(tmp_path: Path, cut: int) -> None:
    assert reason(tmp_path, binary(["libother.so"], "$ORIGIN/../other")[:cut]) is None


@pytest.mark.property
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_damage_is_never_an_error(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    whole = bytearray(
        binary(
            ["libother.so"], "$ORIGIN/../other", wide=data.draw(st.booleans()), order=data.draw(st.sampled_from("<>"))
        )
    )
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    said = reason(tmp_path_factory.mktemp("elf"), bytes(whole))
    assert said is None or said.startswith("demo/x.so needs ")


@pytest.mark.parametrize(
    ("items", "real"),
    [
        ([Item("demo/x.so", binary(["libother.so"], "$ORIGIN/../other"))], True),
        ([Item("demo/x.so", binary(["libmine.so"], "$ORIGIN/../mine")), Item("mine/libmine.so", binary())], False),
        (
            [
                Item(f"{DATA}/data/bin/tool", binary(["libmine.so"], "$ORIGIN/../lib", program=True)),
                Item(f"{DATA}/data/lib/libmine.so", binary()),
            ],
            False,
        ),
        (
            [
                Item(f"{DATA}/data/bin/tool", binary(["libmine.so"], "$ORIGIN/../lib", program=True)),
                Item("demo/libmine.so", binary()),
            ],
            True,
        ),
        ([Item("demo/x.so", b"\x7fELF")], False),
        ([Item("demo/x.so", b"")], False),
    ],
    ids=["another wheel's", "own", "own in data", "own, but of another part", "garbage", "empty"],
)
def test_an_entry_is_real_where_a_link_would_not_do(tmp_path: Path, items: list[Item], real: bool) -> None:
    (tmp_path / "wheel").write_bytes(wheel(items))
    (tmp_path / "entry").mkdir()
    entry = wheels.unpack(
        str(tmp_path / "wheel"), str(tmp_path / "entry"), name=NAME, version=VERSION, filename=FILENAME, sha256="0" * 64
    )
    assert bool(entry.real) is real
