"""One trial of the section `network`: a cold machine, an index that misbehaves, one command, and what must hold."""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from support.index import Fault, Index
from support.machine import Answer, Machine
from support.wheels import make_wheel

LIMIT = 30.0  # seconds, beyond what a healthy install takes, after which nothing may still wait for a silent server
FILE = "/files/demo-1.0-py3-none-any.whl"
PAGE = "/simple/demo/"
NOISE = 300_000


class Expect(NamedTuple):
    """How the command must end: `status`, and an error sentence that matches `says` (0 and "": it succeeds).

    `limit` is for what is allowed to take longer because it moves; `after` what else must hold: it returns the breach.
    """

    status: int = 0
    says: str = ""
    limit: float = LIMIT
    after: Callable[["Scene", Answer], str] = lambda _scene, _answer: ""


class Behaviour(NamedTuple):
    """`arrange` spoils a scene; `waits`: it mostly sleeps; `heavy`: it takes memory, or more than a minute."""

    name: str
    arrange: Callable[["Scene"], Expect]
    waits: bool = False
    heavy: bool = False


@dataclass
class Scene:
    """What a behaviour may spoil: the index, the variables, the words, and a program in front (`wrapper`)."""

    folder: Path
    wares: Path
    index: Index
    machine: Machine
    stack: contextlib.ExitStack
    words: tuple[str, ...] = ("install", "demo")
    wrapper: tuple[str, ...] = ()
    good: dict[str, str] = field(default_factory=dict)  # variables of the command after, when all is well again

    def page(self, **how: Any) -> None:
        """Spoil the page of demo."""
        self.index.fault(PAGE, Fault(**how))

    def file(self, **how: Any) -> None:
        """Spoil the file of demo, but not the metadata beside it."""
        self.index.fault(FILE, Fault(**how), whole=True)

    def another(self, wares: Path | None = None, **how: Any) -> Index:
        """Return a second index."""
        return self.stack.enter_context(Index(wares or self.wares, **how))

    def use(self, url: str) -> None:
        """Make `url` the index."""
        self.machine.environ["PIP_INDEX_URL"] = url

    def asked(self, path: str) -> int:
        """Return how often `path` was asked for."""
        return self.index.requests.count(path)


class Outcome(NamedTuple):
    """`breaches` is empty where all held; `seconds` is how long the spoiled command took."""

    name: str
    breaches: tuple[str, ...]
    seconds: float
    sentence: str = ""


def stock(folder: Path) -> Path:
    """Make the distributions of this section."""
    import random

    noise = {"demo/noise.bin": random.Random(1).randbytes(NOISE)}
    make_wheel(folder, "demo", "1.0", commands=["demo"], requires=["dep>=1"], files=noise)
    make_wheel(folder, "dep", "1.0")
    return folder


@contextlib.contextmanager
def scene(folder: Path, wares: Path) -> Any:
    """A cold machine with an index that is well so far."""
    with contextlib.ExitStack() as stack:
        index = stack.enter_context(Index(wares))
        machine = Machine(folder / "home", index)
        del machine.environ["UV_HTTP_RETRIES"]
        yield Scene(folder, wares, index, machine, stack, good={"PIP_INDEX_URL": index.url})


def trial(behaviour: Behaviour, folder: Path, wares: Path) -> Outcome:
    """Run one behaviour through the whole command line; afterwards, on a healthy index, the same command again."""
    folder.mkdir(parents=True)
    try:
        with scene(folder, wares) as spoiled:
            return _trial(behaviour, spoiled)
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _trial(behaviour: Behaviour, spoiled: Scene) -> Outcome:
    expected = behaviour.arrange(spoiled)
    machine = spoiled.machine
    before = machine.state()
    begun = time.monotonic()
    try:
        answer = run(spoiled, expected.limit + 60)
    except subprocess.TimeoutExpired:
        return Outcome(behaviour.name, (f"still running after {expected.limit + 60:.0f} s",), expected.limit + 60)
    seconds = time.monotonic() - begun
    breaches = list(_breaches(expected, answer))
    if expected.status and machine.state() != before:
        breaches.append("something is half installed")
    if answer.status == expected.status and (extra := expected.after(spoiled, answer)):
        breaches.append(extra)
    spoiled.index.mend()
    spoiled.index.metadata.clear()
    begun = time.monotonic()
    again = machine.run("install", "demo", **spoiled.good)
    # A busy machine is no idle network: what the same command takes when all is well does not count.
    if seconds - (time.monotonic() - begun) > expected.limit:
        breaches.append(f"ended only after {seconds:.0f} s")
    if again.status != 0:
        breaches.append(f"the same command on a healthy index failed: {_error(again)}")
    elif not machine.call("demo").out.startswith("demo 1.0\ndep 1.0"):
        breaches.append("afterwards the application does not run")
    breaches += [f"left behind: {name}" for name in leftovers(machine)]
    return Outcome(behaviour.name, tuple(breaches), seconds, _error(answer))


def run(spoiled: Scene, timeout: float) -> Answer:
    """Run the scene's command, behind its wrapper."""
    done = subprocess.run(
        [*spoiled.wrapper, *spoiled.machine.argv(*spoiled.words)],
        env=spoiled.machine.environ,
        cwd=spoiled.machine.home,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        stdin=subprocess.DEVNULL,
        timeout=timeout,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def _breaches(expected: Expect, answer: Answer) -> Sequence[str]:
    found = []
    if answer.status != expected.status:
        found.append(f"status {answer.status} instead of {expected.status}: {answer.err.strip()[-300:]}")
    if "Traceback" in answer.err + answer.out or answer.status == 70:
        found.append("a traceback")
    if expected.status:
        errors = [line for line in answer.err.splitlines() if line.startswith("error: ")]
        hints = [line for line in answer.err.splitlines() if line.startswith("hint: ")]
        if len(errors) != 1 or not hints:
            found.append(f"{len(errors)} error sentences, {len(hints)} hints")
        elif not re.search(expected.says, f"{errors[0]} {hints[0]}"):
            found.append(f"another cause: {errors[0]}")
    return found


def _error(answer: Answer) -> str:
    return next((line for line in answer.err.splitlines() if line.startswith("error: ")), "")


def leftovers(machine: Machine) -> list[str]:
    """Return what an interrupted or failed command left in the store, in transit, or among the locks."""
    found = [*machine.data.glob("*/.staging-*"), *machine.data.glob("downloads/*")]
    found += list((machine.home / ".cache/detente/locks").glob("pylock.*"))
    return [os.path.relpath(path, machine.home) for path in found]
