"""why: the candidates side by side, what is chosen, who owns it, what it hides."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.apt_root import APT, NO_APT, AptRoot
from support.index import Fault, Index
from support.machine import Machine, kill_group
from support.peers import Person
from support.wheels import make_sdist, make_wheel

pytestmark = pytest.mark.skipif(APT is None, reason=NO_APT)
_HTTP = ["http", "httpie", "https"]


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with what the tests' Debian has too, in other versions."""
    folder = tmp_path_factory.mktemp("stock")
    for version in ("3.2.1", "3.2.4"):
        make_wheel(folder, "httpie", version, commands=_HTTP)
    make_wheel(folder, "requests", "2.34.0")
    make_wheel(folder, "pyyaml", "6.0.3")
    make_wheel(folder, "black", "26.1.0", commands=["black"])
    make_wheel(folder, "notindebian", "1.0", commands=["notindebian"])
    make_wheel(folder, "calibre", "9.9", commands=["calibre"])
    make_wheel(folder, "certbot", "4.0", commands=["certbot"])
    make_sdist(folder, "reportbug", "0.0.129")
    with Index(folder) as index:
        now = time.time()
        for name, years in (("httpie-3.2.4-py3-none-any.whl", 2.1), ("httpie-3.2.1-py3-none-any.whl", 4.5)):
            moment = time.gmtime(now - years * 365.2425 * 86400)
            index.uploaded[name] = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", moment)
        yield index


@pytest.fixture
def root(tmp_path: Path) -> AptRoot:
    """A Debian 12 whose lists have a few packages, none of them installed."""
    root = AptRoot(tmp_path / "root")
    for package, version in (
        ("httpie", "3.2.1-1"),
        ("black", "23.1.0-1"),
        ("python3-requests", "2.28.1+dfsg-1"),
        ("python3-yaml", "6.0-3+b2"),
        ("reportbug", "12.0.0"),
        ("python3-gi", "3.42.2-3+b1"),
    ):
        root.offered(package, version)
    return root


@pytest.fixture
def machine(tmp_path: Path, stock: Index, root: AptRoot) -> Machine:
    machine = Machine(tmp_path / "home", stock)
    machine.environ["DETENTE_DISTRO"] = str(root.path)
    return machine


def test_candidates_stand_side_by_side_with_their_ages_origins_and_support(machine: Machine) -> None:
    answer = machine.json("why", "httpie")
    index, debian = answer["candidates"]
    assert (index["from"], index["version"], index["age"], index["security"]) == (
        "index",
        "3.2.4",
        "2 years",
        "by new releases only",
    )
    assert index["download"] > 0, "the index says how large the wheel is"
    assert (debian["title"], debian["package"], debian["version"]) == ("Debian 12", "httpie", "3.2.1-1")
    assert (debian["upstream"], debian["age"], debian["archive"]) == ("3.2.1", "4 years", "bookworm/main")
    assert debian["security"] == "by Debian, while supported"
    assert (debian["download"], debian["size"]) == (100556, 400 * 1024)
    assert answer["offer"]["identity"] == "same"
    assert (answer["chosen"]["way"], answer["chosen"]["rule"]) == ("index", "default")
    assert "detente install httpie --from distro" in answer["chosen"]["alternative"]


def test_the_text_is_short_and_fits_a_terminal(machine: Machine) -> None:
    lines = machine.ok("why", "httpie").out.splitlines()
    assert lines[0] == "httpie is not installed; it has the commands http, httpie, https"
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 80
    assert any("index is the default" in line for line in lines)


@pytest.mark.parametrize("word", ["HTTPie", "http", "https"])
def test_a_distribution_is_found_by_any_spelling_and_by_its_commands(machine: Machine, word: str) -> None:
    assert machine.json("why", word)["name"] == "httpie"


def test_what_is_preferred_is_what_would_be_chosen(machine: Machine) -> None:
    chosen = machine.json("why", "httpie", DETENTE_PREFER="distro")["chosen"]
    assert (chosen["way"], chosen["rule"], chosen["package"]) == ("distro", "preference", "httpie")
    config = machine.home / ".config/detente/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('prefer = "distro"\n[from]\nHTTPie = "index"\n')
    assert machine.json("why", "httpie")["chosen"]["rule"] == "override"


