"""Root's privileges for the package manager, and for nothing else: never for a shell, never for détente."""

import os
import re
import sys
from collections.abc import Mapping
from typing import NamedTuple

from detente.errors import Refused
from detente.model import Command, Completed

TOOLS = ("sudo", "doas", "run0", "pkexec")  # in this order; pkexec is the one that can ask in a window
FOLDERS = ("/run/wrappers/bin", "/usr/bin", "/bin", "/usr/local/bin")
_KEPT = ("TERM", "LANG")  # of the person's variables: the rest is no business of root's programs
_PLAIN = re.compile(r"[A-Za-z0-9_.+@-]+", re.ASCII)  # no path among them, and no format
_DENIED = (1, 126, 127)  # how these tools end where the answer is no; a package manager ends otherwise


class Seat(NamedTuple):
    """Where this command was called from: by root, on a terminal, in a graphical session; `tools` are the paths."""

    root: bool
    terminal: bool
    graphical: bool
    tools: dict[str, str]
    su: str = ""


def seat(environ: Mapping[str, str], folders: tuple[str, ...] = FOLDERS) -> Seat:
    """Look at who calls, and from where. `folders` are where the tools are looked for: never along PATH."""
    found = {}
    for name in (*TOOLS, "su"):
        paths = (os.path.join(folder, name) for folder in folders)
        path = next((path for path in paths if os.access(path, os.X_OK)), "")
        if path:
            found[name] = path
    return Seat(
        root=os.geteuid() == 0,
        terminal=sys.stdin.isatty() and sys.stderr.isatty(),
        graphical=bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")),
        su=found.pop("su", ""),
        tools=found,
    )


def raised(command: Command, seat: Seat, environ: Mapping[str, str], typed: str) -> Command:
    """Return `command` as `seat` can run it as root; raise Refused with the command to type where it cannot.

    `typed` is what a person would type as root: `apt install httpie`.
    """
    check(seat, typed)
    variables = {
        **(command.environment or {}),
        **{name: environ[name] for name in _KEPT if _PLAIN.fullmatch(environ.get(name, ""))},
    }
    if seat.root:
        import pwd

        # As sudo does: packages' scripts may expect it, and what root was called with need not be root's.
        return command._replace(environment={**variables, "HOME": pwd.getpwuid(0).pw_dir})
    tool = _tool(seat)
    return command._replace(argv=(seat.tools[tool], *_OPTIONS[tool], *command.argv), environment=variables)


def check(seat: Seat, typed: str) -> None:
    """Raise Refused, with the command to type, where `seat` cannot run `typed` as root."""
    if seat.root or _tool(seat):
        return
    if seat.tools:
        lacking = "there is no terminal to ask on"
    elif seat.su:
        lacking = "sudo is not installed; su can do it, which détente leaves to you"
    else:
        lacking = "there is neither sudo nor another way to root here"
    raise Refused(f"this needs root's privileges, and {lacking}", hint=as_root(typed, seat))


_OPTIONS = {"sudo": ("--",), "doas": ("--",), "run0": ("--",), "pkexec": ()}


def _tool(seat: Seat) -> str:
    if seat.terminal:
        return next((name for name in TOOLS if name in seat.tools), "")
    return "pkexec" if seat.graphical and "pkexec" in seat.tools else ""


def as_root(typed: str, seat: Seat) -> str:
    """Return the command line that runs `typed` as root on this machine."""
    if seat.root:
        return typed
    tool = next((name for name in TOOLS if name in seat.tools), "")
    if not tool and seat.su:
        return f"su -c '{typed}'"
    return f"{tool or 'sudo'} {typed}"


def denial(command: Command, answer: Completed, typed: str) -> Refused | None:
    """Return the error where root's privileges were refused, None where `command` itself had its say.

    Wrong password, not allowed, a window that was closed: then the tool ends with a status of its own, and the
    package manager has said nothing.
    """
    tool = os.path.basename(command.argv[0])
    if tool not in TOOLS or answer.returncode not in _DENIED:
        return None
    lines = [line.strip() for line in answer.stderr.splitlines() if line.strip()]
    if any(line.startswith("E: ") for line in lines):
        return None
    return Refused(
        f"{tool} did not give root's privileges; no system package was changed",
        context=lines[-3:],
        hint=f"as root: {typed}",
    )
