"""Modules that only the distro has (apt, gi) in an application's environment: where they were asked for, only there."""

import pytest
from furnished import Furnished

pytestmark = pytest.mark.distro

ASKS = "/home/person/.local/bin/asks"


def importable(there: Furnished, *names: str) -> dict[str, str]:
    """Return what each of `names` is imported from by the installed application; "-" where it cannot be."""
    ran = there.run(ASKS, *names, cwd="/")
    assert ran.status == 0, ran
    return dict(line.split(" ", 1) for line in ran.out.splitlines())


def test_they_are_there_when_asked_for_and_nothing_else_of_the_distro_is(there: Furnished) -> None:
    said = there.detente("install", "asks", "--with-distro", "gi,apt")
    assert said.status == 0, said
    found = importable(there, "gi", "gi.repository", "apt", "apt_pkg", "yaml", "yamllint", "pip", "asks")
    assert {name for name, file in found.items() if file == "-"} == {"yaml", "yamllint", "pip"}
    assert found["gi"].startswith("/home/person/.local/share/detente/envs/"), found
    assert "-" not in importable(there, "apt.cache", "gi.repository.GLib").values(), "what they import is there, too"


def test_without_being_asked_for_they_are_not_there(there: Furnished) -> None:
    said = there.detente("install", "asks")
    assert said.status == 0, said
    assert importable(there, "gi", "apt", "apt_pkg", "yaml") == dict.fromkeys(("gi", "apt", "apt_pkg", "yaml"), "-")


def test_system_packages_names_are_understood_and_what_is_not_installed_is_named(there: Furnished) -> None:
    said = there.detente("install", "asks", "--with-distro", "python3-apt")
    assert said.status == 0, said
    assert importable(there, "apt_pkg")["apt_pkg"] != "-"
    refused = there.detente("install", "demo", "--with-distro", "dbus")
    assert (refused.status, "sudo apt install python3-dbus" in refused.err) == (5, True), refused
    unknown = there.detente("install", "demo", "--with-distro", "no_such_module")
    assert (unknown.status, "Traceback" in unknown.err) == (3, False), unknown


def test_it_is_noticed_when_they_go(there: Furnished) -> None:
    assert there.detente("install", "asks", "--with-distro", "gi").status == 0
    there.as_root("apt-get", "remove", "--yes", "python3-gi")
    said = there.detente("verify")
    assert "python3-gi" in said.out + said.err, said
    assert "Traceback" not in said.err
    refused = there.detente("install", "asks", "--with-distro", "gi")
    assert (refused.status, "sudo apt install python3-gi" in refused.err) == (5, True), refused


def test_nothing_is_written_beside_them_even_as_root(there: Furnished) -> None:
    """The distro has compiled its modules; what is not compiled, its own Python compiles there as root as well."""
    before = {path for path in there.files() if path.startswith("usr/")}
    said = there.detente("install", "asks", "--with-distro", "gi,apt", user="root")
    assert said.status == 0, said
    ran = there.run("/root/.local/bin/asks", "gi.repository.GLib", "apt.cache", user="root", cwd="/")
    assert (ran.status, "-\n" in ran.out) == (0, False), ran
    after = {path for path in there.files() if path.startswith("usr/")}
    assert after - before == set()
