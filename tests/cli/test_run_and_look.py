"""run, list, show, paths, and what every command has in common."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from support.debian_root import DebianRoot
from support.index import Index
from support.machine import Machine


def test_run_without_installing_leaves_nothing_on_path(machine: Machine) -> None:
    answer = machine.ok("run", "demo", "--argv", "--python", "x y")
    assert json.loads(answer.out) == ["--python", "x y"], "what follows the application is its own"
    assert machine.commands() == []
    assert machine.json("list") == []
    assert machine.ok("run", "demo@1.0").out == "demo 1.0\ndep 1.5\n"


def test_run_what_is_installed_asks_nobody(machine: Machine, shared_index: Index) -> None:
    machine.ok("install", "demo==1.0")
    asked = len(shared_index.requests)
    assert machine.ok("run", "demo").out.startswith("demo 1.0")
    assert machine.ok("run", "demo-admin").out.startswith("demo 1.0")
    assert len(shared_index.requests) == asked


def test_run_a_command_of_another_name_and_with_more(machine: Machine) -> None:
    assert machine.ok("run", "--from", "demo", "demo-admin", "--version").out == "demo 2.0\n"
    where = json.loads(machine.ok("run", "--with", "plugin", "demo", "--where").out)
    site = next(path for path in where["path"] if path.endswith("site-packages"))
    assert "plugin" in os.listdir(site)


def test_runs_exit_status_is_the_applications(machine: Machine) -> None:
    answer = machine.run("run", "--from", "demo", "dep-tool")
    assert (answer.status, "has no command called dep-tool" in answer.err) == (3, True)


def test_run_does_not_take_a_command_of_another_project_for_a_project(machine: Machine, tmp_path: Path) -> None:
    debian = {"DETENTE_DISTRO": str(DebianRoot(tmp_path / "debian", "3.11").path)}
    for word, own in (("http", "httpie"), ("HTTP", "httpie"), ("pdb_b", "pdb-tools"), ("nosuch-x", "")):
        said = machine.run("run", "--pre", word, "-x", "a b", **debian)
        assert (said.status, f"is a command of {own}" in said.err) == ((5, True) if own else (3, False)), said.err
        if own:
            assert f"hint: detente run --from {own} {word.lower()} -x 'a b'; if you do mean the index's " in said.err
    assert "is a command of" in machine.refused(5, "run", "-n", "http", **debian).err
    assert ": detente run 'http>=0'\n" in machine.refused(5, "run", "http", **debian).err
    for words in (["http>=0"], ["http@1.0"], ["--from", "http", "http"], ["httpie"]):
        assert "in the index" in machine.refused(3, "run", *words, **debian).err, words
    assert "in the index" in machine.refused(3, "run", "http").err, "no distro is looked at"


def test_collect_takes_what_was_only_run(machine: Machine) -> None:
    machine.ok("run", "demo")
    assert machine.json("collect")["changed"] is True
    assert list((machine.data / "envs").iterdir()) == []
    assert list((machine.data / "store").iterdir()) == []


def test_show_and_paths_agree_with_the_disk(machine: Machine) -> None:
    machine.ok("install", "demo")
    shown = machine.json("show", "demo")
    assert os.path.exists(f"{shown['environment']}/bin/demo")
    assert shown["dependencies"] == {"dep": "1.5"}
    assert machine.json("paths")["store"] == str(machine.data / "store")
    assert "Environment:" in machine.ok("show", "demo").out


def test_reading_before_anything_was_done_makes_nothing(machine: Machine) -> None:
    for words in (["list"], ["history"], ["paths"], ["--help"], ["--version"], ["install", "--help"]):
        machine.ok(*words)
    machine.refused(3, "show", "demo")
    assert list(machine.home.iterdir()) == []


@pytest.mark.parametrize(
    "verb",
    ["install", "remove", "list", "show", "run", "history", "rollback", "collect", "paths", "setup", "why", "search"],
)
def test_every_verb_has_help_with_examples(machine: Machine, verb: str) -> None:
    text = machine.ok(verb, "-h").out
    assert "examples:" in text
    assert f"detente {verb}" in text
    assert machine.ok("help", verb).out == text


def test_aliases_are_the_words_that_people_know(machine: Machine) -> None:
    machine.ok("install", "demo")
    machine.ok("info", "demo")
    machine.ok("uninstall", "demo")
    machine.ok("undo")
    machine.ok("gc")
    assert machine.commands() == ["demo", "demo-admin"]


def test_quiet_says_nothing_and_verbose_says_more(machine: Machine) -> None:
    answer = machine.ok("install", "demo", "-q")
    assert (answer.out, answer.err) == ("", "")
    machine.ok("remove", "demo")
    machine.ok("collect", "--keep", "1")
    assert "dep is in the store" in machine.ok("install", "demo", "-v").err


def test_a_closed_pipe_is_no_traceback(machine: Machine) -> None:
    machine.ok("install", "demo")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            machine.argv("list"), env=machine.environ, stdout=writing, stderr=subprocess.PIPE, text=True
        )
    finally:
        os.close(writing)
    assert (done.stderr, done.returncode) == ("", 141)


def test_without_a_terminal_there_is_no_progress_and_no_colour(machine: Machine) -> None:
    answer = machine.ok("install", "demo")
    assert "\r" not in answer.err + answer.out
    assert "\033" not in answer.err + answer.out
    assert "\033[1m" in machine.ok("list", "--color", "always").out


def test_credentials_of_an_index_are_not_recorded(machine: Machine, shared_index: Index) -> None:
    url = shared_index.url.replace("http://", "http://ada:secret@")
    machine.ok("install", "demo", "--index-url", url)
    found = subprocess.run(
        ["grep", "-rl", "secret", str(machine.data), str(machine.home / ".local/state")], capture_output=True, text=True
    )
    assert found.stdout == ""
    assert "installed already" in machine.ok("install", "demo", "--index-url", url).out


def test_a_bug_is_one_line_and_a_log(machine: Machine) -> None:
    code = machine.argv("list")
    code[4] = code[4].replace(
        "from detente.cli.main", "import detente.cli.output as o; o.Output.table = None; from detente.cli.main"
    )
    machine.ok("install", "demo")
    done = subprocess.run(code, env=machine.environ, capture_output=True, text=True)
    assert done.returncode == 70
    assert "this is a bug in detente" in done.stderr
    assert "Traceback" not in done.stderr
    (log,) = (machine.home / ".local/state/detente/log").iterdir()
    assert "Traceback" in log.read_text()
