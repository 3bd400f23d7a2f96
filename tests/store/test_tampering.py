"""What was changed in the store, in environments or generations is found; what was not is not."""

import json
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from detente.host import exchange
from detente.host.paths import Paths, user_paths
from detente.plan.damage import BYTECODE, CHANGED, MISSING, MODE
from detente.store import replacement, verify, witness
from proof import tamper
from support import tampering
from support.index import Index
from support.machine import Machine


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, Paths]]:
    """A profile with a few applications; every test puts back what it changes."""
    made = tamper.Scene(tmp_path_factory.mktemp("tamper"))
    with Index(made.wares) as index:
        machine = made.machine(index)
        yield machine, user_paths(machine.environ)


def shared(paths: Paths) -> tuple[str, Path]:
    name = next(name for name in tamper.entries(paths) if name.startswith("shared-"))
    return name, Path(paths.store, name)


def test_every_kind_of_change_to_an_entry_is_found(scene: tuple[Machine, Paths]) -> None:
    missed = [way for way, found in tamper.mutate_entries(scene[1], 2 * len(tampering.OF_ENTRIES), 7) if not found]
    assert missed == []


def test_every_kind_of_change_to_environments_and_generations_is_found(scene: tuple[Machine, Paths]) -> None:
    missed = [way for way, found in tamper.mutate_places(scene[1], 60, 7) if not found]
    assert missed == []


def test_a_whole_entry_is_read_once_and_then_known(scene: tuple[Machine, Paths]) -> None:
    name, _ = shared(scene[1])
    witness.forget(scene[1], witness.STORE, [name])
    assert not witness.unchanged(scene[1], name)
    assert verify.check(scene[1], name).findings == ()
    assert witness.unchanged(scene[1], name)


def test_a_copied_entry_is_read_again_and_found_whole(scene: tuple[Machine, Paths]) -> None:
    """A restored home has other inodes and times of change; its bytes are what they were."""
    name, top = shared(scene[1])
    copy = top.with_name(".copy")
    assert os.system(f"cp -a {top} {copy}") == 0
    exchange.exchange(str(copy), str(top))
    try:
        assert not witness.unchanged(scene[1], name)
        assert verify.check(scene[1], name).findings == ()
    finally:
        exchange.exchange(str(copy), str(top))
        verify.check(scene[1], name)
        os.system(f"chmod -R u+w {copy}; rm -r {copy}")


@pytest.mark.parametrize(
    ("mutation", "kind"),
    [
        (tampering.flip_bytecode, BYTECODE),
        (tampering.plant_bytecode, BYTECODE),
        (tampering.edit_mark, BYTECODE),
        (tampering.loosen, MODE),
        (tampering.edit_record, CHANGED),
        (tampering.edit_all_lists, CHANGED),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_needs_no_wheel_is_told_from_what_does(
    scene: tuple[Machine, Paths], mutation: tampering.Mutation, kind: str
) -> None:
    name, top = shared(scene[1])
    with tampering.undone(top):
        assert mutation(top, random.Random(5))
        assert {item.kind for item in verify.check(scene[1], name).findings} == {kind}
    verify.check(scene[1], name)


def test_lists_that_agree_with_each_other_are_believed_only_with_a_witness(scene: tuple[Machine, Paths]) -> None:
    """What is out of reach is said: without its witness an entry whose lists were all edited looks whole."""
    name, top = shared(scene[1])
    known = witness.read(scene[1], witness.STORE, name)
    assert known
    with tampering.undone(top):
        assert tampering.edit_all_lists(top, random.Random(5))
        assert verify.check(scene[1], name).findings
        witness.forget(scene[1], witness.STORE, [name])
        entry = json.loads((top / "entry.json").read_bytes())
        assert {item.path for item in verify.check(scene[1], name).findings} <= {"lib"}
        assert entry["directory"] == name
    witness.write(scene[1], witness.STORE, name, known)
    assert verify.check(scene[1], name).findings == ()


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"schema": 9}', '{"schema": 1, "record": 3, "marks": {}}'])
def test_a_witness_that_cannot_be_read_is_none(scene: tuple[Machine, Paths], text: str) -> None:
    name, _ = shared(scene[1])
    place = Path(scene[1].data, witness.FOLDER, witness.STORE, name)
    place.write_text(text)
    assert witness.read(scene[1], witness.STORE, name) is None
    assert verify.check(scene[1], name).findings == ()
    assert witness.read(scene[1], witness.STORE, name) is not None


def test_a_missing_entry_is_one_finding(scene: tuple[Machine, Paths]) -> None:
    (finding,) = verify.check(scene[1], "gone-1.0-py3-none-any-0123456789abcdef0123").findings
    assert (finding.kind, finding.path) == (MISSING, "")


@pytest.mark.parametrize("swap", [exchange.exchange, exchange.in_two_steps], ids=["in one step", "in two"])
def test_an_exchange_gives_each_the_name_of_the_other(tmp_path: Path, swap) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    swap(str(tmp_path / "one"), str(tmp_path / "other"))
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["other"]
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["one"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


def test_whoever_looks_while_a_directory_is_exchanged_sees_one_of_the_two(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    over = threading.Event()
    missing = []

    def watch() -> None:
        while not over.is_set():
            if not (tmp_path / "one" / "file").exists():
                missing.append(1)

    thread = threading.Thread(target=watch)
    thread.start()
    for _ in range(500):
        exchange.exchange(str(tmp_path / "one"), str(tmp_path / "other"))
    over.set()
    thread.join()
    assert not missing


def test_what_is_not_ours_is_kept_in_quarantine_without_a_right_to_run(scene: tuple[Machine, Paths]) -> None:
    name, top = shared(scene[1])
    with tampering.undone(top):
        with tampering.opened(top):
            (top / "lib/evil").mkdir()
            (top / "lib/evil/run.sh").write_text("#!/bin/sh\n")
            (top / "lib/evil/run.sh").chmod(0o4755)
            (top / "lib/link").symlink_to("/bin/sh")
        folder = Path(replacement.keep(scene[1], str(top), verify.check(scene[1], name).findings))
        assert (folder / "of").read_text().strip() == str(top)
        assert (folder / "files/lib/evil/run.sh").read_text() == "#!/bin/sh\n"
        assert (folder / "files/lib/evil/run.sh").stat().st_mode & 0o7111 == 0
        assert os.readlink(folder / "files/lib/link") == "/bin/sh"
    verify.check(scene[1], name)
