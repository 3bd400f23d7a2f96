"""The program that makes the tables of names: what proves that two names are one project, and what does not."""

import json
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "bootstrap")]

import tables  # noqa: E402 - the line above finds them
import tables_identity  # noqa: E402
from detente.distro.base import ABSENT, OTHER, SAME, UNPROVED, Known  # noqa: E402
from tables_identity import Judgement, Shipped, judge  # noqa: E402


class Suite:
    """A suite that says nothing more about its system packages."""

    name = "bookworm"

    def sources(self, packages: object) -> dict[str, set[str]]:
        return {}

    def archives(self) -> dict[str, str]:
        return {}


def shipped(name: str, version: str, homepage: str) -> Shipped:
    return Shipped(name, f"python3-{name}", f"{version}-1", version, homepage, Suite())


def index(cache: Path, name: str, versions: list[str] | None = None, **words: object) -> None:
    """Put into the cache what the index says of `name`; without versions it has no such project."""
    place = cache / "index" / f"{name}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    found = {} if versions is None else {"versions": {version: [] for version in versions}, **words}
    place.write_text(json.dumps(found))


def test_a_version_and_an_address_that_both_have_prove_it(tmp_path: Path) -> None:
    index(tmp_path, "demo", ["1.0", "2.0"], home_page="https://www.github.com/who/demo.git/")
    assert judge([shipped("demo", "2.0", "http://github.com/who/demo")], tmp_path)["demo"].identity == SAME


@pytest.mark.parametrize(
    ("versions", "address"),
    [(["1.0", "3.0"], "https://github.com/who/demo"), (["2.0"], "https://github.com/other/demo"), (["2.0"], "UNKNOWN")],
    ids=["an address alone", "a version alone", "a version alone, no address"],
)
def test_one_of_them_alone_proves_nothing(tmp_path: Path, versions: list[str], address: str) -> None:
    index(tmp_path, "demo", versions, home_page=address)
    assert judge([shipped("demo", "2.0", "http://github.com/who/demo")], tmp_path)["demo"].identity == UNPROVED


def test_a_name_that_the_index_does_not_have_is_absent(tmp_path: Path) -> None:
    index(tmp_path, "demo")
    assert judge([shipped("demo", "2.0", "")], tmp_path)["demo"].identity == ABSENT


def test_the_home_page_of_an_organisation_is_no_address_of_a_project(tmp_path: Path) -> None:
    names = [f"demo{number}" for number in range(6)]
    for name in names:
        index(tmp_path, name, ["2.0"], home_page="https://organisation.example/")
    judged = judge([shipped(name, "2.0", "https://organisation.example") for name in names], tmp_path)
    assert {one.identity for one in judged.values()} == {UNPROVED}


def test_the_indexs_own_page_of_the_project_is_an_address_of_it(tmp_path: Path) -> None:
    index(tmp_path, "my-demo", ["2.0"])
    judged = judge([shipped("my-demo", "2.0", "https://index.example/project/My_Demo/")], tmp_path)
    assert judged["my-demo"].identity == SAME


@pytest.mark.parametrize(
    ("found", "identity"),
    [
        (Judgement(UNPROVED, ("1.0",), files=5, of=6), SAME),
        (Judgement(UNPROVED, ("1.0",), files=1, of=1), UNPROVED),  # namesakes have a 1.0 and a demo.py
        (Judgement(UNPROVED, ("1.0",), files=3, of=20), UNPROVED),
        (Judgement(UNPROVED, ("20.4.17",), rare=True, files=1, of=1), SAME),
        (Judgement(UNPROVED, ("1.0", "1.1"), files=1, of=1), SAME),
        (Judgement(UNPROVED, (), address=True, files=1, of=17), UNPROVED),  # a squatter copies an address
        (Judgement(UNPROVED, (), address=True, files=9, of=17), SAME),
        (Judgement(UNPROVED, (), files=17, of=17), UNPROVED),  # a fork without one version of ours
        (Judgement(UNPROVED, (), files=0, of=17), OTHER),
        (Judgement(UNPROVED, (), files=0, of=0), UNPROVED),
        (Judgement(UNPROVED, ("0.1.0",), files=0, of=3), UNPROVED),
    ],
)
def test_files_decide_where_the_rest_is_not_enough(found: Judgement, identity: str) -> None:
    assert tables_identity._decided(found).identity == identity


@pytest.mark.parametrize(
    ("recorded", "metadata", "alone", "on_index", "said"),
    [
        ("2.28.1-1", "2.28.1", True, (), ""),
        ("2.2.3+dfsg-9", "2.2.3+dfsg", True, (), ""),  # what Debian adds is no difference
        ("0.0~git20221107.4f381af-1", "6.0", True, (), "6.0"),
        ("1.2.7-4", "1.3.8.post2", True, ("1.3.8.post2",), "1.3.8.post2"),
        ("2.8.0-2", "2.8.0.dev0", True, ("2.8.0",), ""),
        ("8.0.0-1", "7.0.0", True, ("7.0.0", "8.0.0"), "?"),
        ("8.0.0-1", "7.0.0", True, (), "?"),
        ("1.15.0-2", "0.0.0", True, ("1.15.0",), ""),  # a build that did not find its version
        ("1.15.0-2", "0.0.0", True, (), "?"),
        ("1.15.0-2", "", True, (), "?"),
        ("1.0-1", "1.0", False, (), "1.0"),  # one of several in a package: written down, though the rule is right
        ("1.0-1", "3.0", False, ("1.0", "3.0"), "3.0"),
        ("1.0-1", "0.0.0", False, ("1.0",), "?"),
        ("0.14.0~pre4+git20211228-3", "0.14.0_pre4", True, (), "0.14.0rc4"),
        ("2.9+git~x-1", "2.9_git", True, (), "?"),
    ],
)
def test_an_exception_says_what_the_rule_would_get_wrong_or_that_nobody_can_tell(
    recorded: str, metadata: str, alone: bool, on_index: tuple[str, ...], said: str
) -> None:
    row = Known("demo", "python3-demo", recorded=recorded)
    assert tables.exception(row, metadata, alone, on_index) == said
