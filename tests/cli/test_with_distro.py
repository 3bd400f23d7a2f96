"""`--with-distro`: an application imports the modules it was given of the distro's Python, and no other of them."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from detente.host.escalate import as_root, seat
from support import debian_root, tampering
from support.debian_root import DebianRoot
from support.index import Index
from support.machine import Machine, engine
from support.wheels import make_wheel

MINOR = debian_root.minor()
TAG = MINOR.replace(".", "")
pytestmark = pytest.mark.skipif(not MINOR, reason="needs the distro's own Python: sudo apt install python3")

GI = {
    "gi/__init__.py": "VERSION = 'one'\n",
    "gi/repository/__init__.py": "import gi\n",
    "pygtkcompat.py": "import gi\n",
    "PyGObject-3.42.2.egg-info/PKG-INFO": "Metadata-Version: 2.1\nName: PyGObject\nVersion: 3.42.2\n",
}
CAIRO = {f"gi/_gi_cairo.cpython-{TAG}-x86_64-linux-gnu.so": "", "gi/cairo_part.py": "VERSION = 'cairo'\n"}
YAML = {"yaml/__init__.py": "VERSION = 'distro'\n", "six.py": "VERSION = 'distro'\n"}
DBUS = {"dbus/__init__.py": "import yaml\n", "_dbus.py": "\n"}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with an application whose command imports what it is told, and one that brings a `gi` of its own."""
    folder = tmp_path_factory.mktemp("probe")
    code = (
        "import importlib, importlib.metadata, sys\n"
        "def main():\n"
        "    for word in sys.argv[1:]:\n"
        "        try:\n"
        "            is_version, name = word[0] == '=', word.lstrip('=')\n"
        "            found = importlib.metadata.version(name) if is_version else importlib.import_module(name)\n"
        "            print(word, getattr(found, 'VERSION', getattr(found, '__file__', found)))\n"
        "        except ImportError as err:\n"
        "            print(word, 'missing')\n"
    )
    make_wheel(folder, "probe", "1.0", commands={"probe": "probe_it:main"}, files={"probe_it.py": code})
    make_wheel(folder, "probe", "2.0", commands={"probe": "probe_it:main"}, files={"probe_it.py": code})
    make_wheel(folder, "PyGObject", "9.0", files={"gi/__init__.py": "VERSION = 'index'\n"})
    make_wheel(folder, "own-gi", "1.0", files={"gi/__init__.py": "VERSION = 'index'\n"})
    make_wheel(folder, "greedy", "1.0", commands=["greedy"], data={"distro/x": "x"})
    with Index(folder) as made:
        yield made


@pytest.fixture
def debian(tmp_path: Path) -> DebianRoot:
    """A Debian with a few Python system packages."""
    root = DebianRoot(tmp_path / "debian", MINOR)
    root.install("python3-gi", GI, version="3.42.2-3+b1", depends="libc6, python3:any")
    root.install("python3-yaml", YAML, version="6.0-3")
    root.install("python3-dbus", DBUS, depends="libc6 (>= 2.34), python3-nosuch | python3-yaml (>= 5)")
    return root


@pytest.fixture
def here(tmp_path: Path, index: Index, debian: DebianRoot) -> Machine:
    """A machine on that Debian."""
    machine = Machine(tmp_path / "home", index)
    machine.environ["DETENTE_DISTRO"] = str(debian.path)
    return machine


def said(machine: Machine, *words: str) -> dict[str, str]:
    """Return what the application says of the modules `words`."""
    answer = machine.call("probe", *words)
    assert answer.status == 0, answer.err
    return dict(line.split(" ", 1) for line in answer.out.splitlines())


def environment(machine: Machine) -> Path:
    """Return the environment that the application runs in."""
    return Path(machine.json("show", "probe")["environment"])


def snapshot(debian: DebianRoot) -> dict[str, tuple[int, int]]:
    """Return what stat(2) says of everything there."""
    found = [debian.path, *debian.path.rglob("*")]
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in found}


def damage(machine: Machine) -> list[str]:
    """Return what verify finds, as sentences; insist that its status says so."""
    answer = machine.run("verify", "--json")
    findings = json.loads(answer.out)["data"]["findings"]
    assert answer.status == (1 if findings else 0), answer.err
    return [f"{item['path']} {item['what']}" for item in findings]


