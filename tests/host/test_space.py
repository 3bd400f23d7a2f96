"""How much room there is, and what a file system allows."""

import os
from pathlib import Path

import pytest

from detente.errors import DiskError
from detente.host import space


def test_a_path_that_is_not_there_yet_is_on_the_file_system_of_what_is(tmp_path: Path) -> None:
    assert space.existing(str(tmp_path / "a/b")) == str(tmp_path)
    assert space.mount_point(str(tmp_path / "a/b")) == space.mount_point(str(tmp_path))
    assert space.mount_point("/proc/self/status") == "/proc"
    assert space.free(str(tmp_path / "a/b")) > 0


def test_a_link_is_on_the_file_system_of_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc/self")
    assert space.mount_point(str(tmp_path / "link")) == "/proc"


def test_too_little_room_is_said_with_need_have_and_place(tmp_path: Path) -> None:
    space.check_room(str(tmp_path), 1)
    with pytest.raises(DiskError) as caught:
        space.check_room(str(tmp_path), 10**18)
    mount = space.mount_point(str(tmp_path))
    assert caught.value.message.startswith("the disk is full: at least 1000000000.0 GB are needed, and ")
    assert caught.value.message.endswith(f" are free on {mount}; nothing was changed")


def test_a_mount_without_exec_is_named() -> None:
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    found = [row[1] for row in mounts if "noexec" in row[3].split(",") and os.access(row[1], os.R_OK)]
    if not found:
        pytest.skip("nothing is mounted noexec here")
    with pytest.raises(DiskError, match=f"{found[-1]} is mounted noexec"):
        space.check_executable(found[-1])


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_500, "100 kB"), (2.5e9, "2.5 GB")]
)
def test_sizes_are_for_people(number: float, words: str) -> None:
    assert space.in_words(number) == words
