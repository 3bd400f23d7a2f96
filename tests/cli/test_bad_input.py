"""Each mistake gets one clear sentence, a hint, its exit status, and changes nothing."""

import os
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from detente.cli import table
from detente.cli.options import Parser
from support.index import Fault, Index
from support.machine import Machine
from support.wheels import make_project, make_wheel


@pytest.fixture
def own_index(wares: Path) -> Iterator[Index]:
    """An index that a test may spoil."""
    with Index(wares) as index:
        yield index


@pytest.mark.parametrize(
    ("status", "words", "sentence"),
    [
        (3, ["install", "nosuchthing-at-all"], "nosuchthing-at-all"),
        (4, ["install", "demo==99"], "demo"),
        (4, ["install", "demo", "--with", "dep<1"], "cannot be satisfied"),
        (4, ["install", "future"], "future"),
        (5, ["install", "library"], "library 1.0 is a library"),
        (5, ["install", "meta"], "meta 1.0 has no command of its own"),
        (2, ["install", "demo=="], "not a requirement"),
        (2, ["install", "de mo"], "not a requirement"),
        (2, ["install", "-dry-run", "demo"], "-dry-run"),
        (2, ["install", "--dryrun", "demo"], "--dryrun"),
        (2, ["install", "—pre", "demo"], "dash"),
        (2, ["install"], "nothing was named"),
        (2, ["instal", "demo"], "no command `instal`"),
        (2, ["remove"], "nothing was named"),
        (3, ["install", "./nowhere"], "no file or directory ./nowhere"),
        (3, ["install", "-r", "nowhere.txt"], "nowhere.txt"),
        (3, ["install", "demo", "--python", "3.99"], "3.99"),
        (3, ["show", "nothing"], "nothing"),
        (3, ["run", "nosuchthing-at-all"], "nosuchthing-at-all"),
        (2, ["install", "demo", "--as", "/x"], "/x"),
        (2, ["collect", "--keep", "0"], "current generation"),
        (2, ["collect", "--keep", "many"], "many"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_status(
    machine: Machine, status: int, words: list[str], sentence: str
) -> None:
    answer = machine.refused(status, *words)
    error = next(line for line in answer.err.splitlines() if line.startswith("error: "))
    assert sentence in error
    assert not error.endswith(".")
    assert "hint: " in answer.err


def test_a_typo_of_a_command_or_option_is_answered_with_the_right_one(machine: Machine) -> None:
    assert "did you mean: detente install" in machine.refused(2, "instal", "demo").err
    assert "did you mean --dry-run" in machine.refused(2, "install", "--dryrun", "demo").err


def test_one_of_several_that_cannot_be_had_leaves_all_as_it_was(machine: Machine) -> None:
    machine.ok("install", "fancy")
    machine.refused(3, "install", "demo", "nosuchthing-at-all", "other")
    assert machine.commands() == ["fancy"]


def test_a_command_of_someone_else_is_not_overwritten_without_force(machine: Machine) -> None:
    machine.bin.mkdir(parents=True)
    own = machine.bin / "demo"
    own.write_text("#!/bin/sh\necho mine\n")
    own.chmod(0o755)
    answer = machine.refused(5, "install", "demo")
    assert str(own) in answer.err
    assert "--force" in answer.err
    assert machine.call("demo").out == "mine\n"
    machine.ok("install", "demo", "--force")
    assert machine.call("demo").out.startswith("demo 2.0")
    (saved,) = (machine.home / ".local/state/detente/quarantine").rglob("demo")
    assert saved.read_text() == "#!/bin/sh\necho mine\n", "nothing of the person's is lost"


def test_the_distros_command_is_named_with_its_owner(machine: Machine, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "lister", "1.0", commands={"ls": "lister:main"})
    answer = machine.refused(5, "install", str(wheel), DETENTE_DISTRO="auto")
    assert "the command ls exists already" in answer.err
    if os.path.exists("/usr/bin/dpkg-query"):
        assert "system package coreutils" in answer.err
    machine.ok("install", str(wheel), "--as", "2")
    assert machine.commands() == ["ls2"]


def test_python_and_pip_are_never_exposed(machine: Machine, tmp_path: Path) -> None:
    points = dict.fromkeys(("python3", "pip", "pip3.11", "fine"), "snake:main")
    wheel = make_wheel(tmp_path, "snake", "1.0", commands=points)
    machine.ok("install", str(wheel), "--force")
    assert machine.commands() == ["fine"]


def test_two_applications_cannot_own_one_command(machine: Machine, tmp_path: Path) -> None:
    machine.ok("install", "demo")
    wheel = make_wheel(tmp_path, "rival", "1.0", commands={"demo": "rival:main"})
    assert "belongs to demo already" in machine.refused(5, "install", str(wheel)).err


@pytest.mark.parametrize(
    ("prefix", "fault", "sentence"),
    [
        ("/simple/", Fault(status=404), "nosuch"),
        ("/simple/", Fault(status=500), ""),
        ("/simple/", Fault(body=b"\0garbage\xff", content_type="application/vnd.pypi.simple.v1+json"), ""),
        ("/files/", Fault(status=404), "404"),
        ("/files/", Fault(status=500), "500"),
        ("/files/", Fault(truncate=100, no_ranges=True), ""),
        ("/files/", Fault(flip=100), "SHA-256"),
        ("/files/", Fault(body=b"<html>Please log in</html>"), ""),
    ],
)
def test_a_bad_index_is_named_and_nothing_is_half_installed(
    machine: Machine, own_index: Index, prefix: str, fault: Fault, sentence: str
) -> None:
    machine.environ["PIP_INDEX_URL"] = own_index.url
    machine.ok("install", "fancy")
    if prefix == "/files/":
        machine.ok("install", "demo==2.0", "-n")  # the engine knows the metadata now: the fault meets our fetching
    own_index.fault(prefix + ("demo/" if prefix == "/simple/" else "demo-2.0"), fault)
    answer = machine.run("install", "demo==2.0")
    assert answer.status in (1, 3), answer.err
    assert "error: " in answer.err
    assert "Traceback" not in answer.err
    assert machine.commands() == ["fancy"]
    if sentence and prefix == "/files/":
        assert sentence in answer.err
    own_index.mend()
    machine.ok("install", "demo==2.0")
    assert machine.call("demo").out == "demo 2.0\ndep 1.5\n"


def test_no_network_at_all(machine: Machine) -> None:
    answer = machine.refused(1, "install", "demo", PIP_INDEX_URL="http://127.0.0.1:1/simple/")
    assert "127.0.0.1" in answer.err


def test_a_wheel_whose_content_lies_is_refused_by_name(machine: Machine, tmp_path: Path) -> None:
    import zipfile

    wheel = make_wheel(tmp_path, "liar", "1.0", commands=["liar"])
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("extra.py", "print('not in RECORD')\n")
    answer = machine.refused(1, "install", str(wheel))
    assert "extra.py" in answer.err


def test_start_up_code_is_shown_and_asked_about_once(machine: Machine, tmp_path: Path) -> None:
    wheel = make_wheel(
        tmp_path, "starter", "1.0", commands=["starter"], pth={"starter.pth": "import os; os.getpid()\n"}
    )
    answer = machine.refused(5, "install", str(wheel))
    assert "starter.pth" in answer.err
    assert "--yes" in answer.err
    machine.ok("install", str(wheel), "-y")
    assert machine.call("starter").out == "starter 1.0\n"
    machine.ok("remove", "starter")
    machine.ok("rollback")


def test_a_failing_build_shows_the_backends_last_words(machine: Machine, tmp_path: Path) -> None:
    project = make_project(
        tmp_path / "broken",
        "broken",
        "1.0",
        commands=["broken"],
        backend_text="def build_wheel(*a, **k):\n    raise SystemExit('the compiler is on holiday')\n",
    )
    answer = machine.refused(1, "install", str(project))
    assert "building broken failed" in answer.err
    assert "on holiday" in answer.err


@pytest.mark.parametrize("name", ["with space", "it's", "ümläut", "x" * 90 + "/" + "y" * 90])
def test_homes_with_odd_names_work(tmp_path: Path, shared_index: Index, name: str) -> None:
    machine = Machine(tmp_path / name, shared_index)
    machine.ok("install", "demo", "fromsource")
    assert machine.call("demo").out == "demo 2.0\ndep 1.5\n"
    assert machine.call("fromsource").out == "fromsource 1.0\ndep 1.5\n"
    machine.ok("remove", "demo")
    machine.ok("rollback")
    assert machine.call("demo").status == 0


def test_a_home_that_is_not_utf8_works_or_is_refused_before_any_change(tmp_path: Path, shared_index: Index) -> None:
    machine = Machine(Path(os.fsdecode(os.fsencode(tmp_path) + b"/h\xff")), shared_index)
    answer = machine.run("install", "demo")
    assert "Traceback" not in answer.err
    if answer.status == 0:
        assert machine.call("demo").out == "demo 2.0\ndep 1.5\n"
    else:
        assert "error: " in answer.err
        assert machine.commands() == []


def test_a_home_with_a_path_beyond_all_limits_is_refused(tmp_path: Path, shared_index: Index) -> None:
    machine = Machine(tmp_path / "home", shared_index)
    deep = "/".join(["d" * 200] * 25)
    answer = machine.run("install", "demo", XDG_DATA_HOME=f"{tmp_path}/{deep}")
    assert answer.status in (1, 2, 5)
    assert "error: " in answer.err
    assert "Traceback" not in answer.err
    assert machine.commands() == []


def test_a_missing_home_is_said(machine: Machine) -> None:
    answer = machine.refused(2, "list", HOME="")
    assert "HOME" in answer.err


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a directory to someone else")
def test_root_with_another_persons_home_is_refused(machine: Machine) -> None:
    os.chown(machine.home, 12345, 12345)
    for words in (["install", "demo"], ["remove", "demo"], ["collect"]):
        answer = machine.refused(5, *words)
        assert "runs as root" in answer.err
    assert list(machine.home.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_home_as_an_ordinary_person(machine: Machine) -> None:
    machine.home.chmod(0o555)
    answer = machine.refused(1, "install", "demo")
    assert "permission" in answer.err


def _mounted(machine: Machine, options: str, words: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run detente in a private mount namespace, its data on a small file system with `options`."""
    import shlex

    place = machine.data.parent
    place.mkdir(parents=True, exist_ok=True)
    script = f"mount -t tmpfs -o size=24k tmpfs {shlex.quote(str(place))} && {options} exec " + shlex.join(
        machine.argv(*words)
    )
    return subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", script],
        env=machine.environ,
        capture_output=True,
        text=True,
        cwd=machine.home,
    )


needs_mounts = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0,
    reason="needs to be root with mount namespaces",
)


@needs_mounts
def test_a_full_disk(machine: Machine) -> None:
    done = _mounted(machine, "", ["install", "demo"])
    assert done.returncode == 1, done.stderr
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert machine.commands() == []


@needs_mounts
def test_a_read_only_disk(machine: Machine) -> None:
    import shlex

    options = f"mount -o remount,ro {shlex.quote(str(machine.data.parent))} &&"
    done = _mounted(machine, options, ["install", "demo"])
    assert done.returncode == 1, done.stderr
    assert "read-only" in done.stderr
    assert machine.commands() == []


def test_two_at_once_both_succeed(machine: Machine) -> None:
    children = [machine.start("install", name) for name in ("demo", "other", "fancy", "fromsource")]
    ended = [(child.communicate(timeout=60), child.returncode) for child in children]
    assert [status for _, status in ended] == [0, 0, 0, 0], ended
    assert {row["name"] for row in machine.json("list")} == {"demo", "other", "fancy", "fromsource"}
    assert machine.call("demo").out == "demo 2.0\ndep 1.5\n"


def test_errors_as_json_are_one_object_on_stdout(machine: Machine) -> None:
    import json

    answer = machine.run("show", "nothing", "--json")
    envelope = json.loads(answer.out)
    assert (envelope["ok"], envelope["data"], answer.status) == (False, None, 3)
    assert envelope["errors"][0]["code"] == "not-found"


def test_a_directory_of_commands_that_takes_none_is_said_before_anything_changes(machine: Machine) -> None:
    machine.bin.parent.mkdir(parents=True)
    machine.bin.write_text("not a directory\n")
    answer = machine.refused(1, "install", "demo")
    assert str(machine.bin) in answer.err


def test_a_library_is_told_from_a_distribution_that_only_names_others(machine: Machine, tmp_path: Path) -> None:
    files = {f"lib/m{n}.py": "" for n in range(9)}
    wheel = make_wheel(tmp_path, "lib", "1.0", files={"lib/__init__.py": "", **files}, requires=["dep"])
    assert "is a library" in machine.refused(5, "install", str(wheel)).err
    assert "--commands-from demo" in machine.refused(5, "install", "meta").err


def test_a_requirements_file_without_its_option_is_recognised(machine: Machine) -> None:
    (machine.home / "requirements.txt").write_text("demo\n")
    assert "install -r requirements.txt" in machine.refused(2, "install", "requirements.txt").err


def test_start_up_code_is_asked_about_for_a_single_run_too(machine: Machine, tmp_path: Path) -> None:
    starter = {"starter.pth": "import os; os.getpid()\n"}
    wheel = make_wheel(tmp_path, "starter", "1.0", commands=["starter"], pth=starter)
    assert "starter.pth" in machine.refused(5, "run", str(wheel)).err
    assert machine.ok("run", "-y", str(wheel)).out == "starter 1.0\n"


def test_the_words_to_repeat_with_yes_can_be_pasted(machine: Machine, tmp_path: Path) -> None:
    make_wheel(tmp_path, "starter", "1.0", commands=["starter"], pth={"starter.pth": "import os; os.getpid()\n"})
    answer = machine.refused(5, "install", "starter>=1", "--find-links", str(tmp_path))
    assert answer.err.endswith(f"detente install 'starter>=1' --find-links {tmp_path} --yes\n")


def test_an_unknown_key_of_the_configuration_is_named(machine: Machine) -> None:
    config = machine.home / ".config/detente/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[install]\npyton = '3.12'\n")
    assert "`pyton` in [install]" in machine.refused(2, "install", "demo").err
    config.write_text("prefr = 'distro'\n")
    assert "hint: did you mean `prefer`" in machine.refused(2, "list").err
    config.write_text("[instal]\npython = '3.12'\n")
    assert "a table [instal]" in machine.refused(2, "list").err
    config.write_text("distro = 'none'\nprefer = 'distro'\n[from]\nhttpie = 'index'\n[collect]\n")
    machine.ok("list")
    config.write_text("keep = 'x'\n")
    assert "cannot be `x`" in machine.refused(2, "collect").err


def test_what_the_configuration_may_set_at_the_top_is_what_the_commands_have_as_options() -> None:
    found = set()
    for name, verb in table.VERBS.items():
        parser = Parser(name, verb.summary, {"HOME": "/nonexistent"})
        import_module(f"detente.cli.commands.{verb.module}").configure(parser)
        found |= {flag[2:] for action in parser._actions for flag in action.option_strings if flag[:2] == "--"}
    assert found - {"help"} == table.OPTIONS


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("-U", "there is no upgrade yet"),
        ("--upgrade", "there is no upgrade yet"),
        ("--user", "not needed: each application has an environment of its own"),
        ("--break-system-packages", "not needed: each application has an environment of its own"),
        ("--no-binary=:all:", "to build it from source, name that"),
    ],
)
def test_options_of_other_tools_are_answered_in_our_words(machine: Machine, option: str, hint: str) -> None:
    answer = machine.refused(2, "install", "demo", option)
    assert hint in answer.err
    assert "did you mean" not in answer.err
