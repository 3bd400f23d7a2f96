"""Foreign build code, confined in each way: what it reaches, what ends it, what is believed of it, what it costs."""

import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from detente.apply.build import build
from detente.engine.sources import NOTHING
from detente.errors import BuildError, DetenteError, Refused
from detente.host import confine
from detente.model import Artifact, BuildPolicy, Interpreter
from detente.scan.interpreters import Inventory
from proof.figure import Figure
from proof.lab import Lab
from support.hostile_builds import MISBEHAVIOURS, make_compiled, text_of
from support.index import Index
from support.machine import Machine, engine
from support.probes import PROBES, Targets, answers_in
from support.room import TRIALS, Room
from support.unprivileged import USER, Unprivileged, possible
from support.wheels import make_sdist

_REPEATS, _FEW = 10, 3


def measure(lab: Lab) -> Iterable[Figure]:
    """Yield the figures of this section."""
    ways = [way for way in confine.WAYS if _works(way)]
    lacking = [way for way in confine.WAYS if way not in ways]
    without = f"; not on this machine: {', '.join(lacking)}" if lacking else ""
    for figure in (_reach, _end, _believe, _honest):
        began = time.monotonic()
        made = figure(lab, ways)
        yield Figure(
            made.promise,
            made.how + without,
            made.total,
            made.bad,
            made.detail,
            made.peers,
            round(time.monotonic() - began, 1),
        )


def _works(way: str) -> bool:
    try:
        return confine.chosen(way) == way
    except Refused:
        return False


def _reach(lab: Lab, ways: list[str]) -> Figure:
    """Let twelve probes run in each way, as this user and as somebody without root's powers."""
    through: list[str] = []
    total = 0
    people = ["us", "person"] if possible() else ["us"]
    for who in people:
        for way in ways:
            folder = lab.scratch / f"reach-{who}-{way}"
            folder.mkdir()
            found = _probed(folder, way, as_person=who == "person")
            total += len(PROBES)
            through += [f"{name} ({way})" for name in found]
            lab.say(f"{way}, as {who}: {len(found)} of {len(PROBES)} probes got out")
    peers = {}
    for name in ("uv", "pip"):
        program = lab.peer(name)
        if program:
            found = _probed_peer(lab.scratch / f"reach-{name}", name, program)
            peers[name] = f"{len(found)} of {len(PROBES)} probes got out"
            lab.say(f"{name}: {peers[name]}")
    return Figure(
        "Code that builds a source reads, writes, calls and signals nothing outside",
        "a source that tries it in twelve ways is installed by name, confined by "
        f"{', '.join(ways)}, {'as root and as somebody else' if len(people) == 2 else 'as this user'}; "
        "what is reached is looked at from outside",
        total,
        len(through),
        "; ".join(through),
        peers,
    )


def _probed(folder: Path, way: str, *, as_person: bool) -> list[str]:
    with Index(folder / "wares") as index:
        machine = Unprivileged(folder / "person", index) if as_person else Machine(folder / "home", index)
        with Targets(folder, machine.home, USER if as_person else None) as targets:
            targets.make_sdist(folder / "wares")
            machine.ok("install", "hostile", **targets.environ, DETENTE_BUILD_CONFINEMENT=way)
            return targets.reached(answers_in(machine.data / "store"))


def _probed_peer(folder: Path, name: str, program: str) -> list[str]:
    home = folder / "home"
    home.mkdir(parents=True)
    with Targets(folder, home) as targets:
        source = targets.make_sdist(folder)
        into = ["--target", str(folder / "into"), "--no-deps", str(source)]
        python = ["--python", os.path.realpath(sys.executable)] if name == "uv" else []
        words = [program, *(["pip"] if name == "uv" else []), "install", *python, *into]
        environ = {"HOME": str(home), "PATH": "/usr/bin:/bin", "PIP_CONFIG_FILE": os.devnull, **targets.environ}
        subprocess.run(words, env=environ, cwd=home, check=True, capture_output=True, timeout=300)
        return targets.reached(answers_in(folder / "into"))


