"""The files of pip and uv on a machine."""

from pathlib import Path

import pytest

from detente.engine.sources import NOTHING, Sources
from detente.errors import ConfigError
from detente.scan.sources import read_sources


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def read(tmp_path: Path, home: Path, typed: Sources = NOTHING, **environ: str) -> Sources:
    return read_sources(environ, str(home), root=str(tmp_path), command_line=typed)


def test_a_machine_without_configuration_says_nothing(tmp_path: Path, home: Path) -> None:
    assert read(tmp_path, home) == NOTHING


def test_each_file_of_pip_wins_over_the_ones_before_it(tmp_path: Path, home: Path) -> None:
    for path in ("etc/xdg/pip/pip.conf", "etc/pip.conf", "home/.pip/pip.conf", "home/.config/pip/pip.conf"):
        write(tmp_path / path, f"[global]\nindex-url=http://{path}/\n")
        assert read(tmp_path, home).index_url == f"http://{path}/"
    chosen = write(tmp_path / "chosen.conf", "[global]\nproxy=http://p\n")
    assert read(tmp_path, home, PIP_CONFIG_FILE=str(chosen)) == Sources(
        index_url="http://etc/pip.conf/", proxy="http://p"
    )
    assert read(tmp_path, home, PIP_CONFIG_FILE="/dev/null") == NOTHING


def test_directories_of_the_base_directory_specification_are_honoured(tmp_path: Path, home: Path) -> None:
    write(tmp_path / "a/pip/pip.conf", "[global]\nindex-url=http://a/\n")
    write(tmp_path / "c/pip/pip.conf", "[global]\nproxy=http://c\n")
    found = read(tmp_path, home, XDG_CONFIG_DIRS=str(tmp_path / "a"), XDG_CONFIG_HOME=str(tmp_path / "c"))
    assert found == Sources(index_url="http://a/", proxy="http://c")


def test_links_of_pip_that_do_not_exist_are_left_out_and_named(tmp_path: Path, home: Path) -> None:
    (tmp_path / "real, dir").mkdir()
    there = (tmp_path / "real, dir").as_uri()
    found = read(tmp_path, home, PIP_FIND_LINKS=f"/no/such {there} file:///no/where http://h/links")
    assert found.find_links == (there, "http://h/links")
    assert found.missing_links == ("/no/such", "file:///no/where")


def test_what_uv_is_configured_with_is_left_to_uv(tmp_path: Path, home: Path) -> None:
    write(home / ".config/pip/pip.conf", "[global]\nindex-url=http://pip/\nextra-index-url=http://more/\n")
    write(home / ".config/uv/uv.toml", 'index-url = "http://uv/"\n')
    found = read(tmp_path, home)
    assert found.index_url == ""
    assert found.extra_index_urls == ("http://more/",)
    assert read(tmp_path, home, UV_INDEX="http://uv2/").extra_index_urls == ()


def test_the_command_line_wins_over_uv_and_pip(tmp_path: Path, home: Path) -> None:
    write(home / ".config/uv/uv.toml", 'index-url = "http://uv/"\nallow-insecure-host = ["a"]\n')
    found = read(tmp_path, home, Sources(index_url="http://typed/"), PIP_INDEX_URL="http://pip/")
    assert found == Sources(index_url="http://typed/", insecure_hosts=("a",), plain=True)


def test_our_fetcher_learns_what_uv_knows_of_hosts(tmp_path: Path, home: Path) -> None:
    write(
        home / ".config/uv/uv.toml",
        'https-proxy = "http://proxy:3128"\n[[index]]\nname = "corp-1"\nurl = "https://idx.example/simple"\n'
        '[[index]]\nurl = "https://n:p@def.example/simple"\ndefault = true\n',
    )
    found = read(
        tmp_path,
        home,
        UV_INDEX_CORP_1_USERNAME="me",
        UV_INDEX_CORP_1_PASSWORD="p@:ss",
        SSL_CERT_FILE="/uv.pem",
        PIP_CERT="/pip.pem",
        UV_INSECURE_HOST="a b:1",
        UV_HTTP_TIMEOUT="7",
    )
    assert found.credentials() == {"idx.example": ("me", "p@:ss"), "def.example": ("n", "p")}
    assert (found.proxy, found.certificate) == ("http://proxy:3128", "/uv.pem")
    assert (found.insecure_hosts, found.timeout) == (("a", "b:1"), 7)
    assert (found.index_url, found.extra_index_urls) == ("", ())


def test_the_users_uv_file_wins_over_the_system_one_and_a_chosen_one_replaces_both(tmp_path: Path, home: Path) -> None:
    write(tmp_path / "etc/uv/uv.toml", 'https-proxy = "http://etc"\nallow-insecure-host = ["etc"]\n')
    write(home / ".config/uv/uv.toml", 'https-proxy = "http://user"\n')
    found = read(tmp_path, home)
    assert (found.proxy, found.insecure_hosts) == ("http://user", ("etc",))
    chosen = write(tmp_path / "chosen.toml", 'https-proxy = "http://chosen"\n')
    assert read(tmp_path, home, UV_CONFIG_FILE=str(chosen)) == Sources(proxy="http://chosen")
    assert read(tmp_path, home, UV_NO_CONFIG="1") == NOTHING


def test_a_broken_uv_file_is_named_with_its_line(tmp_path: Path, home: Path) -> None:
    path = write(home / ".config/uv/uv.toml", "a = 1\n[pip\n")
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, home)
    assert str(path) in caught.value.message
    assert "line 2" in " ".join(caught.value.context)


def test_a_file_that_is_not_text_is_named_with_its_line(tmp_path: Path, home: Path) -> None:
    path = home / ".config/pip/pip.conf"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"[global]\nproxy=\xff\n")
    with pytest.raises(ConfigError, match=f"{path}, line 2"):
        read(tmp_path, home)


def test_a_directory_in_place_of_a_file_is_passed_over_as_pip_does(tmp_path: Path, home: Path) -> None:
    (home / ".config/pip/pip.conf").mkdir(parents=True)
    assert read(tmp_path, home) == NOTHING
