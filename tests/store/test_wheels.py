"""Taking wheels in: a sound one becomes exactly its bytes, an unsound one is refused whole, with the member named."""

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.errors import DiskError, HostileWheel, IntegrityError
from detente.model import StoreEntry
from detente.store import unpacking, wheels
from support.crafted import (
    DATA,
    DEFLATED,
    FILENAME,
    INFO,
    NAME,
    STORED,
    VERSION,
    Item,
    wheel,
)
from support.hostile_twins import TWINS
from support.hostile_wheels import Case, cases

DIGEST = "ab" * 32
SOURCE = b"print('hello')\n"


def admit(
    folder: Path, data: bytes, *, name: str = NAME, version: str = VERSION, filename: str = FILENAME
) -> tuple[StoreEntry, Path]:
    """Unpack the wheel `data` into a new directory below `folder`."""
    path = folder / "wheel"
    path.write_bytes(data)
    into = folder / "entry"
    into.mkdir()
    return wheels.unpack(str(path), str(into), name=name, version=version, filename=filename, sha256=DIGEST), into


def refusal(folder: Path, data: bytes, **asked: str) -> str:
    """Return the words with which the wheel `data` is refused; nothing may have changed outside its directory."""
    (folder / "victim").write_text("untouched")
    with pytest.raises(HostileWheel) as caught:
        admit(folder, data, **asked)
    assert sorted(os.listdir(folder)) == ["entry", "victim", "wheel"]
    assert (folder / "victim").read_text() == "untouched"
    assert not (folder / "entry" / "entry.json").exists()
    for path in (folder / "entry").rglob("*"):
        assert not path.is_symlink(), path
        assert path.is_dir() or path.is_file(), path
    assert caught.value.hint
    words = "\n".join([caught.value.message, *caught.value.context])
    assert words.isprintable() or all(char == "\n" or char.isprintable() for char in words), "safe on a terminal"
    return words


def test_a_wheel_is_unpacked_by_scheme(tmp_path: Path) -> None:
    data = wheel(
        {
            "demo/__init__.py": SOURCE,
            f"{DATA}/purelib/pure.py": b"1",
            f"{DATA}/platlib/plat.py": b"2",
            f"{DATA}/scripts/tool": b"#!python\nprint()\n",
            f"{DATA}/scripts/window": b"#!pythonw\n",
            f"{DATA}/scripts/shell": b"#!/bin/sh\n",
            f"{DATA}/data/share/man/man1/demo.1": b"page",
            f"{DATA}/headers/demo.h": b"int x;",
            f"{INFO}/entry_points.txt": b"[console_scripts]\ndemo = demo:main\n# no\ndemo2=demo.cli : run.it [extra]\n"
            b"[gui_scripts]\ndemo-w = demo:gui\n[other.group]\nx y = whatever we like\n",
        }
    )
    entry, into = admit(tmp_path, data)
    assert sorted(os.listdir(into)) == ["data", "entry.json", "headers", "lib", "scripts"]
    assert (into / "lib/demo/__init__.py").read_bytes() == SOURCE
    assert (into / "lib/pure.py").read_bytes() == b"1"
    assert (into / "lib/plat.py").read_bytes() == b"2"
    assert (into / "data/share/man/man1/demo.1").read_bytes() == b"page"
    assert (into / "headers/demo.h").read_bytes() == b"int x;"
    assert not (into / "lib" / DATA).exists()
    assert entry.commands == {"demo": "demo:main", "demo2": "demo.cli:run.it", "demo-w": "demo:gui"}
    assert entry.scripts == {"tool": True, "window": True, "shell": False}
    assert entry.data
    assert entry.files == 12
    assert (
        entry.size
        == sum(path.stat().st_size for path in into.rglob("*") if path.is_file()) - (into / "entry.json").stat().st_size
    )
    assert (entry.name, entry.version, entry.tag, entry.sha256) == ("demo", "1.0", "py3-none-any", DIGEST)
    assert entry.directory == "demo-1.0-py3-none-any-" + "ab" * 10


