"""A clean clone on a machine that has the distro's python3 and nothing else of Python's."""

import contextlib
import re
import subprocess
import time
from pathlib import Path

import pytest
from chroot import HOME, Chroot

pytestmark = pytest.mark.distro

ADVICE = re.compile(
    r"error: detente needs pip for its first run, and there is none; install it: sudo apt install (\S+)\n"
)


def wanted(chroot: Chroot) -> str:
    """Run detente; insist on one line that names one system package, and return its name."""
    said = chroot.run("./detente", "--version")
    advice = ADVICE.fullmatch(said.err)
    assert advice, said
    assert (said.status, said.out) == (1, "")
    return advice[1]


def install(chroot: Chroot, name: str) -> None:
    """Install one system package as the advice says."""
    for words in (["update"], ["install", "--yes", name]):
        done = chroot.run("apt-get", *words, user="root", cwd="/", environ={"DEBIAN_FRONTEND": "noninteractive"})
        assert done.status == 0, done.err


def test_it_names_the_one_system_package_that_is_missing_and_with_it_everything_works(chroot: Chroot) -> None:
    before = chroot.files()
    name = wanted(chroot)
    assert chroot.files() - before <= {f"{HOME[1:]}/.cache"} | {path for path in chroot.files() if "/.cache/" in path}
    install(chroot, name)
    first = chroot.run("./detente", "--version")
    assert first.status == 0, first.err
    assert first.out.startswith("detente ")
    assert first.err.startswith("preparing detente's run-time environment in ")
    again = chroot.run("./detente", "list")
    assert (again.status, "preparing" in again.err) == (0, False), again.err


def test_whatever_runs_it_writes_only_into_their_own_cache(chroot: Chroot) -> None:
    install(chroot, wanted(chroot))
    for user, home in (("person", HOME), ("root", "/root")):
        before = chroot.files()
        assert chroot.run("./detente", "--version", user=user).status == 0
        new = chroot.files() - before
        assert {path for path in new if not f"/{path}".startswith(f"{home}/.cache")} <= {home[1:]}
        assert any(path.endswith("/bin/uv") for path in new)


def test_without_a_network_the_first_run_says_so(chroot: Chroot) -> None:
    install(chroot, wanted(chroot))
    said = chroot.run("./detente", "--version", network=False, environ={"PIP_RETRIES": "0"})
    assert said.status == 1
    assert "Traceback" not in said.err
    assert "error: the package index cannot be reached" in said.err.splitlines()[-1]


def test_without_any_python_it_says_what_to_type(chroot: Chroot) -> None:
    chroot.run("sh", "-c", "rm /usr/bin/python3*", user="root")
    said = chroot.run("./detente", "--version")
    assert said.status == 1
    assert said.err == (
        "error: detente needs Python 3.11 or newer, and there is none here; install it: sudo apt install python3\n"
    )


def test_nothing_in_a_chroot_outlives_its_time(chroot: Chroot) -> None:
    """If this broke, a test could leave programs behind on the machine."""
    with pytest.raises(subprocess.TimeoutExpired):
        chroot.run("sleep", "61.7", cwd="/", timeout=1)
    end = time.monotonic() + 5
    while b"sleep\x0061.7\0" in command_lines():
        assert time.monotonic() < end, "it still runs"
        time.sleep(0.05)


def command_lines() -> list[bytes]:
    """Return how each program on this machine was called."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes())
    return found


def test_a_chroot_has_devices_of_its_own(chroot: Chroot) -> None:
    """If this broke, a test could reach the machine's disks."""
    listed = chroot.run("ls", "/dev", user="root", cwd="/")
    assert set(listed.out.split()) == {"fd", "full", "null", "ptmx", "pts", "random", "shm", "tty", "urandom", "zero"}
