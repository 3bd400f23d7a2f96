"""The tables that come with détente, looked up as commands do."""

import os
import time
from pathlib import Path

import pytest

from detente.distro import table
from detente.distro.base import ABSENT, OTHER, SAME, UNPROVED, Release
from detente.distro.versions import upstream_of
from detente.scan import tables

BOOKWORM = Release("debian", "12", "bookworm", "Debian 12")
TRIXIE = Release("debian", "13", "trixie", "Debian 13")
NOWHERE = Release("ubuntu", "24.04", "noble", "Ubuntu 24.04")
RELEASES = pytest.mark.parametrize("release", [BOOKWORM, TRIXIE], ids=lambda release: release.codename)


@RELEASES
def test_a_system_package_leads_to_the_distributions_in_it_by_metadata_or_commands(release: Release) -> None:
    assert [row.name for row in tables.in_package(release, "python3-yaml")] == ["pyyaml"]
    assert [row.name for row in tables.in_package(release, "mercurial")] == ["mercurial"]
    assert [row.name for row in tables.in_package(release, "mercurial-common")] == ["mercurial"]
    assert tables.in_package(release, "no-such-package") == []


@RELEASES
@pytest.mark.parametrize(
    ("name", "package", "application", "command"),
    [
        ("pyyaml", "python3-yaml", "", ""),
        ("certbot", "python3-certbot", "certbot", "certbot"),
        ("mercurial", "mercurial-common", "mercurial", "hg"),
        ("httpie", "httpie", "httpie", "http"),
        ("datalad", "python3-datalad", "datalad", "datalad"),
        ("alembic", "python3-alembic", "alembic", "alembic"),
        ("celery", "python3-celery", "celery", "celery"),
        ("radicale", "python3-radicale", "radicale", "radicale"),
        ("beets", "beets", "beets", "beet"),
        ("ansible-core", "ansible-core", "ansible-core", "ansible"),
        ("ansible", "ansible", "ansible", "ansible-community"),
        ("awscli", "awscli", "awscli", "aws"),
        ("borgbackup", "borgbackup", "borgbackup", "borg"),
        ("click", "python3-click", "", ""),
        ("pygobject", "python3-gi", "", ""),
    ],
)
def test_a_distribution_has_the_package_of_its_metadata_and_that_of_its_command(
    release: Release, name: str, package: str, application: str, command: str
) -> None:
    row = tables.known(release, [name])[name]
    assert (row.package, row.application, row.identity) == (package, application, SAME)
    assert (command in row.commands) if command else (row.commands == ())


@RELEASES
def test_a_name_that_is_not_in_the_table_is_not_guessed(release: Release) -> None:
    # The first two are system packages of just these names.
    assert tables.known(release, ["python-is-python3", "hello", "", "\n", "n", "nosuch-thing", "é"]) == {}


@RELEASES
def test_equal_names_are_not_taken_for_one_project(release: Release) -> None:
    known = tables.known(release, ["reportbug", "terminator", "ufw", "bleachbit", "aiomeasures"])
    assert known["reportbug"].identity in {OTHER, UNPROVED}
    assert known["terminator"].identity == OTHER
    assert known["bleachbit"].identity in {OTHER, UNPROVED}
    assert known["aiomeasures"].identity == UNPROVED  # the index has a squatter with the same home page
    assert known["ufw"].identity in {ABSENT, OTHER, UNPROVED}


@RELEASES
def test_one_by_one_or_all_at_once_the_answer_is_the_same(release: Release) -> None:
    names = tables.names(release)
    assert len(names) > 5000
    together = tables.known(release, names)
    assert set(together) == names
    assert {name: row for one in names for name, row in tables.known(release, [one]).items()} == together
    assert {name: row.name for name, row in together.items()} == {name: name for name in names}


@RELEASES
def test_the_file_is_sorted_so_that_halving_finds_everything(release: Release) -> None:
    data = Path(tables.shipped(release)).read_bytes()
    lines = data.splitlines()
    assert data.endswith(b"\n")
    assert lines == sorted(set(lines))
    for line in lines[1::97]:
        word = line.decode()
        kind, _, rest = word.partition(" ")
        start = rest.partition("\t")[0]
        if kind == table.COMMAND:
            assert [row.name for row in tables.of_command(release, start)] == table.words(word)
            assert all(start in row.commands for row in tables.of_command(release, start))
        if kind == table.MODULE:
            assert tables.of_module(release, start) == table.words(word)


@RELEASES
def test_a_command_leads_to_its_distribution_and_a_module_to_its_packages(release: Release) -> None:
    assert [row.name for row in tables.of_command(release, "hg")] == ["mercurial"]
    assert [row.name for row in tables.of_command(release, "http")] == ["httpie"]
    assert tables.of_command(release, "ls") == []
    assert tables.of_module(release, "yaml") == ["python3-yaml"]
    assert tables.of_module(release, "gi") == ["python3-gi"]
    assert tables.of_module(release, "apt") == ["python3-apt"]
    assert tables.of_module(release, "dbus") == ["python3-dbus"]
    assert tables.of_module(release, "nosuch") == []


@RELEASES
def test_a_search_finds_names_and_commands(release: Release) -> None:
    found = {row.name for row in tables.matching(release, "certbot")}
    assert {"certbot", "certbot-nginx"} <= found
    assert "mercurial" in {row.name for row in tables.matching(release, "hg")}
    assert all("certbot" in row.name or any("certbot" in command for command in row.commands)
               for row in tables.matching(release, "certbot"))  # fmt: skip


@RELEASES
def test_a_lookup_takes_no_two_milliseconds(release: Release) -> None:
    times = []
    for _ in range(20):
        start = time.perf_counter()
        tables.known(release, ["certbot", "nosuch"])
        times.append(time.perf_counter() - start)
    assert min(times) < 0.002


@RELEASES
def test_the_versions_that_were_recorded_are_known_or_said_to_be_unknown(release: Release) -> None:
    rows = tables.known(release, tables.names(release)).values()
    unknown = [row.name for row in rows if not upstream_of(row, row.recorded)]
    assert all(row.recorded for row in rows)
    assert len(unknown) < len(rows) // 20


def test_the_codename_decides() -> None:
    assert tables.known(Release("raspbian", "12", "bookworm", "Raspbian 12"), ["pyyaml"])["pyyaml"].recorded
    assert tables.known(NOWHERE, ["pyyaml"]) == {}
    assert tables.names(NOWHERE) == frozenset()
    assert tables.of_command(NOWHERE, "hg") == []
    assert tables.matching(NOWHERE, "yaml") == []
    for codename in ("", "../data/bookworm", "bookworm.txt", "BOOKWORM", "a\0b", "/etc/passwd"):
        assert tables.shipped(Release("debian", "", codename, "")) == ""


def test_what_is_unpacked_from_a_wheel_has_the_tables() -> None:
    # flit takes all files below the package; the tables must be below it, and readable.
    package = os.path.dirname(os.path.dirname(os.path.abspath(tables.__file__)))
    for release in (BOOKWORM, TRIXIE):
        assert tables.shipped(release).startswith(package + os.sep)


@RELEASES
def test_the_modules_of_a_system_package_are_those_whose_lines_name_it(release: Release) -> None:
    assert {"gi", "pygtkcompat"} >= set(tables.modules_of(release, "python3-gi")) >= {"gi"}
    assert "PIL" in tables.modules_of(release, "python3-pil")
    assert tables.modules_of(release, "nosuch") == tables.modules_of(NOWHERE, "python3-gi") == []
