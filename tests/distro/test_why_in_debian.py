"""What `why` and `list` say on a real Debian, beside what apt itself says."""

import json
from typing import Any

import pytest
from furnished import Furnished

pytestmark = pytest.mark.distro

# What is asked → the system package that serves it; None: Debian has none of that name.
NAMES = {
    "httpie": "httpie",
    "black": "black",
    "ansible": "ansible",
    "certbot": "certbot",  # its metadata is in python3-certbot
    "mercurial": "mercurial",  # its metadata is in mercurial-common
    "beets": "beets",
    "datalad": "datalad",
    "pycodestyle": "pycodestyle",
    "yamllint": "yamllint",
    "ufw": "ufw",
    "reportbug": "reportbug",  # another project than the index's
    "requests": "python3-requests",
    "PyYAML": "python3-yaml",
    "py_yaml": None,
    "click": "python3-click",  # python3-click-package has one of that name, too
    "numpy": "python3-numpy",
    "setuptools": "python3-setuptools",
    "gi": "python3-gi",  # a module
    "apt_pkg": "python3-apt",
    "apt": "python3-apt",
    "hg": "mercurial",  # a command
    "calibre": "calibre",  # a system package that records no distribution
    "vim": "vim",
    "python3-requests": "python3-requests",  # a system package by its own name
    "tkinter": "python3-tk",  # of the standard library, in a system package of its own
    "no-such-distribution": None,
}


def answers(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects in `text`."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while place < len(text):
        value, place = decoder.raw_decode(text, place)
        found.append(value)
        place += len(text[place:]) - len(text[place:].lstrip())
    return found


def test_why_names_for_twenty_names_what_apt_has(there: Furnished) -> None:
    asked = 'for name; do detente why "$name" --offline --json; done'
    said = there.run("sh", "-c", asked, "sh", *NAMES, cwd="/", environ=there.environ)
    assert "Traceback" not in said.err
    told = dict(zip(NAMES, answers(said.out), strict=True))
    policy = there.as_root("apt-cache", "policy", *{name for name in NAMES.values() if name}).out
    candidates, package = {}, ""
    for line in policy.splitlines():
        if line and not line.startswith(" "):
            package = line.rstrip(":")
        elif line.startswith("  Candidate: "):
            candidates[package] = line.split()[1]
    installed = set(there.as_root("dpkg-query", "-W", "-f", "${Package}\n").out.split())
    assert {"yamllint", "python3-yaml"} <= installed
    for name, wanted in NAMES.items():
        data = told[name]["data"] or {}
        found = {each["package"]: each for each in data.get("candidates", ()) if each["from"] == "distro"}
        assert list(found) == ([wanted] if wanted else []), (name, found)
        if wanted:
            assert found[wanted]["version"] == candidates[wanted], name
            assert found[wanted]["state"].startswith("installed") == (wanted in installed), name


def test_list_shows_what_a_person_asked_for_as_apt_marks_it(there: Furnished) -> None:
    said = there.detente("install", "demo")
    assert said.status == 0, said
    manual = set(there.as_root("apt-mark", "showmanual").out.split())
    shown = there.json("list")
    kinds = {each["name"]: each["kind"] for each in shown}
    assert kinds["demo"] == "application"
    packages = {name for name, kind in kinds.items() if kind == "system package"}
    assert {"yamllint", "python3-apt", "python3-gi"} <= packages <= manual
    there.as_root("apt-mark", "auto", "python3-apt")
    assert "python3-apt" not in {each["name"] for each in there.json("list")}
    every = {each["name"] for each in there.json("list", "--all")}
    assert {"python3-apt", "python3-yaml"} <= every


def test_why_says_who_owns_a_command_and_which_one_runs(there: Furnished) -> None:
    there.detente("install", "yamllint", "--from", "index")
    said = there.detente("why", "yamllint", "--offline")
    assert said.status == 0, said
    assert "/usr/bin/yamllint" in said.out
    assert "system package yamllint" in said.out
    for path, owner in (("/usr/bin/yamllint", "yamllint"), ("/usr/lib/python3/dist-packages/gi", "python3-gi")):
        said = there.detente("why", path, "--offline")
        assert (said.status, owner in said.out) == (0, True), said


def test_looking_changes_nothing_but_caches(there: Furnished) -> None:
    there.detente("list")
    before = there.files()
    for words in (("list", "--all"), ("why", "black"), ("show", "yamllint"), ("search", "yaml"), ("why", "gi")):
        assert there.detente(*words).status == 0, words
    assert {path for path in there.files() - before if "/.cache/" not in path} == set()
