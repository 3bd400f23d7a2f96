"""Between the distro and the index, on a real Debian: every way, as root and as a person."""

import json

import pytest
from furnished import Furnished

pytestmark = pytest.mark.distro


def configure(there: Furnished, text: str, user: str = "person") -> None:
    """Write the configuration of `user`."""
    home = "/root" if user == "root" else f"/home/{user}"
    write = 'mkdir -p "$1/.config/detente" && printf "%s" "$2" >"$1/.config/detente/config.toml"'
    done = there.run("sh", "-c", write, "sh", home, text, user=user, cwd="/")
    assert done.status == 0, done


def test_root_installs_from_the_distro_directly_whatever_the_spelling(there: Furnished) -> None:
    version = there.candidate("pycodestyle")
    said = there.detente("install", "PyCodeStyle", "--from", "distro", "--yes", user="root")
    assert said.status == 0, said
    assert said.out.endswith(f"installed pycodestyle {version} (system package, {there.title})\n"), said
    assert there.installed("pycodestyle") == version
    assert "pycodestyle" in there.as_root("apt-mark", "showmanual").out.split()
    again = there.detente("install", "pycodestyle", "--from", "distro", user="root")
    assert (again.status, "installed already" in again.out) == (0, True), again
    rows = [line.split() for line in there.detente("list").out.splitlines()]
    assert ["pycodestyle", version] in [row[:2] for row in rows], rows


def test_without_privileges_the_exact_command_is_said_and_nothing_is_changed(there: Furnished) -> None:
    for user in ("person", "guest"):
        said = there.detente("install", "pycodestyle", "--from", "distro", user=user)
        assert said.status == 5, said
        assert said.err.startswith("error: this needs root's privileges")
        assert said.err.endswith("hint: sudo apt install pycodestyle\n"), said
    assert not there.installed("pycodestyle")


def test_a_person_at_a_terminal_sees_what_comes_with_it_and_installs_it_through_sudo(there: Furnished) -> None:
    words = ("detente", "install", "pycodestyle", "--from", "distro")
    refused = there.at_a_terminal(*words, answers=[("[y/N]", "n\n")])
    assert "python3-pycodestyle" in refused.text, refused
    assert (refused.status, there.installed("pycodestyle")) == (5, ""), refused
    agreed = there.at_a_terminal(*words, answers=[("[y/N]", "y\n")])
    assert agreed.status == 0, agreed
    assert there.installed("pycodestyle") == there.candidate("pycodestyle")
    assert "Setting up pycodestyle" in agreed.text, "apt speaks for itself"


def test_an_installed_system_application_is_enough_until_the_indexs_is_asked_for(there: Furnished) -> None:
    before = there.installed("yamllint")
    said = there.detente("install", "yamllint")
    assert said.status == 0, said
    assert "installed already (system package" in said.out
    assert "detente install yamllint --from index" in said.out
    assert there.run("ls", "/home/person/.local/bin", cwd="/").status != 0, "nothing was made"
    said = there.detente("install", "yamllint", "--from", "index")
    assert (said.status, "installed yamllint 99.0" in said.out) == (0, True), said
    assert there.installed("yamllint") == before
    ran = there.run("/home/person/.local/bin/yamllint", "--version", cwd="/")
    assert (ran.status, "99.0" in ran.out) == (0, True), ran


def test_ours_that_goes_leaves_the_distros_and_it_is_named(there: Furnished) -> None:
    there.detente("install", "yamllint", "--from", "index")
    gone = there.detente("remove", "yamllint")
    assert "note: `yamllint` is now /usr/bin/yamllint (system package yamllint)" in gone.err, gone
    again = there.detente("remove", "yamllint")
    assert (again.status, again.err.splitlines()[-1]) == (5, "hint: sudo apt remove yamllint"), again


def test_without_a_terminal_root_too_is_asked_before_more_comes_along(there: Furnished) -> None:
    said = there.detente("install", "pycodestyle", "--from", "distro", user="root")
    assert said.status == 5, said
    assert f"pycodestyle {there.candidate('pycodestyle')} and 1 more (" in said.err, said
    assert "python3-pycodestyle" in said.err
    assert "--yes" in said.err
    assert not there.installed("pycodestyle")


def test_a_dry_run_is_refused_where_the_distros_own_has_the_command(there: Furnished) -> None:
    for more in (["-n"], []):
        said = there.detente("install", "yamllint>=99", *more)
        assert (said.status, "the command yamllint exists already: /usr/bin/yamllint" in said.err) == (5, True), said
        assert "detente install 'yamllint>=99' --from index" in said.err


