"""Hostile wheels through the whole command line, and much-used wheels that must pass."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from detente.errors import HostileWheel
from detente.model import Artifact
from detente.plan.startup import unasked
from detente.store import wheels
from proof import popular
from proof.figure import Figure
from proof.lab import Lab
from support import hostile_twins
from support.hostile_wheels import Case, cases
from support.index import Index
from support.machine import Machine

SECONDS = 10.0  # a refusal takes no longer
MEMORY = 512 << 20  # bytes, of the largest process
DISK = 64 << 20  # bytes beyond the wheel itself that a refusal may leave
# starts a program and writes its status and peak memory: one that is started directly inherits the peak of its parent
_SCALES = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, file=file)
"""
_BY_FILE_ONLY = "METADATA of 100 MB"  # our index takes longer over it than the engine waits
_MARKS = "/tmp/detente-evil", "/tmp/detente-evil.py"


Subject = TypeVar("Subject")


class Ended(NamedTuple):
    """How a program ended."""

    status: int
    said: str
    seconds: float
    memory: int


def measured(argv: Sequence[str], environ: Mapping[str, str], cwd: Path, seconds: float = 60) -> Ended:
    """Run a program; measure its time, and the memory of the largest process of it; kill it after `seconds`."""
    with tempfile.TemporaryFile() as said, tempfile.NamedTemporaryFile("r") as result:
        started = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _SCALES, result.name, *argv],
            env=environ,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        took = time.monotonic() - started
        said.seek(0)
        status, memory = map(int, result.read().split() or (-signal.SIGKILL, 0))
        return Ended(status, said.read().decode("utf-8", "surrogateescape"), took, memory << 10)


def refusal(case: Case, folder: Path, *, by_index: bool = False) -> str:
    """Install the wheel of `case` below the empty directory `folder`; say what broke the promise, or return ""."""
    shelf = folder / "shelf"
    shelf.mkdir()
    wheel = shelf / case.filename
    wheel.write_bytes(case.make())
    (folder / "canary").write_text("untouched")
    if by_index:
        with Index(shelf) as index:
            return _refused(case, folder, Machine(folder / "home", index), "demo", wheel)
    return _refused(case, folder, Machine(folder / "home"), str(wheel), wheel)


def _refused(case: Case, folder: Path, machine: Machine, what: str, wheel: Path) -> str:
    before = _outside(folder)
    ended = measured(machine.argv("install", what), machine.environ, machine.home)
    wrong = []
    by_file = what == str(wheel)
    if ended.status not in ((1,) if by_file else (1, 4)):  # 4: the engine read it first, and has no other version
        wrong.append(f"status {ended.status}")
    if sum(line.startswith("error: ") for line in ended.said.splitlines()) != 1 or "Traceback" in ended.said:
        wrong.append("not one error")
    named = case.says in ended.said or (not by_file and "demo" in ended.said.partition("\n")[0])
    if not named:
        wrong.append(f"does not say {case.says!r}: {ended.said.strip()[:300]!r}")
    if any(not char.isprintable() and char != "\n" for char in ended.said):
        wrong.append("writes control characters to the terminal")
    if ended.seconds > SECONDS or ended.memory > MEMORY:
        wrong.append(f"{ended.seconds:.1f} s, {ended.memory >> 20} MB")
    if machine.commands() or (machine.data / "current").is_symlink():
        wrong.append("something of it is linked")
    store = machine.data / "store"
    if store.is_dir() and any(store.iterdir()):
        wrong.append("something of it is in the store")
    if _outside(folder) != before or any(map(os.path.lexists, _MARKS)):
        wrong.append("something outside the store was changed")
    if _bytes(machine.home) > DISK + wheel.stat().st_size:
        wrong.append("it left too much on the disk")
    return "; ".join(wrong)


