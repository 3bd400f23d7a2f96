"""`--only-binary`, `--no-build`, and what configuration says of sources."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.index import Index
from support.machine import Machine
from support.wheels import make_project, make_sdist, make_wheel


@pytest.fixture
def choice(tmp_path: Path) -> Iterator[Machine]:
    """Where `tool` has a wheel in its first release, and a source alone in its second."""
    wares = tmp_path / "wares"
    make_wheel(wares, "dep", "1.0")
    make_wheel(wares, "tool", "1.0", commands=["tool"])
    make_sdist(wares, "tool", "2.0", commands=["tool"])
    make_sdist(wares, "sourceful", "1.0", commands=["sourceful"])
    with Index(wares) as index:
        yield Machine(tmp_path / "home", index)


def version(machine: Machine) -> str:
    return machine.call("tool", "--version").out.strip()


@pytest.mark.parametrize("words", [["--only-binary", "tool"], ["--only-binary", ":all:"], ["--no-build"]])
def test_wheels_alone_are_taken_where_that_is_asked_for(choice: Machine, words: list[str]) -> None:
    choice.ok("install", "tool", *words)
    assert version(choice) == "tool 1.0"


def test_wheels_only_is_remembered_until_it_is_taken_back(choice: Machine) -> None:
    choice.ok("install", "tool", "--no-build")
    choice.ok("install", "tool", "--with", "dep")
    assert version(choice) == "tool 1.0"
    choice.ok("install", "tool", "--only-binary", ":none:")
    assert version(choice) == "tool 2.0"


@pytest.mark.parametrize(
    "variables",
    [
        {"DETENTE_NO_BUILD": "1"},
        {"DETENTE_ONLY_BINARY": "tool dep"},
        {"PIP_ONLY_BINARY": ":all:"},
        {"UV_NO_BUILD": "1"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_what_variables_say_of_sources_holds_and_is_not_remembered(choice: Machine, variables: dict[str, str]) -> None:
    choice.ok("install", "tool", **variables)
    assert version(choice) == "tool 1.0"
    choice.ok("install", "tool", "--with", "dep")
    assert version(choice) == "tool 2.0"


def test_the_command_line_wins_over_the_configuration(choice: Machine) -> None:
    config = choice.home / ".config/detente/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("no-build = true\n")
    choice.refused(4, "install", "sourceful")
    choice.ok("install", "sourceful", "--only-binary", ":none:")
    choice.ok("install", "sourceful", "--with", "dep")
    assert choice.call("sourceful", "--version").out == "sourceful 1.0\n"


def test_where_only_a_source_exists_the_message_says_what_to_do(choice: Machine) -> None:
    answer = choice.refused(4, "install", "sourceful", "--no-build")
    assert "error: sourceful has no wheel that fits, and building from source is not allowed\n" in answer.err
    assert "--only-binary :none:" in answer.err


@pytest.mark.parametrize("dynamic", [False, True])
def test_a_directory_is_a_source_and_so_is_an_editable_one(choice: Machine, tmp_path: Path, dynamic: bool) -> None:
    project = make_project(tmp_path / "mine", "mine", "1.0", commands=["mine"], dynamic=dynamic)
    for words in ([str(project)], ["-e", str(project)]):
        answer = choice.refused(4, "install", *words, "--no-build")
        assert "would have to be built from source, and that is not allowed" in answer.err
    choice.ok("install", "-e", str(project), "--only-binary", ":none:")
    assert choice.call("mine", "--version").out == "mine 1.0\n"


def test_a_name_that_is_none_is_refused(choice: Machine) -> None:
    answer = choice.refused(2, "install", "tool", "--only-binary", "a/b")
    assert "`a/b` is not a distribution's name" in answer.err
