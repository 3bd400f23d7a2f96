import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.errors import IntegrityError
from detente.host.paths import Paths, user_paths
from detente.model import EMPTY_GENERATION, Application, Generation, Wish
from detente.store import generations, locks
from plan.builders import a_generation, an_application


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = user_paths({"HOME": str(tmp_path)})
    os.makedirs(found.generations)
    return found


def _publish(paths: Paths, generation: Generation) -> None:
    generations.stage(paths, generation).publish(os.path.join(paths.generations, str(generation.number)))


def _having(paths: Paths, *made: Generation) -> None:
    """Make generations and switch to the last of them."""
    for generation in made:
        _publish(paths, generation)
    generations.switch(paths, made[-1].number)


def _record(paths: Paths, number: int) -> Path:
    return Path(paths.generations, str(number), "record.json")


def _rewrite(paths: Paths, number: int, data: bytes) -> None:
    path = _record(paths, number)
    path.chmod(0o644)
    path.write_bytes(data)


# reading back what was written


def test_there_is_nothing_before_the_first_generation(tmp_path: Path) -> None:
    paths = user_paths({"HOME": str(tmp_path / "none")})
    assert generations.current_number(paths) == 0
    assert generations.current(paths) == (EMPTY_GENERATION, "0")
    assert generations.history(paths) == ()
    assert generations.numbers(paths) == []


def test_the_current_generation_is_read_back_as_it_was(paths: Paths) -> None:
    demo = an_application("demo", suffix="@2", added=("plugin",), python="3.12")
    made = a_generation(3, demo._replace(files={"share/man/man1/d.1": "share/man/man1/d.1"}, startup={"x.pth": "00"}))
    _having(paths, made)
    found, basis = generations.current(paths)
    assert found == made
    assert isinstance(found.applications["demo@2"].wish.added, tuple)
    assert basis.startswith("3:")


_TEXTS = st.text(st.sampled_from('aé日\udc80"\\\n\0'), max_size=4)
_LISTS = st.lists(_TEXTS, max_size=2).map(tuple)
_MAPS = st.dictionaries(_TEXTS, _TEXTS, max_size=2)
_WISHES = st.builds(
    Wish, _TEXTS, _LISTS, st.none() | _TEXTS, _TEXTS, st.booleans(), st.booleans(), _LISTS, st.none() | _TEXTS, _LISTS
)
_APPLICATIONS = st.builds(
    Application, _TEXTS, _TEXTS, _WISHES, _TEXTS, _TEXTS, _TEXTS, _MAPS, _MAPS, _MAPS, st.integers(0, 9)
)


@pytest.mark.property
@given(st.dictionaries(_TEXTS, _APPLICATIONS, max_size=2), _LISTS, _TEXTS)
@settings(deadline=None, max_examples=60)
def test_any_record_is_ascii_and_survives(
    applications: dict[str, Application], command: tuple[str, ...], user: str
) -> None:
    made = Generation(4, 2, 1, "2026-01-02T03:04:05Z", user, command, applications)
    text = generations.encode(made)
    text.decode("ascii")
    assert generations._decode(json.loads(text)) == made


def test_the_basis_changes_with_the_number_and_with_the_content(paths: Paths) -> None:
    _having(paths, a_generation(1), a_generation(2))
    second = generations.current(paths)[1]
    generations.switch(paths, 1)
    first = generations.current(paths)[1]
    _rewrite(paths, 1, _record(paths, 1).read_bytes() + b"\n")
    assert len({first, second, generations.current(paths)[1]}) == 3


# history


def test_history_goes_back_along_the_parents_over_holes_and_without_orphans(paths: Paths) -> None:
    _having(paths, a_generation(1), a_generation(2), a_generation(3, parent=2), a_generation(5, parent=3))
    _publish(paths, a_generation(4, parent=3))
    _publish(paths, a_generation(6, parent=5))
    assert [item.number for item in generations.history(paths)] == [5, 3, 2, 1]
    assert generations.numbers(paths) == [1, 2, 3, 4, 5, 6]


def test_history_ends_where_collect_took_the_parent(paths: Paths) -> None:
    _having(paths, a_generation(7, parent=6), a_generation(9, parent=7))
    assert [item.number for item in generations.history(paths)] == [9, 7]


def test_names_that_are_no_numbers_are_no_generations(paths: Paths) -> None:
    _having(paths, a_generation(2))
    for name in (".staging-1", "old", "²", "٣", "-1"):
        os.mkdir(os.path.join(paths.generations, name))
    assert generations.numbers(paths) == [2]


# damage


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 64,
        b"{",
        b"[]",
        b"3",
        b"null",
        b"{}",
        b'{"schema": "1"}',
        b'{"schema": 1}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_record_that_cannot_be_read_is_named_with_the_way_back(paths: Paths, data: bytes) -> None:
    _having(paths, a_generation(1), a_generation(2))
    _rewrite(paths, 2, data)
    with pytest.raises(IntegrityError, match="the record of generation 2 cannot be read") as caught:
        generations.current(paths)
    assert str(_record(paths, 2)) in caught.value.message
    assert caught.value.hint == f"point to an earlier one: ln -sfn generations/1 {paths.current}"
    with pytest.raises(IntegrityError):
        generations.history(paths)


def test_a_broken_first_record_has_a_way_out_too(paths: Paths) -> None:
    _having(paths, a_generation(1))
    _rewrite(paths, 1, b"")
    with pytest.raises(IntegrityError) as caught:
        generations.current(paths)
    assert caught.value.hint == f"begin anew, and install again what you need: rm {paths.current}"
    os.unlink(paths.current)
    assert generations.current(paths)[0] == EMPTY_GENERATION


