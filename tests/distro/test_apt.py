"""apt's command lines and answers, as real systems gave them (tests/support/record_system.py)."""

import re

import pytest

from detente.distro import apt
from detente.distro.base import (
    BACKPORTS,
    LOCAL,
    RELEASE,
    SECURITY,
    THIRD_PARTY,
    UPDATES,
    Candidate,
    Change,
    Origin,
    Version,
)
from detente.errors import DetenteError, DiskError, NetworkError, NotFound, Refused, ToolError
from detente.model import Completed
from support.systems import NAMES, complaint, complaints, recorded


def candidates(name: str) -> dict[str, Candidate]:
    """Return what apt said on the system `name`."""
    return apt.parse_candidates(recorded(name, "policy.txt"), apt.parse_origins(recorded(name, "sources.txt")))


@pytest.mark.parametrize("name", NAMES)
def test_every_source_has_its_kind(name: str) -> None:
    origins = apt.parse_origins(recorded(name, "sources.txt"))
    kinds = {source.partition(" ")[2].partition("/")[0]: origin.kind for source, origin in origins.items()}
    assert kinds[name] == RELEASE
    assert kinds[f"{name}-updates"] == UPDATES
    assert kinds[f"{name}-security"] == SECURITY
    assert kinds[f"{name}-backports"] == BACKPORTS
    assert kinds["stable"] == THIRD_PARTY
    assert origins["/var/lib/dpkg/status"].kind == LOCAL


@pytest.mark.parametrize("name", NAMES)
def test_a_release_keeps_its_codename_when_it_becomes_oldstable(name: str) -> None:
    origins = apt.parse_origins(recorded(name, "sources.txt")).values()
    assert Origin(RELEASE, name, "main", "Debian") in origins
    assert Origin(SECURITY, f"{name}-security", "main", "Debian") in origins


@pytest.mark.parametrize("name", NAMES)
def test_apt_says_what_is_installed_and_what_it_would_install(name: str) -> None:
    found = candidates(name)
    assert found["httpie"].installed == ""
    assert found["httpie"].candidate == found["httpie"].versions[0].text
    epochal = found["python3-epochal"]
    assert (epochal.installed, epochal.candidate) == ("1:2.0-1", "1:2.1~rc1-1")
    assert [version.text for version in epochal.versions] == ["1:2.1~rc1-1", "1:2.0-1"]
    assert found["python3-repacked"].candidate == "1.5.0~rc1+dfsg-1"
    assert found["python3-twoarch:i386"].installed == "3.0-1"


@pytest.mark.parametrize("name", NAMES)
def test_each_version_has_every_origin_that_offers_it(name: str) -> None:
    found = candidates(name)
    assert found["python3-epochal"].versions[0].origins == (Origin(THIRD_PARTY, "stable", "main", "Example"),)
    kinds = {origin.kind for version in found["python3-urllib3"].versions for origin in version.origins}
    assert {RELEASE, SECURITY} <= kinds
    assert LOCAL not in kinds, "that it is installed says nothing where an index has it"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_has_no_version_is_not_known(name: str) -> None:
    """One that nobody knows, and one that is only provided (awk)."""
    assert not {"unknown-package", "awk"} & candidates(name).keys()


def test_a_version_that_only_the_machine_has_is_local() -> None:
    text = (
        "mine:\n  Installed: 1.0\n  Candidate: 1.0\n  Version table:\n *** 1.0 100\n        100 /var/lib/dpkg/status\n"
    )
    local = Origin(LOCAL, "", "", "")
    assert apt.parse_candidates(text, {}) == {"mine": Candidate("mine", "1.0", "1.0", (Version("1.0", (local,)),))}


def test_a_version_that_is_phased_in_and_a_pinned_one_are_read() -> None:
    text = (
        "x:\n  Installed: (none)\n  Candidate: 2\n  Package pin: 2\n  Version table:\n"
        "     2 990 (phased 30%)\n        500 http://deb.example/ubuntu noble-updates/main amd64 Packages\n"
        "     1 -1\n        500 http://deb.example/ubuntu noble/main amd64 Packages\n"
    )
    assert [version.text for version in apt.parse_candidates(text, {})["x"].versions] == ["2", "1"]


