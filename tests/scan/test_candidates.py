"""What this machine's own apt says, and how long that is remembered."""

import os
import subprocess
from pathlib import Path

import pytest

from detente.distro import apt
from detente.distro.base import Candidate
from detente.errors import NotFound, ToolError
from detente.host import proc
from detente.model import Command, Completed
from detente.scan.system import System, system
from support.systems import look, never

needs_apt = pytest.mark.skipif(not os.path.exists(apt.CACHE), reason="needs a distro with apt")


def seen(facts: System, *names: str) -> dict[str, Candidate]:
    """Return the candidates; skip where this machine has no lists to find them in."""
    found = facts.candidates(names)
    if "coreutils" not in found or not found["coreutils"].candidate:
        pytest.skip("apt has no lists here")
    return found


def test_this_machines_own_candidates_are_apts(here: System) -> None:
    found = seen(here, "coreutils", "dpkg", "no-such-package-at-all")
    assert "no-such-package-at-all" not in found
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "dpkg"], capture_output=True, text=True).stdout
    assert found["dpkg"].installed == version
    assert found["coreutils"].versions[0].origins
    assert found["coreutils"].size > found["coreutils"].download >= 0


def test_what_apt_said_is_remembered_and_no_program_runs_again(
    here: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("coreutils", "dpkg", "no-such-package-at-all")
    first = seen(here, *names)
    monkeypatch.setattr(proc, "run", never)
    again = system({"DETENTE_DISTRO": "auto", "HOME": str(tmp_path)}, str(tmp_path / "cache"))
    assert again is not None
    assert again.candidates(names) == first
    left = [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert left == ["candidates.json"], "apt's package cache is gone"


def test_the_package_cache_that_a_killed_process_left_is_removed(here: System, tmp_path: Path) -> None:
    left = tmp_path / "cache/system/apt-999999999"
    left.mkdir(parents=True)
    (left / "pkgcache.bin").write_bytes(b"x")
    if os.path.exists(apt.OWN_CACHE):
        pytest.skip("apt keeps its own here")
    seen(here, "coreutils")
    assert not left.exists()


def test_what_apt_said_counts_no_longer_when_the_lists_or_the_status_change(
    bookworm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def answer(command: Command, **_: object) -> Completed:
        asked.append(command.argv)
        return Completed(0, "", "")

    monkeypatch.setattr(proc, "run", answer)
    monkeypatch.setattr(apt, "CACHE", "/bin/sh")  # any program that is there: it is not run
    look(bookworm).candidates(["yamllint"])
    count = len(asked)
    assert count > 0
    look(bookworm).candidates(["yamllint"])
    assert len(asked) == count
    for place in (
        "var/lib/apt/lists/x_Packages",
        "etc/apt/preferences.d/mine",
        "etc/apt/sources.list",
        "var/lib/dpkg/status",
    ):
        file = bookworm / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text((file.read_text() if file.is_file() else "") + "\n")
        look(bookworm).candidates(["yamllint"])
        assert len(asked) > count, place
        count = len(asked)


@needs_apt
def test_a_machine_without_lists_knows_only_what_is_installed(root: Path) -> None:
    for folder in ("etc/apt/preferences.d", "var/lib/apt/lists/partial", "usr/share/dpkg"):
        (root / folder).mkdir(parents=True)
    found = look(root).candidates(["python3-epochal", "httpie"])
    assert found["python3-epochal"].installed == "1:2.0-1"
    assert found["python3-epochal"].versions[0].origins[0].kind == "local"
    assert "httpie" not in found
    with pytest.raises(NotFound) as caught:
        look(root).simulate(["httpie"])
    assert caught.value.hint == "sudo apt update brings apt's lists up to date"


@needs_apt
@pytest.mark.parametrize("name", ["python3-epochal-", "python3.epochal", "epoch.*"])
def test_a_name_that_apt_takes_for_a_removal_or_a_pattern_is_not_found(root: Path, name: str) -> None:
    for folder in ("etc/apt/preferences.d", "var/lib/apt/lists/partial", "usr/share/dpkg"):
        (root / folder).mkdir(parents=True)
    with pytest.raises(NotFound):
        look(root).simulate([name])


@needs_apt
def test_an_apt_that_cannot_read_the_status_is_a_clear_error(bookworm: Path) -> None:
    status = bookworm / "var/lib/dpkg/status"
    status.write_text("garbage\n" + status.read_text())
    with pytest.raises(ToolError) as caught:
        look(bookworm).simulate(["yamllint"])
    assert "damaged" in caught.value.message


def test_a_simulation_adds_up_what_it_would_fetch(here: System) -> None:
    known = seen(here, "coreutils", "bsdgames", "figlet", "hello", "cowsay")
    name = next((name for name, each in known.items() if each.candidate and not each.installed), None)
    if name is None:
        pytest.skip("nothing small is left to install")
    simulation = here.simulate([name])
    assert name in [change.package for change in simulation.changes]
    assert simulation.download >= known[name].download > 0
    assert simulation.disk > 0