def test_the_name_of_a_system_package_means_its_distribution(there: Furnished) -> None:
    said = there.detente("install", "-n", "python3-isort", "--from", "distro")
    assert (said.status, "would install the system package isort " in said.out) == (0, True), said


def test_a_system_package_that_is_no_distribution_is_named_as_such(there: Furnished) -> None:
    for words in (("--from", "distro"), ()):
        said = there.detente("install", "libyaml-dev", *words)
        assert (said.status, said.err.splitlines()[-1]) == (5 if words else 3, "hint: sudo apt install libyaml-dev"), (
            said
        )


def test_what_the_distros_python_imports_is_said_of_a_module_of_that_name(there: Furnished) -> None:
    said = there.detente("install", "gi")
    assert (said.status, "the module gi is in pygobject" in said.err) == (3, True), said


def test_a_version_that_the_distro_lacks_comes_from_the_index_and_is_refused_from_the_distro(there: Furnished) -> None:
    refused = there.detente("install", "pycodestyle>=99", "--from", "distro", user="root")
    assert refused.status in {4, 5}, refused
    assert there.candidate("pycodestyle").split("-")[0] in refused.err
    said = there.detente("install", "pycodestyle>=99")
    assert (said.status, "installed pycodestyle 99.0" in said.out) == (0, True), said


def test_the_configuration_prefers_the_distro_for_all_or_for_one_name(there: Furnished) -> None:
    configure(there, 'prefer = "distro"\n', "root")
    said = there.detente("install", "pycodestyle", "--yes", user="root")
    assert said.status == 0, said
    assert there.installed("pycodestyle")
    configure(there, '[from]\nisort = "distro"\n')
    one = there.detente("install", "isort")
    assert (one.status, one.err.splitlines()[-1]) == (5, "hint: sudo apt install isort"), one
    other = there.detente("install", "demo")
    assert other.status == 0, other


def test_one_request_can_go_two_ways_and_each_part_stands_for_itself(there: Furnished) -> None:
    configure(there, '[from]\npycodestyle = "distro"\n')
    configure(there, '[from]\npycodestyle = "distro"\n', "root")
    plan = there.detente("install", "-n", "pycodestyle", "demo")
    assert plan.status == 0, plan
    assert "apt-get" in plan.out
    assert "demo" in plan.out
    some = there.detente("install", "pycodestyle", "demo")
    assert some.status == 10, some
    assert "installed demo 1.0" in some.out
    assert "sudo apt install pycodestyle" in some.err
    assert not there.installed("pycodestyle")
    both = there.detente("install", "pycodestyle", "demo", "--yes", user="root")
    assert both.status == 0, both
    assert there.installed("pycodestyle")
    assert there.run("/root/.local/bin/demo", "--version", user="root", cwd="/").status == 0


def test_equal_names_are_not_identity(there: Furnished) -> None:
    refused = there.detente("install", "reportbug", "--from", "distro", user="root")
    assert refused.status == 5, refused
    assert "another project" in refused.err
    assert "sudo apt install reportbug" in refused.err
    said = there.detente("install", "reportbug")
    assert (said.status, "installed reportbug 0.0.129" in said.out) == (0, True), said
    assert "--from distro" not in said.out + said.err, "what is another project is no alternative"


def test_what_the_distro_has_not_is_not_found_there(there: Furnished) -> None:
    said = there.detente("install", "demo", "--from", "distro", user="root")
    assert (said.status, said.err.splitlines()[0]) == (3, f"error: {there.title} has no demo"), said


def test_removing_a_system_package_is_the_distros(there: Furnished) -> None:
    said = there.detente("remove", "yamllint")
    assert (said.status, said.err.splitlines()[-1]) == (5, "hint: sudo apt remove yamllint"), said
    assert there.installed("yamllint")


def test_the_plan_is_apts_own_simulation(there: Furnished) -> None:
    said = there.detente("install", "-n", "--json", "isort", "--from", "distro")
    assert said.status == 0, said
    (step,) = [step for step in json.loads(said.out)["data"]["steps"] if "packages" in step]
    simulated = there.as_root("apt-get", "-s", "install", "isort").out
    wanted = {line.split()[1] for line in simulated.splitlines() if line.startswith("Inst ")}
    assert {change["package"] for change in step["changes"]} == wanted
    assert "isort" in wanted
    assert not there.installed("isort")