@pytest.mark.parametrize(
    ("release", "kind"),
    [
        ("v=24.04,o=Ubuntu,a=noble-security,n=noble,l=Ubuntu,c=main,b=amd64", SECURITY),
        ("v=24.04,o=Ubuntu,a=noble-updates,n=noble,l=Ubuntu,c=universe,b=amd64", UPDATES),
        ("v=24.04,o=Ubuntu,a=noble-backports,n=noble,l=Ubuntu,c=main,b=amd64", BACKPORTS),
        ("v=24.04,o=Ubuntu,a=noble,n=noble,l=Ubuntu,c=universe,b=amd64", RELEASE),
        ("v=24.04,o=LP-PPA-deadsnakes,a=noble,n=noble,l=New Python Versions,c=main,b=amd64", THIRD_PARTY),
        ("o=Docker,a=bookworm,l=Docker CE,c=stable,b=amd64", THIRD_PARTY),
        ("v=24.04,o=UbuntuESMApps,a=noble-apps-security,n=noble,l=UbuntuESMApps,c=main,b=amd64", SECURITY),
        ("v=12,o=Debian,a=oldstable-proposed-updates,n=bookworm-proposed-updates,l=Debian,c=main,b=amd64", UPDATES),
        ("o=Debian,a=unstable,n=sid,l=Debian,c=main,b=amd64", RELEASE),
        ("", THIRD_PARTY),
    ],
)
def test_where_a_source_belongs_is_read_from_who_answers_for_it(release: str, kind: str) -> None:
    text = f"Package files:\n 500 http://deb.example/x y/main amd64 Packages\n     release {release}\n"
    assert apt.parse_origins(text)["http://deb.example/x y/main amd64 Packages"].kind == kind


def test_a_pocket_of_ubuntu_is_named_by_its_archive() -> None:
    release = "v=24.04,o=Ubuntu,a=noble-security,n=noble,l=Ubuntu,c=universe,b=amd64"
    text = f"Package files:\n 500 http://deb.example/ubuntu noble-security/universe\n     release {release}\n"
    assert list(apt.parse_origins(text).values()) == [Origin(SECURITY, "noble-security", "universe", "Ubuntu")]


@pytest.mark.parametrize("name", NAMES)
def test_sizes_are_those_of_the_candidate(name: str) -> None:
    sizes = apt.parse_sizes(recorded(name, "show.txt"))
    assert sizes["python3-heldback", "1.1-1"][0] == 12 * 1024
    installed, download = sizes["httpie", candidates(name)["httpie"].candidate]
    assert installed > download > 50_000


@pytest.mark.parametrize("name", NAMES)
def test_a_simulation_lists_what_comes(name: str) -> None:
    changes = apt.parse_simulation(recorded(name, "simulate-install.txt")).changes
    named = {change.package: change for change in changes}
    assert named["httpie"].before == ""
    assert named["httpie"].after == candidates(name)["httpie"].candidate
    assert named["httpie"].origin.startswith("Debian:")
    assert len(named) == len(changes) > 5, "Conf lines are not changes"


@pytest.mark.parametrize("name", NAMES)
def test_a_simulation_lists_what_is_upgraded_and_what_goes(name: str) -> None:
    upgrade = apt.parse_simulation(recorded(name, "simulate-upgrade.txt")).changes
    assert Change("python3-epochal", "1:2.0-1", "1:2.1~rc1-1", "Example:stable") in upgrade
    removal = apt.parse_simulation(recorded(name, "simulate-remove.txt")).changes
    assert Change("python3-epochal", "1:2.0-1", "") in removal
    assert Change("python3-rival", "", "1-1", "Example:stable") in removal
    assert apt.parse_simulation(recorded(name, "simulate-nothing.txt")).changes == ()


