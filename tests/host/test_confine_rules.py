"""What the filter of system calls keeps from a confined program by itself, where no namespace does."""

import subprocess
from pathlib import Path

import pytest

from detente.host import filters, seccomp
from detente.host.confine_rules import rules
from support.room import PYTHON


@pytest.mark.skipif(not filters.supported(), reason="no system call filter for this machine")
def test_without_namespaces_the_filter_keeps_hands_off_other_processes_and_files(tmp_path: Path) -> None:
    """As with an early Landlock, which knows neither signals nor truncation."""
    (tmp_path / "file").write_text("precious")
    code = """
import ctypes, errno, fcntl, mmap, os, socket, struct, sys
victim, file = int(sys.argv[1]), sys.argv[2]
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
def told(name, act):
    try:
        act()
        print(name, "done")
    except OSError as err:
        print(name, errno.errorcode[err.errno])
def limit():
    place = libc.mmap(ctypes.c_void_p(0x7e0000000000), 4096, 3, 0x32, -1, 0)  # its lower half is 0
    ctypes.memmove(place, struct.pack("QQ", 0, 0), 16)
    if libc.prlimit(victim, 4, ctypes.c_void_p(place), None):
        raise OSError(ctypes.get_errno(), "")
one, other = socket.socketpair()
told("limit", limit)
told("owner", lambda: fcntl.fcntl(one, fcntl.F_SETOWN, victim))
told("signal", lambda: fcntl.fcntl(one, fcntl.F_SETSIG, 9))
told("nice", lambda: os.setpriority(os.PRIO_PROCESS, victim, 19))
told("group", lambda: os.setpriority(os.PRIO_USER, 0, 19))
told("affinity", lambda: os.sched_setaffinity(victim, {0}))
told("idle", lambda: os.sched_setscheduler(victim, os.SCHED_IDLE, os.sched_param(0)))
for mode in (0, 3):
    told(f"truncate {mode}", lambda: os.open(file, mode | os.O_TRUNC))
told("own", lambda: os.nice(1))
"""
    enforce = seccomp.enforcer(filters.assemble(rules("landlock", network=False, abi=2)))
    victim = subprocess.Popen(["sleep", "60"])
    argv = [PYTHON, "-I", "-S", "-c", code, str(victim.pid), str(tmp_path / "file")]
    try:
        said = subprocess.run(argv, preexec_fn=enforce, capture_output=True, text=True, timeout=60).stdout.splitlines()
    finally:
        victim.kill()
        victim.wait()
    assert [line for line in said if not line.endswith(" EPERM")] == ["own done"]
    assert len(said) == 10
    assert (tmp_path / "file").read_text() == "precious"
