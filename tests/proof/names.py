"""Commands that would hide others, and code that would run at every start: through the whole command line."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from proof.figure import Figure
from proof.lab import Lab
from proof.wheels import trials
from support.hostile_names import ASKED, LEFT_OUT, REFUSED, Case, cases
from support.machine import Answer, Machine

_STATUS = {REFUSED: (1, 5), ASKED: (5,), LEFT_OUT: (0,)}


def outcome(case: Case, folder: Path) -> str:
    """Install the application of `case` below the empty directory `folder`; say what broke the promise, or ""."""
    machine = Machine(folder / "home")
    case.prepare(machine)
    before, state = _shown(machine), machine.state()
    wheel = case.make(folder / "shelf")
    answer = machine.run("install", str(wheel))
    wrong = []
    if answer.status not in _STATUS[case.expected]:
        wrong.append(f"status {answer.status}: {answer.err.strip()[:300]}")
    errors = sum(line.startswith("error: ") for line in answer.err.splitlines())
    if errors != (case.expected != LEFT_OUT) or "Traceback" in answer.err:
        wrong.append(f"{errors} errors: {answer.err.strip()[:300]}")
    if case.says not in answer.err + answer.out:
        wrong.append(f"does not name {case.says!r}: {(answer.err + answer.out).strip()[:300]}")
    if case.expected == LEFT_OUT:
        if _shown(machine) - before != {"app"}:
            wrong.append(f"shows {_shown(machine) - before}")
        if machine.call("app").out.splitlines()[:1] != ["app 1.0"]:
            wrong.append("its own command does not run")
    elif machine.state() != state:
        wrong.append("something was changed")
    if case.expected == ASKED:
        wrong += _agreed(machine, wheel)
    return "; ".join(wrong)


def _agreed(machine: Machine, wheel: Path) -> Iterator[str]:
    """Say yes: then it is installed, and not asked about again."""
    for words in (["--yes"], ["--python", machine_python()]):
        answer: Answer = machine.run("install", str(wheel), *words)
        if answer.status or "app" not in _shown(machine):
            yield f"{words[0]}: status {answer.status}: {answer.err.strip()[:300]}"


def machine_python() -> str:
    """Return the Python that applications get where none is named, by its version."""
    return ".".join(subprocess.check_output(["/usr/bin/python3", "-V"], text=True).split()[1].split(".")[:2])


def _shown(machine: Machine) -> set[str]:
    return set(machine.commands())


def peer_outcome(program: str, path: str, case: Case, folder: Path) -> str:
    """Say that the peer installed the application of `case` without a word about it, or return ""."""
    machine = Machine(folder / "home")
    if "another application" not in case.name:
        case.prepare(machine)
    wheel = case.make(folder / "shelf")
    environ = {**machine.environ, "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "UV_OFFLINE": "1"}
    environ |= {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(machine.bin), "PIP_NO_INDEX": "1"}
    environ["PATH"] += os.pathsep + str(Path(path).parent)
    argv = [path, "tool", "install", str(wheel)] if program == "uv" else [path, "install", str(wheel)]
    done = subprocess.run(argv, env=environ, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    shutil.rmtree(folder / "pipx", ignore_errors=True)
    if done.returncode != 0:
        return ""
    if case.expected == ASKED:
        return "installed"
    return "on PATH" if os.path.lexists(machine.bin / (case.hidden or "tool")) else ""


def measure(lab: Lab) -> Iterator[Figure]:
    """Measure names of commands, then start-up code."""
    every = [case for number, case in enumerate(cases()) if not lab.quick or number % 4 == 0]
    commands = (
        "no command hides one of the distribution's or of somebody else's, and no installer's name is shown",
        "an application brings the name as a command, script or data; it is refused, or installed without that name",
    )
    startup = (
        "nothing runs at every start of a Python unasked",
        "an application brings the file: refused with the file named; after --yes installed, and not asked again",
    )
    for promise, how, asked in ((*commands, False), (*startup, True)):
        chosen = [case for case in every if (case.expected == ASKED) is asked]
        broken = trials(lab, chosen, outcome, lambda case: case.title)
        for words in broken:
            lab.say(words)
        peers = {}
        for program in ("uv", "pipx"):
            path = lab.peer(program)
            if path:
                taken = trials(lab, chosen, partial(peer_outcome, program, path), lambda case: case.title)
                peers[program] = f"{len(taken)} of {len(chosen)} without a word"
        yield Figure(promise, how, len(chosen), len(broken), peers=peers)
