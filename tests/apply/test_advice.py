"""What to type after a failed build: judged on what real builds said, word for word."""

import re
from pathlib import Path

import pytest

from detente.apply.advice import hint_for, missing_in, needs_in, refusal_in
from detente.apply.needs import (
    ANY,
    CMAKE,
    HEADER,
    LIBRARY,
    PKG_CONFIG,
    PROGRAM,
    SUDO,
    Need,
    Supplier,
    names,
    read,
    supplier,
)
from detente.host.escalate import seat
from detente.model import Interpreter

RECORDED = Path(__file__).parents[1] / "fixtures/failed-builds.txt"
NOWHERE = "/nonexistent"  # nothing is installed there
BOOKWORM = Supplier("apt", "bookworm", root=NOWHERE)
TRIXIE = Supplier("apt", "trixie", root=NOWHERE)


def of(path: str) -> Interpreter:
    return Interpreter(path, "3.11.2", "cpython", "cpython-311", "lib/python3.11/site-packages", "linux-x86_64")


DISTROS = of("/usr/bin/python3.11")


def recorded() -> list[tuple[str, str, str]]:
    """Return project, state and versions; what is to be installed; and what its build said."""
    parts = re.split(r"(?m)^=== (.*)\n", RECORDED.read_text())[1:]
    cases = []
    for head, log in zip(parts[::2], parts[1::2], strict=True):
        title, tools, state, packages = (word.strip() for word in f"{head} ".split(" | "))
        cases.append((f"{title} ({tools}; {state})", packages, log))
    return cases


def test_there_are_many_real_cases() -> None:
    assert len(recorded()) >= 70


@pytest.mark.parametrize(("title", "packages", "log"), recorded(), ids=[case[0] for case in recorded()])
def test_a_real_build_that_misses_something_is_told_all_that_it_needs(title: str, packages: str, log: str) -> None:
    hint = missing_in(log, DISTROS, BOOKWORM)
    assert hint == (packages if not packages or packages.startswith("find ") else f"sudo apt install {packages}")


@pytest.mark.parametrize(
    ("log", "tool", "hint"),
    [
        ("x.c:3:10: fatal error: Python.h: No such file or directory", "apt", "sudo apt install python3.11-dev"),
        ("x.c:3:10: fatal error: Python.h: No such file or directory", "dnf", "sudo dnf install python3-devel"),
        ("x.c:9:10: fatal error: 'ffi.h' file not found", "apt", "sudo apt install libffi-dev"),
        ("x.c:9:10: fatal error: 'ffi.h' file not found", "", "install libffi-dev (as Debian calls it)"),
        ("fatal error: libxml/xpath.h: No such file or directory", "pacman", "sudo pacman -S libxml2 libxslt"),
        ("fatal error: strange/thing.h: No such file or directory", "apt", "apt-file search strange/thing.h"),
        (
            "error: command 'gcc' failed: No such file or directory",
            "apt",
            "sudo apt install build-essential python3.11-dev",
        ),
        (
            "error: command 'gcc' failed: No such file or directory",
            "dnf",
            "sudo dnf install gcc gcc-c++ make python3-devel",
        ),
        (
            "error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory",
            "apt",
            "sudo apt install build-essential python3.11-dev",
        ),
        (
            "error: command '/usr/bin/aarch64-linux-gnu-gcc' failed: No such file or directory",
            "apt",
            "sudo apt install build-essential python3.11-dev",
        ),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'cmake'", "apt", "sudo apt install cmake"),
        ("Error: pg_config executable not found.", "apt", "sudo apt install libpq-dev"),
        ("/bin/sh: 1: pkg-config: not found", "apt", "sudo apt install pkg-config"),
        ("bash: line 1: llvm-config: command not found", "apt", "sudo apt install llvm-dev"),
        ("../meson.build:3:0: ERROR: Program 'swig' not found or not executable", "apt", "sudo apt install swig"),
        ("Package 'cairo', required by 'virtual:world', not found", "apt", "sudo apt install libcairo2-dev"),
        ("No package 'libffi' found", "apt", "sudo apt install libffi-dev"),
        ('ERROR: Dependency "cairo" not found, tried pkgconfig', "apt", "sudo apt install libcairo2-dev"),
        ("/usr/bin/ld: cannot find -lpq: No such file or directory", "apt", "sudo apt install libpq-dev"),
        ("/usr/bin/ld: cannot find -lpq", "dnf", "sudo dnf install libpq-devel"),
        (
            "CMake Error at /usr/share/cmake-3.25/Modules/X.cmake:230 (message):\n  Could NOT find ZLIB (missing: Z)",
            "apt",
            "sudo apt install zlib1g-dev",
        ),
        ("ModuleNotFoundError: No module named 'numpy'", "apt", "a version with a wheel"),
        ("error: command '/usr/bin/gcc' failed with exit code 1", "apt", "a version with a wheel"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'README.md'", "apt", "a version with a wheel"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'requirements.txt'", "apt", "a version with a wheel"),
        ("src/main.c:1:10: fatal error: config.h: No such file or directory", "apt", "apt-file search config.h"),
    ],
)
def test_the_hint_names_what_the_log_misses(log: str, tool: str, hint: str) -> None:
    used = Supplier(tool, "bookworm" if tool == "apt" else "", tool != "apt", NOWHERE)
    assert hint in hint_for(f"before\n{log}\nafter", DISTROS, used)