def test_the_entry_is_read_back_as_it_was_returned(tmp_path: Path) -> None:
    entry, into = admit(tmp_path, wheel({"demo.py": SOURCE}))
    assert wheels.read_entry(str(into)) == entry
    said = json.loads((into / "entry.json").read_text())
    assert said["schema"] == 1
    assert said["filename"] == FILENAME
    assert said["summary"] == "A demonstration"
    assert said["requires_python"] == ">=3.8"
    record_bytes = (into / "lib" / INFO / "RECORD").read_bytes()
    assert said["record_sha256"] == hashlib.sha256(record_bytes).hexdigest()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read"),
        ("{}", "cannot be read"),
        ("[1]", "cannot be read"),
        ('{"schema": 1, "name": 3}', "cannot be read"),
        ('{"schema": 2}', "newer detente"),
        (None, "cannot be read"),
    ],
)
def test_an_entry_that_cannot_be_read_says_so(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "entry.json").write_text(text)
    with pytest.raises(IntegrityError, match=words) as caught:
        wheels.read_entry(str(tmp_path))
    assert caught.value.hint


def test_an_entry_with_a_field_of_another_kind_cannot_be_read(tmp_path: Path) -> None:
    _, into = admit(tmp_path, wheel({"demo.py": SOURCE}))
    file = into / "entry.json"
    file.chmod(0o644)
    file.write_text(json.dumps({**json.loads(file.read_text()), "commands": ["demo"]}))
    with pytest.raises(IntegrityError, match="cannot be read"):
        wheels.read_entry(str(into))


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_and_times_do_not_depend_on_umask_or_archive(tmp_path: Path, umask: int) -> None:
    data = wheel(
        [
            Item("demo/a.py", SOURCE, mode=0o104777),
            Item("demo/b.py", SOURCE, mode=0),
            Item("demo/tool", b"\x7fELF", mode=0o100755, date=0xFFFF),
            Item(f"{DATA}/scripts/run", b"#!python\n", mode=0o100600),
        ]
    )
    before = os.umask(umask)
    try:
        _, into = admit(tmp_path, data)
    finally:
        os.umask(before)
    modes = {str(path.relative_to(into)): stat.S_IMODE(path.stat().st_mode) for path in into.rglob("*")}
    assert modes["lib/demo/a.py"] == 0o555
    assert modes["lib/demo/b.py"] == 0o444
    assert modes["lib/demo/tool"] == 0o555
    assert modes["scripts/run"] == 0o555
    assert modes["entry.json"] == 0o444
    assert {mode for path, mode in modes.items() if (into / path).is_dir()} == {0o755}
    assert {path.stat().st_mtime for path in into.rglob("*") if path.is_file()} == {unpacking.MODIFIED}


@pytest.mark.parametrize(
    ("name", "version", "filename", "expected"),
    [
        ("Demo_x.Y", "1.0", "demo_x_y-1.0-py2.py3-none-any.whl", "demo-x-y-1.0-py2.py3-none-any-"),
        ("a", "1!2.0+cu118", "a-1!2.0+cu118-cp311-cp311-linux_x86_64.whl", "a-1_2.0+cu118-cp311-cp311-linux_x86_64-"),
        (
            "n",
            "1",
            "n-1-cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "n-1-cp311-abi3-manylinux_2_17_x86_64-",
        ),
        ("b", "1", "b-1-5local-py3-none-any.whl", "b-1-py3-none-any-"),
    ],
)
def test_an_entry_is_named_after_its_wheel(name: str, version: str, filename: str, expected: str) -> None:
    assert wheels.entry_directory(name, version, filename, DIGEST) == expected + "ab" * 10


@pytest.mark.parametrize(
    "filename",
    ["demo.whl", "demo-1.0.tar.gz", "../demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-a/b.whl", "-1-py3-none-any.whl"],
)
def test_what_is_no_wheels_name_is_refused(tmp_path: Path, filename: str) -> None:
    with pytest.raises(HostileWheel):
        wheels.entry_directory("demo", "1.0", filename, DIGEST)
    with pytest.raises(HostileWheel):
        admit(tmp_path, wheel(), filename=filename)


