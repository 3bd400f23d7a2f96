"""Which distro this is, read from its own files."""

from pathlib import Path

import pytest

from detente.errors import ConfigError
from detente.scan.system import system
from support.systems import lay_out, look


def test_the_release_is_read_from_its_own_files(tmp_path: Path) -> None:
    old = look(lay_out("bookworm", tmp_path / "old"))
    assert old.release[:5] == ("debian", "12", "bookworm", "Debian 12", "3.11")
    new = look(lay_out("trixie", tmp_path / "new"))
    assert new.release[:5] == ("debian", "13", "trixie", "Debian 13", "3.13")


def test_a_distro_without_a_known_package_manager_is_none(bookworm: Path, tmp_path: Path) -> None:
    (bookworm / "usr/bin/dpkg-query").unlink()
    assert system({"DETENTE_DISTRO": str(bookworm)}, str(tmp_path)) is None
    assert system({"DETENTE_DISTRO": "none"}, str(tmp_path)) is None


def test_a_release_that_says_nothing_of_itself_is_read_as_far_as_it_goes(bookworm: Path) -> None:
    (bookworm / "etc/os-release").unlink()
    (bookworm / "usr/share/python3/debian_defaults").unlink()
    (bookworm / "usr/bin/python3").symlink_to("python3.11")
    assert look(bookworm).release[:5] == ("linux", "", "", "linux", "3.11")


def test_a_root_that_is_none_is_refused(tmp_path: Path) -> None:
    for value in ("nonsense", str(tmp_path / "missing"), "./here"):
        with pytest.raises(ConfigError) as caught:
            system({"DETENTE_DISTRO": value}, str(tmp_path))
        assert repr(value) in caught.value.message


def test_the_configuration_can_name_the_distro_too(bookworm: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".config/detente").mkdir(parents=True)
    (home / ".config/detente/config.toml").write_text('distro = "none"\n')
    assert system({"HOME": str(home)}, str(tmp_path)) is None
    found = system({"HOME": str(home), "DETENTE_DISTRO": str(bookworm)}, str(tmp_path))
    assert found is not None, "the variable goes first"