# what is there


def test_what_was_asked_for_is_imported_and_nothing_else(here: Machine) -> None:
    here.ok("install", "probe", "--with-distro", "gi")
    assert said(here, "gi", "pygtkcompat", "yaml", "six") == {
        "gi": "one",
        "pygtkcompat": str(environment(here) / "distro/pygtkcompat.py"),
        "yaml": "missing",
        "six": "missing",
    }


def test_what_a_system_package_depends_on_comes_with_it(here: Machine) -> None:
    here.ok("install", "probe", "--with-distro", "dbus")
    assert said(here, "dbus", "_dbus", "yaml", "six")["yaml"] == "distro"
    assert said(here, "gi") == {"gi": "missing"}


@pytest.mark.parametrize(
    "words", [("--with-distro", "gi,dbus"), ("--with-distro", "python3-dbus", "--with-distro", "gi.repository, ")]
)
def test_names_may_be_modules_or_system_packages_and_several(here: Machine, words: tuple[str, ...]) -> None:
    here.ok("install", "probe", *words)
    assert "missing" not in said(here, "gi", "dbus").values()


def test_the_same_modules_are_the_same_environment_whatever_they_are_called(here: Machine) -> None:
    here.ok("install", "probe")
    without = environment(here)
    here.ok("install", "probe", "--with-distro", "gi")
    by_module = environment(here)
    here.ok("remove", "probe")
    here.ok("install", "probe", "--with-distro", "python3-gi")
    assert environment(here) == by_module != without
    assert not (without / "distro").exists()
    assert "distro" not in json.loads((without / "environment.json").read_text())


def test_the_variable_asks_for_them_as_well(here: Machine) -> None:
    here.ok("install", "probe", DETENTE_WITH_DISTRO="gi yaml")
    assert said(here, "gi", "yaml") == {"gi": "one", "yaml": "distro"}


def test_a_run_without_installing_has_them_too(here: Machine) -> None:
    assert "gi one" in here.ok("run", "--with-distro", "gi", "probe", "gi").out
    here.ok("install", "probe")
    assert "gi missing" in here.ok("run", "probe", "gi").out
    assert "gi one" in here.ok("run", "--with-distro", "gi", "probe", "gi").out


def test_their_metadata_is_seen(here: Machine) -> None:
    here.ok("install", "probe", "--with-distro", "gi")
    assert said(here, "=PyGObject", "=dep") == {"=PyGObject": "3.42.2", "=dep": "missing"}


def test_what_the_index_brought_comes_first(here: Machine) -> None:
    here.ok("install", "probe", "--with-distro", "gi", "--with", "own-gi")
    assert said(here, "gi")["gi"] == "index"


def test_they_are_remembered_and_added_to(here: Machine) -> None:
    here.ok("install", "probe==1.0", "--with-distro", "gi")
    here.ok("install", "probe", "--with", "own-gi")
    assert "changed probe 1.0: with the distro's gi, yaml" in here.ok("install", "probe", "--with-distro", "yaml").out
    here.ok("install", "probe>=2")
    assert said(here, "pygtkcompat", "yaml", "=probe") == {
        "pygtkcompat": str(environment(here) / "distro/pygtkcompat.py"),
        "yaml": "distro",
        "=probe": "2.0",
    }
    assert "probe>=2 --with own-gi --with-distro gi,yaml" in here.ok("list").out
    assert here.json("list")[0]["with_distro"] == ["gi", "yaml"]
    here.ok("remove", "probe")
    here.ok("install", "probe")
    assert said(here, "gi") == {"gi": "missing"}


def test_the_links_lie_beside_site_packages_and_the_record_says_whose_they_are(
    here: Machine, debian: DebianRoot
) -> None:
    here.ok("install", "probe", "--with-distro", "gi")
    place = environment(here)
    tree = debian.tree
    assert {item.name: item.readlink() for item in (place / "distro").iterdir() if item.is_symlink()} == {
        name: tree / name for name in ("gi", "pygtkcompat.py", "PyGObject-3.42.2.egg-info")
    }
    (site,) = (place / "lib").glob("*/site-packages")
    assert not [item for item in site.iterdir() if item.is_symlink() and item.readlink().is_relative_to(debian.path)]
    record = json.loads((place / "environment.json").read_text())["distro"]
    assert record["packages"] == {"python3-gi": "3.42.2-3+b1"}
    assert record["links"]["gi"] == str(tree / "gi")


