"""Manual pages, completions and desktop entries come and go with their application."""

import os
from pathlib import Path

from support.machine import Machine
from support.wheels import make_wheel

DATA = {
    "share/man/man1/paged.1": ".TH PAGED 1\n",
    "share/bash-completion/completions/paged": "complete -W 'one two' paged\n",
    "share/zsh/site-functions/_paged": "#compdef paged\n",
    "share/fish/vendor_completions.d/paged.fish": "complete -c paged -a one\n",
    "share/applications/paged.desktop": "[Desktop Entry]\nType=Application\nName=Paged\nExec=paged\n",
    "share/icons/hicolor/scalable/apps/paged.svg": "<svg/>\n",
    "share/doc/paged/README": "not exposed\n",
    "etc/paged.conf": "kept=1\n",
}
SHOWN = [path for path in DATA if not path.startswith(("share/doc", "etc/"))]


def test_they_are_exposed_and_go_when_it_goes(machine: Machine, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "paged", "1.0", commands=["paged"], data=DATA)
    machine.ok("install", str(wheel))
    share = machine.home / ".local"
    for path in SHOWN:
        assert (share / path).read_text() == DATA[path], path
    assert not (share / "share/doc").exists()
    prefix = Path(machine.json("show", "paged")["environment"])
    assert (prefix / "etc/paged.conf").read_text() == "kept=1\n", "the environment has all of the data"
    machine.ok("remove", "paged")
    left = [path for path in SHOWN if os.path.lexists(share / path)]
    assert left == []
    machine.ok("rollback")
    assert (share / SHOWN[0]).exists()


def test_a_page_of_someone_else_stays(machine: Machine, tmp_path: Path) -> None:
    own = machine.home / ".local/share/man/man1/paged.1"
    own.parent.mkdir(parents=True)
    own.write_text("mine\n")
    wheel = make_wheel(tmp_path, "paged", "1.0", commands=["paged"], data=DATA)
    answer = machine.ok("install", str(wheel))
    assert "paged.1 belongs to someone else" in answer.err
    assert own.read_text() == "mine\n"


def test_man_finds_the_page(machine: Machine, tmp_path: Path) -> None:
    import shutil
    import subprocess

    import pytest

    if not shutil.which("man"):
        pytest.skip("no man here: apt install man-db")
    machine.ok("install", str(make_wheel(tmp_path, "paged", "1.0", commands=["paged"], data=DATA)))
    done = subprocess.run(["man", "-w", "paged"], env=machine.environ, capture_output=True, text=True)
    assert done.stdout.strip().endswith("paged.1"), done.stderr
