"""pip's configuration, read as pip reads it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from detente.engine.sources import NOTHING, Sources, from_pip, layered, merged, without_credentials
from detente.errors import ConfigError

PIP = """
import json
from pip._internal.commands import create_command
found, _ = create_command("install").parser.parse_args([])
formats = found.format_control
print(json.dumps({
    "index_url": found.index_url, "extra_index_urls": found.extra_index_urls, "find_links": found.find_links,
    "no_index": found.no_index, "certificate": found.cert, "proxy": found.proxy, "timeout": found.timeout,
    "retries": found.retries, "insecure_hosts": found.trusted_hosts, "prerelease": found.pre,
    "no_binary": sorted(formats.no_binary), "only_binary": sorted(formats.only_binary),
    "constraints": found.constraints,
}))
"""
CASES = {
    "lists over several lines, and a section of the command": (
        (
            "[global]\nindex-url=http://a/\nextra-index-url =\n  http://b/\n  http://c/\n"
            "[install]\nextra-index-url=http://d/\nfind-links = /x\n   /y\ntrusted-host = h1 h2\n"
        ),
        {},
    ),
    "a command section above the global one": (
        "[install]\nno-index = yes\n[global]\nno_index = off\ntimeout=7.5\nretries=3\nproxy=http://u:p@h:1\n",
        {"PIP_DEFAULT_TIMEOUT": "9"},
    ),
    "formats add up and exclude each other": (
        "[global]\nno-binary = :all:\nindex-url = \n[install]\nonly-binary = Foo_Bar,baz\nno-binary=Baz\n",
        {"PIP_ONLY_BINARY": "x,:none:,q", "PIP_INDEX_URL": "http://env/"},
    ),
    "home, another command's section, lists in variables": (
        "[global]\ncert = ~/ca.pem\npre = true\n[download]\nindex-url=http://no/\n",
        {"PIP_CONSTRAINT": "/a.txt /b.txt", "PIP_EXTRA_INDEX_URL": "http://x/ http://y/", "PIP_PRE": "0"},
    ),
    "odd spellings and the defaults section": (
        "[global]\nindex_url: http://colon/\n--no-index=1\n; c\n# c\n[DEFAULT]\nproxy=http://def\n",
        {},
    ),
}
DEFAULTS = {"timeout": 15, "retries": 5, "no_index": False, "prerelease": False}


@pytest.mark.parametrize("case", CASES)
def test_pip_itself_understands_a_configuration_the_same_way(case: str, tmp_path: Path) -> None:
    pytest.importorskip("pip")
    text, variables = CASES[case]
    file = tmp_path / "pip.conf"
    file.write_text(text)
    environ = {"PATH": os.environ["PATH"], "HOME": "/home/me", **variables}
    asked = subprocess.run(
        [sys.executable, "-c", PIP],
        env={**environ, "PIP_CONFIG_FILE": str(file), "XDG_CONFIG_DIRS": "/nonexistent"},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = json.loads(asked.stdout)
    nowhere = subprocess.run(
        [sys.executable, "-c", PIP],
        env={"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    )
    machine_wide = json.loads(nowhere.stdout)
    found = from_pip([(str(file), text)], environ)._asdict()
    for field, theirs in expected.items():
        ours = list(found[field]) if isinstance(found[field], tuple) else found[field]
        if ours in (None, "", []):
            assert theirs in (DEFAULTS.get(field), None, "", [], machine_wide[field]) or field == "certificate"
        else:
            assert ours == theirs, field


def test_a_later_file_wins_over_an_earlier_one_and_a_variable_over_both() -> None:
    files = [
        ("/etc/pip.conf", "[global]\nindex-url=http://etc/\nproxy=http://p\n"),
        ("/u", "[global]\nindex-url=http://u/\n"),
    ]
    assert from_pip(files, {}).index_url == "http://u/"
    assert from_pip(files, {"PIP_INDEX_URL": "http://env/"}).index_url == "http://env/"
    assert from_pip(files, {"PIP_INDEX_URL": ""}).index_url == "http://u/"
    assert from_pip(files, {}).proxy == "http://p"


def test_the_null_device_as_configuration_file_means_no_file() -> None:
    files = [("/etc/pip.conf", "[global]\nindex-url=http://etc/\n")]
    assert from_pip(files, {"PIP_CONFIG_FILE": "/dev/null"}) == NOTHING


def test_relative_paths_count_from_where_the_person_stands() -> None:
    files = [("/etc/pip.conf", "[global]\nfind-links = wheels ~/w http://h/l file:///x\nindex-url=./simple\n")]
    found = from_pip(files, {"HOME": "/home/me"}, cwd="/here")
    assert found.find_links == ("/here/wheels", "/home/me/w", "http://h/l", "file:///x")
    assert found.index_url == "/here/simple"


def test_certificates_of_requests_hold_where_pip_names_none() -> None:
    assert from_pip([], {"REQUESTS_CA_BUNDLE": "/b.pem"}).certificate == "/b.pem"
    assert from_pip([], {"CURL_CA_BUNDLE": "/c.pem", "PIP_CERT": "/p.pem"}).certificate == "/p.pem"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[global]\nindex-url=http://a/\n[global]\n", 3),
        ("index-url=http://a/\n", 1),
        ("[global]\n\nthis is no setting\n", 3),
        ("[install]\ntimeout=1\n[global]\ntimeout=soon\n", 4),
        ("[global]\n# no-index = x\nno-index = perhaps\n", 3),
        ("[global]\nretries = -1\n", 2),
        ("[global]\ntimeout = nan\n", 2),
    ],
)
def test_a_file_that_cannot_be_understood_is_named_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ConfigError) as caught:
        from_pip([("/etc/pip.conf", text)], {})
    assert caught.value.message.startswith(f"/etc/pip.conf, line {line}:")
    assert caught.value.hint


def test_a_variable_that_cannot_be_understood_is_named() -> None:
    with pytest.raises(ConfigError, match="PIP_NO_INDEX"):
        from_pip([], {"PIP_NO_INDEX": "maybe"})


def test_the_command_line_wins_over_uv_and_uv_over_pip() -> None:
    pip = Sources(index_url="http://pip/", find_links=("/pip",), certificate="/pip.pem", timeout=3)
    told = merged(Sources(index_url="http://typed/"), pip, {"find_links"})
    assert told == Sources(index_url="http://typed/", certificate="/pip.pem", timeout=3)


@pytest.mark.parametrize(("typed", "said"), [(Sources(index_url="http://typed/"), set()), (NOTHING, {"index_url"})])
def test_naming_an_index_ends_the_no_index_of_pip(typed: Sources, said: set[str]) -> None:
    assert merged(typed, Sources(no_index=True), said).no_index is None


def test_no_index_of_pip_stays_where_nothing_else_is_said() -> None:
    assert merged(NOTHING, Sources(no_index=True), set()).no_index is True


def test_false_and_zero_are_said_and_not_overruled() -> None:
    first = Sources(no_index=False, retries=0)
    assert layered(first, Sources(no_index=True, retries=4, proxy="http://p")) == first._replace(proxy="http://p")


def test_credentials_come_from_every_url_decoded() -> None:
    found = Sources(
        index_url="https://me:p%40ss@one.example:8443/simple",
        extra_index_urls=("https://token@Two.example/simple", "https://three.example/"),
        logins=(("four.example", "u", "p"),),
    ).credentials()
    assert found == {
        "one.example:8443": ("me", "p@ss"),
        "two.example": ("token", ""),
        "four.example": ("u", "p"),
    }


def test_no_password_survives_in_what_is_shown() -> None:
    text = "see https://me:pa:ss@h.example/x and git+ssh://t0ken@g.example/y@v1, not a@b"
    assert without_credentials(text) == "see https://h.example/x and git+ssh://g.example/y@v1, not a@b"