def test_headers_of_a_python_that_is_not_the_distros_are_not_promised_from_apt() -> None:
    log = "fatal error: Python.h: No such file or directory"
    assert "apt" not in hint_for(log, of("/opt/python/bin/python3.11"), BOOKWORM)


def test_all_that_is_missing_is_installed_at_once() -> None:
    log = (
        "x.c:1:10: fatal error: ffi.h: No such file or directory\n"
        "x.c:2:10: fatal error: Python.h: No such file or directory\n"
        "y.c:1:10: fatal error: ffi.h: No such file or directory\n"
        "/usr/bin/ld: cannot find -lcairo: No such file or directory\n"
    )
    assert missing_in(log, DISTROS, BOOKWORM) == "sudo apt install libffi-dev python3.11-dev libcairo2-dev"


def test_what_is_installed_already_is_not_to_be_installed(tmp_path: Path) -> None:
    info = tmp_path / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    (info / "libffi-dev:amd64.list").touch()
    (info / "libcairo2-dev.list").touch()
    here = BOOKWORM._replace(root=str(tmp_path))
    two = "a.c:1:1: fatal error: ffi.h: No such file or directory\nld: cannot find -lpq: No such file or directory"
    assert missing_in(two, DISTROS, here) == "sudo apt install libpq-dev"
    alone = "a.c:1:1: fatal error: ffi.h: No such file or directory"
    assert "is installed, but the build does not find ffi.h" in missing_in(alone, DISTROS, here)


def test_a_compiler_that_is_missing_goes_before_the_network_that_it_would_be_fetched_from() -> None:
    log = "Rust not found, installing into a temporary directory\n[Errno -2] Name or service not known"
    assert refusal_in(log) == ("", "")
    assert missing_in(log, DISTROS, BOOKWORM) == "sudo apt install rustc cargo"
    assert "--build-network" in refusal_in("[Errno -2] Name or service not known")[1]


def test_a_trial_of_compilers_that_are_not_there_is_no_failure() -> None:
    log = "Running `nvfortran -V` gave \"[Errno 2] No such file or directory: 'gfortran'\"\nsomething else is wrong\n"
    assert needs_in(log, BOOKWORM) == []


# The table