def _end(lab: Lab, ways: list[str]) -> Figure:
    """Run what would not end by itself."""
    bad = []
    for way in ways:
        for name, trial in TRIALS.items():
            room = Room(lab.scratch / f"end-{way}-{name}", way)
            if name == "fork_bomb" and room.user is None:
                continue
            if not trial(room):
                bad.append(f"{name} ({way})")
            shutil.rmtree(room.given)
        lab.say(f"{way}: {len(TRIALS)} that would not end")
    return Figure(
        "What would not end or have enough is ended, and nobody of it is left",
        "daemons, a hang deaf to signals, a gigabyte of output, a full disk, one large file, a fork bomb; each way",
        len(ways) * len(TRIALS),
        len(bad),
        "; ".join(bad),
    )


class _Yard:
    """Builds sources by the program's own function, below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "person").mkdir(parents=True)
        python = os.path.realpath(sys.executable)
        self.interpreter: Interpreter = Inventory(str(root / "interpreters.json")).interpreter(python)

    def build(self, source: Path, way: str) -> Path:
        scratch = self.root / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        name = source.name.split("-")[0]
        made = build(
            Artifact("sdist", name, "1.0", str(source), source.name),
            self.interpreter,
            uv=engine(),
            scratch=str(scratch),
            cache=str(self.root / "cache"),
            sources=NOTHING,
            environ={"PATH": "/usr/bin:/bin", "HOME": str(self.root / "person")},
            fetch=lambda what, into: shutil.copyfile(what.location, into) and None,
            log=lambda _: None,
            offline=True,
            policy=BuildPolicy(way),
        )
        return Path(made)


def _believe(lab: Lab, ways: list[str]) -> Figure:
    """Let a backend hand back what is no wheel."""
    yard = _Yard(lab.scratch / "believe")
    bad = []
    total = 0
    for way in ways:
        for number, (body, words) in enumerate(MISBEHAVIOURS):
            if lab.quick and number % 3:
                continue
            source = make_sdist(yard.root / f"{number}", "demo", "1.0", backend_text=text_of(body))
            total += 1
            try:
                yard.build(source, way)
                bad.append(f"{words} ({way}): taken")
            except BuildError as err:
                if words not in err.message:
                    bad.append(f"{words} ({way}): {err.message}")
            except (DetenteError, OSError) as err:
                bad.append(f"{words} ({way}): {err!r}")
        lab.say(f"{way}: {len(MISBEHAVIOURS)} answers that are none")
    return Figure(
        "What a build hands back is taken for nothing but a wheel of that name and version",
        "links, pipes, other names and versions, answers that are no JSON, too large or of another shape; each way",
        total,
        len(bad),
        "; ".join(bad),
    )


def _honest(lab: Lab, ways: list[str]) -> Figure:
    """Compile a C extension in each way, and unconfined, in turn."""
    if shutil.which("cc") is None or not Path(sysconfig.get_path("include"), "Python.h").exists():
        return Figure("Honest sources build all the same", "needs a C compiler and the headers of Python", 0, 0)
    yard = _Yard(lab.scratch / "honest")
    source = make_compiled(yard.root)
    taken: dict[str, list[float]] = {way: [] for way in ("none", *ways)}
    bad = list(_timed(yard, source, taken, _FEW if lab.quick else _REPEATS))
    plain = statistics.median(taken.pop("none") or [0.0])
    added = [f"{way} {1000 * (statistics.median(each) - plain):+.0f} ms" for way, each in taken.items() if each]
    return Figure(
        "Honest sources build all the same",
        "a C extension is compiled in each way and unconfined, in turn",
        sum(len(each) for each in taken.values()) + len(bad),
        len(bad),
        f"a build takes {1000 * plain:.0f} ms unconfined; {', '.join(added)} (medians)"
        + "".join(f"; {one}" for one in bad),
    )


def _timed(yard: _Yard, source: Path, taken: dict[str, list[float]], repeats: int) -> Iterator[str]:
    """Fill `taken`, and yield what failed."""
    yard.build(source, "none")  # once for the caches
    for _ in range(repeats):
        for way, each in taken.items():
            began = time.monotonic()
            try:
                yard.build(source, way)
            except DetenteError as err:
                yield f"{way}: {err.message}"
            each.append(time.monotonic() - began)
