"""Reading files of others."""

import os
from pathlib import Path

import pytest

from detente.host import regular


def test_a_file_is_read_whole_or_as_far_as_wanted(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"x" * 300_000)
    assert regular.read(str(place)) == b"x" * 300_000
    assert regular.read(str(place), 10) == b"x" * 10


def test_a_pipe_a_device_and_a_directory_are_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (str(pipe), "/dev/zero", str(tmp_path), str(tmp_path / "none")):
        with pytest.raises(OSError):
            regular.read(path)
