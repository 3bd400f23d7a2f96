"""search: names in the distro by any part of them, on the index by likely spellings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from detente.cli.commands.search import spellings
from support.apt_root import APT, NO_APT, AptRoot
from support.index import Index
from support.machine import Machine
from support.wheels import make_wheel

pytestmark = pytest.mark.skipif(APT is None, reason=NO_APT)


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("stock")
    make_wheel(folder, "pyyaml", "6.0.3")
    make_wheel(folder, "strangething", "1.0", commands=["strangething"])
    with Index(folder) as index:
        yield index


@pytest.fixture
def root(tmp_path: Path) -> AptRoot:
    root = AptRoot(tmp_path / "root")
    root.offered("python3-yaml", "6.0-3", words="parser and emitter for Python")
    root.offered("yamllint", "1.29.0-1", words="Linter for YAML files")
    root.offered("httpie", "3.2.1-1", words="CLI, cURL-like tool for humans")
    root.offered("libyaml-0-2", "0.2.5-1", words="Fast YAML 1.1 parser library")
    root.python("httpie", "3.2.1-1", "httpie", "3.2.1", commands=("http",))
    return root


@pytest.fixture
def machine(tmp_path: Path, stock: Index, root: AptRoot) -> Machine:
    machine = Machine(tmp_path / "home", stock)
    machine.environ["DETENTE_DISTRO"] = str(root.path)
    return machine


def names(machine: Machine, *words: str) -> list[str]:
    return [hit["name"] for hit in machine.json("search", *words)["distro"]["found"]]


def test_a_part_of_a_name_finds_it_with_its_state(machine: Machine) -> None:
    answer = machine.json("search", "yaml")
    found = {hit["name"]: hit for hit in answer["distro"]["found"]}
    assert found["pyyaml"]["package"] == "python3-yaml"
    assert (found["pyyaml"]["candidate"], found["pyyaml"]["installed"]) == ("6.0-3", "")
    assert found["pyyaml"]["description"] == "parser and emitter for Python"
    assert answer["distro"]["found"][0]["name"] == "pyyaml", "what differs by py alone comes first"
    assert not any(hit["package"] == "libyaml-0-2" for hit in answer["distro"]["found"]), "that is not Python"


def test_a_command_finds_it_and_so_does_a_word_of_the_description(machine: Machine) -> None:
    assert names(machine, "https")[0] == "httpie"
    assert names(machine, "curl-like") == ["httpie"]
    assert "*  httpie" in machine.ok("search", "httpie").out, "it is installed"


def test_the_index_is_asked_for_likely_spellings_and_that_is_said(machine: Machine) -> None:
    answer = machine.ok("search", "YAML")
    assert "pyyaml  6.0.3" in answer.out
    assert "The index cannot be searched; it was asked for yaml, python-yaml, pyyaml" in answer.err
    assert machine.json("search", "strangething")["index"]["found"][0]["version"] == "1.0"


def test_a_word_that_nobody_has_ends_with_three(machine: Machine) -> None:
    answer = machine.refused(3, "search", "qqqzzzqqq")
    assert "it was asked for qqqzzzqqq" in answer.err


@pytest.mark.parametrize("word", ["", " ", "*", "a/b", "--", "ü *"])
def test_what_can_be_no_part_of_a_name_is_a_usage_error(machine: Machine, word: str) -> None:
    machine.refused(2, "search", "--", word)


def test_offline_only_the_distro_answers(machine: Machine, stock: Index) -> None:
    before = len(stock.seen)
    answer = machine.ok("search", "yaml", "--offline")
    assert "python3-yaml" in answer.out
    assert answer.err.splitlines()[-1] == "The index was not asked (--offline)."
    assert len(stock.seen) == before
    machine.ok("search", "yaml")
    answer = machine.ok("search", "yaml", "--offline")
    assert "The index was not asked (--offline); it said so before of yaml, python-yaml, pyyaml" in answer.err


@pytest.mark.parametrize("words", [("yaml linter",), ("linter", "YAML")])
def test_several_words_must_all_fit(machine: Machine, words: tuple[str, ...]) -> None:
    assert names(machine, *words) == ["yamllint"]
    assert "it was asked for " in machine.ok("search", *words).err


def test_a_word_that_cannot_be_one_is_answered_with_what_is_left_of_it(machine: Machine) -> None:
    assert "hint: detente search foo bar" in machine.refused(2, "search", "foo(bar)").err


def test_the_distributions_of_one_system_package_are_one_row(machine: Machine, root: AptRoot) -> None:
    root.offered("python3-typeshed", "0.0~git20221107.4f381af-1", words="collection of library stubs for Python")
    found = machine.json("search", "types-")["distro"]["found"]
    (stubs,) = [hit for hit in found if hit["package"] == "python3-typeshed"]
    assert len(stubs["names"]) > 100
    text = machine.ok("search", "types-requests").out
    assert next(line for line in text.splitlines() if "typeshed" in line).startswith("types-requests")


@pytest.mark.parametrize("word", ["yaml", "types-", "python", "http", "a"])
def test_it_fits_eighty_columns(machine: Machine, root: AptRoot, word: str) -> None:
    root.offered("python3-backports.shutil-get-terminal-size", "1.0.0-6", words="a backport " * 9)
    root.offered("python3-typeshed", "0.0~git20221107.4f381af-1", words="collection of library stubs for Python")
    for more in ((), ("--all",)):
        answer = machine.ok("search", word, *more, COLUMNS="80")
        assert max(map(len, answer.out.splitlines())) <= 80


def test_what_apt_does_not_offer_here_says_so(machine: Machine) -> None:
    (line,) = [line for line in machine.ok("search", "rpi-gpio").out.splitlines() if "rpi-gpio" in line]
    assert "not offered" in line


def test_the_closest_come_first_and_the_rest_is_counted(machine: Machine) -> None:
    answer = machine.json("search", "py")
    assert len(answer["distro"]["found"]) == 20
    assert answer["distro"]["more"] > 100
    assert len(names(machine, "py", "--all")) == 20 + answer["distro"]["more"]


def test_without_a_distro_the_index_still_answers(machine: Machine) -> None:
    answer = machine.ok("search", "yaml", DETENTE_DISTRO="none")
    assert answer.out.splitlines()[0].startswith("INDEX")


def test_a_broken_apt_is_a_note(machine: Machine, root: AptRoot) -> None:
    root.write("/etc/apt/sources.list", "nonsense\n")
    answer = machine.ok("search", "yaml")
    assert "note: the distro is left out: " in answer.err
    assert "pyyaml  6.0.3" in answer.out


@pytest.mark.parametrize("word", ["yaml", "pyyaml", "python-yaml", "py", "python", "a"])
def test_spellings_begin_with_the_word_and_have_no_double(word: str) -> None:
    found = list(spellings(word))
    assert found[0] == word
    assert len(found) == len(set(found)) <= 6
    assert all(found)
