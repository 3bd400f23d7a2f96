"""Foreign build code that tries everything: it reaches nothing outside, in each way of confining it."""

import os
import secrets
import shutil
import signal
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from detente.errors import Refused
from detente.host import confine
from support.hostile_builds import make_compiled, running, soon, text_of
from support.index import Index
from support.machine import Machine
from support.probes import PROBES, Targets, answers_in
from support.unprivileged import USER, Unprivileged, possible
from support.wheels import make_sdist, make_wheel

pytestmark = pytest.mark.faults


def way_or_skip(way: str) -> str:
    try:
        return confine.chosen(way)
    except Refused:
        pytest.skip(f"{way} does not work on this machine")


@pytest.fixture(params=["as we are", "as a person"])
def anyone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Machine, Path]]:
    """A machine and the directory that its index serves, both as this user and (as root) as somebody else."""
    wares = tmp_path / "wares"
    make_wheel(wares, "dep", "1.0")
    with Index(wares) as index:
        if request.param == "as we are":
            yield Machine(tmp_path / "home", index), wares
        elif possible():
            yield Unprivileged(tmp_path / "person", index), wares
        else:
            pytest.skip("only root can be somebody else")


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[tuple[Machine, Path]]:
    """A machine of this user's, and the directory that its index serves."""
    make_wheel(tmp_path / "wares", "dep", "1.0")
    with Index(tmp_path / "wares") as index:
        yield Machine(tmp_path / "home", index), tmp_path / "wares"


@pytest.mark.parametrize("way", confine.WAYS)
def test_a_build_reaches_nothing_outside(anyone: tuple[Machine, Path], way: str) -> None:
    machine, wares = anyone
    way_or_skip(way)
    user = USER if isinstance(machine, Unprivileged) else None
    with Targets(wares.parent, machine.home, user) as targets:
        targets.make_sdist(wares)
        done = machine.ok("install", "hostile", **targets.environ, DETENTE_BUILD_CONFINEMENT=way)
        reached = targets.reached(answers_in(machine.data / "store"))
    assert reached == []
    assert "building hostile 1.0 from source, confined by" in done.err
    assert machine.call("hostile", "--version").status == 0


def test_the_probes_find_what_is_not_confined(ours: tuple[Machine, Path]) -> None:
    machine, wares = ours
    with Targets(wares.parent, machine.home) as targets:
        targets.make_sdist(wares)
        done = machine.ok("install", "hostile", **targets.environ, DETENTE_BUILD_CONFINEMENT="none")
        reached = targets.reached(answers_in(machine.data / "store"))
    assert "NOT confined" in done.err
    expected = [name for name in PROBES if name != "write /usr" or os.access("/usr/local", os.W_OK)]
    assert [name for name in expected if name != "read memory"] == [name for name in reached if name != "read memory"]


@pytest.mark.parametrize("way", confine.WAYS)
def test_a_directory_of_the_persons_own_is_confined_too(ours: tuple[Machine, Path], way: str) -> None:
    machine, wares = ours
    way_or_skip(way)
    with Targets(wares.parent, machine.home) as targets:
        project = targets.make_project(wares.parent / "hostile")
        machine.ok("install", str(project), **targets.environ, DETENTE_BUILD_CONFINEMENT=way)
        reached = targets.reached(answers_in(machine.data / "store"))
    assert reached == []


@pytest.mark.parametrize("way", confine.WAYS)
def test_a_build_that_wants_the_network_is_told_what_keeps_it_away(ours: tuple[Machine, Path], way: str) -> None:
    machine, wares = ours
    way_or_skip(way)
    text = text_of("import urllib.request\n    urllib.request.urlopen('http://127.0.0.1:9/', timeout=5)")
    make_sdist(wares, "online", "1.0", backend_text=text)
    answer = machine.refused(1, "install", "online", DETENTE_BUILD_CONFINEMENT=way)
    assert "online" in answer.err
    make_sdist(wares, "resolving", "1.0", backend_text=text.replace("127.0.0.1:9", "no-such-host.invalid"))
    answer = machine.refused(1, "install", "resolving", DETENTE_BUILD_CONFINEMENT=way)
    assert "it wants the network, which builds do not have" in answer.err
    assert "--build-network" in answer.err


@pytest.mark.parametrize("way", confine.WAYS)
def test_with_leave_a_build_has_the_network_and_nothing_else(ours: tuple[Machine, Path], way: str) -> None:
    machine, wares = ours
    way_or_skip(way)
    with Targets(wares.parent, machine.home) as targets:
        targets.make_sdist(wares)
        said = {"DETENTE_BUILD_CONFINEMENT": way, "DETENTE_BUILD_NETWORK": "yes"}
        done = machine.ok("install", "hostile", **targets.environ, **said)
        reached = targets.reached(answers_in(machine.data / "store"))
    assert reached == ["TCP", "UDP"]
    assert "with network" in done.err


@pytest.mark.parametrize("way", confine.WAYS)
def test_a_c_extension_is_built_and_imported(anyone: tuple[Machine, Path], way: str) -> None:
    machine, wares = anyone
    way_or_skip(way)
    if shutil.which("cc") is None or not Path(sysconfig.get_path("include"), "Python.h").exists():
        pytest.skip("needs a C compiler and the headers of Python: sudo apt install build-essential python3-dev")
    make_compiled(wares)
    machine.ok("install", "quick", DETENTE_BUILD_CONFINEMENT=way)
    assert machine.call("quick").out == "42\n"


@pytest.mark.parametrize("way", confine.WAYS)
def test_a_well_known_backend_builds(ours: tuple[Machine, Path], way: str) -> None:
    machine, wares = ours
    way_or_skip(way)
    served = sorted(Path(os.environ.get("DETENTE_TEST_WHEELS", "/nowhere")).glob("flit_core-*.whl"))
    if not served:
        pytest.skip("needs a wheel of flit_core in DETENTE_TEST_WHEELS: run the tests through ./check")
    shutil.copy(served[-1], wares)
    project = wares.parent / "flitted"
    (project / "flitted").mkdir(parents=True)
    (project / "flitted/__init__.py").write_text("def main():\n    print('built by flit')\n")
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
        '[project]\nname = "flitted"\nversion = "1.0"\ndescription = "Demo"\n'
        '[project.scripts]\nflitted = "flitted:main"\n'
    )
    machine.ok("install", str(project), DETENTE_BUILD_CONFINEMENT=way)
    assert machine.call("flitted").out == "built by flit\n"
    shutil.rmtree(machine.data / "store")
    machine.ok("install", "-e", str(project), DETENTE_BUILD_CONFINEMENT=way)
    (project / "flitted/__init__.py").write_text("def main():\n    print('edited')\n")
    assert machine.call("flitted").out == "edited\n"


@pytest.mark.parametrize("way", confine.WAYS)
def test_killing_detente_ends_the_build(ours: tuple[Machine, Path], way: str) -> None:
    machine, wares = ours
    way_or_skip(way)
    mark = f"9{secrets.randbelow(10**9):09}.5"
    make_sdist(
        wares,
        "slow",
        "1.0",
        backend_text=text_of(
            f"os.spawnlp(os.P_NOWAIT, 'sleep', 'sleep', '{mark}')\n    os.execlp('sleep', 'sleep', '{mark}')"
        ),
    )
    child = machine.start("install", "slow", DETENTE_BUILD_CONFINEMENT=way)
    try:
        assert soon(lambda: len(running(mark)) == 2, 60)
        os.kill(child.pid, signal.SIGKILL)
        assert soon(lambda: not running(mark), 5)
    finally:
        child.kill()
        child.communicate()
