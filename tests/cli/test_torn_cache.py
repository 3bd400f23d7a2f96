"""What a power cut leaves of the engine's cache must not stand in the way: its files are never synced."""

from pathlib import Path

import pytest

from support.machine import Machine
from support.wheels import make_project


@pytest.mark.parametrize("dynamic", [False, True], ids=["while building", "while resolving"])
def test_a_build_requirement_that_is_torn_in_the_engines_cache_is_fetched_anew(
    machine: Machine, tmp_path: Path, dynamic: bool
) -> None:
    project = make_project(
        tmp_path / "mine", "mine", "1.0", commands=["mine"], build_requires=["other"], dynamic=dynamic
    )
    machine.ok("install", str(project))
    torn = list((machine.home / ".cache/detente/uv").glob("archive-v*/*/other-1.0.dist-info/WHEEL"))
    assert torn
    for path in torn:
        path.chmod(0o644)
        path.write_bytes(b"")
    machine.ok("install", str(project))
    assert machine.call("mine").status == 0
