"""Tampering: changed files are found, never linked into a new environment, and brought back."""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from detente.host.paths import Paths, user_paths
from detente.store import verify, verify_places, witness
from proof.figure import Figure
from proof.lab import Lab
from support import tampering
from support.index import Index
from support.machine import Machine
from support.wheels import make_wheel

if TYPE_CHECKING:
    from detente.plan.damage import Finding
    from support.tampering import Mutation

# Real wheels, the larger of which has a program in its scripts, and made ones with every scheme that wheels have.
_REAL = ("packaging", "pyproject-hooks", "flit-core", "urllib3")
SECRET = "planted by somebody"


class Scene:
    """A profile with applications that share dependencies, an index that has their wheels, and its places."""

    def __init__(self, folder: Path) -> None:
        self.wares = folder / "wares"
        self.wares.mkdir(parents=True)
        for path in Path(os.environ["DETENTE_TEST_WHEELS"]).glob("*.whl"):
            if path.name.startswith(("uv-", *(name.replace("-", "_") for name in _REAL))):
                shutil.copy(path, self.wares)
        scripts = {"alpha-sh": "#!/bin/sh\necho shell\n", "alpha-py": "#!python\nprint('python')\n"}
        data = {"share/man/man1/alpha.1": "ALPHA", "etc/alpha.conf": "x=1\n"}
        parts = {f"shared/sub{number}/m.py": f"VALUE = {number}\n" for number in range(8)}
        make_wheel(self.wares, "shared", "1.0", files={"shared/__init__.py": "WHO = 'shared'\n", **parts})
        made = {"scripts": scripts, "data": data}
        make_wheel(self.wares, "alpha", "1.0", commands=["alpha"], requires=["shared", *_REAL], **made)
        for name in ("beta", "gamma"):
            main = f"import shared\n\n\ndef main():\n    print('{name}', shared.WHO)\n"
            files = {f"{name}/__init__.py": main}
            make_wheel(self.wares, name, "1.0", files=files, commands={name: f"{name}:main"}, requires=["shared"])
        self.home = folder / "home"

    def machine(self, index: Index) -> Machine:
        """Return a machine on which alpha and beta are installed."""
        machine = Machine(self.home, index)
        machine.ok("install", "alpha")
        machine.ok("install", "beta")
        machine.ok("verify")
        return machine


def entries(paths: Paths) -> list[str]:
    """Return the names of all entries."""
    return sorted(name for name in os.listdir(paths.store) if not name.startswith("."))


def found_in_entry(paths: Paths, name: str) -> bool:
    """Say whether a full comparison and the quick look both see that entry `name` is not as it was."""
    return not witness.unchanged(paths, name) and bool(verify.check(paths, name).findings)


def mutate_entries(paths: Paths, trials: int, seed: int) -> Iterator[tuple[str, bool]]:
    """Change entries one way at a time, and yield which way, and whether it was found; everything is put back."""
    rng = random.Random(seed)
    names = entries(paths)
    done = 0
    while done < trials:
        mutation = tampering.OF_ENTRIES[done % len(tampering.OF_ENTRIES)]
        name = rng.choice(names)
        top = Path(paths.store, name)
        with tampering.undone(top):
            if not mutation(top, rng):
                continue
            found = found_in_entry(paths, name)
        done += 1
        yield mutation.__name__, found
        verify.check(paths, name)  # it is whole again: the witness is renewed


def mutate_places(paths: Paths, trials: int, seed: int) -> Iterator[tuple[str, bool]]:
    """Do the same to environments, and to generations."""
    rng = random.Random(seed)
    done = 0
    while done < trials:
        kind = rng.choice(("environments", "environments", "generations"))
        folder = Path(getattr(paths, kind))
        ways: tuple[Mutation, ...] = tampering.OF_ENVIRONMENTS if kind == "environments" else tampering.OF_GENERATIONS
        top = folder / rng.choice(sorted(name for name in os.listdir(folder) if not name.startswith(".")))
        mutation = ways[done % len(ways)]
        with tampering.undone(top):
            if not mutation(top, rng):
                done += 1  # as much to do for the next way
                trials += 1
                continue
            findings: tuple[Finding, ...]
            if kind == "environments":
                findings = verify_places.check_environment(paths, top.name)
            else:
                findings = verify_places.check_generation(paths, int(top.name))[0]
        done += 1
        yield f"{mutation.__name__} in {kind}", bool(findings)


def _counts(outcomes: Iterable[tuple[str, bool]], lab: Lab) -> tuple[int, int]:
    total = bad = 0
    for way, good in outcomes:
        total += 1
        if not good:
            bad += 1
            lab.say(f"not found: {way}")
    return total, bad


def speed(machine: Machine, paths: Paths) -> str:
    """Return in words how fast one thread compares an entry of a large file, and the rest of what is installed."""
    machine.ok("install", "uv")
    names = entries(paths)
    large = next(name for name in names if name.startswith("uv-"))
    small = [name for name in names if name != large]
    return f"{_rate(paths, [large]) / 1e6:.0f} MB/s on one core, {_rate(paths, small) / 1e6:.0f} MB/s of small files"


