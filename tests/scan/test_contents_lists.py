"""A table of the machine's own, made from apt's Contents lists where no table comes with détente."""

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from detente.distro.base import SAME, UNPROVED, Release
from detente.distro.versions import upstream_of
from detente.scan import contents_lists, tables

pytestmark = pytest.mark.skipif(not os.path.exists(contents_lists._HELPER), reason="apt unpacks its own lists")

LISTS = "var/lib/apt/lists"
NAME = "archive.example_ubuntu_dists_noble_main_Contents-amd64"
LINES = """\
usr/bin/certbot                                             universe/web/certbot
usr/bin/hello                                               devel/hello
usr/bin/newcomer                                            universe/utils/newcomer
usr/lib/python3/dist-packages/PyYAML-6.0.1.dist-info/METADATA  python/python3-yaml
usr/lib/python3/dist-packages/certbot-2.9.0.egg-info/PKG-INFO  universe/web/python3-certbot
usr/lib/python3/dist-packages/newcomer-1.0.dist-info/METADATA  universe/utils/newcomer
usr/lib/python3/dist-packages/yaml/__init__.py              python/python3-yaml
usr/share/doc/hello/NEWS.gz                                 devel/hello
"""


@pytest.fixture
def noble(tmp_path: Path) -> Release:
    (tmp_path / LISTS).mkdir(parents=True)
    return Release("ubuntu", "24.04", "noble", "Ubuntu 24.04", "3.12", str(tmp_path), str(tmp_path / "cache"))


def put(release: Release, text: str, name: str = NAME, compress: str = "") -> Path:
    place = Path(release.root, LISTS, name + compress)
    if compress == ".gz":
        place.write_bytes(gzip.compress(text.encode()))
    elif compress == ".lz4":
        done = subprocess.run(["lz4", "-c"], input=text.encode(), capture_output=True, check=True)
        place.write_bytes(done.stdout)
    else:
        place.write_text(text)
    return place


@pytest.mark.parametrize(
    "compress",
    ["", ".gz", pytest.param(".lz4", marks=pytest.mark.skipif(not shutil.which("lz4"), reason="needs lz4"))],
)
def test_a_release_without_a_table_has_what_apts_lists_say(noble: Release, compress: str) -> None:
    put(noble, LINES, compress=compress)
    known = tables.known(noble, ["pyyaml", "certbot", "newcomer", "hello"])
    assert {name: row.package for name, row in known.items()} == {
        "pyyaml": "python3-yaml",
        "certbot": "python3-certbot",
        "newcomer": "newcomer",
    }
    assert tables.of_module(noble, "yaml") == ["python3-yaml"]
    assert [row.name for row in tables.of_command(noble, "newcomer")] == ["newcomer"]
    assert tables.names(noble) == {"pyyaml", "certbot", "newcomer"}


def test_identity_and_the_package_with_the_command_come_from_the_shipped_tables(noble: Release) -> None:
    put(noble, LINES)
    known = tables.known(noble, ["pyyaml", "certbot", "newcomer"])
    assert (known["pyyaml"].identity, known["certbot"].identity) == (SAME, SAME)
    assert (known["certbot"].application, known["certbot"].commands) == ("certbot", ("certbot",))
    assert known["newcomer"].identity == UNPROVED
    assert upstream_of(known["pyyaml"], "6.0.1-2build2") == "6.0.1"


def test_it_is_made_once_and_again_when_the_lists_change(noble: Release) -> None:
    place = put(noble, LINES)
    tables.known(noble, ["pyyaml"])
    made = list(Path(noble.cache).iterdir())
    stamp = made[0].stat().st_mtime_ns
    tables.known(noble, ["certbot"])
    assert [(path, path.stat().st_mtime_ns) for path in Path(noble.cache).iterdir()] == [(made[0], stamp)]
    place.unlink()
    put(noble, LINES + "usr/lib/python3/dist-packages/six-1.16.0.egg-info  python/python3-six\n")
    assert tables.known(noble, ["six"])["six"].package == "python3-six"
    assert len(list(Path(noble.cache).iterdir())) == 1


def test_without_lists_of_this_release_nothing_is_known(noble: Release) -> None:
    assert tables.known(noble, ["pyyaml"]) == {}
    put(noble, LINES, name="archive.example_ubuntu_dists_jammy_main_Contents-amd64")
    put(noble, LINES, name="archive.example_ubuntu_dists_noblesse_main_Contents-amd64")
    assert tables.known(noble, ["pyyaml"]) == {}
    put(noble, LINES, name="archive.example_ubuntu_dists_noble-updates_main_Contents-amd64")
    assert tables.known(noble, ["pyyaml"])["pyyaml"].package == "python3-yaml"


def test_a_list_that_apt_cannot_read_makes_no_table(noble: Release) -> None:
    put(noble, LINES)
    put(noble, "").with_suffix(".lz4").write_bytes(bytes(range(256)) * 9)
    assert tables.known(noble, ["pyyaml"]) == {}
    assert not Path(noble.cache).exists() or list(Path(noble.cache).iterdir()) == []


def test_a_shipped_table_is_not_replaced_by_one_of_the_lists(noble: Release) -> None:
    put(noble, LINES, name="deb.example_debian_dists_bookworm_main_Contents-amd64")
    bookworm = noble._replace(codename="bookworm")
    assert "newcomer" not in tables.names(bookworm)
    assert not Path(noble.cache).exists()


def test_no_room_for_a_table_is_no_failure(noble: Release) -> None:
    put(noble, LINES)
    Path(noble.cache).write_text("a file where the directory should be")
    assert tables.known(noble, ["pyyaml"]) == {}