def _outside(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what lies below `folder` that is not the program's own: path to size and time."""
    own = ("home/.local/share/detente", "home/.local/state/detente", "home/.cache")
    found = {}
    for place, folders, files in os.walk(folder):
        below = os.path.relpath(place, folder)
        folders[:] = [name for name in folders if os.path.normpath(f"{below}/{name}") not in own]
        for name in files:
            info = os.lstat(os.path.join(place, name))
            found[f"{below}/{name}"] = info.st_size, info.st_mtime_ns
    return found


def _bytes(folder: Path) -> int:
    return sum(os.lstat(os.path.join(place, name)).st_size for place, _, names in os.walk(folder) for name in names)


def admitted(name: str, folder: Path) -> str:
    """Install the twin called `name` below the empty directory `folder`; say what broke the promise, or return ""."""
    machine = Machine(folder / "home")
    ended = measured(machine.argv("install", str(hostile_twins.write(name, folder))), machine.environ, machine.home)
    if ended.status:
        return f"status {ended.status}: {ended.said.strip()}"
    ran = machine.call("demo")
    return "" if (ran.status, ran.out) == (0, "demo 1.0\n") else f"demo: {ran.out}{ran.err}"


def peer_refusal(program: str, path: str, case: Case, folder: Path) -> str:
    """Say that the peer took the wheel of `case`, or return "": it installs into an environment below `folder`."""
    wheel = folder / case.filename
    wheel.write_bytes(case.make())
    environ = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    place = folder / "environment"
    subprocess.run(["python3", "-m", "venv", "--without-pip", place], check=True)
    python = place / "bin/python"
    if program == "uv":
        argv = [path, "pip", "install", "--quiet", "--no-deps", "--no-index", "--python", python, wheel]
    else:
        argv = [path, "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    ended = measured(list(map(str, argv)), environ, folder)
    return "took it" if ended.status == 0 else ""


def trials(
    lab: Lab, subjects: Iterable[Subject], trial: Callable[[Subject, Path], str], title: Callable[[Subject], str]
) -> list[str]:
    """Run `trial` on each of `subjects` in a directory of its own; return what broke, with its title."""

    def run(subject: Subject) -> str:
        with tempfile.TemporaryDirectory(dir=lab.scratch, ignore_cleanup_errors=True) as folder:
            wrong = trial(subject, Path(folder))
            subprocess.run(["chmod", "-R", "u+w", folder], check=False, stderr=subprocess.DEVNULL)
        return f"{title(subject)}: {wrong}" if wrong else ""

    with ThreadPoolExecutor(lab.jobs) as crew:
        return [wrong for wrong in crew.map(run, subjects) if wrong]


def measure(lab: Lab) -> Iterator[Figure]:
    """Measure refusals, their twins, and much-used wheels."""
    yield from _hostile(lab)
    yield _twins(lab)
    yield _popular(lab)


def _hostile(lab: Lab) -> Iterator[Figure]:
    every = [case for number, case in enumerate(cases()) if not lab.quick or number % 8 == 0]
    advisories = len({case.advisory for case in every if case.advisory})
    broken = trials(lab, every, refusal, lambda case: case.title)
    _tell(lab, broken)
    peers = {}
    for program in ("uv", "pip"):
        path = lab.peer(program)
        if path:
            taken = trials(lab, every, partial(peer_refusal, program, path), lambda case: case.title)
            peers[program] = f"takes {len(taken)} of {len(every)}"
    yield Figure(
        "a wheel that breaks a rule is refused whole, with the member named",
        "each is crafted to break one rule, and given as a file to `detente install`: status 1, one error that names "
        f"the member, within {SECONDS:.0f} s and {MEMORY >> 20} MB, nothing linked, stored or changed outside",
        len(every),
        len(broken),
        detail=f"{len({case.group for case in every})} kinds, {advisories} published advisories among them",
        peers=peers,
    )
    some = [case for case in every[:: 4 if lab.quick else 3] if case.name != _BY_FILE_ONLY]
    broken = trials(lab, some, partial(refusal, by_index=True), lambda case: case.title)
    _tell(lab, broken)
    yield Figure(
        "so is one that an index serves",
        "each third of them by name from an index on loopback; member or file must be named",
        len(some),
        len(broken),
    )


def _twins(lab: Lab) -> Figure:
    names = list(hostile_twins.TWINS)[:: 4 if lab.quick else 1]
    broken = trials(lab, names, admitted, str)
    _tell(lab, broken)
    return Figure(
        "the nearest wheel that keeps the rule is taken",
        "each is installed, and its command runs",
        len(names),
        len(broken),
    )


def _popular(lab: Lab) -> Figure:
    asked = popular.names(60 if lab.quick else 10_000)
    locked = popular.locked(asked)
    refused, broken = [], []
    looked = asking = 0
    with ThreadPoolExecutor(lab.jobs) as crew:
        for artifact, wrong, asks in crew.map(partial(examined, lab.scratch), popular.fetched(locked)):
            looked += 1
            asking += asks
            if wrong:
                (broken if popular.is_broken(artifact, wrong) else refused).append(wrong)
    _tell(lab, [*refused, *broken])
    return Figure(
        "no sound one of the much-used wheels is refused",
        "the newest wheels of a list of much-used distributions, from the default index, taken into a store",
        looked - len(broken),
        len(refused),
        detail=f"{len(broken)} more refused, which really break the format; {asking} have start-up code that is asked "
        f"about; of {len(asked)} names {len(asked) - looked} have no wheel for this Python or a larger one than "
        f"{popular.LARGEST >> 20} MB",
    )


def examined(scratch: Path, given: tuple[Artifact, Path]) -> tuple[Artifact, str, bool]:
    """Return a wheel, why it was refused ("" where it was not), and whether its start-up code would be asked about."""
    artifact, path = given
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        try:
            entry = wheels.unpack(
                str(path),
                folder,
                name=artifact.name,
                version=artifact.version,
                filename=artifact.filename,
                sha256=artifact.sha256,
            )
        except HostileWheel as err:
            return artifact, " ".join([err.message, *err.context]), False
        return artifact, "", bool(unasked([entry], []))


def _tell(lab: Lab, broken: Sequence[str]) -> None:
    for words in broken:
        lab.say(words)