def _rate(paths: Paths, names: list[str]) -> float:
    best = 0.0
    for _ in range(5):
        started = time.perf_counter()
        size = sum(verify.check(paths, name).size for name in names)
        best = max(best, size / (time.perf_counter() - started))
    return best


def reused(machine: Machine, paths: Paths, rng: random.Random, way: int) -> bool:
    """Plant something in what gamma shares, install gamma, and say whether it came to run, or lies in the store still.

    Ways: the source, with its time put back; the bytecode; the source with all lists inside the entry.
    """
    top = next(Path(paths.store, name) for name in entries(paths) if name.startswith("shared-"))
    source = top / "lib/shared/__init__.py"
    if way % 3 == 1:
        tampering.edit_mark(top, rng)
    elif way % 3 == 2:
        tampering.edit_all_lists(top, rng)
    tampering.edit(source, f"WHO = '{SECRET}'\n".encode())
    with tampering.opened(top):
        for path in (top / "lib/shared/__pycache__").glob("__init__.*.pyc"):
            path.unlink()
    machine.ok("install", "gamma")
    answer = machine.call("gamma")
    bad = SECRET in answer.out or answer.status != 0 or SECRET in source.read_text()
    machine.ok("remove", "gamma")
    machine.ok("collect", "--keep", "1")
    return bad


def repaired(machine: Machine, paths: Paths, rng: random.Random, count: int) -> bool:
    """Change `count` things at once, let `verify --repair` bring them back; say whether anything is not as it was."""
    for _ in range(count):
        place, ways = rng.choice(
            (
                (paths.store, tampering.OF_ENTRIES),
                (paths.environments, tampering.OF_ENVIRONMENTS),
                (paths.generations, tampering.OF_GENERATIONS),
            )
        )
        top = Path(place, rng.choice(sorted(name for name in os.listdir(place) if not name.startswith("."))))
        try:
            rng.choice(ways)(top, rng)
        except (OSError, ValueError, IndexError):  # an earlier change left nothing for this one
            continue
    machine.run("verify", "--repair")
    again = machine.run("verify")
    words = machine.call("alpha").out + machine.call("beta").out
    return again.status != 0 or "alpha 1.0" not in words or "beta shared" not in words


def uv_reuses(uv: str, folder: Path, index: Index) -> bool | None:
    """Let uv install beta, edit what it shares with gamma, install gamma: say whether what was planted runs."""
    environ = {
        "HOME": str(folder),
        "PATH": "/usr/bin:/bin",
        "UV_CACHE_DIR": str(folder / "cache"),
        "UV_TOOL_DIR": str(folder / "tools"),
        "UV_TOOL_BIN_DIR": str(folder / "bin"),
        "UV_DEFAULT_INDEX": index.url,
        "UV_PYTHON_DOWNLOADS": "never",
    }

    def install(name: str) -> bool:
        command = [uv, "tool", "install", "--quiet", name]
        return subprocess.run(command, env=environ, check=False, capture_output=True, timeout=120).returncode == 0

    if not install("beta"):
        return None
    source = next((folder / "tools/beta").rglob("shared/__init__.py"))
    source.write_text(f"WHO = '{SECRET}'\n")
    if not install("gamma"):
        return None
    ran = subprocess.run([str(folder / "bin/gamma")], env=environ, check=False, capture_output=True, text=True)
    return SECRET in ran.stdout


def measure(lab: Lab) -> Iterable[Figure]:
    """Change, look, install, repair."""
    scene = Scene(lab.scratch)
    with Index(scene.wares) as index:
        machine = scene.machine(index)
        paths = user_paths(machine.environ)
        total, bad = _counts(mutate_entries(paths, 300 if lab.quick else 4500, 1), lab)
        yield Figure(
            "What was changed in the store is found",
            f"one of {len(tampering.OF_ENTRIES)} kinds of change to an entry (a bit, a length, a mode, a link, the "
            "bytecode, lists of digests with what they list …), then a comparison, and the look before linking",
            total,
            bad,
            speed(machine, paths),
        )
        total, bad = _counts(mutate_places(paths, 100 if lab.quick else 1500, 2), lab)
        yield Figure(
            "What was changed in environments and generations is found",
            "as above: scripts, launchers, links of the farm, records",
            total,
            bad,
        )
        rng = random.Random(3)
        trials = 3 if lab.quick else 24
        bad = sum(reused(machine, paths, rng, way) for way in range(trials))
        yield Figure(
            "What was changed in the store never reaches a new application",
            "code is planted in an installed dependency; then another application that shares it is installed and run",
            trials,
            bad,
            peers=_peers(lab, index, 2 if lab.quick else 8),
        )
        trials = 3 if lab.quick else 40
        bad = sum(repaired(machine, paths, rng, 5) for _ in range(trials))
        yield Figure(
            "`verify --repair` brings everything back",
            "five changes at once anywhere, one repair; then nothing is found, and the applications run",
            trials,
            bad,
        )


def _peers(lab: Lab, index: Index, trials: int) -> dict[str, str]:
    uv = lab.peer("uv")
    if uv is None:
        return {}
    ran = [uv_reuses(uv, lab.scratch / f"uv{number}", index) for number in range(trials)]
    known = [one for one in ran if one is not None]
    return {"uv": f"{sum(known)} of {len(known)} ran what was planted"} if known else {}