@pytest.mark.parametrize("case", TWINS)
def test_a_sound_wheel_is_not_refused_for(tmp_path: Path, case: str) -> None:
    _, into = admit(tmp_path, TWINS[case]())
    assert (into / "lib" / INFO / "RECORD").is_file()


@pytest.mark.parametrize(
    ("asked", "info", "metadata"),
    [
        (
            {"name": "my-demo", "filename": "my_demo-1.0-py3-none-any.whl"},
            "My.Demo-1.0.dist-info",
            b"Name: my_demo\nVersion: 1.0\n",
        ),
        (
            {"version": "1.0.0", "filename": "demo-1-py3-none-any.whl"},
            "demo-1.0.dist-info",
            b"Name: demo\nVersion: 1\n",
        ),
        (
            {"version": "1.0+cu.118", "filename": "demo-1.0+cu.118-py3-none-any.whl"},
            "demo-1.0_cu.118.dist-info",
            b"Name: demo\nVersion: 1.0+cu118\n".replace(b"cu118", b"cu.118"),
        ),
        (
            {"version": "1!1.0rc1", "filename": "demo-1!1.0rc1-py3-none-any.whl"},
            "demo-1!1.0rc1.dist-info",
            b"Name: demo\nVersion: 1!1.0-rc.1\n",
        ),
        (
            {"version": "2004d", "filename": "demo-2004d-py3-none-any.whl"},
            "demo-2004d.dist-info",
            b"Name: demo\nVersion: 2004d\n",
        ),
    ],
)
def test_one_name_and_version_may_be_spelled_differently(
    tmp_path: Path, asked: dict[str, str], info: str, metadata: bytes
) -> None:
    entry, _ = admit(tmp_path, wheel({"demo.py": SOURCE}, info=info, metadata=metadata), **asked)
    assert entry.version == asked.get("version", VERSION)


@pytest.mark.parametrize("case", [case for case in cases() if case.group != "bomb"], ids=lambda case: case.title)
def test_a_wheel_is_refused_by_name_for(tmp_path: Path, case: Case) -> None:
    name, version = case.filename.split("-")[:2]
    assert case.says in refusal(tmp_path, case.make(), name=name, version=version, filename=case.filename)


@pytest.mark.parametrize("case", [case for case in cases() if case.group == "content"], ids=lambda case: case.title)
def test_a_check_without_unpacking_finds_the_same(tmp_path: Path, case: Case) -> None:
    path = tmp_path / case.filename
    path.write_bytes(case.make())
    with pytest.raises(HostileWheel) as caught:
        wheels.check(str(path), str(tmp_path / "store"))
    assert case.says in "\n".join([caught.value.message, *caught.value.context])
    assert os.listdir(tmp_path) == [case.filename]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"name": "other"}, "its file name says demo, but other was asked for"),
        ({"version": "2.0"}, "its file name says version 1.0, but 2.0 was asked for"),
        ({"version": "1.0+local"}, "but 1.0+local was asked for"),
        ({"filename": "other-1.0-py3-none-any.whl"}, "its file name says other"),
        ({"filename": "demo-1.1-py3-none-any.whl"}, "says version 1.1"),
    ],
)
def test_a_wheel_that_is_not_what_was_asked_for_is_refused(tmp_path: Path, asked: dict[str, str], words: str) -> None:
    assert words in refusal(tmp_path, wheel({"demo.py": SOURCE}), **asked)


def test_the_hint_is_a_command_to_paste(tmp_path: Path) -> None:
    with pytest.raises(HostileWheel) as caught:
        admit(tmp_path, wheel({"../evil": b""}))
    assert str(caught.value.hint).endswith("detente install 'demo!=1.0'")


def test_a_hint_never_carries_a_hostile_file_name(tmp_path: Path) -> None:
    with pytest.raises(HostileWheel) as caught:
        admit(tmp_path, wheel(), filename="a';reboot'-1.0-py3-none-any.whl")
    assert "reboot" not in str(caught.value.hint)


