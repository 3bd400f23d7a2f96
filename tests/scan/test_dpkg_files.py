"""dpkg's files, whole and damaged; who owns what."""

import os
from pathlib import Path

import pytest

from detente.distro import apt
from detente.errors import ToolError
from detente.host import proc
from detente.scan.system import System
from support.systems import look

DIST = "/usr/lib/python3/dist-packages"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda status: status.write_text(status.read_text()[:7000]), "damaged"),
        (lambda status: status.write_bytes(b"\0\xff garbage"), "damaged"),
        (lambda status: status.write_text(""), "it is empty"),
        (lambda status: status.unlink(), "cannot be read: No such file"),
        (lambda status: (status.unlink(), status.mkdir()), "cannot be read: Is a directory"),
    ],
)
def test_a_status_that_cannot_be_read_is_a_clear_error(bookworm: Path, spoil: object, sentence: str) -> None:
    status = bookworm / "var/lib/dpkg/status"
    assert callable(spoil)
    spoil(status)
    with pytest.raises(ToolError) as caught:
        look(bookworm).installed()
    assert sentence in caught.value.message
    assert str(status) in (caught.value.hint or "")


def test_lists_of_files_that_cannot_be_read_are_a_clear_error(bookworm: Path) -> None:
    (bookworm / "var/lib/dpkg/info").rename(bookworm / "elsewhere")
    with pytest.raises(ToolError) as caught:
        look(bookworm).owners(["/usr/bin/ls"])
    assert "lists of files" in caught.value.message


def test_owners_see_through_a_merged_usr_diversions_and_alternatives(root: Path) -> None:
    asked = {
        "/usr/bin/ls": "coreutils",
        "/bin/ls": "coreutils",
        "/usr/bin/yamllint": "yamllint",
        "/usr/bin/shouter": "shouter-wrapper",
        "/usr/bin/shouter.real": "shouter",
        f"{DIST}/yaml/__init__.py": "python3-yaml",
        f"{DIST}/twoarch.py": "python3-twoarch",
        "/usr/bin/awk": "mawk",
    }
    others = [DIST, "/usr/bin", "/usr/bin/nothing", "relative", "/", f"{DIST}/yaml/__pycache__"]
    assert look(root).owners([*asked, *others]) == asked, "what several packages share has no one owner"


def test_a_file_that_a_person_diverted_belongs_to_nobody_at_its_old_place(bookworm: Path) -> None:
    diversions = bookworm / "var/lib/dpkg/diversions"
    diversions.write_text(diversions.read_text() + "/usr/bin/yamllint\n/usr/bin/yamllint.distrib\n:\n")
    assert look(bookworm).owners(["/usr/bin/yamllint", "/usr/bin/yamllint.distrib"]) == {
        "/usr/bin/yamllint.distrib": "yamllint"
    }
    assert look(bookworm).installed()["yamllint"].commands == ("/usr/bin/yamllint.distrib",)


def test_files_are_named_where_they_lie(root: Path) -> None:
    facts = look(root)
    assert "/usr/bin/shouter.real" in facts.files("shouter")
    assert f"{DIST}/epochal.py" in facts.files("python3-epochal")
    assert facts.files("nothing") == []


def test_owners_agree_with_dpkg_about_this_machine(here: System) -> None:
    paths = sorted(os.path.join("/usr/bin", name) for name in os.listdir("/usr/bin"))[::7]
    paths = [path for path in paths if not os.path.islink(path)]
    found = here.owners(paths)
    said = proc.run(apt.owners(paths))
    theirs = apt.parse_owners(said.stdout, paths)
    diverted = {line.rpartition(": ")[2] for line in said.stdout.splitlines() if line.startswith("diversion")}
    assert {path: name for path, name in found.items() if path not in diverted} == {
        path: name for path, name in theirs.items() if path not in diverted
    }
    assert len(found) > 10
