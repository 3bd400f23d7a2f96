"""`./detente` in a checkout: the run-time environment is made once, whole or not at all, and nowhere else."""

import ast
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.index import Fault, Index

TOP = Path(__file__).resolve().parents[1]
WHEELS = os.environ.get("DETENTE_TEST_WHEELS", "")
PREPARING = "preparing detente's run-time environment"

needs_wheels = pytest.mark.skipif(not WHEELS, reason="DETENTE_TEST_WHEELS names no wheels: run ./check")


@pytest.fixture
def index() -> Iterator[Index]:
    """An index with detente's own dependencies."""
    with Index(WHEELS) as one:
        yield one


class Checkout:
    """A copy of this checkout, and a person who runs it."""

    def __init__(self, root: Path, url: str) -> None:
        self.place = root / "checkout"
        ignore = shutil.ignore_patterns("__pycache__")
        for name in ("src", "bootstrap"):
            shutil.copytree(TOP / name, self.place / name, ignore=ignore)
        shutil.copy2(TOP / "detente", self.place)
        self.runtimes = root / "home/.cache/detente/runtime"
        (root / "home").mkdir()
        self.environ = {
            "HOME": str(root / "home"),
            "PATH": "/usr/bin:/bin",
            "PIP_INDEX_URL": url,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_RETRIES": "0",
        }

    def start(self, *words: str, command: Path | None = None, **variables: str) -> "subprocess.Popen[str]":
        """Start ./detente with `words`."""
        return subprocess.Popen(
            [command or self.place / "detente", *words],
            env=self.environ | variables,
            cwd=self.place.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, command: Path | None = None, **variables: str) -> tuple[int, str, str]:
        """Run ./detente with `words`; return its exit status and what it said."""
        child = self.start(*words, command=command, **variables)
        out, err = child.communicate(timeout=120)
        return child.returncode, out, err

    def works(self, **variables: str) -> str:
        """Insist that ./detente --version works; return what it said on stderr."""
        status, out, err = self.run("--version", **variables)
        assert (status, out.split()[:1]) == (0, ["detente"]), err
        return err

    def refuses(self, **variables: str) -> str:
        """Insist that ./detente --version ends with one sentence, and nothing half-made; return the sentence."""
        status, out, err = self.run("--version", **variables)
        last = err.splitlines()[-1]
        assert (status, out, "Traceback" in err, last.startswith("error: ")) == (1, "", False, True), err
        assert self.left() in ([], [".lock"])
        return last

    def left(self) -> list[str]:
        """Return what lies where run-time environments are."""
        return sorted(os.listdir(self.runtimes)) if self.runtimes.exists() else []

    def files(self) -> list[str]:
        """Return every path below the checkout."""
        return sorted(str(path) for path in self.place.rglob("*"))


@pytest.fixture
def checkout(tmp_path: Path, index: Index) -> Checkout:
    """A checkout that was never run."""
    return Checkout(tmp_path, index.url)


@needs_wheels
def test_the_first_run_says_what_it_prepares_and_the_second_is_quiet(checkout: Checkout) -> None:
    first = checkout.works()
    assert first.splitlines() == [f"{PREPARING} in {checkout.runtimes / checkout.left()[-1]} (once)"]
    assert checkout.works() == ""
    assert len(checkout.left()) == 2
    assert checkout.left()[0] == ".lock"


@needs_wheels
def test_the_second_run_asks_nobody(checkout: Checkout, index: Index) -> None:
    checkout.works()
    before = len(index.requests)
    checkout.works(PATH="/nonexistent")
    assert len(index.requests) == before > 0


@needs_wheels
def test_the_checkout_stays_as_it_was(checkout: Checkout) -> None:
    before = checkout.files()
    checkout.works()
    checkout.run("list")
    assert checkout.files() == before


@needs_wheels
def test_the_engine_that_was_fetched_runs(checkout: Checkout) -> None:
    checkout.works()
    (engine,) = checkout.runtimes.glob("*/bin/uv")
    assert subprocess.run([engine, "--version"], capture_output=True, text=True).stdout.startswith("uv ")


@needs_wheels
def test_it_runs_from_anywhere_and_through_links(checkout: Checkout, tmp_path: Path) -> None:
    checkout.works()
    link = tmp_path / "bin" / "detente"
    link.parent.mkdir()
    link.symlink_to("../checkout/detente")
    again = tmp_path / "again"
    again.symlink_to(link)
    for command in (link, again, Path("checkout/detente"), Path("./checkout/../checkout/detente")):
        assert checkout.run("--version", command=command)[0] == 0


@needs_wheels
def test_four_first_runs_at_once_prepare_once(checkout: Checkout) -> None:
    children = [checkout.start("--version") for _ in range(4)]
    said = [child.communicate(timeout=120) for child in children]
    assert [child.returncode for child in children] == [0] * 4, said
    assert sum(err.count(PREPARING) for _, err in said) == 1
    assert len(checkout.left()) == 2