@pytest.mark.parametrize("name", NAMES)
def test_no_line_of_a_whole_upgrade_is_missed(name: str) -> None:
    """With `[old]`, `[arch]`, several origins, and the packages that are broken meanwhile at the end of a line."""
    text = recorded(name, "simulate-everything.txt")
    lines = [line for line in text.splitlines() if line.startswith(("Inst ", "Remv "))]
    changes = apt.parse_simulation(text).changes
    assert len(changes) == len(lines) > 0
    for line, change in zip(lines, changes, strict=True):
        assert change.package == line.split()[1]
        assert change.before
        assert f"[{change.before}]" in line
        assert f"({change.after} " in line


@pytest.mark.parametrize("name", NAMES)
def test_another_architecture_is_part_of_the_name(name: str) -> None:
    own, foreign = apt.parse_simulation(recorded(name, "simulate-foreign.txt")).changes
    assert own == Change("python3-twoarch", "3.0-1", "3.0-1", "Example:stable")
    assert foreign == own._replace(package="python3-twoarch:i386")


def test_sizes_of_a_simulation_are_read_where_they_are_printed() -> None:
    text = (
        "Need to get 1,234 kB/2,000 kB of archives.\n"
        "After this operation, 5.6 MB of additional disk space will be used.\n"
    )
    assert apt.parse_simulation(text)[1:] == (2_000_000, 5_600_000)
    assert apt.parse_simulation("After this operation, 12.3 kB disk space will be freed.\n").disk == -12_300


