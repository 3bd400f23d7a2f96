"""What a command may load. Modules are what start-up time is made of, and unlike time they can be counted exactly."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.apt_root import APT, NO_APT, AptRoot
from support.machine import Machine

# Run the command line after the marker in this process, and say at its end which modules are loaded.
_PROGRAM = """
import sys
place, sys.argv[1:2] = sys.argv[1], []
sys.path[:0] = [sys.argv.pop(1), sys.argv.pop(1)]
from detente.cli.main import main
try:
    status = main()
except SystemExit as end:
    status = end.code or 0
sys.stdout.flush()
modules = sorted(sys.modules)
import json
with open(place, "w") as stream:
    json.dump([status, modules], stream)
"""

# Each costs a millisecond or more, or is a sign that a reading command does more than read.
NEVER = (
    "asyncio", "concurrent.futures", "ctypes", "email", "http", "importlib.metadata", "inspect", "ipaddress",
    "logging", "multiprocessing", "packaging", "pathlib", "platform", "pyproject_hooks", "random", "secrets",
    "socket", "ssl", "subprocess", "tempfile", "threading", "unittest", "urllib.parse", "urllib.request", "urllib3",
    "uuid", "zipfile",
)  # fmt: skip
# Fine where something is read, too much where nothing is.
WITHOUT_WORK = (
    *NEVER, "argparse", "dataclasses", "gettext", "hashlib", "json", "locale", "shutil", "tomllib", "typing",
)  # fmt: skip

CASES = {
    "": (0, WITHOUT_WORK),
    "--help": (0, WITHOUT_WORK),
    "--version": (0, WITHOUT_WORK),
    "lsit": (2, WITHOUT_WORK),  # a typo
    "list --help": (0, NEVER),
    "list": (0, NEVER),
    "list --json": (0, NEVER),
    "show demo": (0, NEVER),
    "show nosuch": (3, NEVER),
    "list --all": (0, NEVER),
    "why demo": (0, NEVER),  # asked for before
    "why demo-admin --json": (0, NEVER),
    "why /usr/bin/env": (0, NEVER),
    "search other": (0, NEVER),
    "history": (0, NEVER),
    "paths": (0, NEVER),
}

REMEMBERED = ("list", "list --all", "show demo", "show httpie", "why demo", "why http --offline", "why demo-admin")


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory, shared_index: object) -> Machine:
    """A machine with one application, so that reading commands have something to read."""
    machine = Machine(tmp_path_factory.mktemp("furnished") / "home", shared_index)
    machine.ok("install", "demo")
    machine.ok("why", "demo")
    machine.ok("search", "other")
    return machine


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory, furnished: Machine) -> Machine:
    """The same machine, beside a distro that was looked at before."""
    root = AptRoot(tmp_path_factory.mktemp("debian"))
    root.python("httpie", "3.2.1-1", "httpie", "3.2.1", commands=("http",))
    root.offered("httpie", "3.2.1-1")
    machine = Machine(furnished.home)
    machine.environ = {**furnished.environ, "DETENTE_DISTRO": str(root.path)}
    for line in REMEMBERED:
        machine.ok(*line.split())
    return machine


def loaded(machine: Machine, words: list[str], place: Path) -> tuple[int, list[str]]:
    """Run detente with `words`; return its exit status and the modules that were loaded at its end."""
    start = machine.argv()
    libraries = start[start.index("-c") + 2 :]
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(place), *libraries, *words]
    done = subprocess.run(command, env=machine.environ, cwd=machine.home, capture_output=True, text=True)
    assert place.exists(), done.stderr
    status, modules = json.loads(place.read_text())
    return status, modules


@pytest.mark.parametrize("line", CASES)
def test_a_reading_command_loads_little(furnished: Machine, tmp_path: Path, line: str) -> None:
    expected, unwanted = CASES[line]
    status, modules = loaded(furnished, line.split(), tmp_path / "modules.json")
    assert status == expected
    assert [name for name in modules if name in unwanted] == []


@pytest.mark.skipif(APT is None, reason=NO_APT)
@pytest.mark.parametrize("line", REMEMBERED)
def test_what_the_distro_said_is_remembered(beside: Machine, tmp_path: Path, line: str) -> None:
    status, modules = loaded(beside, line.split(), tmp_path / "modules.json")
    assert status == 0
    assert [name for name in modules if name in NEVER] == []


def test_what_is_counted_is_what_runs(furnished: Machine, tmp_path: Path) -> None:
    """The other tests here would pass if nothing were loaded at all."""
    _, modules = loaded(furnished, ["list"], tmp_path / "modules.json")
    assert {"detente.cli.main", "detente.cli.commands.list", "argparse", "json"} <= set(modules)
