"""Stop a program at its n-th file-changing system call, counted over all its processes and threads (ptrace, seccomp).

The call itself does not take place: everything is killed, or the call fails with an errno; or the group gets SIGINT,
as by Ctrl-C, and the call goes on. Only calls whose path or descriptor lies below a directory count. Needs neither
privileges nor a compiler. `run` starts this file as a program of its own, because ptrace(2) binds tracer and tracees
to one thread.
"""

import contextlib
import ctypes
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from support import syscalls

_POKEUSER, _CONT, _GETREGSET, _SETREGSET, _SEIZE, _LISTEN, _INFO = 6, 7, 0x4204, 0x4205, 0x4206, 0x4208, 0x420E
_OPTIONS = 0x02 | 0x04 | 0x08 | 0x10 | 0x80 | 0x100000  # FORK, VFORK, CLONE, EXEC, SECCOMP, EXITKILL
_EVENT_SECCOMP, _EVENT_STOP = 7, 128
_WALL, _AT_FDCWD = 0x40000000, -100
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2  # prctl(2)
_GRACE = 2.0  # seconds in which children must be gone after the program itself


@dataclass(frozen=True)
class Fault:
    """What to do at call number `point` (0: nothing at all): "kill", "orphan", "interrupt", or "fail" with `error`.

    "orphan" kills the program and not its children. `sticky` calls fail from then on. Only calls called `names`
    count; with `reading` also opens for reading.
    """

    action: str = ""
    point: int = 0
    error: int = 0
    sticky: bool = False
    names: Collection[str] = syscalls.CHANGES
    reading: bool = False


@dataclass(frozen=True)
class Traced:
    """What became of a run: exit status (negative: the signal), output, and the calls that counted, by name and path.

    `reached` says whether there was a call with the number that was asked for; `call` is that one. `seconds` is how
    long the program went on after it, `left` names the processes that outlived the program.
    """

    status: int
    out: str
    err: str
    calls: list[tuple[str, str]]
    reached: bool
    call: str
    seconds: float
    left: list[str] = field(default_factory=list)


def unsupported() -> str:
    """Return why nothing can be traced here, "" where it can."""
    if not syscalls.supported():
        return "the tracer knows the system calls of x86_64 and aarch64 only"
    probe = run(["/bin/true"], root="/nowhere", env={}, cwd="/")
    return "" if probe.status == 0 else f"ptrace or seccomp is not allowed here: {probe.err.strip()[-200:]}"


