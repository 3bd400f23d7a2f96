"""What code of sources may do while it is resolved and built, and how sources are refused."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detente.host import confine, stand_in
from support import hostile
from support.index import Index
from support.machine import GIT, NO_GIT, Machine, kill_group
from support.wheels import make_git, make_project, make_sdist, make_wheel


class Cage:
    """A machine, an index of its own, and a directory where hostile builds sing, once they can."""

    def __init__(self, machine: Machine, wares: Path, canary: Path) -> None:
        self.machine, self.wares, self.canary = machine, wares, canary
        self.backend = hostile.text(canary)

    def songs(self) -> set[str]:
        """The hooks that reached the directory."""
        return {path.name for path in self.canary.iterdir()}


@pytest.fixture
def cage(tmp_path: Path) -> Iterator[Cage]:
    wares = tmp_path / "wares"
    make_wheel(wares, "dep", "1.0")
    with Index(wares) as index:
        machine = Machine(tmp_path / "home", index)
        canary = machine.home / "canary"
        canary.mkdir()
        canary.chmod(0o777)
        yield Cage(machine, wares, canary)


def test_a_build_that_is_not_confined_reaches_the_home(cage: Cage) -> None:
    """The measure for all others: the attack itself works."""
    make_sdist(cage.wares, "evil", "1.0", commands=["evil"], backend_text=cage.backend, dynamic=True)
    said = cage.machine.ok("install", "evil", "--build-confinement", "none").err
    assert "NOT confined" in said
    assert cage.songs() == {"import", "requires", "metadata", "build_wheel"}


def test_a_source_of_the_index_does_no_harm_while_it_is_resolved_and_built(cage: Cage) -> None:
    make_sdist(cage.wares, "evil", "1.0", commands=["evil"], requires=["dep"], backend_text=cage.backend, dynamic=True)
    said = cage.machine.ok("install", "-n", "evil").err
    assert "building evil 1.0 to learn what it needs, confined by " in said
    assert cage.songs() == set()
    said = cage.machine.ok("install", "evil").err
    assert "building evil 1.0 from source, confined by " in said
    assert cage.songs() == set()
    assert cage.machine.call("evil").out == "evil 1.0\ndep 1.0\n"


def test_a_source_that_is_run_does_no_harm_before_it_runs(cage: Cage) -> None:
    make_sdist(cage.wares, "evil", "1.0", commands=["evil"], backend_text=cage.backend, dynamic=True)
    assert cage.machine.ok("run", "evil", "--version").out == "evil 1.0\n"
    assert cage.songs() == set()


@pytest.mark.parametrize("editable", [False, True])
def test_a_directory_does_no_harm(cage: Cage, tmp_path: Path, editable: bool) -> None:
    project = make_project(
        tmp_path / "evil", "evil", "1.0", commands=["evil"], backend_text=cage.backend, requires=["dep"], dynamic=True
    )
    words = ["-e", str(project)] if editable else [str(project)]
    for dry in (["-n"], []):
        said = cage.machine.ok("install", *dry, *words).err
        assert not dry or "building evil to learn what it needs, confined by " in said
        assert cage.songs() == set()
    assert cage.machine.call("evil").out == "evil 1.0\ndep 1.0\n"


@pytest.mark.skipif(not GIT, reason=NO_GIT)
def test_nothing_is_planted_in_the_repository_of_a_directory(cage: Cage, tmp_path: Path) -> None:
    """What git runs by itself would run later, and not confined."""
    if confine.chosen() == "landlock":
        pytest.skip("Landlock has no exceptions below what may be written")
    planting = 'open(".git/hooks/post-checkout", "w").close()\nopen(".git/config", "a").write("[core]\\n")\n'
    text = f"import contextlib\n{cage.backend}\nwith contextlib.suppress(OSError):\n    "
    text += planting.replace("\nopen", "\nwith contextlib.suppress(OSError):\n    open")
    project = make_project(tmp_path / "evil", "evil", "1.0", commands=["evil"], backend_text=text, dynamic=True)
    make_git(project)
    before = (project / ".git/config").read_text()
    cage.machine.ok("install", "-e", str(project))
    assert not (project / ".git/hooks/post-checkout").exists()
    assert (project / ".git/config").read_text() == before


@pytest.mark.skipif(not GIT, reason=NO_GIT)
def test_a_repository_does_no_harm(cage: Cage, tmp_path: Path) -> None:
    project = make_project(
        tmp_path / "repo", "evil", "1.0", commands=["evil"], backend_text=cage.backend, requires=["dep"], dynamic=True
    )
    make_git(project)
    said = cage.machine.ok("install", f"evil @ git+file://{project}@v1.0").err
    assert "to learn what it needs, confined by " in said
    assert cage.songs() == set()
    assert cage.machine.call("evil").out == "evil 1.0\ndep 1.0\n"


def test_a_home_behind_a_link_makes_no_difference(cage: Cage, tmp_path: Path) -> None:
    make_sdist(cage.wares, "evil", "1.0", commands=["evil"], backend_text=cage.backend, dynamic=True)
    link = tmp_path / "link"
    link.symlink_to(cage.machine.home)
    said = cage.machine.ok("install", "evil", HOME=str(link)).err
    assert "building evil 1.0 to learn what it needs, confined by " in said
    assert cage.songs() == set()
    assert cage.machine.call("evil").out == "evil 1.0\n"


def test_a_dependency_does_no_harm(cage: Cage) -> None:
    make_wheel(cage.wares, "tame", "1.0", commands=["tame"], requires=["evil"])
    make_sdist(cage.wares, "evil", "1.0", backend_text=cage.backend, dynamic=True)
    cage.machine.ok("install", "tame")
    assert cage.songs() == set()
    assert cage.machine.call("tame").out == "tame 1.0\nevil 1.0\n"


def test_what_a_build_requires_is_built_confined_too(cage: Cage) -> None:
    """Twice: where uv asks for metadata, and where our own build environment is filled."""
    make_sdist(cage.wares, "evil-backend", "1.0", files={"evil_backend.py": cage.backend}, backend_text=cage.backend)
    make_sdist(
        cage.wares,
        "tame",
        "1.0",
        commands=["tame"],
        requires=["dep"],
        backend="evil_backend",
        build_requires=["evil-backend"],
        dynamic=True,
    )
    cage.machine.ok("install", "tame")
    assert cage.songs() == set()
    assert cage.machine.call("tame").out == "tame 1.0\ndep 1.0\n"


def test_start_up_files_of_a_build_requirement_run_in_no_python_of_ours(cage: Cage) -> None:
    song = f"import os; open({str(cage.canary / 'start')!r}, 'w').close()\n"
    make_wheel(cage.wares, "evil-wheel", "1.0", pth={"evil.pth": song})
    make_sdist(
        cage.wares,
        "tame",
        "1.0",
        commands=["tame"],
        build_requires=["evil-wheel"],
        backend_text=hostile.text(cage.canary, "dep"),
        dynamic=True,
    )
    cage.machine.ok("install", "tame")
    assert cage.songs() == set()


def test_no_configuration_of_uv_lets_code_run_outside(cage: Cage) -> None:
    make_sdist(
        cage.wares, "evil", "1.0", commands=["evil"], backend_text=hostile.text(cage.canary, "dep"), dynamic=True
    )
    config = cage.machine.home / ".config/uv/uv.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[pip]\nno-build-isolation = true\ncompile-bytecode = true\n")
    cage.machine.ok("install", "evil", UV_NO_BUILD_ISOLATION="1", UV_COMPILE_BYTECODE="1")
    assert cage.songs() == set()
    make_sdist(cage.wares, "worse", "1.0", commands=["worse"], backend_text=cage.backend, dynamic=True)
    config.write_text('[pip]\nno-build-isolation-package = ["worse"]\n')
    cage.machine.ok("install", "worse")
    assert cage.songs() == set()


def test_a_build_may_not_name_files_as_its_requirements(cage: Cage, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("dep\n")
    for text in (f"-r {tmp_path}/secret.txt", str(tmp_path), f"-e {tmp_path}"):
        make_sdist(cage.wares, "evil", "1.0", commands=["evil"], backend_text=hostile.text(cage.canary, text))
        answer = cage.machine.refused(1, "install", "evil")
        assert "which is no requirement" in answer.err


def test_the_stand_in_runs_nothing_but_what_uv_asks(cage: Cage, tmp_path: Path) -> None:
    path = stand_in.stand_in(str(tmp_path / "cache"), sys.executable, "3")
    question = "import sys; sys.path = [] + sys.path; from python.get_interpreter_info import main; main()"
    for words in (
        ["-c", "print('sung')"],
        ["-m", "this"],
        ["-V"],
        ["-c", question],
        ["-I", "-B", "-c", "print('sung')"],
    ):
        done = subprocess.run([path, *words], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (77, "")
        assert "is not known" in done.stderr


def test_the_stand_in_runs_a_hook_in_no_environment_but_the_one_of_a_build(tmp_path: Path) -> None:
    path = stand_in.stand_in(str(tmp_path / "cache"), sys.executable, "3")
    hook = f"import antigravity as backend\nopen({str(tmp_path / 'song')!r}, 'w').close()\n"
    done = subprocess.run([path, "-c", hook], capture_output=True, text=True, check=False)
    assert done.returncode == 77
    assert "builds need an environment of their own" in done.stderr
    assert not (tmp_path / "song").exists()


def test_a_build_that_fails_is_explained_with_its_own_words(cage: Cage) -> None:
    failing = cage.backend + "\nraise SystemExit('this backend has no heart')\n"
    make_sdist(cage.wares, "evil", "1.0", commands=["evil"], backend_text=failing, dynamic=True)
    answer = cage.machine.refused(1, "install", "evil")
    assert "error: cannot build evil from source\n" in answer.err
    assert "this backend has no heart" in answer.err


def test_a_build_that_wants_the_network_is_told_so(cage: Cage) -> None:
    wanting = cage.backend + "\nimport urllib.request\nurllib.request.urlopen('http://203.0.113.1/')\n"
    make_sdist(cage.wares, "evil", "1.0", commands=["evil"], backend_text=wanting, dynamic=True)
    answer = cage.machine.run("install", "evil")
    assert answer.status == 1
    assert "error: cannot build evil from source: it wants the network, which builds do not have" in answer.err
    assert "--build-network" in answer.err


def test_what_backends_warn_of_is_not_shown_where_several_are_built_at_once(cage: Cage) -> None:
    names = ["one", "two", "three"]
    for place, name in enumerate(names):
        warning = f"\ntime.sleep({0.5 + place / 2})\nwarnings.warn('mind the gap')\n"
        make_sdist(cage.wares, name, "1.0", backend_text=f"import time, warnings\n{cage.backend}{warning}")
    make_wheel(cage.wares, "tame", "1.0", commands=["tame"], requires=names)
    assert "mind the gap" not in cage.machine.ok("install", "tame").err


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it mounts a file system")
def test_where_no_program_of_the_cache_may_be_executed_wheels_still_work(cage: Cage, tmp_path: Path) -> None:
    make_wheel(cage.wares, "tame", "1.0", commands=["tame"])
    make_sdist(cage.wares, "evil", "1.0", commands=["evil"], backend_text=cage.backend, dynamic=True)
    project = make_project(tmp_path / "mine", "mine", "1.0", backend_text=cage.backend, dynamic=True)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        script = 'mkdir -p "$HOME/.cache" && mount -t tmpfs -o noexec none "$HOME/.cache" && exec "$@"'
        own = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh"]
        argv = [*own, *cage.machine.argv(*words)]
        return subprocess.run(argv, env=cage.machine.environ, capture_output=True, text=True, check=False)

    done = run("install", "tame")
    assert done.returncode == 0, done.stderr
    assert cage.machine.call("tame").out == "tame 1.0\n"
    for words in (["evil"], [str(project)], ["-e", str(project)]):
        done = run("install", *words)
        assert done.returncode == 5, done.stderr
        assert "may not be executed" in done.stderr
        assert cage.songs() == set()


def _sleepers(seconds: str) -> list[str]:
    """Return the processes of this machine that sleep for exactly `seconds`."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = place.read_bytes().split(b"\0")
            if words[0].endswith(b"sleep") and seconds.encode() in words:
                found.append(place.parent.name)
    return found


def _until(true: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_build_ends_with_the_command_that_waits_for_uv(cage: Cage, number: int) -> None:
    seconds = f"{500 + os.getpid() % 997}.{number}25"
    sleeping = cage.backend + f"\nimport subprocess\nsubprocess.run(['sleep', '{seconds}'], check=False)\n"
    make_sdist(cage.wares, "evil", "1.0", commands=["evil"], backend_text=sleeping, dynamic=True)
    child = cage.machine.start("install", "evil")
    try:
        _until(lambda: _sleepers(seconds))
        os.kill(child.pid, number)
        child.communicate(timeout=10)
        _until(lambda: not _sleepers(seconds))
    finally:
        with contextlib.suppress(ProcessLookupError):
            kill_group(child)
            child.communicate()
    if number == signal.SIGINT:
        assert not list((cage.machine.home / ".cache/detente").glob("rooms/*"))