def test_a_directory_that_others_share_shows_only_their_part(here: Machine, debian: DebianRoot) -> None:
    debian.install("python3-gi-cairo", CAIRO, depends="python3-gi")
    here.ok("install", "probe", "--with-distro", "gi")
    assert said(here, "gi.repository", "gi.cairo_part")["gi.cairo_part"] == "missing"
    here.ok("install", "probe", "--with-distro", "python3-gi-cairo")
    assert said(here, "gi", "gi.cairo_part") == {"gi": "one", "gi.cairo_part": "cairo"}
    assert (environment(here) / "distro/gi").is_symlink()


def test_what_somebody_put_into_the_distros_tree_is_not_taken_for_the_distros(
    here: Machine, debian: DebianRoot
) -> None:
    debian.write(f"{debian_root.TREE}/gi/planted.py", "")
    debian.write(f"{debian_root.TREE}/other.py", "")
    debian.write(f"{debian_root.TREE}/start.pth", "import other\n")
    here.ok("install", "probe", "--with-distro", "gi")
    assert said(here, "gi", "gi.planted", "other") == {"gi": "one", "gi.planted": "missing", "other": "missing"}


def test_the_plan_names_the_system_packages(here: Machine) -> None:
    here.ok("install", "probe")
    assert "with gi, dbus of python3-gi, python3-dbus, python3-yaml" in (
        here.ok("install", "probe", "--with-distro", "gi,dbus", "-n").out
    )
    plan = here.json("install", "probe", "--with-distro", "gi", "-n")
    (link,) = [step for step in plan["steps"] if step["step"] == "link"]
    assert link["environment"]["distro"]["packages"] == {"python3-gi": "3.42.2-3+b1"}


def test_nothing_is_written_where_the_distro_keeps_them(here: Machine, debian: DebianRoot) -> None:
    debian.install("python3-gi-cairo", CAIRO, depends="python3-gi")
    before = snapshot(debian)
    here.ok("install", "probe", "--with-distro", "gi,dbus")
    said(here, "gi", "gi.repository", "dbus", "six", "pygtkcompat")
    here.ok("verify")
    here.ok("remove", "probe")
    here.ok("collect", "--keep", "1")
    assert snapshot(debian) == before


def test_another_installer_does_not_reach_the_distros_files(here: Machine, debian: DebianRoot, index: Index) -> None:
    """It may fail: what an ordinary person may not write, root may."""
    before = snapshot(debian)
    here.ok("install", "probe", "--with-distro", "gi")
    python = str(environment(here) / "bin/python")
    for words in (
        ("install", "--index-url", index.url, "--reinstall", "own-gi", "PyGObject"),
        ("uninstall", "PyGObject"),
    ):
        subprocess.run(
            [engine(), "pip", *words[:1], "--python", python, *words[1:]], env=here.environ, capture_output=True
        )
    assert snapshot(debian) == before
    assert (environment(here) / "distro/gi").readlink() == debian.tree / "gi"


def test_the_distros_bytecode_is_used(here: Machine, debian: DebianRoot) -> None:
    debian.install("python3-gi-cairo", CAIRO, depends="python3-gi")
    here.ok("install", "probe", "--with-distro", "gi,six")
    assert said(here, "gi", "six") == {"gi": "one", "six": "distro"}
    place = environment(here)
    kept = {str(path.relative_to(place)): path.is_symlink() for path in (place / "distro").rglob("*.pyc")}
    assert kept
    assert all(kept.values()), kept  # root could write beside the links: there was no need
    assert damage(here) == []


# what changes


def test_an_upgrade_is_there_at_once_behind_the_same_links(here: Machine, debian: DebianRoot) -> None:
    here.ok("install", "probe==1.0", "--with-distro", "gi")
    debian.install("python3-gi", {**GI, "gi/__init__.py": "VERSION = 'two'\n"}, version="3.42.2-4")
    assert said(here, "gi") == {"gi": "two"}
    assert damage(here) == []
    assert "is installed already" in here.ok("install", "probe==1.0").out
    assert here.json("show", "probe")["with_distro"]["packages"] == {"python3-gi": "3.42.2-4"}