def test_why_agrees_with_what_install_does(machine: Machine) -> None:
    for prefer in ("index", "distro"):
        chosen = machine.json("why", "black", DETENTE_PREFER=prefer)["chosen"]["way"]
        plan = machine.run("install", "black", "-n", DETENTE_PREFER=prefer)
        assert ("black 23.1.0" in plan.out or "apt" in plan.out) == (chosen == "distro"), plan.out + plan.err


def test_a_security_update_and_a_backport_say_where_they_come_from(machine: Machine, root: AptRoot) -> None:
    root.offered("black", "23.1.0-1+deb12u1", suite="bookworm-security", label="Debian-Security")
    root.offered("black", "25.1.0-1~bpo12+1", suite="bookworm-backports", vendor="Debian Backports")
    root.offered("black", "99-1", suite="stuff", vendor="Example")
    found = {side["version"]: side for side in machine.json("why", "black")["candidates"] if side["from"] == "distro"}
    assert found["23.1.0-1+deb12u1"]["title"] == "Debian 12 security"
    assert found["23.1.0-1+deb12u1"]["archive"] == "bookworm-security/main"
    assert found["25.1.0-1~bpo12+1"]["title"] == "bookworm-backports"
    assert found["25.1.0-1~bpo12+1"]["security"] == "as its backporter can"
    assert (found["99-1"]["title"], found["99-1"]["security"]) == ("Example", "not by Debian, but by Example")
    assert "23.1.0-1" not in found, "the security update replaces it"


def test_what_is_not_in_the_table_is_not_in_debian(machine: Machine) -> None:
    answer = machine.ok("why", "notindebian")
    assert "Debian 12 has no Python project notindebian." in answer.out
    assert machine.json("why", "notindebian")["offer"] is None


@pytest.mark.parametrize("word", ["calibre", "supertux"])
def test_a_system_package_that_is_no_distribution_is_named(machine: Machine, root: AptRoot, word: str) -> None:
    root.offered(word, "6.13.0-1")
    answer = machine.json("why", word)
    assert ("index", "9.9") in [(side["from"], side["version"]) for side in answer["candidates"]] or word == "supertux"
    assert ("distro", word, "6.13.0-1") in [
        (side["from"], side["package"], side["version"]) for side in answer["candidates"]
    ]
    text = machine.ok("why", word).out
    assert f"Debian 12 has a system package {word}:\n" in text
    assert f"  détente does not know it as a distribution: sudo apt install {word}\n" in text
    assert ("The index has no supertux." in text) == (word == "supertux")
    assert ("Nothing shows that it is the same project as the index's calibre." in text) == (word == "calibre")
    assert "has no Python project" not in text
    assert max(map(len, text.splitlines())) <= 80
    preferred = machine.ok("why", word, DETENTE_PREFER="distro").out
    assert f"Debian 12 has no {word}" not in preferred
    root.installed(word, "6.13.0-1", [f"/usr/share/{word}/x"])
    text = machine.ok("why", word).out
    assert f"{word} 6.13.0-1 is installed as a system package.\n" in text
    assert "sudo apt" not in text


def test_a_system_package_of_a_library_is_the_library(machine: Machine) -> None:
    answer = machine.json("why", "python3-requests")
    assert (answer["name"], answer["offer"]["package"]) == ("requests", "python3-requests")
    text = machine.ok("why", "python3-requests").out
    assert "requests is not installed; in Debian 12 it is the system package python3-requests" in text


def test_a_module_that_the_distro_keeps_apart_names_its_package(machine: Machine, root: AptRoot, stock: Index) -> None:
    root.offered("python3-tk", "3.11.2-3")
    before = len(stock.seen)
    lines = machine.ok("why", "tkinter").out.splitlines()
    assert lines[0] == "python3-tk is not installed: a system package"
    assert "`import tkinter` in /usr/bin/python3 needs the system package python3-tk" in lines
    assert "  sudo apt install python3-tk" in lines
    assert machine.ok("why", "python3-tk").out.splitlines()[0] == lines[0]
    root.installed("python3-tk", "3.11.2-3", ["/usr/lib/python3.11/tkinter/__init__.py"])
    root.write("/usr/lib/python3.11/json/__init__.py", "")
    for word in ("tkinter", "python3-tk"):
        lines = machine.ok("why", word).out.splitlines()
        assert lines[0] == "python3-tk 3.11.2-3 is installed: a system package that was asked for"
    text = machine.ok("why", "tkinter").out
    assert "/usr/lib/python3.11/tkinter: system package python3-tk 3.11.2-3" in text
    assert "sudo apt" not in text
    assert len(stock.seen) == before