def run(
    argv: Sequence[str],
    *,
    root: str | Path,
    env: Mapping[str, str],
    cwd: str | Path,
    fault: Fault | None = None,
    timeout: float = 120,
) -> Traced:
    """Run `argv` to its end, or to that of `fault`; raise subprocess.TimeoutExpired where it does not come."""
    fault = fault or Fault()
    with tempfile.NamedTemporaryFile(prefix="traced-", suffix=".json") as report:
        spec = {**asdict(fault), "names": sorted(fault.names), "root": os.path.realpath(root), "report": report.name}
        done = subprocess.run(
            [sys.executable, "-S", "-B", "-m", "support.tracer", json.dumps({**spec, "env": dict(env)}), *argv],
            env={"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=timeout,
        )
        told = report.read()
    if not told:
        return Traced(done.returncode or 1, done.stdout, done.stderr, [], reached=False, call="", seconds=0.0)
    answer = json.loads(told)
    return Traced(out=done.stdout, err=done.stderr, calls=list(map(tuple, answer.pop("calls"))), **answer)


class _Tracer:
    """The parent's side: follows every process and thread that comes of `main`."""

    def __init__(self, main: int, spec: Mapping[str, Any]) -> None:
        self.main = main
        self.spec = spec
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.libc.ptrace.restype = ctypes.c_long
        self.numbers = syscalls.numbers()
        self.calls: list[tuple[str, str]] = []
        self.alive = {main}
        self.status = 0
        self.struck = self.ended = 0.0
        self.killing = False

    def ptrace(self, request: int, pid: int, addr: int = 0, data: Any = 0) -> bool:
        """Do one request; False where the tracee is gone, as it is after a SIGKILL."""
        return bool(self.libc.ptrace(request, pid, addr, data) >= 0)

    def follow(self) -> list[str]:
        """Follow until nobody is left; return the names of those that outlived the program."""
        while True:
            try:
                pid, status = os.waitpid(-1, _WALL | (os.WNOHANG if self.ended else 0))
            except ChildProcessError:
                return []
            if pid == 0:
                if time.monotonic() - self.ended > _GRACE:
                    return self._names()  # they die with us: EXITKILL
                time.sleep(0.002)
            elif os.WIFSTOPPED(status):
                self._stopped(pid, status)
            else:
                self.alive.discard(pid)
                if pid == self.main:
                    self.ended = time.monotonic()
                    self.status = os.waitstatus_to_exitcode(status)

    def _names(self) -> list[str]:
        names = []
        for pid in self.alive:
            with contextlib.suppress(OSError):
                names.append(Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip())
        return names

    def _stopped(self, pid: int, status: int) -> None:
        self.alive.add(pid)
        event, number = status >> 16, os.WSTOPSIG(status)
        if self.killing:
            self._kill(pid)
        elif event == _EVENT_SECCOMP:
            self._seen(pid)
        elif event == _EVENT_STOP and number != signal.SIGTRAP:
            self.ptrace(_LISTEN, pid)
        else:
            self.ptrace(_CONT, pid, 0, 0 if event else number)

    def _seen(self, pid: int) -> None:
        """Count the call that `pid` is about to make, and strike where it is its turn."""
        info = ctypes.create_string_buffer(88)
        if not self.ptrace(_INFO, pid, len(info), ctypes.addressof(info)):
            return
        number, *arguments = struct.unpack_from("7Q", info, 24)
        name = self.numbers.get(number, "")
        path = self._path(pid, name, arguments) if name else None
        if path is None:
            self.ptrace(_CONT, pid)
            return
        self.calls.append((name, path))
        point, action, count = self.spec["point"], self.spec["action"], len(self.calls)
        now = count == point
        if now:
            self.struck = time.monotonic()
        if now and action == "kill":
            self.killing = True
            for one in {pid, *self.alive}:
                self._kill(one)
            return
        if now and action == "orphan":
            self._kill(self.main)
        if now and action == "interrupt":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.main, signal.SIGINT)
        if action == "fail" and (now or (self.spec["sticky"] and 0 < point < count)):
            self._refuse(pid, self.spec["error"])
        self.ptrace(_CONT, pid)

    def _kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def _refuse(self, pid: int, error: int) -> None:
        """Let the kernel skip the call, and the program see `error`."""
        if os.uname().machine == "x86_64":
            self.ptrace(_POKEUSER, pid, 15 * 8, ctypes.c_void_p(-1))  # orig_rax
            self.ptrace(_POKEUSER, pid, 10 * 8, ctypes.c_void_p(-error))  # rax
            return
        self._regset(_SETREGSET, pid, 0x404, ctypes.c_int(-1))  # NT_ARM_SYSTEM_CALL
        registers = (ctypes.c_uint64 * 34)()
        self._regset(_GETREGSET, pid, 1, registers)  # NT_PRSTATUS
        registers[0] = ctypes.c_uint64(-error).value
        self._regset(_SETREGSET, pid, 1, registers)

    def _regset(self, request: int, pid: int, kind: int, value: Any) -> None:
        vector = (ctypes.c_size_t * 2)(ctypes.addressof(value), ctypes.sizeof(value))  # struct iovec
        self.ptrace(request, pid, kind, ctypes.addressof(vector))

    def _path(self, pid: int, name: str, arguments: Sequence[int]) -> str | None:
        """Return the first place of the call that lies below the root, None where none does."""
        root = self.spec["root"]
        for descriptor, argument in syscalls.places(name):
            path = self._base(pid, None if descriptor is None else arguments[descriptor])
            if argument is not None:
                path = os.path.normpath(os.path.join(path, self._text(pid, arguments[argument])))
            if path.startswith(root + "/") or path == root:
                return path
        return None

    def _base(self, pid: int, descriptor: int | None) -> str:
        number = _AT_FDCWD if descriptor is None else ctypes.c_int(descriptor & 0xFFFFFFFF).value
        try:
            return os.readlink(f"/proc/{pid}/cwd" if number == _AT_FDCWD else f"/proc/{pid}/fd/{number}")
        except OSError:
            return ""

    def _text(self, pid: int, address: int) -> str:
        """Return the string at `address` of the tracee: read up to the page's end, and on where it goes on."""
        found = b""
        with contextlib.suppress(OSError, OverflowError), open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            while len(found) < 8192:
                memory.seek(address + len(found))
                piece = memory.read(min(256, 4096 - (address + len(found)) % 4096))
                if not piece or b"\0" in piece:
                    return os.fsdecode(found + piece.partition(b"\0")[0])
                found += piece
        return os.fsdecode(found)


def _become(spec: Mapping[str, Any], argv: Sequence[str], ready: int) -> None:
    """The child's side: wait for the tracer, install the filter, become the program."""
    os.setsid()
    os.read(ready, 1)
    libc = ctypes.CDLL(None, use_errno=True)
    program = syscalls.seccomp_filter(spec["names"], reading=spec["reading"])
    text = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(text))  # struct sock_fprog
    zero = ctypes.c_ulong(0)
    if (
        libc.prctl(_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero) != 0
        or libc.prctl(_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.create_string_buffer(head), zero, zero) != 0
    ):
        raise OSError(ctypes.get_errno(), "the seccomp filter is refused")
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execve(argv[0], argv, spec["env"])


def main() -> int:
    """Trace as argv[1] (JSON) says, and write the report; see `run`."""
    spec, argv = json.loads(sys.argv[1]), sys.argv[2:]
    theirs, ours = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(ours)
            _become(spec, argv, theirs)
        except OSError as err:
            sys.stderr.write(f"{err}\n")
        os._exit(99)
    os.close(theirs)
    tracer = _Tracer(child, spec)
    if not tracer.ptrace(_SEIZE, child, 0, _OPTIONS):
        os.kill(child, signal.SIGKILL)
        sys.stderr.write("ptrace(2) is refused\n")
        return 98
    os.write(ours, b"x")
    os.close(ours)
    left = tracer.follow()
    reached = tracer.struck > 0
    report = {
        "status": tracer.status,
        "calls": tracer.calls,
        "reached": reached,
        "call": " ".join(tracer.calls[spec["point"] - 1]) if reached else "",
        "seconds": round(tracer.ended - tracer.struck, 3) if reached else 0.0,
        "left": left,
    }
    with open(spec["report"], "w", encoding="utf-8", errors="surrogateescape") as stream:
        json.dump(report, stream)
    return 0


if __name__ == "__main__":
    sys.exit(main())