@needs_wheels
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_what_a_killed_first_run_leaves_is_not_used_and_goes_away(
    checkout: Checkout, index: Index, number: signal.Signals
) -> None:
    index.fault("/files/", Fault(stall=60, at=1))
    child = checkout.start("--version")
    wait_for(lambda: any(path.endswith(".whl") for path in index.requests))
    os.killpg(child.pid, number)
    _, err = child.communicate(timeout=20)
    assert child.returncode != 0
    assert "Traceback" not in err
    assert all(name.startswith(".") for name in checkout.left())
    index.mend()
    checkout.works()
    assert len(checkout.left()) == 2


@needs_wheels
def test_a_pip_that_outlives_a_killed_first_run_is_waited_for(checkout: Checkout, index: Index) -> None:
    index.fault("/files/", Fault(stall=3, at=1, times=1))
    child = checkout.start("--version")
    wait_for(lambda: any(path.endswith(".whl") for path in index.requests))
    child.kill()
    child.wait()
    assert "waiting for another detente" in checkout.works()
    child.communicate()


@needs_wheels
def test_without_a_network_it_says_so(checkout: Checkout) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/simple/"
        assert "index cannot be reached" in checkout.refuses(PIP_INDEX_URL=url)


@needs_wheels
def test_a_wheel_with_other_bytes_is_refused(checkout: Checkout, index: Index) -> None:
    index.fault("/files/urllib3", Fault(flip=1000))
    index.fault("/simple/urllib3", Fault(wrong_hash=True))
    assert "other files than detente expects" in checkout.refuses()
    index.mend()
    checkout.works()


@needs_wheels
def test_an_index_without_the_pinned_version_is_told_by_name(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with Index(tmp_path / "empty") as empty:
        assert "packaging==" in checkout.refuses(PIP_INDEX_URL=empty.url)


@needs_wheels
def test_settings_for_pips_own_installs_do_not_get_in_the_way(checkout: Checkout, tmp_path: Path) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text("packaging<20\n")
    elsewhere = tmp_path / "elsewhere"
    settings = f"""
        [global]
        require-virtualenv = true
        constraint = {pins}
        no-binary = :all:
        [install]
        user = true
        target = {elsewhere}
        prefix = {elsewhere}
    """
    config = tmp_path / "pip.conf"
    config.write_text("\n".join(line.strip() for line in settings.splitlines()))
    home = str(tmp_path / "home")
    checkout.works(PIP_CONFIG_FILE=str(config), PIP_USER="1", PIP_TARGET=str(elsewhere), PYTHONUSERBASE=home + "/base")
    assert not elsewhere.exists()
    assert sorted(os.listdir(home)) == [".cache"]


@needs_wheels
def test_python_variables_of_the_person_change_nothing(checkout: Checkout, tmp_path: Path) -> None:
    for name in ("os.py", "sitecustomize.py", "packaging.py", "pip.py"):
        (tmp_path / name).write_text("raise SystemExit('hijacked')\n")
    checkout.works(PYTHONPATH=str(tmp_path), PYTHONHOME="/nonexistent", PYTHONSTARTUP=str(tmp_path / "os.py"))


@needs_wheels
def test_a_cache_that_cannot_be_written_is_named(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = checkout.run("--version", XDG_CACHE_HOME=str(tmp_path / "file"))
    assert status == 1
    assert "Traceback" not in err
    assert str(tmp_path / "file") in err
    assert "XDG_CACHE_HOME" in err


@needs_wheels
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a directory to someone else")
def test_root_leaves_nothing_in_another_persons_home(checkout: Checkout, tmp_path: Path) -> None:
    os.chown(tmp_path / "home", 1000, 1000)
    assert "run it without sudo" in checkout.refuses()
    assert os.listdir(tmp_path / "home") == []


def test_an_old_python_can_read_the_file_that_turns_it_away() -> None:
    text = (TOP / "bootstrap/bootstrap.py").read_text("utf-8")
    ast.parse(text, feature_version=(3, 6))
    with pytest.raises(SyntaxError):
        ast.parse("(a := 1)", feature_version=(3, 6))


@pytest.mark.parametrize("isolation", [["-I", "-S"], ["-I"], []])
def test_an_installed_detente_runs_by_its_path_and_finds_what_lies_beside_it(
    tmp_path: Path, isolation: list[str]
) -> None:
    site = tmp_path / "lib/python3.99/site-packages"
    site.mkdir(parents=True)
    (site / "detente").symlink_to(TOP / "src/detente")
    (site / "packaging").mkdir()
    (tmp_path / "bin").mkdir()
    engine = tmp_path / "bin/uv"
    engine.write_text("#!/bin/sh\n")
    engine.chmod(0o755)
    main = site / "detente/__main__.py"
    plain = subprocess.run([sys.executable, *isolation, main, "--version"], capture_output=True, text=True)
    assert plain.stdout.startswith("detente "), plain.stderr
    look = (
        f"import runpy, sys; sys.argv = ['x', '--version']\ntry: runpy.run_path({str(main)!r}, run_name='__main__')\n"
    )
    look += "except SystemExit: pass\nfrom detente.host import runtime\nprint(sys.path[0], runtime.uv_path())"
    told = subprocess.run(
        [sys.executable, *isolation, "-c", look], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}
    )
    assert told.stdout.split()[2:] == [str(site), str(engine)], told.stderr


def wait_for(condition, seconds: float = 30) -> None:
    """Wait until `condition` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