def renamed(debian: DebianRoot) -> None:
    """Upgrade python3-gi to a version with another file and another name of its metadata."""
    files = {name.replace("3.42.2", "3.44.0"): text for name, text in GI.items()}
    debian.install("python3-gi", {**files, "gi_new.py": "VERSION = 'new'\n"}, version="3.44.0-1")


def test_an_upgrade_with_other_files_is_found_and_relinked(here: Machine, debian: DebianRoot) -> None:
    here.ok("install", "probe==1.0", "--with-distro", "gi")
    place = environment(here)
    renamed(debian)
    assert damage(here) == ["distro was made for python3-gi 3.42.2-3+b1, and 3.44.0-1 has other files"]
    here.ok("verify", "--repair")
    assert damage(here) == []
    assert said(here, "gi_new", "gi")["gi_new"] == "new"
    assert environment(here) == place
    assert not (here.home / ".local/state/detente/quarantine").exists()


@pytest.mark.parametrize("requirement", ["probe", "probe==1.0"])
def test_the_same_request_relinks_as_well(here: Machine, debian: DebianRoot, requirement: str) -> None:
    here.ok("install", requirement, "--with-distro", "gi")
    renamed(debian)
    here.ok("install", requirement)
    assert said(here, "gi_new", "gi") == {"gi_new": "new", "gi": "one"}
    assert damage(here) == []


def test_a_file_that_went_from_a_shared_directory_is_found(here: Machine, debian: DebianRoot) -> None:
    debian.install("python3-gi-cairo", CAIRO, depends="python3-gi")
    here.ok("install", "probe==1.0", "--with-distro", "gi")
    debian.install("python3-gi", {name: text for name, text in GI.items() if "repository" not in name}, version="4")
    assert len(damage(here)) == 1
    here.ok("install", "probe==1.0")
    assert damage(here) == []


def test_a_neighbour_that_comes_or_goes_is_no_damage(here: Machine, debian: DebianRoot) -> None:
    here.ok("install", "probe", "--with-distro", "gi")
    debian.install("python3-gi-cairo", CAIRO, depends="python3-gi")
    assert damage(here) == []
    here.ok("install", "probe", "--with-distro", "yaml")
    debian.remove("python3-gi-cairo")
    assert damage(here) == []
    assert said(here, "gi") == {"gi": "one"}


def test_a_new_dependency_is_found_and_the_same_request_adds_it(here: Machine, debian: DebianRoot) -> None:
    here.ok("install", "probe==1.0", "--with-distro", "gi")
    debian.install("python3-gi", GI, version="3.42.2-4", depends="python3-yaml")
    assert damage(here) == ["distro needs python3-yaml as well by now: ask for it again"]
    here.ok("install", "probe==1.0")
    assert said(here, "yaml") == {"yaml": "distro"}


def test_an_upgrade_of_python_is_found(here: Machine, debian: DebianRoot) -> None:
    here.ok("install", "probe==1.0", "--with-distro", "gi")
    debian.write("usr/share/python3/debian_defaults", "default-version = python3.99\n")
    assert damage(here) == [f"distro needs to be for Python 3.99 by now, not {MINOR}: ask for it again"]
    assert "are for its own Python 3.99" in here.refused(5, "install", "probe==1.0").err


GONE = f"needs python3-gi, which is not installed any more: {as_root('apt install python3-gi', seat({}))}"


def test_a_system_package_that_went_is_named_with_the_way_back(here: Machine, debian: DebianRoot) -> None:
    here.ok("install", "probe==1.0", "--with-distro", "gi")
    debian.remove("python3-gi")
    assert damage(here) == [f"distro {GONE}"]
    assert "--repair" not in here.run("verify").err  # it would not help
    assert "probe lacks modules that it has from the distro: detente show probe" in here.ok("list").err
    assert f"Problem:      {GONE}\n" in here.ok("show", "probe").out
    assert here.json("show", "probe")["with_distro"]["lacking"] == [GONE]
    answer = here.run("verify", "--repair")
    assert answer.status == 1
    assert f"the environment {environment(here).name} {GONE}" in answer.err
    refused = here.refused(5, "install", "probe==1.0")
    assert "gi is in python3-gi, which is not installed" in refused.err or "no Python module gi" in refused.err
    debian.install("python3-gi", GI)
    assert damage(here) == []
    assert said(here, "gi") == {"gi": "one"}