def test_every_breach_is_listed(tmp_path: Path) -> None:
    words = refusal(tmp_path, wheel({f"{DATA}/etc/a": b"", f"{DATA}/etc/b": b"", f"{DATA}/etc/c": b""}))
    assert all(f"{DATA}/etc/{name}" in words for name in "abc")


def test_two_names_that_are_one_on_this_file_system_are_refused(tmp_path: Path) -> None:
    """A file system that folds case is played by a file that is there already."""
    (tmp_path / "wheel").write_bytes(wheel({"demo.py": SOURCE}))
    into = tmp_path / "entry"
    (into / "lib").mkdir(parents=True)
    with pytest.raises(HostileWheel, match="this file system takes for another's"):
        wheels.unpack(str(tmp_path / "wheel"), str(into), name=NAME, version=VERSION, filename=FILENAME, sha256=DIGEST)


def test_nothing_is_written_through_a_link_planted_in_the_directory(tmp_path: Path) -> None:
    (tmp_path / "wheel").write_bytes(wheel({"demo.py": SOURCE}))
    outside = tmp_path / "outside"
    outside.mkdir()
    into = tmp_path / "entry"
    into.mkdir()
    (into / "lib").symlink_to(outside)
    with pytest.raises(HostileWheel):
        wheels.unpack(str(tmp_path / "wheel"), str(into), name=NAME, version=VERSION, filename=FILENAME, sha256=DIGEST)
    assert not list(outside.iterdir())


def test_a_directory_that_is_gone_is_a_disk_error(tmp_path: Path) -> None:
    (tmp_path / "wheel").write_bytes(wheel({"demo.py": SOURCE}))
    with pytest.raises(DiskError, match=r"unpacking demo-1\.0"):
        wheels.unpack(
            str(tmp_path / "wheel"), str(tmp_path / "x"), name=NAME, version=VERSION, filename=FILENAME, sha256=DIGEST
        )


def test_bytecode_that_a_wheel_brings_is_left_out(tmp_path: Path) -> None:
    entry, into = admit(
        tmp_path, wheel({"demo/a.py": SOURCE, "demo/__pycache__/a.cpython-311.pyc": b"evil", "b.pyc": b"x"})
    )
    assert not (into / "lib/demo/__pycache__").exists()
    assert (into / "lib/b.pyc").is_file(), "a module without source is no cache"
    assert entry.files == 5
    assert json.loads((into / "entry.json").read_text())["left_out"] == 1


STARTUP = {
    "code": ("x.pth", b"# comment\nimport os\n", True),
    "code after a tab": ("x.pth", b"import\tos", True),
    "code after a byte order mark": ("x.pth", b"\xef\xbb\xbfimport os", True),
    "code after a carriage return": ("x.pth", b"a\rimport os", True),
    "code after a Latin-1 line end": ("x.pth", b"a\x85import os", True),
    "code in a hidden file": (".x.pth", b"import os", True),
    "code by way of the data scheme": (f"{DATA}/data/lib/python3.11/site-packages/x.pth", b"import os", True),
    "code in purelib": (f"{DATA}/purelib/x.pth", b"import os", True),
    "a startup entry point": ("x.start", b"demo:main\n", True),
    "sitecustomize": ("sitecustomize.py", b"", True),
    "usercustomize": ("usercustomize.py", b"", True),
    "sitecustomize compiled": ("sitecustomize.cpython-311-x86_64-linux-gnu.so", b"", True),
    "sitecustomize as a folder": ("sitecustomize/__init__.py", b"", True),
    "a directory for the search path": ("x.pth", b"demo\n", True),
    "nothing but comments": ("x.pth", b"# import os\n\n \n", False),
    "more than anybody reads": ("x.pth", b"#" * (2 << 20), True),
    "a path file below the top": ("demo/x.pth", b"import os", False),
    "sitecustomize below the top": ("demo/sitecustomize.py", b"", False),
    "another file of data": (f"{DATA}/data/share/x.pth", b"import os", False),
}


