"""The same power cuts for other installers."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from proof.lab import Lab
from support import images, stock


def compared(lab: Lab) -> Iterator[tuple[str, str]]:
    """Yield each peer that is there, and how it fares."""
    for name in ("uv", "pipx"):
        program = lab.peer(name)
        if program:
            found = list(images.private("proof.power_peers:peer", lab.scratch, name, program, 1 if lab.quick else 5))
            bad = [words for words in found if words]
            yield name, f"{len(bad)} of {len(found)} not the new state" + (f" (such as: {bad[-1]})" if bad else "")


def peer(scratch: Path, name: str, program: str, times: int) -> Iterator[str]:
    """Yield what is wrong ("" for nothing) after the power was cut after exit 0 of the peer's change to app 2.0."""
    from proof.power import at_bench  # which needs us

    with at_bench(scratch) as bench:
        bench.kind, bench.options = "ext4", ""
        images.make(bench.prepared, "ext4")
        bench.on(bench.prepared)
        environ = {**bench.machine.environ, "UV_DEFAULT_INDEX": bench.index.url, "UV_PYTHON": "/usr/bin/python3"}

        def call(version: str) -> None:
            begin = ["tool", "install"] if name == "uv" else ["install", "--force"]
            subprocess.run([program, *begin, f"app=={version}"], env=environ, check=True, capture_output=True)

        call("1.0")
        for committed in (False, True) * times:
            bench.fresh()
            call("2.0")
            bench.lose(committed=committed)
            said = stock.answers(bench.machine).get("app", "absent")
            yield "" if said == "app 2.0" else said.splitlines()[-1]