def test_without_the_distros_records_a_link_that_leads_nowhere_is_found(here: Machine, debian: DebianRoot) -> None:
    here.ok("install", "probe", "--with-distro", "gi")
    (debian.tree / "pygtkcompat.py").unlink()
    (debian.path / "var/lib/dpkg/status").write_text("nonsense")
    assert damage(here) == [f"distro leads to {debian.tree / 'pygtkcompat.py'}, which is gone"]


def test_damage_beside_it_is_repaired_while_a_system_package_is_gone(here: Machine, debian: DebianRoot) -> None:
    here.ok("install", "probe", "--with-distro", "gi")
    debian.remove("python3-gi")
    tool = environment(here) / "bin/probe"
    tampering.edit(tool, b"#!/bin/sh\n")
    here.run("verify", "--repair")
    assert damage(here) == [f"distro {GONE}"]


# what cannot be


def test_a_module_that_is_nowhere_is_not_found(here: Machine) -> None:
    answer = here.refused(3, "install", "probe", "--with-distro", "gi,nosuch")
    assert "Debian 12 has no Python module nosuch" in answer.err


def test_what_is_not_installed_is_named_with_the_command_that_installs_it(here: Machine, debian: DebianRoot) -> None:
    debian.remove("python3-gi")
    debian.remove("python3-dbus")
    answer = here.refused(5, "install", "probe", "--with-distro", "gi", "--with-distro", "dbus")
    assert "gi is in python3-gi, which is not installed; dbus is in python3-dbus, which is not installed" in answer.err
    assert f"hint: {as_root('apt install python3-gi python3-dbus', seat({}))}\n" in answer.err


def test_a_module_of_python_itself_is_no_system_packages(here: Machine) -> None:
    assert "`json` is a module of Python itself" in here.refused(2, "install", "probe", "--with-distro", "json").err
    answer = here.refused(2, "install", "probe", "--with-distro", "tkinter")
    assert f"where it is missing: {as_root('apt install python3-tk', seat({}))}\n" in answer.err


@pytest.mark.parametrize("text", ["gi dbus", "../gi", "-x", "gi;yaml", "g\u00ef", "gi.", "gi..x"])
def test_what_cannot_be_a_name_is_refused(here: Machine, text: str) -> None:
    answer = here.refused(2, "install", "probe", f"--with-distro={text}")
    assert "is the name of neither a module nor a system package" in answer.err


def test_another_python_than_the_distros_is_refused(here: Machine, debian: DebianRoot) -> None:
    debian.write("usr/share/python3/debian_defaults", "default-version = python3.99\n")
    answer = here.refused(5, "install", "probe", "--with-distro", "gi")
    assert "are for its own Python 3.99, not for /usr/bin/python3" in answer.err
    assert "--python /usr/bin/python3; or leave out --with-distro" in answer.err


def test_without_a_known_distro_it_is_refused(here: Machine) -> None:
    here.refused(5, "install", "probe", "--with-distro", "gi", DETENTE_DISTRO="none")


def test_what_is_half_installed_or_lacks_its_files_is_refused(here: Machine, debian: DebianRoot) -> None:
    debian.install("python3-gi", GI, state="half-configured")
    answer = here.refused(5, "install", "probe", "--with-distro", "gi")
    assert "python3-gi is half-configured" in answer.err
    assert f"hint: {as_root('dpkg --configure -a', seat({}))}\n" in answer.err
    debian.install("python3-gi", GI)
    shutil.rmtree(debian.tree / "gi")
    answer = here.refused(5, "install", "probe", "--with-distro", "gi")
    assert f"hint: {as_root('apt install --reinstall python3-gi', seat({}))}\n" in answer.err


def test_a_wheel_cannot_put_its_own_files_among_the_links(here: Machine) -> None:
    here.ok("install", "greedy")
    answer = here.refused(5, "install", "greedy", "--with-distro", "gi")
    assert "two distributions own distro: greedy and the environment itself" in answer.err