def test_what_apt_does_not_offer_here_is_said(machine: Machine) -> None:
    text = machine.ok("why", "certbot").out
    assert "Debian 12 offers no version of certbot for this machine at the moment." in text


def test_what_the_distro_s_python_imports_already_is_said(machine: Machine, root: AptRoot) -> None:
    root.python("python3-apt", "2.6.0", "python_apt", "2.6.0")
    text = machine.ok("why", "python-apt").out
    assert "`detente install python-apt` would not find it" in text
    assert "python3-apt is there: /usr/bin/python3 imports it" in text
    assert "detente install APPLICATION --with-distro python_apt" in text


def test_a_library_says_what_its_import_takes(machine: Machine, root: AptRoot) -> None:
    root.python("python3-requests", "2.28.1+dfsg-1", "requests", "2.28.1")
    assert "`import requests` in /usr/bin/python3 takes " in machine.ok("why", "requests").out


def test_the_other_way_is_a_sentence_and_its_command(machine: Machine) -> None:
    lines = machine.ok("why", "httpie", DETENTE_PREFER="distro").out.splitlines()
    assert lines[-2:] == ["  The index has 3.2.4:", "    detente install httpie --from index"]
    assert all(line.strip(" :") or not line for line in lines)


def test_without_a_table_what_the_distro_has_is_not_known(machine: Machine, root: AptRoot) -> None:
    root.write("/etc/os-release", 'ID=ubuntu\nNAME="Ubuntu"\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\n')
    answer = machine.ok("why", "notindebian")
    assert "What Ubuntu 24.04 has is not known here." in answer.out
    assert "Ubuntu 24.04 has no" not in answer.out
    answer = machine.ok("why", "httpie")
    assert "Ubuntu 24.04 has a system package httpie:" in answer.out
    assert "which project that is, is not known: sudo apt install httpie" in answer.out


def test_equal_names_are_no_identity(machine: Machine) -> None:
    answer = machine.json("why", "reportbug")
    assert answer["offer"]["identity"] == "other"
    assert next(side for side in answer["candidates"] if side["from"] == "distro")["age"] == "", "no other's age"
    text = machine.ok("why", "reportbug").out
    assert "Debian's reportbug is another project than the index's reportbug." in text
    assert "For Debian 12's: sudo apt install reportbug" in text
    assert "--from distro" not in text, "that would be refused"


def test_an_application_of_ours_stands_beside_the_distros(machine: Machine, root: AptRoot) -> None:
    machine.ok("install", "httpie==3.2.1")
    answer = machine.json("why", "http")
    assert answer["application"]["requirement"] == "httpie==3.2.1"
    assert [side["version"] for side in answer["candidates"]] == ["3.2.4", "3.2.1", "3.2.1-1"]
    assert [side["state"] for side in answer["candidates"]] == ["candidate", "installed", "candidate"]
    assert answer["commands"]["http"][0]["kind"] == "application"
    assert answer["chosen"]["rule"] == "ours"
    text = machine.ok("why", "httpie").out
    assert "asked for as httpie==3.2.1 in generation 1" in text


def test_what_came_from_a_path_asks_no_index(machine: Machine, stock: Index, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "mine", "1.0", commands=["mine"])
    machine.ok("install", str(wheel))
    before = len(stock.seen)
    answer = machine.ok("why", "mine")
    assert f"The index was not asked: it came from {wheel}." in answer.out
    assert len(stock.seen) == before
    assert "`detente install mine` stays with yours" in answer.out
    (side,) = machine.json("why", "mine")["candidates"]
    assert (side["from"], side["security"]) == ("given", "none")


def test_an_application_is_compared_with_the_index_that_it_came_from(machine: Machine, tmp_path: Path) -> None:
    for version in ("1.0", "2.0"):
        make_wheel(tmp_path / "wares", "private", version, commands=["private"])
    with Index(tmp_path / "wares") as other:
        machine.ok("install", "private==1.0", "--index-url", other.url)
        assert machine.json("why", "private")["index"]["version"] == "2.0"


