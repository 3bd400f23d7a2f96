"""System packages that ask, fail, or are called nearly like another one: from a source of the test's own."""

import pytest
from furnished import Furnished

pytestmark = [
    pytest.mark.distro,
    pytest.mark.parametrize("furniture", ["bookworm"], indirect=True),  # apt and dpkg do not differ in this
]

_BUILD = r"""
set -e
name=$1 postinst=$2 settings=$3
place=/srv/build/$name
mkdir -p "$place/DEBIAN" "$place/etc/awkward" /srv/source
printf '%s\n' "Package: $name" "Version: 99-1" "Architecture: all" "Maintainer: A <a@example.org>" \
    "Description: awkward" >"$place/DEBIAN/control"
printf '#!/bin/sh\n%s\n' "$postinst" >"$place/DEBIAN/postinst"
chmod 755 "$place/DEBIAN/postinst"
if [ -n "$settings" ]; then
    echo "$settings" >"$place/etc/awkward/$name.conf"
    echo "/etc/awkward/$name.conf" >"$place/DEBIAN/conffiles"
fi
dpkg-deb --build "$place" /srv/source >/dev/null
cd /srv/source
for file in *.deb; do
    dpkg-deb --field "$file"
    printf '%s\n' "Filename: ./$file" "Size: $(stat -c %s "$file")" "SHA256: $(sha256sum "$file" | cut -d' ' -f1)" ""
done >Packages
echo 'deb [trusted=yes] file:/srv/source ./' >/etc/apt/sources.list.d/awkward.list
apt-get update -o Dir::Etc::sourcelist=sources.list.d/awkward.list -o Dir::Etc::sourceparts=- \
    -o APT::Get::List-Cleanup=0 >/dev/null
"""


def offer(there: Furnished, name: str, *, postinst: str = "", settings: str = "") -> None:
    """Let apt have a system package `name` 99-1, with a settings file of the text `settings`."""
    there.as_root("sh", "-c", _BUILD, "sh", name, postinst, settings)


def settings_of_the_person(there: Furnished, name: str) -> None:
    there.as_root("sh", "-c", f"mkdir -p /etc/awkward && echo mine >/etc/awkward/{name}.conf")


def test_what_a_package_asks_at_a_terminal_can_be_answered_through_sudo(there: Furnished) -> None:
    offer(there, "isort", settings="theirs")
    for words in ((), ("-q",)):
        settings_of_the_person(there, "isort")
        seen = there.at_a_terminal(
            "detente", "install", "isort", "--from", "distro", "--yes", *words, answers=[("[default=N] ?", "y\n")]
        )
        assert (seen.status, there.installed("isort")) == (0, "99-1"), seen
        assert there.as_root("cat", "/etc/awkward/isort.conf").out == "theirs\n", seen
        there.as_root("dpkg", "--purge", "isort")


def test_where_nobody_can_be_asked_settings_of_the_person_stay(there: Furnished) -> None:
    offer(there, "isort", settings="theirs")
    settings_of_the_person(there, "isort")
    said = there.detente("install", "isort", "--from", "distro", user="root")
    assert (said.status, there.installed("isort")) == (0, "99-1"), said
    assert there.as_root("cat", "/etc/awkward/isort.conf").out == "mine\n"


def test_a_name_that_apt_has_not_is_not_a_pattern_for_others(there: Furnished) -> None:
    there.as_root("sh", "-c", "rm -f /etc/apt/sources.list; rm -rf /var/lib/apt/lists/*")
    offer(there, "python3-zopexinterface")
    said = there.detente("install", "zope.interface", "--from", "distro", "--yes", user="root")
    assert said.status == 3, said
    assert "python3-zope.interface" in said.err
    assert not there.installed("python3-zopexinterface")


def test_a_dot_in_a_system_packages_name_counts(there: Furnished) -> None:
    said = there.detente("install", "docker.io", "--from", "distro", user="root")
    assert (said.status, said.err.splitlines()[-1]) == (5, "hint: apt install docker.io"), said
    said = there.detente("install", "-n", "python3-zope.interface", "--from", "distro", user="root")
    assert (said.status, "python3-zope.interface" in said.out) == (0, True), said


def test_root_leaves_nothing_in_the_home_of_another_that_sudo_kept(there: Furnished) -> None:
    # As an installed détente: a checkout has a check of its own before.
    code = "import sys; sys.path[:0] = sys.argv.pop(1).split(':'); from detente.cli.main import main; sys.exit(main())"
    (library,) = there.as_root("sh", "-c", "echo /root/.cache/detente/runtime/*").out.split()
    for words in (("list",), ("why", "isort"), ("show", "yamllint"), ("search", "yaml"), ("install", "isort")):
        said = there.run(
            *("python3", "-I", "-c", code, f"{there.place}/src:{library}", *words),
            user="root",
            cwd="/",
            environ={**there.environ, "HOME": "/home/person"},
        )
        assert (said.status, "Traceback" in said.err) in {(0, False), (5, False)}, said
    assert there.as_root("find", "/home/person", "-user", "root").out == ""


def test_a_package_whose_script_fails_is_told_with_its_way_out(there: Furnished) -> None:
    offer(there, "isort", postinst="echo the moon is in the way >&2; exit 3")
    said = there.detente("install", "isort", "demo", "--from", "distro", user="root")
    assert said.status == 3, said  # demo is not there; nothing was begun
    assert there.as_root("dpkg", "--audit").out == ""
    said = there.detente("install", "isort", "--from", "distro", user="root")
    assert (said.status, said.err.splitlines()[-1]) == (1, "hint: sudo dpkg --configure -a says why"), said
    assert "the moon is in the way" in said.out + said.err
    assert "isort" in there.as_root("dpkg", "--audit").out
