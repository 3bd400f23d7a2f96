"""The first program of a box without bubblewrap: started by `host.confine`, it takes its rights away, then execs.

It is a process of its own, so that nothing is forked out of a program with threads. It reads on its standard input
what to do, stays as the parent of what it runs, and ends with its status once nobody of it is left.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import resource
import signal
import sys

from detente.host import seccomp
from detente.host.processes import children

TYPE_CHECKING = False  # `typing` would be a third of what this takes to start
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, NoReturn

_SET_PDEATHSIG, _CAPBSET_DROP, _SET_SECUREBITS, _SET_CHILD_SUBREAPER, _CAP_AMBIENT = 1, 24, 28, 36, 47  # prctl(2)
_AMBIENT_RAISE = 2
_NO_SETUID_FIXUP = 0b1100  # and locked
_READ_SEARCH, _OVERRIDE, _LAST_CAPABILITY = 2, 1, 63
_CAPABILITY_VERSION = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> NoReturn:
    """Run what standard input tells; end with its status, 128 + signal where it was killed, 125 where it never ran."""
    told: dict[str, Any] = marshal.loads(bytes.fromhex(sys.stdin.read()))  # noqa: S302 - from `host.confine`
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us hears it too, and says when to end
    try:
        if told["way"] == "namespaces":
            from detente.host import confine_namespaces

            confine_namespaces.enter(told["mounts"], told["scratch"], mapped=told["user"] is None, net=told["network"])
            die_with_parent(signal.SIGKILL)
        else:
            _libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            signal.signal(signal.SIGTERM, _stopped)
            die_with_parent(signal.SIGTERM)
        child = os.fork()
        if child == 0:
            _become(told)
        status = _wait(child)
    except OSError as err:
        _complain(err)
        status = 125
    _end_all()
    os._exit(status)


def die_with_parent(number: int) -> None:
    """Let the kernel send this signal to us when our parent ends."""
    _libc.prctl(_SET_PDEATHSIG, number, 0, 0, 0)


def _become(told: dict[str, Any]) -> NoReturn:
    """In the child: take away everything, and be the program."""
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.closerange(3, 65536)
        for name, most in told["ceilings"].items():
            resource.setrlimit(getattr(resource, "RLIMIT_" + name.upper()), (most, most))
        enforce = _landlock(told) if told["way"] == "landlock" else []
        if told["filter"]:
            enforce.append(seccomp.enforcer(told["filter"]))
        elif told["way"] == "landlock":
            raise OSError("there is no system call filter for this machine, and without it sockets stay open")
        os.chdir(told["cwd"])
        _drop(told["user"], reading=told["way"] == "landlock" and not _all_may_reach(told))
        die_with_parent(signal.SIGKILL)  # changing the user has taken it back
        for each in enforce:
            each()
        os.execve(told["argv"][0], told["argv"], told["environment"])
    except OSError as err:
        _complain(err)
    os._exit(125)


def _complain(err: OSError) -> None:
    os.write(2, f"the box could not be made: {err}\n".encode("utf-8", "replace"))


def _landlock(told: dict[str, Any]) -> list[Callable[[], None]]:
    from detente.host import landlock

    seen = [mount for mount in told["mounts"] if mount[0] != "link" and mount[1] == mount[2]]
    seen += [("ro", path, path) for path in ("/dev/zero", "/dev/random", "/dev/urandom")]
    seen += [("ro", "/proc/" + name, "") for name in ("cpuinfo", "meminfo", "stat", "loadavg", "version", "sys")]
    seen += [("rw", "/dev/null", ""), ("rw", "/dev/full", "")]
    places = [mount[1] for mount in seen]
    written = [mount[1] for mount in seen if mount[0] == "rw"]
    network = told["network"]
    ruleset = landlock.prepare(read=places, execute=places, write=written, tcp=network, scopes=True)
    return [landlock.enforcer(ruleset)]


def _all_may_reach(told: dict[str, Any]) -> bool:
    """Say whether every directory above what the program gets may be passed by anybody."""
    above = {os.path.dirname(path) for kind, path, target in told["mounts"] if kind != "link" and path == target}
    while above - {"/"}:
        if not all(os.stat(place).st_mode & 0o001 for place in above):
            return False
        above = {os.path.dirname(place) for place in above}
    return True


def _drop(user: list[int] | None, *, reading: bool) -> None:
    """Leave all capabilities and, as root, be `user`; with `reading` keep the one that passes closed directories.

    It opens nothing here: Landlock decides what can be read, and opening by handle is refused.
    """
    kept = 0
    if reading and user is not None:
        held = _held()
        kept = next((1 << one for one in (_READ_SEARCH, _OVERRIDE) if held & 1 << one), 0)
        # It outlives the change of the user, and access(2) heeds it too: capabilities(7), "securebits".
        _libc.prctl(_SET_SECUREBITS, _NO_SETUID_FIXUP, 0, 0, 0)
    for one in range(_LAST_CAPABILITY + 1):
        if not kept & 1 << one:
            _libc.prctl(_CAPBSET_DROP, one, 0, 0, 0)
    if user is not None:
        if os.getgroups():
            os.setgroups([])
        os.setresgid(user[1], user[1], user[1])
        os.setresuid(user[0], user[0], user[0])
    _set_capabilities(kept)
    if kept:
        _libc.prctl(_CAP_AMBIENT, _AMBIENT_RAISE, kept.bit_length() - 1, 0, 0)


def _held() -> int:
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        return next(int(line.split()[1], 16) for line in file if line.startswith("CapPrm:"))


def _set_capabilities(kept: int) -> None:
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    low, high = kept & 0xFFFFFFFF, kept >> 32
    if _libc.capset(header, (ctypes.c_uint32 * 6)(low, low, low, high, high, high)):
        raise OSError(ctypes.get_errno(), "capabilities could not be left behind")


def _wait(child: int) -> int:
    """Wait for `child`, and for what others leave to us meanwhile; return its status as a shell would say it."""
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _stopped(number: int, frame: FrameType | None) -> None:
    del frame
    _end_all()
    os._exit(128 + number)


def _end_all() -> None:
    """Kill whoever is left of the box: as the subreaper we inherit each whose parent is gone."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        for one in children(os.getpid()):
            os.kill(one, signal.SIGKILL)  # nobody but us waits for it, so it is there
        try:
            os.wait()
        except ChildProcessError:
            return
