"""What `detente install` makes, told by running it against a real index."""

import json
import os
import shutil
from pathlib import Path

import pytest

from support.index import Index
from support.machine import GIT, NO_GIT, Machine
from support.wheels import make_git, make_project, make_wheel


def test_an_application_runs_in_an_environment_of_its_own(machine: Machine) -> None:
    answer = machine.ok("install", "demo")
    assert "installed demo 2.0" in answer.out
    assert machine.call("demo").out == "demo 2.0\ndep 1.5\n"
    where = json.loads(machine.call("demo", "--where").out)
    assert where["prefix"].startswith(str(machine.data / "envs"))
    assert machine.commands() == ["demo", "demo-admin"], "a dependency's command leaked onto PATH"


def test_arguments_reach_the_application_unchanged(machine: Machine) -> None:
    machine.ok("install", "demo")
    words = ["", "a b", "'", '"', "$HOME", "*", "-x", "\\"]
    assert json.loads(machine.call("demo", "--argv", *words).out) == words


def test_several_applications_are_one_generation(machine: Machine) -> None:
    machine.ok("install", "demo", "other", "fancy[more]")
    assert [row["generation"] for row in machine.json("history")] == [1]
    assert machine.call("demo").out == "demo 2.0\ndep 1.5\n"
    assert machine.call("other").out == "other 1.0\ndep 1.0\n", "each has the dependency that it asked for"
    assert "extra-needs" in machine.json("show", "fancy")["dependencies"]


def test_the_same_request_again_does_nothing_and_asks_nobody(machine: Machine, shared_index: Index) -> None:
    machine.ok("install", "demo")
    asked, state = len(shared_index.requests), machine.state()
    answer = machine.ok("install", "demo")
    assert "demo 2.0 is installed already" in answer.out
    assert len(shared_index.requests) == asked
    assert machine.state() == state


def test_another_request_changes_the_application(machine: Machine) -> None:
    machine.ok("install", "demo==1.0")
    assert "changed demo 1.0 → 2.0" in machine.ok("install", "demo").out
    assert machine.call("demo", "--version").out == "demo 2.0\n"
    assert "changed demo 2.0 → 1.0" in machine.ok("install", "demo<2").out
    assert machine.json("list")[0]["requirement"] == "demo<2"


def test_with_adds_to_what_is_there_and_is_remembered(machine: Machine) -> None:
    machine.ok("install", "demo==1.0")
    machine.ok("install", "demo", "--with", "plugin")
    (row,) = machine.json("list")
    assert (row["requirement"], row["with"], row["version"]) == ("demo==1.0", ["plugin"], "1.0")
    machine.ok("install", "demo", "--with", "library")
    machine.ok("install", "demo==2.0")
    (row,) = machine.json("list")
    assert (row["with"], row["version"]) == (["plugin", "library"], "2.0")
    assert {"plugin", "library"} <= machine.json("show", "demo")["dependencies"].keys()
    assert machine.commands() == ["demo", "demo-admin"]


def test_pre_releases_come_only_when_asked_for(machine: Machine) -> None:
    machine.ok("install", "demo", "--pre")
    assert machine.json("list")[0]["version"] == "3.0rc1"


def test_a_suffix_puts_a_second_one_beside(machine: Machine) -> None:
    machine.ok("install", "demo")
    machine.ok("install", "demo==1.0", "--as", "@1")
    assert machine.commands() == ["demo", "demo-admin", "demo-admin@1", "demo@1"]
    assert machine.call("demo").out.startswith("demo 2.0")
    assert machine.call("demo@1").out.startswith("demo 1.0")
    machine.ok("remove", "demo@1")
    assert machine.commands() == ["demo", "demo-admin"]


def test_commands_of_a_dependency_are_exposed_when_named(machine: Machine) -> None:
    machine.ok("install", "meta", "--commands-from", "demo")
    assert machine.commands() == ["demo", "demo-admin"]


def test_a_version_can_be_written_with_an_at_sign(machine: Machine) -> None:
    machine.ok("install", "demo@1.0")
    assert machine.json("list")[0]["requirement"] == "demo==1.0"


