"""The only door to other programs. A child dies with us, or keeps the locks it was handed."""

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from detente.errors import ToolError
from detente.model import Command, Completed

if TYPE_CHECKING:
    import subprocess  # imported where a program is started: many commands start none

_PR_SET_PDEATHSIG = 1  # prctl(2)
_PATIENCE = 0.5  # seconds for what a killed child still has to say


def _death_note() -> Callable[[], None]:
    """Return what a child calls before it becomes the program: from then on it dies with the thread that started it.

    prctl(2) is looked up here, in the parent: between fork and exec no import may happen.
    """
    import ctypes

    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start(command: Command, *, stdin: int | None = None, pass_fds: Sequence[int] = ()) -> "subprocess.Popen[bytes]":
    """Start `command` with piped output; raise ToolError where it cannot be started.

    The child is in our process group, so Ctrl-C reaches it too.
    """
    import subprocess

    try:
        return subprocess.Popen(
            command.argv,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
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


def run(command: Command, *, pass_fds: Sequence[int] = ()) -> Completed:
    """Run `command` to its end and return what it said, decoded as UTF-8 with odd bytes kept.

    Any exit status is an answer; raise ToolError only where it cannot be started or runs out of time.
    """
    import subprocess

    child = start(command, stdin=None if command.stdin is None else subprocess.PIPE, pass_fds=pass_fds)
    data = None if command.stdin is None else command.stdin.encode("utf-8", "surrogateescape")
    try:
        out, err = child.communicate(data, timeout=command.timeout)
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


def become(argv: Sequence[str], environment: dict[str, str] | None = None) -> NoReturn:
    """Replace this process by another program (execve(2)); raise ToolError where that fails."""
    try:
        if environment is None:
            os.execv(argv[0], list(argv))
        os.execve(argv[0], list(argv), environment)
    except OSError as err:
        raise ToolError(f"cannot run {argv[0]}: {err.strerror}", hint=None) from err
