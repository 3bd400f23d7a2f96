"""What can stand in the way of a system package on a real Debian: locks, no lists, a broken status, an interrupt."""

import pytest
from furnished import Furnished

pytestmark = pytest.mark.distro

ONE_RELEASE = pytest.mark.parametrize("furniture", ["bookworm"], indirect=True)  # what does not differ between them


@ONE_RELEASE
def test_a_lock_that_another_process_holds_is_named_with_its_holder(there: Furnished) -> None:
    script = """
python3 -c '
import fcntl, time
file = open("/var/lib/dpkg/lock-frontend", "w"); fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); time.sleep(300)
' >/run/held & holder=$!
while [ ! -s /run/held ]; do sleep 0.1; done
detente install pycodestyle --from distro --yes; status=$?; echo "holder $holder" >&2; exit $status"""
    said = there.run("sh", "-c", script, user="root", cwd="/", environ=there.environ)
    assert said.status == 5, said
    *_, holder = said.err.split()
    assert f"process {holder}" in said.out + said.err
    assert not there.installed("pycodestyle")


def test_without_apts_lists_the_index_works_and_the_distro_says_what_to_type(there: Furnished) -> None:
    there.as_root("sh", "-c", "rm -r /var/lib/apt/lists/* /var/cache/apt/*.bin")
    said = there.detente("install", "pycodestyle", "--from", "distro", user="root")
    assert said.status in {1, 3}, said
    assert "sudo apt update" in said.err
    assert "Traceback" not in said.err
    for words in (("install", "demo"), ("install", "isort"), ("list",), ("why", "yamllint", "--offline")):
        done = there.detente(*words)
        assert done.status == 0, (words, done)


def test_a_broken_status_of_dpkg_is_told_and_stops_only_what_needs_it(there: Furnished) -> None:
    there.as_root("sh", "-c", "printf 'Package: torn\\nSta' >>/var/lib/dpkg/status")
    said = there.detente("install", "pycodestyle", "--from", "distro", user="root")
    assert said.status == 1, said
    assert said.err.startswith("error: "), said
    assert "hint: sudo " in said.err
    for words in (("install", "demo"), ("list",)):
        done = there.detente(*words)
        assert (done.status, "Traceback" in done.err) == (0, False), (words, done)


def test_a_half_installed_system_package_does_not_count_as_installed(there: Furnished) -> None:
    status = "s/^Status: install ok installed/Status: install reinstreq half-installed/"
    there.as_root("sed", "-i", f"/^Package: yamllint$/,/^$/{status}", "/var/lib/dpkg/status")
    said = there.detente("install", "yamllint")
    assert "installed already" not in said.out, said
    assert said.status == 5, "its command is there, and is the system package's"


@ONE_RELEASE
@pytest.mark.parametrize("user", ["root", "person"])
def test_an_interrupt_while_apt_runs_ends_with_130_and_says_what_is_left(there: Furnished, user: str) -> None:
    slow = 'DPkg::Pre-Invoke { "echo apt is at work; sleep 5"; };'
    there.as_root("sh", "-c", f"echo '{slow}' >/etc/apt/apt.conf.d/99slow")
    seen = there.at_a_terminal(
        "detente", "install", "pycodestyle", "--from", "distro", "--yes",
        user=user,
        answers=[("apt is at work", "\x03")],
    )  # fmt: skip
    assert seen.status == 130, seen
    assert "Traceback" not in seen.text
    assert "interrupted" in seen.text.lower()
    there.as_root("rm", "/etc/apt/apt.conf.d/99slow")
    torn = there.as_root("dpkg", "--audit").out
    assert ("dpkg --configure -a" in seen.text) == bool(torn), (seen, torn)
    again = there.detente("install", "pycodestyle", "--from", "distro", "--yes", user="root")
    assert (again.status, bool(there.installed("pycodestyle"))) == (0, True), again


@ONE_RELEASE
def test_a_distro_that_is_not_known_works_with_the_index_alone_and_is_mentioned_once(there: Furnished) -> None:
    there.as_root("sh", "-c", "mv /usr/bin/dpkg-query /usr/bin/apt-cache /root; printf 'ID=other\\n' >/etc/os-release")
    first, second = there.detente("install", "demo"), there.detente("install", "isort")
    assert (first.status, second.status) == (0, 0), (first, second)
    said = [line for line in (first.out + first.err).splitlines() if "distribution" in line or "distro" in line]
    assert len(said) == 1, first
    assert said[0] not in second.out + second.err
    refused = there.detente("install", "pycodestyle", "--from", "distro", user="root")
    assert (refused.status, "Traceback" in refused.err) == (5, False), refused


@ONE_RELEASE
def test_whoever_sudo_refuses_hears_the_command_that_root_would_type(there: Furnished) -> None:
    said = there.at_a_terminal(
        "detente", "install", "pycodestyle", "--from", "distro", "--yes",
        user="guest",
        answers=[("password for guest", "wrong\n")] * 3,
    )  # fmt: skip
    assert said.status == 5, said
    assert "apt install pycodestyle" in said.text
    assert "Traceback" not in said.text
    assert not there.installed("pycodestyle")


@ONE_RELEASE
def test_without_sudo_it_says_so_and_names_the_way_that_is_left(there: Furnished) -> None:
    there.as_root("rm", "/usr/bin/sudo")
    said = there.at_a_terminal("detente", "install", "pycodestyle", "--from", "distro", "--yes")
    assert said.status == 5, said
    assert "sudo is not installed; su can do it" in said.text
    assert "su -c 'apt install pycodestyle'" in said.text
    assert not there.installed("pycodestyle")


@ONE_RELEASE
def test_that_nobody_can_become_root_is_said_before_apt_is_asked_what_it_would_do(there: Furnished) -> None:
    there.as_root("mv", "/usr/bin/apt-get", "/root")
    said = there.detente("install", "pycodestyle", "--from", "distro")
    assert (said.status, said.err.splitlines()[-1]) == (5, "hint: sudo apt install pycodestyle"), said


@ONE_RELEASE
def test_an_interrupt_of_the_distros_part_names_what_the_index_had_brought_before(there: Furnished) -> None:
    words = ("detente", "install", "demo", "pycodestyle", "--yes", "--prefer", "distro")
    seen = there.at_a_terminal(*words, user="guest", answers=[("password for guest", "\x03")])
    assert seen.status == 130, seen
    assert "left pycodestyle as it was; demo had been installed before" in seen.text, seen