def test_a_command_names_every_file_of_its_name_in_the_order_of_path(machine: Machine, tmp_path: Path) -> None:
    machine.ok("install", "httpie")
    for folder in ("first", "last"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "http").write_text("#!/bin/sh\n")
        (tmp_path / folder / "http").chmod(0o755)
    (tmp_path / "again").symlink_to("first")
    (tmp_path / "last/https").write_text("no program\n")
    path = f"{tmp_path}/first:{tmp_path}/again:{machine.bin}:{tmp_path}/last:/usr/bin"
    found = machine.json("why", "http", PATH=path)["commands"]["http"]
    assert [item["path"] for item in found] == [
        f"{tmp_path}/first/http",
        f"{machine.bin}/http",
        f"{tmp_path}/last/http",
    ]
    assert [item["kind"] for item in found] == ["", "application", ""]
    lines = machine.ok("why", "http", PATH=path).out.splitlines()
    assert f"`http` runs {tmp_path}/first/http: whose is not known" in lines
    assert "  hidden behind it: ~/.local/bin/http: your application httpie 3.2.4" in lines


def test_a_command_that_path_does_not_reach_says_so(machine: Machine) -> None:
    machine.ok("install", "httpie")
    answer = machine.ok("why", "httpie", PATH="/usr/bin:/bin")
    assert "`http`, `httpie`, `https` are not reached: ~/.local/bin is not on PATH" in answer.out.splitlines()
    assert "not reached" not in machine.ok("why", "httpie").out


def test_a_system_package_says_who_asked_for_it(machine: Machine, root: AptRoot) -> None:
    root.python("python3-yaml", "6.0-3+b2", "PyYAML", "6.0", manual=False)
    root.python("httpie", "3.2.1-1", "httpie", "3.2.1", commands=("http",), state="hold ok installed")
    answer = machine.json("why", "pyyaml")
    assert answer["system_package"]["manual"] is False
    assert [side["state"] for side in answer["candidates"]] == ["candidate", "installed"]
    assert "python3-yaml 6.0-3+b2 is installed: a system package that came along" in machine.ok("why", "PyYAML").out
    text = machine.ok("why", "httpie").out
    assert "a system package that was asked for, held" in text
    assert "`detente install httpie` does nothing" in text
    assert "detente install httpie --from index" in text


def test_a_module_names_the_package_that_brings_it(machine: Machine, root: AptRoot) -> None:
    answer = machine.json("why", "gi")
    assert answer["module"]["packages"][0] == "python3-gi"
    assert (answer["name"], answer["offer"]["package"]) == ("pygobject", "python3-gi")
    assert "in Debian 12 it is the system package python3-gi" in machine.ok("why", "gi").out


def test_a_module_that_hides_the_distros_is_found(machine: Machine, root: AptRoot) -> None:
    root.python("python3-yaml", "6.0-3+b2", "PyYAML", "6.0")
    (root.path / "usr/lib/python3/dist-packages/pyyaml").rename(root.path / "usr/lib/python3/dist-packages/yaml")
    listing = root.path / "var/lib/dpkg/info/python3-yaml.list"
    listing.write_text(listing.read_text().replace("/pyyaml", "/yaml"))
    mine = machine.home / ".local/lib/python3.11/site-packages"
    (mine / "yaml").mkdir(parents=True)
    (mine / "yaml/__init__.py").write_text("")
    (mine / "PyYAML-5.0.dist-info").mkdir()
    (mine / "PyYAML-5.0.dist-info/RECORD").write_text("yaml/__init__.py,,\n")
    answer = machine.json("why", "yaml")
    assert [(item["kind"], item["owner"]) for item in answer["module"]["files"]] == [
        ("pip --user", "PyYAML"),
        ("system package", "python3-yaml"),
    ]
    lines = machine.ok("why", "yaml").out.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("`import yaml`"))
    assert "~/.local/lib" in lines[first]
    assert "hidden behind it" in lines[first + 1]


def test_a_module_of_python_itself_asks_no_index(machine: Machine, root: AptRoot, stock: Index) -> None:
    root.write("/usr/lib/python3.11/json/__init__.py", "")
    before = len(stock.seen)
    assert "a part of Python itself" in machine.ok("why", "json").out
    assert machine.ok("why", "sys").out == "`import sys` takes a module that is built into Python\n"
    assert len(stock.seen) == before


