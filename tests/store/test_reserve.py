"""The room kept back for going back on a full disk. That it is enough, tests/faults/test_disk.py tries."""

from pathlib import Path

from detente.host.paths import user_paths
from detente.store import reserve


def test_it_is_made_once_given_up_whole_and_made_again(tmp_path: Path) -> None:
    paths = user_paths({"HOME": str(tmp_path)})
    folder = Path(paths.data) / reserve.NAME
    assert not reserve.give_up(paths)
    reserve.keep(paths)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert before
    assert sum(path.stat().st_blocks * 512 for path in folder.iterdir()) >= 100_000
    (folder / "3").unlink()
    reserve.keep(paths)
    after = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert after.keys() == before.keys()
    assert {name for name in before if after[name] != before[name]} == {"3"}
    assert reserve.give_up(paths)
    assert not folder.exists()


def test_a_place_that_takes_nothing_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    reserve.keep(user_paths({"HOME": str(tmp_path / "file")}))
