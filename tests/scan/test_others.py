"""What other tools installed: made by the tools themselves, where they can run here."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from detente.names import normalized
from detente.scan import others
from detente.scan.others import CONDA, LOCAL, PIPX, USER, UV_TOOL, Other
from support.index import Index
from support.peers import PYTHON, Person, peer
from support.wheels import make_wheel

MINOR = Path(PYTHON).resolve().name.removeprefix("python")


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("stock")
    make_wheel(folder, "Demo.App", "1.0", commands=["demo", "demo-admin"], requires=["dep"])
    make_wheel(folder, "dep", "2.0", commands=["dep-tool"])
    make_wheel(folder, "plug-in", "0.5", commands=["plug"])
    with Index(folder) as index:
        yield index


@pytest.fixture
def person(tmp_path: Path, stock: Index) -> Person:
    return Person(tmp_path / "home", stock)


def seen(person: Person, tool: str, root: str = "/nonexistent") -> dict[str, Other]:
    found = others.found(person.environ, str(person.home), root)
    return {item.name: item for item in found if item.tool == tool}


def test_an_empty_home_has_nothing(person: Person) -> None:
    assert others.found(person.environ, str(person.home), "/nonexistent") == []


def test_what_uv_tool_installed_is_uvs(person: Person) -> None:
    person.uv("tool", "install", "demo-app", "--with", "plug-in")
    found = seen(person, UV_TOOL)
    (item,) = found.values()
    assert normalized(item.name) == "demo-app"
    assert (item.version, item.python, item.commands) == ("1.0", MINOR, ("demo", "demo-admin"))
    assert item.place == str(person.home / ".local/share/uv/tools/demo-app")


def test_where_uv_keeps_its_tools_can_be_told(person: Person, tmp_path: Path) -> None:
    person.environ |= {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    person.uv("tool", "install", "demo-app")
    assert [item.place for item in seen(person, UV_TOOL).values()] == [str(tmp_path / "tools/demo-app")]


@pytest.mark.skipif(peer("pipx") is None, reason="no pipx here: ./prove makes one")
def test_what_pipx_installed_is_pipxs_with_its_suffix_and_what_was_injected(person: Person) -> None:
    pipx = peer("pipx")
    assert pipx is not None
    person.run(pipx, "install", "--backend", "uv", "demo-app", "--suffix", "@1")
    person.run(pipx, "inject", "demo-app@1", "plug-in", "--include-apps")
    item = seen(person, PIPX)["demo-app@1"]
    assert (item.version, item.python) == ("1.0", MINOR)
    assert set(item.commands) == {"demo@1", "demo-admin@1", "plug"}
    assert Path(item.place).parent.name == "venvs"
    for name in item.commands:
        assert (person.home / ".local/bin" / name).exists(), "the names are those that it exposes"


def test_a_broken_record_of_pipx_still_names_the_application(person: Person) -> None:
    place = person.home / ".local/share/pipx/venvs/torn"
    place.mkdir(parents=True)
    (place / "pipx_metadata.json").write_text('{"main_package": {"pack')
    assert seen(person, PIPX)["torn"] == Other(PIPX, "torn", "", str(place))
    (place / "pipx_metadata.json").write_text(json.dumps({"main_package": None, "injected_packages": []}))
    assert seen(person, PIPX)["torn"].version == ""


ODD = {"package": [1], "package_version": {}, "apps": [5, None, "good"], "suffix": 7, "apps_of_dependencies": 3}


@pytest.mark.parametrize(
    "record",
    [
        "[" * 100_000,
        "[1, 2]",
        json.dumps({"main_package": {**ODD, "include_dependencies": True}, "python_version": 5}),
        json.dumps({"main_package": 5, "injected_packages": {"x": ODD}}),
    ],
)
def test_records_of_other_tools_that_make_no_sense_do_no_harm(person: Person, record: str) -> None:
    for place, name in (("pipx/venvs/odd", "pipx_metadata.json"), ("uv/tools/odd", "uv-receipt.toml")):
        folder = person.home / ".local/share" / place
        folder.mkdir(parents=True)
        (folder / name).write_text(record)
    pipe = person.home / ".conda/environments.txt"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    assert len(seen(person, PIPX)) == len(seen(person, UV_TOOL)) == 1


def test_what_pip_installed_for_the_person_is_told_from_its_dependencies(person: Person) -> None:
    person.pip("install", "--user", "demo-app")
    found = {item.name.lower().replace(".", "_"): item for item in seen(person, USER).values()}
    assert (found["demo_app"].version, found["demo_app"].asked) == ("1.0", True)
    assert (found["dep"].version, found["dep"].asked) == ("2.0", False)
    assert found["dep"].place == str(person.home / f".local/lib/python{MINOR}/site-packages")
    command = str(person.home / ".local/bin/demo")
    assert others.has_file(found["demo_app"], command)
    assert not others.has_file(found["dep"], command)
    assert not others.has_file(found["demo_app"], command[:-1]), "no part of a name"
    assert others.has_file(found["dep"], f"{found['dep'].place}/dep"), "a directory is its own where its files are"


def test_what_sudo_pip_installed_is_the_machines(person: Person, tmp_path: Path) -> None:
    target = tmp_path / f"root/usr/local/lib/python{MINOR}/dist-packages"
    person.pip("install", "--target", str(target), "demo-app")
    found = seen(person, LOCAL, str(tmp_path / "root"))
    assert {item.version for item in found.values()} == {"1.0", "2.0"}
    assert {item.place for item in found.values()} == {str(target)}


def test_what_lies_in_conda_environments_is_condas(person: Person) -> None:
    """Conda itself cannot be had here: its layout is made by hand."""
    base = person.home / "miniconda3"
    for prefix in (base, base / "envs/science", person.home / "elsewhere"):
        site = prefix / "lib/python3.12/site-packages"
        (prefix / "conda-meta").mkdir(parents=True)
        (site / "numpy-2.1.0.dist-info").mkdir(parents=True)
        (prefix / "lib/python3.1").symlink_to("python3.12")
    (person.home / "gone").mkdir()
    (person.home / ".conda").mkdir()
    (person.home / ".conda/environments.txt").write_text(
        f"{base}\n{person.home}/elsewhere\n{person.home}/gone\n{person.home}/missing\nnot a path\n"
    )
    found = [item for item in others.found(person.environ, str(person.home), "/nonexistent") if item.tool == CONDA]
    assert sorted(item.place for item in found) == sorted(
        map(str, (base, base / "envs/science", person.home / "elsewhere"))
    )
    assert {(item.name, item.version, item.python) for item in found} == {("numpy", "2.1.0", "3.12")}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("PyYAML-6.0.1.dist-info", ("PyYAML", "6.0.1")),
        ("old-1.2-py3.11.egg-info", ("old", "1.2")),
        ("bare.egg-info", ("bare", "")),
        ("zope.event-4.5.0.dist-info", ("zope.event", "4.5.0")),
        ("~umpy-1.0.dist-info", None),
        ("README.txt", None),
        (".dist-info", None),
        ("pkg", None),
    ],
)
def test_a_distribution_is_named_by_its_metadata(tmp_path: Path, entry: str, expected: tuple[str, str] | None) -> None:
    (tmp_path / entry).mkdir()
    found = [(item.name, item.version) for item in others.distributions(str(tmp_path), USER, "3.11")]
    assert found == ([expected] if expected else [])


def test_a_record_that_quotes_a_path_is_understood(tmp_path: Path) -> None:
    info = tmp_path / "odd-1.dist-info"
    info.mkdir()
    (info / "RECORD").write_text('"odd, name.py",sha256=x,1\r\nplain.py,,\r\n')
    (item,) = others.distributions(str(tmp_path), USER, "3.11")
    assert others.has_file(item, str(tmp_path / "odd, name.py"))
    assert others.has_file(item, str(tmp_path / "plain.py"))
    assert not others.has_file(item, str(tmp_path / "other.py"))