def test_a_command_of_the_distro_that_is_not_python_asks_no_index(
    machine: Machine, root: AptRoot, stock: Index
) -> None:
    root.installed("coreutils", "9.1-1", ["/usr/bin/ls"])
    before = len(stock.seen)
    assert "system package coreutils" in machine.ok("why", "ls").out
    assert len(stock.seen) == before


@pytest.mark.parametrize("how", ["path", "bin", "environment", "store", "unknown", "package"])
def test_a_path_has_an_owner(machine: Machine, root: AptRoot, how: str) -> None:
    machine.ok("install", "httpie")
    environment = machine.json("show", "httpie")["environment"]
    site = next(Path(environment).glob("lib/python3*/site-packages"))
    root.installed("coreutils", "9.1-1", ["/bin/ls"])  # as of old: on the disk it is /usr/bin/ls
    (machine.home / "mine").write_text("")
    path, kind, owner = {
        "path": (f"{site}/httpie/__init__.py", "application", "httpie"),
        "bin": (f"{machine.bin}/http", "application", "httpie"),
        "environment": (f"{environment}/bin/python", "application", "httpie"),
        "store": (os.path.realpath(f"{site}/httpie/__init__.py"), "store", "httpie"),
        "unknown": (f"{machine.home}/mine", "", ""),
        "package": ("/usr/bin/ls", "system package", "coreutils"),
    }[how]
    found = machine.json("why", path)["path"]
    assert (found["path"], found["kind"], found["owner"]) == (path, kind, owner)


def test_a_path_may_be_relative(machine: Machine) -> None:
    machine.ok("install", "httpie")
    assert "your application httpie" in machine.ok("why", "./http", cwd=machine.bin).out


def test_a_path_with_nothing_there_is_not_found(machine: Machine) -> None:
    answer = machine.refused(3, "why", "./nosuch")
    assert "there is nothing at ./nosuch" in answer.err


def test_what_other_tools_installed_is_theirs(machine: Machine, stock: Index) -> None:
    person = Person(machine.home, stock)
    person.uv("tool", "install", "black")
    answer = machine.json("why", "black")
    assert [(item["kind"], item["version"]) for item in answer["other_tools"]] == [("uv tool", "26.1.0")]
    assert answer["commands"]["black"][0]["kind"] == "uv tool"
    assert "black 26.1.0 is installed by uv tool, in ~/.local/share/uv/tools/black" in machine.ok("why", "black").out
    assert machine.json("why", f"{machine.bin}/black")["path"]["kind"] == "uv tool"


def test_unknown_everywhere_is_not_found(machine: Machine) -> None:
    answer = machine.refused(3, "why", "nosuchthing")
    assert "Debian 12 and the index have no such name" in answer.err
    machine.refused(3, "why", "no such thing")
    machine.refused(3, "why", "nosuchthing", DETENTE_DISTRO="none")


def test_a_second_question_starts_no_program_and_asks_nobody(machine: Machine, stock: Index, tmp_path: Path) -> None:
    first = machine.ok("why", "httpie").out
    before = len(stock.seen)
    log = tmp_path / "calls"
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\necho called >> {log}\nexit 1\n")
    uv.chmod(0o755)
    again = machine.ok("why", "httpie", DETENTE_UV=str(uv))
    assert again.out == first
    assert len(stock.seen) == before
    assert not log.exists()


def test_another_index_is_another_question(machine: Machine, tmp_path: Path) -> None:
    machine.ok("why", "httpie")
    make_wheel(tmp_path / "wares", "httpie", "9.0", commands=["http"])
    with Index(tmp_path / "wares") as other:
        assert machine.json("why", "httpie", PIP_INDEX_URL=other.url)["index"]["version"] == "9.0"


def test_an_old_answer_is_asked_for_again(machine: Machine, stock: Index) -> None:
    machine.ok("why", "httpie")
    for kept in (machine.home / ".cache/detente/newest").iterdir():
        text = kept.read_text()
        kept.write_text(text.replace(text.rpartition(" ")[2], f"{time.time() - 700}]"))
    before = len(stock.seen)
    machine.ok("why", "httpie")
    assert len(stock.seen) > before


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '["httpie"]'])
def test_a_broken_answer_in_the_cache_is_as_none(machine: Machine, text: str) -> None:
    machine.ok("why", "httpie")
    for kept in (machine.home / ".cache/detente/newest").iterdir():
        kept.write_text(text)
    assert machine.json("why", "httpie")["index"]["version"] == "3.2.4"


