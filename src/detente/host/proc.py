"""The only door to other programs. A child dies with us, or keeps the locks it was handed."""

import contextlib
import fcntl
import os
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from detente.errors import ToolError
from detente.host.processes import children
from detente.model import Command, Completed

if TYPE_CHECKING:
    import subprocess  # imported where a program is started: many commands start none

_PR_SET_PDEATHSIG = 1  # prctl(2)
_LOOK = 0.5  # seconds between two looks at a child that is watched
_PATIENCE = 0.5  # seconds for what a killed child still has to say
_GLANCE = 0.2  # seconds between two looks at a child that we follow


def _death_note() -> Callable[[], None]:
    """Return what a child calls before it becomes the program: from then on it dies with the thread that started it.

    prctl(2) is looked up here, in the parent: between fork and exec no import may happen.
    """
    import ctypes

    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start(
    command: Command, *, stdin: int | None = None, pass_fds: Sequence[int] = (), merged: bool = False
) -> "subprocess.Popen[bytes]":
    """Start `command` with piped output; raise ToolError where it cannot be started.

    The child is in our process group, so Ctrl-C reaches it too. `merged`: its errors go the way of its output.
    """
    import subprocess

    try:
        return subprocess.Popen(
            command.argv,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            env=command.environment,
            cwd=command.cwd,
            pass_fds=tuple(pass_fds),
            preexec_fn=_death_note(),  # noqa: PLW1509 - the note calls one C function
        )
    except OSError as err:
        raise ToolError(
            f"cannot start {command.argv[0]}: {err.strerror}",
            hint="check that it is installed and may be executed",
        ) from err


def run(
    command: Command,
    *,
    pass_fds: Sequence[int] = (),
    meanwhile: Callable[[], None] | None = None,
    watch: Callable[[int], None] | None = None,
) -> Completed:
    """Run `command` to its end and return what it said, decoded as UTF-8 with odd bytes kept.

    `meanwhile` is called once it has started: for what can be done while it works. `watch` is called with its
    process ID twice a second, and may raise: then it is ended.
    Any exit status is an answer; raise ToolError only where it cannot be started or runs out of time.
    """
    import subprocess

    child = start(command, stdin=None if command.stdin is None else subprocess.PIPE, pass_fds=pass_fds)
    data = None if command.stdin is None else command.stdin.encode("utf-8", "surrogateescape")
    try:
        if meanwhile is not None:
            meanwhile()
        out, err = _conversation(child, data, command.timeout, watch)
    except subprocess.TimeoutExpired as late:
        child.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.communicate(timeout=_PATIENCE)  # a grandchild may hold the pipe for as long as it likes
        raise ToolError(
            f"{os.path.basename(command.argv[0])} gave no answer within {command.timeout:g} s",
            hint="try again; if it stays so, run it by hand to see where it hangs",
        ) from late
    except BaseException:
        child.kill()
        child.wait()
        raise
    return Completed(
        child.returncode,
        out.decode("utf-8", "surrogateescape"),
        err.decode("utf-8", "surrogateescape"),
    )


def _conversation(
    child: "subprocess.Popen[bytes]", data: bytes | None, timeout: float | None, watch: Callable[[int], None] | None
) -> tuple[bytes, bytes]:
    """Feed `child` and hear it to its end, while another thread watches it."""
    if watch is None:
        return child.communicate(data, timeout=timeout)
    import threading

    over, raised = threading.Event(), []

    def look() -> None:
        while not over.wait(_LOOK):
            try:
                watch(child.pid)
            except BaseException as err:  # noqa: BLE001 - raised again in the calling thread
                raised.append(err)
                child.kill()
                return

    threading.Thread(target=look, name="detente-watch", daemon=True).start()
    try:
        said = child.communicate(data, timeout=timeout)
    finally:
        over.set()
    if raised:
        raise raised[0]
    return said