@pytest.mark.parametrize(
    "change",
    [
        {"applications": []},
        {"applications": {"demo": 3}},
        {"applications": {"demo": {}}},
        {"applications": {"demo": {"wish": []}}},
        {"more": 1},
        {"number": 7},
        {"number": "2"},
        {"parent": 2},
        {"parent": 5},
        {"parent": None},
        {"command": None},
    ],
)
def test_a_record_of_the_wrong_shape_is_refused(paths: Paths, change: dict[str, Any]) -> None:
    _having(paths, a_generation(1), a_generation(2, an_application()))
    value = json.loads(_record(paths, 2).read_bytes())
    _rewrite(paths, 2, json.dumps(value | change).encode())
    with pytest.raises(IntegrityError, match="the record of generation 2 cannot be read"):
        generations.current(paths)
    assert generations.load(paths, 1) == a_generation(1)


def test_a_record_without_a_part_is_refused(paths: Paths) -> None:
    _having(paths, a_generation(1, an_application()))
    whole = json.loads(_record(paths, 1).read_bytes())
    for name in whole:
        _rewrite(paths, 1, json.dumps({key: item for key, item in whole.items() if key != name}).encode())
        with pytest.raises(IntegrityError):
            generations.current(paths)


def test_a_record_of_a_newer_detente_is_refused_with_what_to_do(paths: Paths) -> None:
    _having(paths, a_generation(1))
    value = json.loads(_record(paths, 1).read_bytes())
    _rewrite(paths, 1, json.dumps(value | {"schema": generations.SCHEMA + 1, "unknown": 1}).encode())
    with pytest.raises(IntegrityError, match="generation 1 was written by a newer detente") as caught:
        generations.current(paths)
    assert caught.value.hint is not None


def test_a_missing_generation_is_refused(paths: Paths) -> None:
    _having(paths, a_generation(1))
    generations.switch(paths, 4)
    with pytest.raises(IntegrityError, match="generation 4 cannot be read") as caught:
        generations.current(paths)
    assert caught.value.hint == f"point to an earlier one: ln -sfn generations/1 {paths.current}"
    with pytest.raises(IntegrityError):
        generations.load(paths, 2)


@pytest.mark.parametrize("target", ["elsewhere", "generations/", "generations/x", "generations/²", "generations/-1"])
def test_a_current_that_points_elsewhere_is_refused(paths: Paths, target: str) -> None:
    os.symlink(target, paths.current)
    with pytest.raises(IntegrityError, match=f"{re.escape(paths.current)} does not point to a generation"):
        generations.current(paths)


def test_a_current_that_a_copy_made_a_directory_is_no_empty_beginning(paths: Paths) -> None:
    os.mkdir(paths.current)
    with pytest.raises(IntegrityError, match="does not point to a generation"):
        generations.current(paths)


# what a generation exposes


def test_a_staged_generation_links_what_it_exposes(paths: Paths) -> None:
    demo = an_application("demo")._replace(
        environment="demo-1", files={"share/man/man1/demo.1": "share/man/man1/demo.1", "share/x": "share/y"}
    )
    _having(paths, a_generation(1, demo, an_application("other")._replace(environment="other-1")))
    links = {
        path: os.path.normpath(os.path.join(paths.generations, "1", os.path.dirname(path), os.readlink(full)))
        for folder, _, names in os.walk(os.path.join(paths.generations, "1"))
        for full in (os.path.join(folder, name) for name in names)
        if os.path.islink(full)
        for path in [os.path.relpath(full, os.path.join(paths.generations, "1"))]
    }
    assert links == {
        "bin/demo": f"{paths.environments}/demo-1/launch/demo",
        "bin/other": f"{paths.environments}/other-1/launch/other",
        "share/man/man1/demo.1": f"{paths.environments}/demo-1/share/man/man1/demo.1",
        "share/x": f"{paths.environments}/demo-1/share/y",
    }
    assert _record(paths, 1).stat().st_mode & 0o777 == 0o444


def test_of_two_applications_with_one_file_the_first_shows_it() -> None:
    page = {"share/man/man1/x.1": "share/man/man1/x.1"}
    items = [an_application(name)._replace(environment=name, files=page, commands={}) for name in ("a", "b")]
    assert generations.exposures(a_generation(1, *items)) == {"share/man/man1/x.1": "a/share/man/man1/x.1"}


def test_nothing_is_left_of_a_generation_that_could_not_be_staged(paths: Paths) -> None:
    broken = an_application()._replace(files={"share/x": "share/x", "share/x/y": "share/x/y"})
    with pytest.raises(OSError):
        generations.stage(paths, a_generation(1, broken))
    assert os.listdir(paths.generations) == []


# the switch


def test_a_switch_is_one_link(paths: Paths) -> None:
    _having(paths, a_generation(1), a_generation(2))
    assert os.readlink(paths.current) == "generations/2"
    generations.switch(paths, 1)
    assert os.readlink(paths.current) == "generations/1"
    assert sorted(os.listdir(paths.data)) == ["current", "generations"]


def test_links_that_a_kill_left_beside_current_go_and_nothing_else(paths: Paths) -> None:
    _having(paths, a_generation(1))
    os.symlink("generations/9", os.path.join(paths.data, ".detente-0a1b2c3d"))
    os.symlink("somewhere", os.path.join(paths.data, "currently"))
    os.mkdir(paths.current + ".backup")
    locks.sweep(paths)
    assert sorted(os.listdir(paths.data)) == ["current", "current.backup", "currently", "generations"]


def test_sweeping_a_home_with_nothing_in_it_does_nothing(tmp_path: Path) -> None:
    locks.sweep(user_paths({"HOME": str(tmp_path / "none")}))
    assert list(tmp_path.iterdir()) == []
