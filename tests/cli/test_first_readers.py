"""What the first people to try it stumbled over: each stays mended."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.machine import GIT, NO_GIT, Machine
from support.wheels import make_git, make_project


def test_force_keeps_what_it_moves_away_and_gives_it_back(machine: Machine) -> None:
    machine.bin.mkdir(parents=True)
    own = machine.bin / "demo"
    own.write_text("#!/bin/sh\necho mine\n")
    own.chmod(0o755)
    assert "demo that was there is kept" in machine.ok("install", "demo", "--force").err
    machine.ok("remove", "demo")
    assert machine.call("demo").out == "mine\n"


def test_an_answer_that_cannot_be_written_is_not_taken_for_a_failed_change(machine: Machine) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            machine.argv("install", "demo"), env=machine.environ, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert "the answer could not be written" in done.stderr
    assert "nothing was changed" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert machine.commands() == ["demo", "demo-admin"]


def test_an_error_that_cannot_be_written_keeps_its_status(machine: Machine) -> None:
    for words, status in ((["show", "nothing"], 3), (["nosuchverb"], 2)):
        with open("/dev/full", "w") as full:
            done = subprocess.run(machine.argv(*words), env=machine.environ, stdout=subprocess.DEVNULL, stderr=full)
        assert done.returncode == status


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["install", "demo"], ["--help"], ["nosuchverb"]])
def test_closed_standard_streams_are_no_bug(machine: Machine, words: list[str]) -> None:
    script = 'exec "$@" <&- >&- 2>&-'
    argv = ["sh", "-c", script, "sh", *machine.argv(*words)]
    done = subprocess.run(argv, env=machine.environ, cwd=machine.home)
    assert done.returncode == (2 if words == ["nosuchverb"] else 0)
    assert not (machine.home / ".local/state/detente/log").exists()


@pytest.mark.parametrize(
    "text",
    ["python = 3.12", "find-links = 3", "[install]\nwith = [3]", "[install]\npre = 'maybe'", "color = 'foo'"],
)
def test_a_wrong_type_in_the_configuration_is_named(machine: Machine, text: str) -> None:
    config = machine.home / ".config/detente/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(text + "\n")
    key = text.rpartition("\n")[2].partition(" ")[0]
    assert f"`{key}` in" in machine.refused(2, "install", "demo").err


@pytest.mark.parametrize("value", ["2.5", "true", "'x'"])
def test_a_number_in_the_configuration_must_be_one(machine: Machine, value: str) -> None:
    config = machine.home / ".config/detente/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f"[collect]\nkeep = {value}\n")
    assert "`keep` in" in machine.refused(2, "collect").err


def test_a_home_that_was_renamed_is_told_and_mended_by_the_same_command(machine: Machine, tmp_path: Path) -> None:
    machine.ok("install", "demo")
    os.rename(machine.home, tmp_path / "moved")
    moved = Machine(tmp_path / "moved")
    moved.environ["PIP_INDEX_URL"] = machine.environ["PIP_INDEX_URL"]
    answer = moved.call("demo")
    assert answer.status == 127
    assert "was it moved?" in answer.err
    moved.ok("install", "demo")
    assert moved.call("demo").out == "demo 2.0\ndep 1.5\n"


def test_a_store_entry_that_is_gone_comes_back_with_the_same_install(machine: Machine) -> None:
    machine.ok("install", "demo")
    (entry,) = (machine.data / "store").glob("dep-*")
    subprocess.run(["chmod", "-R", "u+w", entry], check=True)
    shutil.rmtree(entry)
    machine.ok("install", "demo")
    assert machine.call("demo").out == "demo 2.0\ndep 1.5\n"


@pytest.mark.skipif(not GIT, reason=NO_GIT)
def test_a_new_commit_is_said_to_be_built_anew(machine: Machine, tmp_path: Path) -> None:
    project = make_project(tmp_path / "repo", "mine", "1.0", commands=["mine"])
    make_git(project, tag="v1")
    machine.ok("install", f"git+file://{project}@v1")
    (project / "src/mine/other.py").write_text("X = 1\n")
    make_git(project, tag="v2")
    assert "built anew" in machine.ok("install", f"git+file://{project}@v2").out


def test_an_unknown_extra_is_noticed(machine: Machine) -> None:
    assert "nosuch" in machine.ok("install", "fancy[nosuch]").err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["upgrade", "demo"], "no upgrade yet"),
        (["inject", "demo", "x"], "--with"),
        (["tool", "install", "demo"], "detente install NAME"),
        (["install", "demo", "1.0"], "NAME==1.0"),
        (["install", "git@example.org:me/tool.git"], "git+ssh://git@example.org/me/tool.git"),
        (["install", "github.com/me/tool"], "git+https://github.com/me/tool"),
        (["install", "x" * 5000], "too long"),
    ],
)
def test_habits_from_elsewhere_get_the_right_hint(machine: Machine, words: list[str], hint: str) -> None:
    assert hint in machine.refused(2, *words).err


def test_a_command_is_not_an_application_but_leads_to_it(machine: Machine) -> None:
    machine.ok("install", "demo")
    assert "detente remove demo" in machine.refused(3, "remove", "demo-admin").err
    assert "demo" in machine.ok("show", "demo-admin").out


def test_hints_of_run_name_run(machine: Machine) -> None:
    assert "detente run future --python" in machine.refused(4, "run", "future").err


def test_a_directory_beside_is_not_mistaken_for_a_name_in_silence(machine: Machine) -> None:
    make_project(machine.home / "demo", "demo", "9.0", commands=["demo"])
    answer = machine.ok("install", "demo")
    assert "the directory is ./demo" in answer.err
    assert machine.call("demo").out.startswith("demo 2.0")
