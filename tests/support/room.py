"""A place to run a program in, confined in one way; and programs that a box must end, each with what then holds."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from detente.host import confine
from detente.host.box import Box, Ended, Limits, Mount
from detente.host.confine import NOBODY
from detente.host.confine_view import interpreter, ordered, system
from support.hostile_builds import running, soon

PYTHON = os.path.realpath(sys.executable)
USUAL = Limits()


class Room:
    """`given` may be written by what runs, `output` gets what is said."""

    def __init__(self, root: Path, way: str) -> None:
        self.way, self.given, self.output = way, root / "given", root / "output"
        self.given.mkdir(parents=True)
        (root / "box").mkdir()
        self.user = NOBODY if os.geteuid() == 0 else None
        if self.user:
            os.chown(self.given, *self.user)
        mounts = (*system(), *interpreter(PYTHON, "/root"), Mount("rw", str(self.given), str(self.given)))
        self.box = Box(ordered(mounts), str(root / "box"), self.user, watched=(str(self.given),))

    def run(self, *argv: str, limits: Limits = USUAL, **variables: str) -> Ended:
        """Run `argv` (a program below /usr/bin, or a path) in the box."""
        box = self.box._replace(limits=limits)
        words = [argv[0] if "/" in argv[0] else "/usr/bin/" + argv[0], *argv[1:]]
        environment = {"PATH": "/usr/bin:/bin", **variables}
        return confine.run(self.way, box, words, environment, str(self.given), output=str(self.output))

    def python(self, code: str, limits: Limits = USUAL) -> Ended:
        """Run `code` in the box."""
        return self.run(PYTHON, "-I", "-S", "-c", code, limits=limits)

    @property
    def said(self) -> str:
        """All output so far."""
        return self.output.read_text("utf-8", "replace")


def _mark() -> str:
    return f"79{time.monotonic_ns()}.5"  # seconds to sleep: nobody else sleeps for just as long


def daemons(room: Room) -> bool:
    """Two daemons, one of them forked twice, do not outlive it."""
    mark = _mark()
    code = (
        "import os, signal, subprocess\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"subprocess.Popen(['sleep', {mark!r}], start_new_session=True)\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        f"        os.execlp('sleep', 'sleep', {mark!r})\n"
        "    os._exit(0)\n"
        "print('done')\n"
    )
    return room.python(code) == Ended(0) and "done" in room.said and not running(mark)


def hang(room: Room) -> bool:
    """It sleeps on, deaf to signals: ended in time, with its children."""
    mark, began = _mark(), time.monotonic()
    ended = room.run("sh", "-c", f"trap '' TERM INT; sleep {mark} & sleep {mark}", limits=Limits(seconds=1))
    in_time = time.monotonic() - began < 10
    return ended.limit == "it ran for more than 1 s" and in_time and soon(lambda: not running(mark), 2)


def flood(room: Room) -> bool:
    """It prints a gigabyte: a megabyte is kept, and what it says at last still counts."""
    ended = room.run("sh", "-c", "head -c 1000000000 /dev/zero; exit 3", limits=Limits(output=1 << 20))
    small = room.output.stat().st_size < (1 << 20) + 200
    return ended == Ended(3, cut=True) and small and "output cut: 1000000000 bytes" in room.said[-200:]


def full_disk(room: Room) -> bool:
    """It writes one file after another: ended soon after the limit."""
    code = "i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero >f$i || exit 5; done"
    return room.run("sh", "-c", code, limits=Limits(disk=40 << 20, seconds=60)).limit == "it wrote more than 40 MB"


def large_file(room: Room) -> bool:
    """It writes one file without end: that stops at the limit."""
    ended = room.run("sh", "-c", "head -c 100000000 /dev/zero >big", limits=Limits(disk=10 << 20))
    return ended.status != 0 and (room.given / "big").stat().st_size <= 10 << 20


def fork_bomb(room: Room) -> bool:
    """It forks without end: that stops at the limit, and all are gone afterwards."""
    code = (
        "import os, time\nmade = 0\ntry:\n    while made < 9999:\n"
        "        if os.fork() == 0:\n            time.sleep(60)\n            os._exit(0)\n        made += 1\n"
        "except BlockingIOError:\n    print('stopped at', made, flush=True)\n"
    )
    before = time.monotonic()
    room.python(code, limits=Limits(processes=400, seconds=60))
    return "stopped at" in room.said and time.monotonic() - before < 50


TRIALS: dict[str, Callable[[Room], bool]] = {
    one.__name__: one for one in (daemons, hang, flood, full_disk, large_file, fork_bomb)
}