def follow(
    command: Command,
    heard: Callable[[bytes], None],
    enough: Callable[[], bool],
    *,
    pass_fds: Sequence[int] = (),
) -> int:
    """Run `command`, give `heard` what it says as it says it, and return its status (below 0: the signal).

    `enough` is asked several times a second; once it says yes, the command is ended. Whoever it leaves behind
    with its output open is not waited for. Raise ToolError where it cannot be started.
    """
    import select
    import subprocess

    child = start(command, stdin=None if command.stdin is None else subprocess.PIPE, pass_fds=pass_fds, merged=True)
    assert child.stdout is not None
    try:
        if child.stdin is not None:
            with contextlib.suppress(BrokenPipeError), child.stdin as stdin:
                stdin.write((command.stdin or "").encode("utf-8", "surrogateescape"))
        pipe = child.stdout.fileno()
        waiting = select.poll()
        waiting.register(pipe, select.POLLIN)
        while not enough():
            if waiting.poll(_GLANCE * 1000):
                data = os.read(pipe, 1 << 16)
                if not data:
                    break
                heard(data)
            elif child.poll() is not None:
                break
        else:
            _end(child)
        while child.poll() is None:  # its output is closed, and it goes on
            if enough():
                _end(child)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_GLANCE)
    except BaseException:
        _end(child)
        raise
    finally:
        child.stdout.close()
    return child.returncode


def attend(command: Command, *, output: int | None = None) -> tuple[Completed, int]:
    """Run `command` before the person's eyes: it has our input and output, and may ask. Return what it said on stderr.

    `output` is the descriptor that takes its output in place of ours. What comes on stderr is passed on as it comes.
    Input that is no terminal stays unread: it is meant for whoever called us.
    It does not die with us: a package manager that is killed leaves its database torn. For the same reason an
    interrupt is only remembered: Ctrl-C reaches it from the terminal, and it ends as it thinks right. The second
    value is that signal, 0 where none came. Raise ToolError where it cannot be started.
    """
    import subprocess

    from detente.host.signals import withheld

    # A file, no pipe: sudo takes whoever has a pipe for a part of one, and lets nobody answer what is asked. And it
    # stays when we are killed, where a write into a pipe would kill dpkg as well.
    number = os.memfd_create("stderr")
    fcntl.fcntl(number, fcntl.F_SETFL, os.O_APPEND)  # other programs, that open it as /dev/stderr, write at its end
    said = b""
    with withheld() as signals, open(number, "rb", buffering=0) as heard:
        try:
            child = subprocess.Popen(
                command.argv,
                stdin=None if os.isatty(0) else subprocess.DEVNULL,
                stdout=output,
                stderr=heard,
                env=command.environment,
                cwd=command.cwd,
            )
        except OSError as err:
            raise ToolError(
                f"cannot start {command.argv[0]}: {err.strerror}",
                hint="check that it is installed and may be executed",
            ) from err
        place, ended = 0, False
        while not ended:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_GLANCE)  # a service that it has started may keep its stderr open
                ended = True
            place = min(place, os.fstat(heard.fileno()).st_size)  # a shell that opens it for `>` empties it
            while data := os.pread(heard.fileno(), 1 << 16, place):
                place += len(data)
                said += data
                with contextlib.suppress(OSError):  # nobody reads ours any more, and it must end all the same
                    os.write(2, data)
    # Where sudo gives it a terminal of its own, Ctrl-C reaches it alone, and it ends by that.
    ended_by = -child.returncode if -child.returncode in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) else 0
    return Completed(child.returncode, "", said.decode("utf-8", "surrogateescape")), signals[0] if signals else ended_by


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End `child`: first by ending what it waits for, so that it ends as it does when all is over; else by force."""
    import subprocess

    for one in children(child.pid):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(one, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(_PATIENCE)
        return
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(4 * _PATIENCE)
        return
    child.kill()
    child.wait()


def become(argv: Sequence[str], environment: dict[str, str] | None = None) -> NoReturn:
    """Replace this process by another program (execve(2)); raise ToolError where that fails."""
    try:
        if environment is None:
            os.execv(argv[0], list(argv))
        os.execve(argv[0], list(argv), environment)
    except OSError as err:
        raise ToolError(f"cannot run {argv[0]}: {err.strerror}", hint=None) from err


def leave_behind() -> bool:
    """Fork; return True in the parent. The child goes on: no terminal, low priority, no word, an end that nobody sees.

    False, too, where that cannot be: with other threads at work, whose locks the child would hold for ever.
    """
    import threading

    if threading.active_count() > 1:
        return False
    try:
        if os.fork():
            return True
    except OSError:
        return False
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    _let_go()
    os.nice(10)
    return False


def _let_go() -> None:
    """Close what whoever started us had open, and may wait for: a lock, a pipe. Ours no program inherits (PEP 446)."""
    found: list[str] = []
    with contextlib.suppress(OSError):
        found = os.listdir("/proc/self/fd")
    for number in map(int, found):
        with contextlib.suppress(OSError):  # the one that listed them is closed
            if number > 2 and os.get_inheritable(number):
                os.close(number)