@pytest.mark.parametrize(
    ("need", "bookworm", "trixie"),
    [
        (Need(HEADER, "openssl/ssl.h"), "libssl-dev", "libssl-dev"),
        (Need(HEADER, "curl/curl.h"), "libcurl4-openssl-dev", "libcurl4-openssl-dev"),  # below the triplet
        (Need(HEADER, "cairo.h"), "libcairo2-dev", "libcairo2-dev"),  # in cairo/, which cairo.pc adds
        (Need(HEADER, "libxml/xpath.h"), "libxml2-dev", "libxml2-dev"),
        (Need(HEADER, "boost/version.hpp"), "libboost-dev", "libboost-dev"),
        (Need(HEADER, "pcre.h"), "libpcre3-dev", ""),  # trixie has none any more
        (Need(HEADER, "util.h"), "", ""),
        (Need(HEADER, "no/such/file.h"), "", ""),
        (Need(LIBRARY, "z"), "zlib1g-dev", "zlib1g-dev"),
        (Need(PKG_CONFIG, "gobject-introspection-1.0"), "libgirepository1.0-dev", "gobject-introspection"),
        (Need(PKG_CONFIG, "girepository-2.0"), "", "libgirepository-2.0-dev"),
        (Need(CMAKE, "OpenSSL"), "libssl-dev", "libssl-dev"),
        (Need(PROGRAM, "/usr/bin/gfortran"), "gfortran", "gfortran"),
        (Need(ANY, "libcap"), "libcap-dev", "libcap-dev"),
    ],
)
def test_the_table_knows_each_release(need: Need, bookworm: str, trixie: str) -> None:
    assert BOOKWORM.package(need) == bookworm
    if trixie or need.kind != PKG_CONFIG:
        assert TRIXIE.package(need) == trixie


def test_a_release_without_a_table_is_told_in_debians_names(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/apt").touch(0o755)
    (tmp_path / "etc").mkdir()
    log = "x.c:9:10: fatal error: ffi.h: No such file or directory"
    for text, borrowed in (
        ("ID=ubuntu\nVERSION_CODENAME=noble\n", True),
        ("ID=raspbian\nVERSION_CODENAME=bookworm\n", False),
        ('ID=linuxmint\nVERSION_CODENAME="faye"\nDEBIAN_CODENAME=bookworm\n', False),
        ("ID=debian\nVERSION_CODENAME=forky\n", False),
    ):
        (tmp_path / "etc/os-release").write_text(text)
        here = supplier(str(tmp_path))._replace(seat=SUDO)
        hint = missing_in(log, DISTROS, here)
        assert hint == ("as Debian calls it: " if borrowed else "") + "sudo apt install libffi-dev", text
    (tmp_path / "etc/os-release").unlink()
    (tmp_path / "usr/bin/apt").unlink()
    assert supplier(str(tmp_path)) == Supplier("", "", True, str(tmp_path), seat({}))


def test_the_command_is_one_that_becomes_root_on_this_machine() -> None:
    log = "x.c:9:10: fatal error: ffi.h: No such file or directory"
    for here, hint in (
        (SUDO._replace(root=True), "apt install libffi-dev"),
        (SUDO._replace(tools={"doas": "/usr/bin/doas"}), "doas apt install libffi-dev"),
        (SUDO._replace(tools={}, su="/bin/su"), "su -c 'apt install libffi-dev'"),
    ):
        assert missing_in(log, DISTROS, BOOKWORM._replace(seat=here)) == hint


def test_a_table_that_cannot_be_read_costs_only_the_advice() -> None:
    assert read([]) == {}
    assert Supplier("apt", "sarge").package(Need(HEADER, "zlib.h")) == "zlib1g-dev", "the newest table"
    assert names([Need(HEADER, "zlib.h"), Need(LIBRARY, "z"), Need(LIBRARY, "no-such")], BOOKWORM) == ["zlib1g-dev"]


def test_the_table_is_small() -> None:
    from detente.apply.needs import DATA

    assert Path(DATA).stat().st_size < 250_000
