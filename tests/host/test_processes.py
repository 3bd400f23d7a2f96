import fcntl
import os
import subprocess
import sys
from pathlib import Path

from detente.host.processes import holding

_HOLD = (
    "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
)


def test_who_has_locked_a_file_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    assert holding(str(lock)) == []
    words = [sys.executable, "-I", "-c", _HOLD, str(lock)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        name = Path(f"/proc/{child.pid}/comm").read_text().strip()
        assert holding(str(lock)) == [f"process {child.pid} ({name})"]
        assert holding(str(tmp_path)) == []
        child.kill()
    assert holding(str(lock)) == []


def test_a_lock_of_another_kind_or_a_missing_file_is_none(tmp_path: Path) -> None:
    with open(tmp_path / "lock", "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert holding(str(tmp_path / "lock")) == []
    os.unlink(tmp_path / "lock")
    assert holding(str(tmp_path / "lock")) == []