@pytest.mark.parametrize("case", STARTUP)
def test_start_up_code_is_noted_with_its_digest(tmp_path: Path, case: str) -> None:
    name, content, runs = STARTUP[case]
    entry, _ = admit(tmp_path, wheel({name: content}))
    noted = [key for key in entry.startup if name.endswith(key)]
    assert (len(noted) == 1) is runs
    assert list(entry.startup.values()) == [hashlib.sha256(content).hexdigest()] * runs


def test_what_is_noted_as_start_up_code_is_what_python_runs(tmp_path: Path) -> None:
    """Ask a real interpreter which of the path files it runs."""
    marker = b"import sys; sys.ran = getattr(sys, 'ran', []) + ['%s']\n"
    contents = {
        "plain.pth": marker % b"plain",
        "late.pth": b"\n# x\nnowhere\n" + marker % b"late",
        "space.pth": b" " + marker % b"space",
        "comment.pth": b"#" + marker % b"comment",
        "from.pth": b"from sys import ran\n",
    }
    entry, into = admit(tmp_path, wheel(contents))
    code = f"import site, sys; site.addsitedir({str(into / 'lib')!r}); print(*sys.ran)"
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(ran) == {"plain", "late"}
    assert {name.removesuffix(".pth") for name in entry.startup} == {*ran, "space", "from"}, (
        "the others add directories"
    )


def test_a_directory_that_a_path_file_adds_may_hold_a_usercustomize(tmp_path: Path) -> None:
    """Ask a real interpreter why path files that hold no code are noted as well."""
    entry, into = admit(tmp_path, wheel({"x.pth": b"hidden\n", "hidden/usercustomize.py": b"print('ran')\n"}))
    code = f"import site; site.addsitedir({str(into / 'lib')!r}); site.execusercustomize()"
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True).stdout
    assert (ran, list(entry.startup)) == ("ran\n", ["x.pth"])


COMPONENT = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"], exclude_characters="/\\"),
    min_size=1,
    max_size=12,
).filter(lambda text: text not in {".", ".."} and not text.endswith((".dist-info", ".data", ".pyc")))
PATHS = st.lists(COMPONENT, min_size=1, max_size=4).map("/".join)
CONTENTS = st.dictionaries(
    PATHS, st.binary(max_size=2000) | st.binary(max_size=10).map(lambda text: text * 900), max_size=12
)


def compatible(files: dict[str, bytes]) -> dict[str, bytes]:
    """Drop files that another one would need as a directory."""
    return {path: data for path, data in files.items() if not any(other.startswith(path + "/") for other in files)}


@pytest.mark.property
@settings(max_examples=150, deadline=None)
@given(files=CONTENTS.map(compatible), data=st.data())
def test_any_sound_wheel_unpacks_to_exactly_its_bytes(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], data: st.DataObject
) -> None:
    items = [
        Item(
            name,
            content,
            method=data.draw(st.sampled_from([STORED, DEFLATED])),
            mode=data.draw(st.sampled_from([0, 0o100644, 0o100755, 0o100000, 0o107777])),
            descriptor=data.draw(st.sampled_from(["", "signed", "plain"])),
        )
        for name, content in files.items()
    ]
    entry, into = admit(tmp_path_factory.mktemp("law"), wheel(items))
    found = {
        str(path.relative_to(into / "lib")): path.read_bytes()
        for path in (into / "lib").rglob("*")
        if path.is_file() and path.relative_to(into / "lib").parts[0] != INFO
    }
    assert found == files
    assert entry.files == len(files) + 3


@pytest.mark.property
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_wheel_with_a_flipped_bit_is_refused_or_the_same(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Never a traceback, never other bytes: times and comments are all that a flip may change unnoticed."""
    whole = bytearray(
        wheel([Item("demo/a.py", SOURCE * 40, descriptor="signed"), Item("b.txt", b"x" * 50, method=STORED)])
    )
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        _, into = admit(tmp_path_factory.mktemp("flip"), bytes(whole))
    except HostileWheel:
        return
    assert (into / "lib/demo/a.py").read_bytes() == SOURCE * 40
    assert (into / "lib/b.txt").read_bytes() == b"x" * 50