MEANINGS: dict[str, tuple[type[DetenteError], str, str]] = {
    "unknown": (NotFound, "no system package unknown-package", "apt update"),
    "no-lists": (NotFound, "no system package httpie", "sudo apt update"),
    "no-candidate": (NotFound, "offers the system package httpie", "apt policy httpie"),
    "impossible": (Refused, "cannot be had together", "apt-mark showhold"),
    "removes": (Refused, "remove other system packages", ""),
    "held": (Refused, "held system package", "apt-mark showhold"),
    "not-root": (Refused, "needs root", "sudo"),
    "locked": (Refused, "holds its lock", "wait"),
    "full": (DiskError, "disk space", "sudo apt clean"),
    "fetch": (NetworkError, "could not fetch", "sudo apt update"),
    "script": (ToolError, "could not finish", "sudo dpkg --configure -a"),
    "interrupted": (ToolError, "dpkg was interrupted", "sudo dpkg --configure -a"),
    "unmet": (ToolError, "lack what they need", "sudo apt --fix-broken install"),
    "lists-garbage": (ToolError, "lists are damaged", "sudo apt update"),
    "full-dpkg": (DiskError, "disk space", "sudo apt clean"),
    "locked-dpkg": (Refused, "holds its lock", "wait"),
    "status-garbage": (ToolError, "record of what is installed is damaged", "status-old"),
    "status-garbage-cache": (ToolError, "record of what is installed is damaged", "status-old"),
    "status-garbage-dpkg": (ToolError, "record of what is installed is damaged", "status-old"),
    "status-truncated-dpkg": (ToolError, "record of what is installed is damaged", "status-old"),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", MEANINGS)
def test_each_way_to_fail_has_its_error_and_its_way_out(name: str, kind: str) -> None:
    expected, sentence, hint = MEANINGS[kind]
    error = apt.complaint(complaint(name, kind))
    assert type(error) is expected
    assert sentence in error.message
    assert hint in (error.hint or "")
    assert error.context, "apt's own words are shown"


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_failure_is_one_that_is_told_apart(name: str) -> None:
    assert set(complaints(name)) == set(MEANINGS)


@pytest.mark.parametrize("name", NAMES)
def test_who_holds_the_lock_is_named(name: str) -> None:
    assert "(python3) holds its lock" in apt.complaint(complaint(name, "locked")).message
    assert re.search(
        r"process \d+( \(python3\.\d+\))? holds its lock", apt.complaint(complaint(name, "locked-dpkg")).message
    )


def test_having_waited_for_a_lock_is_not_the_failure() -> None:
    waited = (
        "Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 14 (apt)...\n"
    )
    answer = Completed(100, waited, "E: Unable to locate package nothing\n")
    assert isinstance(apt.complaint(answer), NotFound)


def test_a_failure_of_an_unknown_kind_shows_what_apt_says() -> None:
    error = apt.complaint(Completed(100, "", "E: The moon is in the way\n"))
    assert type(error) is ToolError
    assert error.context == ("E: The moon is in the way",)
    assert "signal 9" in apt.complaint(Completed(-9, "", "")).message


@pytest.mark.parametrize("name", NAMES)
def test_owners_are_read_without_diversions(name: str) -> None:
    paths = ["/usr/bin/yamllint", "/usr/bin/ls", "/usr/lib/python3/dist-packages/yaml"]
    found = apt.parse_owners(recorded(name, "owners.txt"), paths)
    assert found == {paths[0]: "yamllint", paths[1]: "coreutils", paths[2]: "python3-yaml"}


@pytest.mark.parametrize("name", NAMES)
def test_descriptions_are_one_line_each(name: str) -> None:
    assert apt.parse_descriptions(recorded(name, "search.txt"))["yamllint"] == "Linter for YAML files"


def test_a_size_that_is_none_counts_as_unknown() -> None:
    for size in ("9" * 6000, "-1", "٣", "1.5", ""):
        said = f"Package: x\nVersion: 1\nInstalled-Size: {size}\nSize: 7\n"
        assert apt.parse_sizes(said) == {("x", "1"): (0, 7)}


def test_an_output_that_nobody_reads_is_no_failure_of_what_was_done() -> None:
    error = apt.complaint(Completed(100, "", "E: Write error - write (32: Broken pipe)\n"))
    assert "may be done" in error.message


def test_names_cannot_be_taken_for_options() -> None:
    for command in (apt.candidates(["-x"]), apt.sizes(["-x"]), apt.simulate(["-x"]), apt.descriptions(["-x"])):
        assert command.argv[-2:] == ("--", "-x")
    assert apt.install(["-x"], removes=False, interactive=False).argv[-2:] == ("--", "-x")


def test_a_name_that_apt_does_not_know_is_never_a_pattern() -> None:
    for command in (apt.simulate(["x"]), apt.install(["x"], removes=False, interactive=True)):
        assert "APT::Cmd::Pattern-Only=true" in command.argv


def test_settings_files_stay_as_they_are_where_nobody_can_be_asked() -> None:
    assert "DPkg::Options::=--force-confold" in apt.install(["x"], removes=False, interactive=False).argv
    assert "DPkg::Options::=--force-confold" not in apt.install(["x"], removes=False, interactive=True).argv


def test_install_is_the_first_word_so_that_sudoers_can_allow_just_that() -> None:
    assert apt.install(["x"], removes=False, interactive=False).argv[:2] == (apt.GET, "install")


def test_nothing_is_removed_unless_that_was_agreed() -> None:
    assert "--no-remove" in apt.install(["x"], removes=False, interactive=True).argv
    assert "--no-remove" not in apt.install(["x"], removes=True, interactive=True).argv


def test_many_names_are_asked_for_in_several_commands() -> None:
    names = [f"python3-{number:06}" for number in range(20_000)]
    parts = list(apt.split(names))
    assert [name for part in parts for name in part] == names
    assert len(parts) > 1
    assert max(sum(map(len, part)) + len(part) for part in parts) <= apt.ARGUMENTS


def test_another_root_is_read_where_it_is_and_nothing_is_written_there() -> None:
    argv = apt.candidates(["x"], "/srv/root").argv
    assert "Dir=/srv/root" in argv
    assert "Dir::State::status=/srv/root/var/lib/dpkg/status" in argv
    assert "Dir::Cache::pkgcache=" in argv
    cached = apt.faster(apt.candidates(["x"], "/srv/root"), "/tmp/p").argv
    assert cached.index("Dir::Cache::pkgcache=/tmp/p") > cached.index("Dir::Cache::pkgcache="), "the last one counts"
