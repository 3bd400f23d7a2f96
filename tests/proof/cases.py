"""What is done while it is disturbed: each case is a command, the state that it starts from, and that it ends in."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.machine import SOURCE, Machine, engine
from support.wheels import make_project, make_wheel

State = dict[str, str]  # each command on PATH, and what it answers
SERVED = os.environ.get("DETENTE_TEST_WHEELS", "")

_OLD = dict.fromkeys(("demo", "demo-admin"), "demo 1.0, dep 1.5")
_NEW = dict.fromkeys(("demo", "demo-admin"), "demo 2.0, dep 1.5")
_OTHER = {"other": "other 1.0, dep 1.0"}
_SOURCED = {"sourced": "sourced 1.0, dep 1.5"}
_THEIRS = {"other": "of somebody else"}
_SELF = {"detente": "detente"}


@dataclass(frozen=True)
class Case:
    """`words` are given to detente after the command lines `before`; `old` and `new` are the states around it.

    `ready` makes the home before anything else. With `disk` the directories on the disk are what is changed. With
    `own` it is done by a checkout in the home that holds no more than setup needs.
    """

    name: str
    before: Sequence[Sequence[str]]
    words: Sequence[str]
    old: State
    new: State
    ready: Callable[[Machine], object] = lambda machine: None
    disk: bool = False
    own: bool = False

    def argv(self, machine: Machine, words: Sequence[str]) -> list[str]:
        """Return the command line that gives `words` to detente."""
        sources = str(machine.home / "checkout/src") if self.own else str(SOURCE)
        return [sources if word == str(SOURCE) else word for word in machine.argv(*words)]


def _foreign(machine: Machine) -> None:
    machine.bin.mkdir(parents=True, exist_ok=True)
    (machine.bin / "other").write_text("#!/bin/sh\necho of somebody else\n")
    (machine.bin / "other").chmod(0o755)


def _project(machine: Machine) -> None:
    make_project(machine.home / "project", "sourced", "1.0", commands=["sourced"], requires=["dep"])


def _checkout(machine: Machine) -> None:
    copy = machine.home / "checkout"
    shutil.copytree(SOURCE, copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "bootstrap").mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(SOURCE.parent / name, copy / name)


_ONE, _TWO = ["install", "demo==1.0"], ["install", "demo==2.0"]
CASES = (
    Case("install", [], ["install", "demo==2.0", "other"], {}, _NEW | _OTHER),
    Case("change", [_ONE], _TWO, _OLD, _NEW),
    Case("remove", [[*_TWO, "other"]], ["remove", "demo", "other"], _NEW | _OTHER, {}),
    Case("rollback", [_ONE, _TWO], ["rollback", "1"], _NEW, _OLD),
    Case("collect", [_ONE, _TWO], ["collect", "--keep", "1"], _NEW, _NEW, disk=True),
    Case("build", [_ONE], ["install", "./project"], _OLD, _OLD | _SOURCED, _project),
    Case("editable", [_ONE], ["install", "-e", "./project"], _OLD, _OLD | _SOURCED, _project),
    Case("force", [_ONE], ["install", "other", "--force"], _OLD | _THEIRS, _OLD | _OTHER, _foreign),
    Case(
        "return", [_ONE, ["install", "other", "--force"]], ["remove", "other"], _OLD | _OTHER, _OLD | _THEIRS, _foreign
    ),
)
SETUP = (
    Case("setup", [_ONE], ["setup"], _OLD, _OLD | _SELF, _checkout, own=True),
    Case("undo", [_ONE, ["setup"]], ["setup", "--undo"], _OLD | _SELF, _OLD, _checkout, own=True),
)


def cases(*, setup: bool = True) -> tuple[Case, ...]:
    """Return the cases that can be tried here: setup needs the wheels that ./check keeps."""
    return CASES + (SETUP if setup and SERVED else ())


def wares(folder: Path) -> Path:
    """Fill `folder` with what the cases install, and return it."""
    for version in ("1.0", "2.0"):
        shown = {
            "share/man/man1/demo.1": f".TH DEMO 1\ndemo {version}\n",
            "share/bash-completion/completions/demo": "complete -W words demo\n",
            **({"share/applications/demo.desktop": "[Desktop Entry]\nName=demo\n"} if version == "2.0" else {}),
        }
        make_wheel(folder, "demo", version, commands=["demo", "demo-admin"], requires=["dep>=1"], data=shown)
    for version in ("1.0", "1.5"):
        make_wheel(folder, "dep", version, commands=["dep-tool"])
    make_wheel(folder, "other", "1.0", commands=["other"], requires=["dep<1.5"])
    for path in Path(SERVED).iterdir() if SERVED else ():
        if not path.name.startswith("uv-"):
            (folder / path.name).symlink_to(path)
    # detente needs uv: one of a few bytes, so that a trial takes no second of copying
    said = subprocess.run([engine(), "--version"], capture_output=True, text=True, check=True).stdout
    number = re.search(r"\d+(\.\d+)+", said)
    assert number, said
    make_wheel(folder, "uv", number[0], scripts={"uv": f'#!/bin/sh\nexec {engine()} "$@"\n'})
    return folder


def furnish(home: Path) -> None:
    """Put files of the person's own beside all that detente writes to."""
    for path in (
        ".bashrc",
        ".local/bin/theirs",
        ".local/share/man/man1/theirs.1",
        ".local/share/bash-completion/completions/theirs",
        ".local/share/applications/theirs.desktop",
        ".local/state/theirs/log",
        ".config/theirs/settings",
        ".cache/theirs/thing",
    ):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(f"#!/bin/sh\necho {path}\n")
        (home / path).chmod(0o755)