def test_a_local_wheel_is_installed_and_looked_at_again(machine: Machine, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "own", "mine", "1.0", commands=["mine"], requires=["dep"])
    machine.ok("install", str(wheel))
    assert machine.call("mine").out == "mine 1.0\ndep 1.5\n"
    files = {"mine.py": "def main():\n    print('rebuilt')\n"}
    make_wheel(tmp_path / "own", "mine", "1.0", commands={"mine": "mine:main"}, files=files)
    machine.ok("install", str(wheel))
    assert machine.call("mine").out == "rebuilt\n"


def test_a_local_directory_is_built_and_found_relative_to_where_one_stands(machine: Machine, tmp_path: Path) -> None:
    make_project(tmp_path / "my project", "mine", "1.0", commands=["mine"], requires=["dep"])
    machine.ok("install", "./my project", cwd=tmp_path)
    assert machine.call("mine").out == "mine 1.0\ndep 1.5\n"
    shutil.rmtree(tmp_path / "my project")
    assert machine.call("mine").status == 0, "an installed copy needs its source no more"


def test_an_editable_project_runs_from_its_source(machine: Machine, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", "mine", "1.0", commands=["mine"])
    machine.ok("install", "-e", "project", cwd=tmp_path)
    assert machine.call("mine").out == "mine 1.0\n"
    (project / "src" / "mine" / "__init__.py").write_text("def main():\n    print('edited')\n")
    assert machine.call("mine").out == "edited\n"
    assert "installed already" in machine.ok("install", "-e", "project", cwd=tmp_path).out


@pytest.mark.skipif(not GIT, reason=NO_GIT)
def test_a_git_repository_at_a_tag(machine: Machine, tmp_path: Path) -> None:
    project = make_project(tmp_path / "repo", "mine", "1.0", commands=["mine"])
    make_git(project, tag="v1")
    make_project(project, "mine", "2.0", commands=["mine"])
    make_git(project, tag="v2")
    machine.ok("install", f"mine @ git+file://{project}@v1")
    assert machine.call("mine").out == "mine 1.0\n"
    machine.ok("install", f"git+file://{project}@v2")
    assert machine.call("mine").out == "mine 2.0\n"


def test_a_wheel_and_a_source_archive_by_url(machine: Machine, shared_index: Index) -> None:
    machine.ok("install", shared_index.file_url("demo-1.0-py3-none-any.whl"))
    assert machine.call("demo").out.startswith("demo 1.0")
    machine.ok("install", "fromsource @ " + shared_index.file_url("fromsource-1.0.tar.gz"))
    assert machine.call("fromsource").out == "fromsource 1.0\ndep 1.5\n"


def test_what_has_no_wheel_is_built_once_and_said_so(machine: Machine) -> None:
    answer = machine.ok("install", "fromsource")
    assert "building fromsource 1.0 from source" in answer.err
    assert machine.call("fromsource").out == "fromsource 1.0\ndep 1.5\n"
    machine.ok("remove", "fromsource")
    assert "building" not in machine.ok("install", "fromsource").err


def test_a_requirements_file_is_one_plan(machine: Machine, tmp_path: Path) -> None:
    make_project(tmp_path / "project", "mine", "1.0", commands=["mine"])
    (tmp_path / "more.txt").write_text("other # beside\n")
    (tmp_path / "tools.txt").write_text("# my tools\ndemo \\\n  == 1.0\n-r more.txt\n-e ./project\n")
    machine.ok("install", "-r", "tools.txt", cwd=tmp_path)
    rows = {row["name"]: row["version"] for row in machine.json("list")}
    assert rows == {"demo": "1.0", "other": "1.0", "mine": "1.0"}
    assert len(machine.json("history")) == 1


def test_a_dry_run_shows_the_plan_and_changes_nothing(machine: Machine) -> None:
    answer = machine.ok("install", "demo", "-n")
    assert "would fetch demo-2.0-py3-none-any.whl" in answer.out
    assert not machine.data.exists()
    plan = machine.json("install", "demo", "-n")
    assert plan["pending"] is True
    assert {step["step"] for step in plan["steps"]} == {"fetch"}
    machine.ok("install", "demo")
    machine.ok("remove", "demo")
    plan = machine.json("install", "demo", "-n")
    assert plan["effects"][0]["after"] == "2.0"
    assert plan["steps"][-1]["step"] == "switch"


def test_the_result_as_json_is_the_only_thing_on_stdout(machine: Machine) -> None:
    data = machine.json("install", "demo")
    assert data["applications"]["demo"]["commands"] == ["demo", "demo-admin"]
    assert data["changed"] is True


def test_offline_everything_that_needs_nothing_new_works(machine: Machine, tmp_path: Path, wares: Path) -> None:
    with Index(wares) as index:
        machine.environ["PIP_INDEX_URL"] = index.url
        machine.ok("install", "demo")
        machine.ok("remove", "demo")
    assert "using what" in machine.ok("install", "demo").err, "the index is gone, and the lock was kept"
    machine.ok("rollback")
    machine.ok("rollback")
    machine.ok("install", "demo", "--offline")
    assert machine.call("demo").out == "demo 2.0\ndep 1.5\n"


def test_the_interpreter_is_the_distros_own_by_its_versioned_name(machine: Machine) -> None:
    machine.ok("install", "demo")
    shown = machine.json("show", "demo")
    link = os.readlink(Path(shown["environment"]) / "bin" / "python")
    assert link == shown["interpreter"]
    assert link.startswith("/usr/bin/python3.")


def test_a_launcher_whose_interpreter_is_gone_says_what_to_type_and_that_works(
    machine: Machine, tmp_path: Path
) -> None:
    real = os.path.realpath("/usr/bin/python3")
    own = tmp_path / "python" / os.path.basename(real)
    own.parent.mkdir()
    own.symlink_to(real)
    machine.ok("install", "demo", "--python", str(own))
    if json.loads(machine.call("demo", "--where").out) and machine.json("show", "demo")["interpreter"] != str(own):
        raise AssertionError("the interpreter that was asked for is not the one that is used")
    own.unlink()
    answer = machine.call("demo")
    assert (answer.status, answer.out) == (127, "")
    assert f"demo needs {own}, which is gone" in answer.err
    assert "detente install demo" in answer.err
    machine.ok("install", "demo", "--python", "/usr/bin/python3")
    assert machine.call("demo").out == "demo 2.0\ndep 1.5\n"


def test_what_is_configured_for_pip_is_honoured(machine: Machine, tmp_path: Path, wares: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nno-index = true\nfind-links = {wares}\n")
    del machine.environ["PIP_INDEX_URL"]
    machine.ok("install", "demo", PIP_CONFIG_FILE=str(config))
    assert machine.call("demo").out == "demo 2.0\ndep 1.5\n"


def test_options_come_from_the_environment_and_the_configuration_file(machine: Machine) -> None:
    machine.ok("install", "demo", DETENTE_PRE="1")
    assert machine.json("list")[0]["version"] == "3.0rc1"
    config = machine.home / ".config/detente/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[install]\nwith = ['library']\n")
    machine.ok("install", "fancy")
    assert machine.json("show", "fancy")["with"] == ["library"]


def test_files_of_the_store_and_of_environments_are_read_only(machine: Machine) -> None:
    machine.ok("install", "demo")
    loose = [
        str(path)
        for part in ("store", "envs")
        for path in (machine.data / part).rglob("*")
        if not path.is_symlink() and path.stat().st_mode & 0o222
    ]
    assert loose == []


def test_bytecode_is_there_before_the_first_run(machine: Machine) -> None:
    machine.ok("install", "demo")
    (entry,) = (machine.data / "store").glob("demo-2.0-*")
    assert [path.suffix for path in (entry / "lib" / "demo" / "__pycache__").iterdir()][:1] == [".pyc"]


def test_one_wheel_in_two_applications_is_one_entry(machine: Machine) -> None:
    machine.ok("install", "demo", "fancy", "--with", "dep")
    entries = [path.name for path in (machine.data / "store").iterdir() if path.name.startswith("dep-")]
    assert len(entries) == 1