def test_offline_the_distros_side_still_answers(machine: Machine, stock: Index) -> None:
    before = len(stock.seen)
    answer = machine.ok("why", "httpie", "--offline")
    assert "3.2.1-1" in answer.out
    assert "The index was not asked: --offline was given." in answer.out
    assert len(stock.seen) == before
    machine.ok("why", "httpie")
    assert "3.2.4" in machine.ok("why", "httpie", "--offline").out, "what was learned before counts"


def test_without_network_the_distros_side_still_answers(machine: Machine) -> None:
    answer = machine.ok("why", "httpie", PIP_INDEX_URL="http://127.0.0.1:9/simple/")
    assert "3.2.1-1" in answer.out
    assert "The index could not be asked: " in answer.out


def test_an_index_that_fails_is_a_sentence(machine: Machine, stock: Index) -> None:
    with Index(stock.directory) as failing:
        failing.fault("/simple/", Fault(status=503))
        answer = machine.ok("why", "black", PIP_INDEX_URL=failing.url)
    assert "The index could not be asked: " in answer.out
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("word", ["httpie", "notindebian"])
def test_an_interrupt_ends_it_while_the_index_is_silent(machine: Machine, stock: Index, word: str) -> None:
    with Index(stock.directory) as silent:
        silent.fault("/simple/", Fault(stall=30.0))
        child = machine.start("why", word, PIP_INDEX_URL=silent.url)
        while not silent.seen:
            time.sleep(0.05)
            assert child.poll() is None
        started = time.monotonic()
        kill_group(child, signal.SIGINT)
        out, err = child.communicate(timeout=20)
        assert time.monotonic() - started < 2
    assert (child.returncode, out) == (130, "")
    assert err.startswith("error: interrupted")


def test_a_broken_dpkg_is_a_note_and_the_index_still_answers(machine: Machine, root: AptRoot) -> None:
    root.write("/var/lib/dpkg/status", "\0\0garbage\n\nPackage\n")
    answer = machine.run("why", "httpie")
    assert answer.status == 0
    assert "3.2.4" in answer.out
    assert "Traceback" not in answer.err
    assert answer.err.count("note: the distro is left out") <= 1


def test_looking_changes_nothing_but_caches(machine: Machine, root: AptRoot) -> None:
    def tree(top: Path) -> dict[str, float]:
        return {str(path): path.lstat().st_mtime for path in top.rglob("*") if ".cache" not in path.parts}

    before = tree(machine.home) | tree(root.path)
    for word in ("httpie", "http", "yaml", "/usr/bin/env", "notindebian"):
        machine.ok("why", word)
    machine.ok("search", "http")
    machine.ok("list", "--all")
    assert tree(machine.home) | tree(root.path) == before


def test_a_source_is_not_built_to_be_looked_at(machine: Machine) -> None:
    answer = machine.json("why", "reportbug")
    assert answer["index"]["version"] == "0.0.129"
    assert not list((machine.home / ".cache/detente/uv").glob("sdists-*/*/*/*/src"))


def test_no_credentials_are_kept(machine: Machine, stock: Index) -> None:
    url = stock.url.replace("http://", "http://ada:secret@")
    machine.ok("why", "httpie", PIP_INDEX_URL=url)
    found = subprocess.run(["grep", "-rl", "secret", str(machine.home)], capture_output=True, text=True)
    assert found.stdout == ""


def test_the_answer_is_quick_once_it_is_known(machine: Machine) -> None:
    """150 ms is the goal, which the bench measures; here the processor's time is counted, because others work too."""
    machine.ok("why", "httpie")
    times = []
    for _ in range(5):
        before = os.times()
        machine.ok("why", "httpie")
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(times) < 0.15


@pytest.mark.parametrize(
    "word", ["x" * 300, "..", "ü", "a b", "-", "x\u202ey", "\udcff", "./\udcff", "~nobody/x", "@", "=="]
)
def test_odd_words_are_a_sentence(machine: Machine, word: str) -> None:
    answer = machine.run("why", "--", word)
    assert answer.status in (0, 3)
    assert "Traceback" not in answer.err
    assert "bug" not in answer.err


def test_nothing_is_a_usage_error(machine: Machine) -> None:
    machine.refused(2, "why", "")
    machine.refused(2, "why")
    assert "why takes one name" in machine.refused(2, "why", "httpie", "black").err
