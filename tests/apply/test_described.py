"""Whether a wheel requires what its index said."""

from pathlib import Path

import pytest

from detente.apply.described import unmet
from detente.model import Artifact, Interpreter

_PYTHON = Interpreter("/usr/bin/python3.11", "3.11.2", "cpython", "cpython-311", "lib", "linux-x86_64")


def staged(folder: Path, *requires: str) -> str:
    info = folder / "lib/demo-1.0.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", "Name: demo", "Version: 1.0", *(f"Requires-Dist: {one}" for one in requires)]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    return str(folder)


@pytest.mark.parametrize(
    ("requirement", "met"),
    [
        ("dep", True),
        ("Dep>=1", True),
        ("dep>=2", False),
        ("other", False),
        ("other; extra == 'more'", True),
        ("other; python_version < '3'", True),
        ("other; python_version >= '3.11' and sys_platform == 'linux'", False),
        ("other; platform_python_implementation == 'PyPy'", True),
        ("dep<2,>=1.0rc1", True),
        ("what ??? is this", True),
    ],
)
def test_a_requirement_that_the_resolution_lacks_is_found(tmp_path: Path, requirement: str, met: bool) -> None:
    together = [Artifact("wheel", "demo", "1.0", "x"), Artifact("wheel", "dep", "1.5", "x")]
    assert unmet(staged(tmp_path, requirement), together, _PYTHON) == ("" if met else requirement)


def test_the_version_of_a_source_that_has_none_yet_is_taken_as_right(tmp_path: Path) -> None:
    assert unmet(staged(tmp_path, "dep>=7"), [Artifact("directory", "dep", "", "/x")], _PYTHON) == ""
