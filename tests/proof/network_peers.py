"""The same behaviours met by uv and pip with their default settings."""

import re
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from proof.lab import Lab
from proof.network_scene import LIMIT, Behaviour, Scene, scene, stock

_PATIENCE = 200.0  # seconds after which we end a peer; in a quick run _LESS
_LESS = 35.0
_AT_ONCE = 24
# pip is slow to give up: it meets these alone.
_OF_PIP = re.compile(r"never begins|stops in the middle|byte a second|breaks off|flipped|503|drops every packet|lies")


class _Met(NamedTuple):
    seconds: float
    right: bool


def tried(lab: Lab, behaviours: Sequence[Behaviour], folder: Path) -> dict[str, str]:
    """Return for each peer that is here, in words, how it fared."""
    found = {}
    patience = _LESS if lab.quick else _PATIENCE
    light = [one for one in behaviours if not one.heavy]
    for name, chosen in (("uv", light), ("pip", [one for one in light if _OF_PIP.search(one.name)])):
        program = lab.peer(name)
        if program is None or not chosen or (lab.quick and name == "pip"):
            continue
        place = folder / name
        wares = stock(place / "wares")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            met = list(pool.map(lambda one, p=program, at=place, w=wares: _met(p, one, at, w, patience), chosen))
        late = [one.seconds for one in met if one.seconds > LIMIT]
        other = sum(not one.right for one in met if one.seconds <= LIMIT)
        found[name] = f"{len(late) + other} of {len(met)} broken: {len(late)} end after more than {LIMIT:.0f} s"
        found[name] += f" (up to {'more than ' if max(late) >= patience else ''}{max(late):.0f} s)" if late else ""
        found[name] += f", {other} in the opposite of what should be"
    return found


def _met(program: str, behaviour: Behaviour, folder: Path, wares: Path, patience: float) -> _Met:
    place = folder / re.sub(r"\W+", "-", behaviour.name)
    place.mkdir(parents=True)
    with scene(place, wares) as spoiled:
        expected = behaviour.arrange(spoiled)
        argv, variables = _command(program, spoiled, place)
        begun = time.monotonic()
        try:
            done = subprocess.run(
                [*spoiled.wrapper, *argv],
                env=variables,
                cwd=place,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=patience,
            )
        except subprocess.TimeoutExpired:
            return _Met(patience, right=False)
        return _Met(time.monotonic() - begun, right=(done.returncode == 0) == (expected.status == 0))


def _command(program: str, spoiled: Scene, place: Path) -> tuple[list[str], dict[str, str]]:
    environ = {key: value for key, value in spoiled.machine.environ.items() if not key.startswith("DETENTE")}
    environ["PATH"] = f"{Path(program).parent}:{environ['PATH']}"
    index = environ.pop("PIP_INDEX_URL")
    extra = [spoiled.words[-1]] if "--extra-index-url" in spoiled.words else []
    if Path(program).name == "uv":
        environ.update(UV_DEFAULT_INDEX=index, UV_PYTHON_DOWNLOADS="never", UV_PYTHON="/usr/bin/python3")
        if extra:
            environ["UV_INDEX"] = extra[0]
        return [program, "tool", "install", "demo"], environ
    options = ["--index-url", index, *(["--extra-index-url", *extra] if extra else [])]
    return [program, "install", "--disable-pip-version-check", "--target", str(place / "t"), *options, "demo"], environ
