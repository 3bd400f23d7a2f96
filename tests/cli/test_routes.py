"""install and remove between the index and the distro: which way a wish goes, what is said of it, what is refused.

Nothing is installed through apt here: the distro is another root, read by the machine's real apt. tests/distro does it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.apt_root import APT, NO_APT, AptRoot
from support.index import Index
from support.machine import Machine
from support.wheels import make_wheel

pytestmark = pytest.mark.skipif(APT is None, reason=NO_APT)
_HTTP = ["http", "httpie", "https"]
_ALTERNATIVE = "note: Debian 12 has httpie 3.2.1, with its security support: detente install httpie --from distro\n"


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with what the tests' Debian has too, in other versions."""
    folder = tmp_path_factory.mktemp("stock")
    make_wheel(folder, "httpie", "3.2.4", commands=_HTTP)
    make_wheel(folder, "black", "26.1.0", commands=["black"])
    make_wheel(folder, "requests", "2.34.0")
    make_wheel(folder, "reportbug", "0.0.129", commands=["reportbug"])
    make_wheel(folder, "notindebian", "1.0", commands=["notindebian"])
    with Index(folder) as index:
        yield index


@pytest.fixture
def root(tmp_path: Path) -> AptRoot:
    """A Debian 12 whose lists have a few packages, none of them installed."""
    root = AptRoot(tmp_path / "root")
    for package, version in (
        ("httpie", "3.2.1-1"),
        ("black", "23.1.0-1"),
        ("python3-requests", "2.28.1+dfsg-1"),
        ("reportbug", "12.0.0"),
        ("ufw", "0.36.2-1"),
        ("calibre", "6.13.0+repack-2"),
        ("dpkg", "1.21.22"),
        ("python3-yaml", "6.0-3+b2"),
    ):
        root.offered(package, version)
    return root


@pytest.fixture
def machine(tmp_path: Path, stock: Index, root: AptRoot) -> Machine:
    machine = Machine(tmp_path / "home", stock)
    machine.environ["DETENTE_DISTRO"] = str(root.path)
    return machine


@pytest.fixture
def furnished(machine: Machine, root: AptRoot) -> Machine:
    """The same, where a person has installed Debian's httpie."""
    root.python("httpie", "3.2.1-1", "httpie", "3.2.1", commands=tuple(_HTTP))
    return machine


def configure(machine: Machine, text: str) -> Path:
    place = machine.home / ".config/detente/config.toml"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    return place


def planned(machine: Machine, *words: str, **variables: str) -> list[str]:
    """Return what a dry run would have of the distro."""
    plan = machine.json("install", *words, "--dry-run", **variables)
    return [name for step in plan["steps"] if step["step"] == "system-install" for name in step["packages"]]


# from the index, and what else there is


def test_the_index_is_the_default_and_the_distros_is_named_in_one_line(machine: Machine) -> None:
    answer = machine.ok("install", "httpie")
    assert "installed httpie 3.2.4" in answer.out
    assert answer.err.count(_ALTERNATIVE) == 1
    assert machine.commands() == _HTTP


def test_what_is_ours_already_stays_ours_and_nothing_more_is_said(machine: Machine) -> None:
    machine.ok("install", "httpie")
    answer = machine.ok("install", "httpie", "--prefer", "distro")
    assert (answer.out, answer.err) == ("httpie 3.2.4 is installed already\n", "")


def test_a_name_that_the_distro_lacks_is_installed_without_a_word_about_it(machine: Machine) -> None:
    assert "Debian" not in machine.ok("install", "notindebian").err


def test_another_project_of_that_name_is_no_alternative_but_worth_a_word(machine: Machine) -> None:
    said = "note: Debian 12's reportbug is another project; for that one: sudo apt install reportbug\n"
    for words in (["-n"], []):
        answer = machine.ok("install", "reportbug", *words)
        assert (said in answer.err, "--from distro" in answer.err) == (True, False)
    assert "Debian" not in machine.ok("install", "reportbug", "--from", "index").err


@pytest.mark.parametrize("words", [["httpie>=3.2.2"], ["httpie", "--as", "@2"], ["httpie", "--from", "index"]])
def test_no_alternative_is_named_where_it_would_be_none_or_was_declined(machine: Machine, words: list[str]) -> None:
    assert "--from distro" not in machine.ok("install", *words).err


def test_a_library_is_refused_with_the_way_to_the_distros(machine: Machine) -> None:
    answer = machine.refused(5, "install", "requests")
    assert "Debian 12 has requests 2.28.1" in answer.err
    assert "hint: detente install requests --from distro\n" in answer.err


def test_a_name_that_only_the_distro_has_is_not_found_with_the_way_to_it(machine: Machine) -> None:
    answer = machine.refused(3, "install", "ufw")
    assert "hint: detente install ufw --from distro\n" in answer.err


def test_a_project_that_took_a_name_of_the_distros_is_asked_about_first(machine: Machine, tmp_path: Path) -> None:
    make_wheel(tmp_path / "taken", "ufw", "9.9", commands=["ufw"])
    with Index(tmp_path / "taken") as index:
        answer = machine.refused(5, "install", "ufw", PIP_INDEX_URL=index.url)
        assert "what it has now may be a stranger's" in answer.err
        assert "would ask: Debian 12 has ufw" in machine.ok("install", "ufw", "-n", PIP_INDEX_URL=index.url).out
        machine.ok("install", "ufw", "--from", "index", PIP_INDEX_URL=index.url)
        machine.ok("install", "ufw", PIP_INDEX_URL=index.url)


def test_json_has_the_way_the_rule_and_the_other_possibility(machine: Machine) -> None:
    (route,) = machine.json("install", "httpie")["routes"]
    assert (route["requirement"], route["way"], route["rule"]) == ("httpie", "index", "default")
    assert route["alternative"] in _ALTERNATIVE


# what is there already


def test_an_installed_system_application_is_enough_and_the_way_past_it_is_named(furnished: Machine) -> None:
    for words in (["httpie"], ["httpie>=3"], ["HTTPie"]):
        answer = furnished.ok("install", *words)
        assert answer.out.startswith("httpie 3.2.1-1 is installed already (system package, Debian 12); ")
        assert "--from index" in answer.out
    assert furnished.commands() == []


def test_beside_it_the_index_is_had_by_saying_so(furnished: Machine) -> None:
    answer = furnished.ok("install", "httpie", "--from", "index")
    assert "installed httpie 3.2.4" in answer.out
    assert furnished.commands() == _HTTP


def test_one_that_does_not_satisfy_is_not_enough(furnished: Machine) -> None:
    assert "installed httpie 3.2.4" in furnished.ok("install", "httpie>=3.2.2").out


def test_a_dry_run_is_refused_by_the_commands_that_refuse_the_real_one(furnished: Machine, root: AptRoot) -> None:
    for command in _HTTP:
        (root.path / f"usr/bin/{command}").chmod(0o755)
    furnished.environ["PATH"] = f"{furnished.bin}:{root.path}/usr/bin:/usr/bin"
    for words in (["httpie>=3.2.2"], ["httpie>=3.2.2", "--with", "black"]):
        said = [furnished.refused(5, "install", *words, *more).err for more in (["-n"], [])]
        assert "error: the command http exists already: " in said[0]
        assert said[0].splitlines()[0] == said[1].splitlines()[0]
    assert furnished.ok("install", "httpie>=3.2.2", "--as", "@2", "-n").status == 0


def test_a_torn_one_is_not_there(machine: Machine, root: AptRoot) -> None:
    root.python("httpie", "3.2.1-1", "httpie", "3.2.1", commands=("http",), state="install ok half-installed")
    assert "installed httpie 3.2.4" in machine.ok("install", "httpie").out


def test_the_demanded_one_that_is_there_leaves_nothing_to_do(furnished: Machine) -> None:
    answer = furnished.ok("install", "httpie", "--from", "distro")
    assert answer.out == "httpie 3.2.1-1 is installed already (system package, Debian 12)\n"


# from the distro


@pytest.mark.parametrize("words", [["--from", "distro"], ["--prefer", "distro"]])
def test_the_plan_of_a_system_package_is_apts_own_simulation_and_command(machine: Machine, words: list[str]) -> None:
    answer = machine.ok("install", "httpie", *words, "-n")
    assert "would install the system package httpie 3.2.1-1\n" in answer.out
    assert "apt-get" in answer.out
    assert "--no-remove" in answer.out
    assert machine.commands() == []


def test_the_plan_is_in_json_too(machine: Machine) -> None:
    plan = machine.json("install", "httpie", "--from", "distro", "-n")
    (step,) = plan["steps"]
    assert step["packages"] == ["httpie"]
    assert step["changes"] == [{"package": "httpie", "before": "", "after": "3.2.1-1"}]
    assert step["argv"][-2:] == ["--", "httpie"]


@pytest.mark.parametrize("name", ["python3-requests", "python3-requests>=2.28"])
def test_the_name_of_a_system_package_is_as_good_as_its_distributions(machine: Machine, name: str) -> None:
    assert planned(machine, name, "--from", "distro") == ["python3-requests"]


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("python3-yaml", "python3-yaml is the system package of pyyaml", "detente install pyyaml --from distro"),
        ("yaml", "the module yaml is in pyyaml, Debian 12's python3-yaml", "detente install pyyaml"),
        ("PIL", "the module PIL is in pillow", "detente install pillow"),
        ("calibre", "calibre is a system package of Debian 12", "apt install calibre"),
    ],
)
def test_what_the_index_lacks_is_named_for_what_it_is(machine: Machine, name: str, said: str, hint: str) -> None:
    answer = machine.refused(3, "install", name)
    assert said in answer.err
    assert answer.err.endswith(f"{hint}\n")


def test_a_library_that_the_distros_python_has_is_said_to_be_there(machine: Machine, root: AptRoot) -> None:
    root.python("python3-requests", "2.28.1+dfsg-1", "requests", "2.28.1")
    answer = machine.refused(5, "install", "requests")
    assert "`import requests` works already in /usr/bin/python3 (system package python3-requests 2.28" in answer.err
    assert "--from distro" not in answer.err


def test_what_only_an_environment_can_have_comes_from_the_index_with_the_reason(machine: Machine) -> None:
    said = "note: httpie from the index: --as needs an environment of its own\n"
    assert said in machine.ok("install", "httpie", "--as", "@2", "--prefer", "distro").err
    assert said not in machine.ok("install", "httpie", "--as", "@3").err


def test_names_that_differ_by_spelling_alone_are_one(machine: Machine) -> None:
    assert planned(machine, "HTTPie", "httpie", "--from", "distro") == ["httpie"]


def test_preference_is_an_option_a_variable_and_a_key(machine: Machine) -> None:
    assert planned(machine, "httpie") == []
    assert planned(machine, "httpie", DETENTE_PREFER="distro") == ["httpie"]
    configure(machine, 'prefer = "distro"\n')
    assert planned(machine, "httpie") == ["httpie"]
    assert planned(machine, "httpie", "--from", "index") == []
    assert planned(machine, "httpie>=3.2.2") == []
    assert planned(machine, "requests") == ["python3-requests"]


def test_what_is_preferred_and_cannot_be_is_told_with_its_reason(machine: Machine) -> None:
    answer = machine.ok("install", "httpie>=3.2.2", "--prefer", "distro")
    assert "note: httpie from the index: Debian 12 has 3.2.1, and httpie>=3.2.2 was asked for\n" in answer.err


def test_single_names_have_their_way_in_the_configuration(machine: Machine) -> None:
    configure(machine, '[from]\nHTTPie = "distro"\nblack = "index"\n')
    assert planned(machine, "httpie", "black") == ["httpie"]
    assert planned(machine, "httpie", "black", DETENTE_PREFER="distro") == ["httpie"]


def test_settings_of_the_configuration_are_no_wish_for_the_index(machine: Machine, stock: Index) -> None:
    configure(machine, f'prefer = "distro"\npython = "python3"\nindex-url = "{stock.url}"\npre = true\n')
    assert planned(machine, "httpie") == ["httpie"]
    assert planned(machine, "httpie", "--python", "3") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('prefer = "debian"', "cannot be `debian`"),
        ('[from]\nhttpie = "debian"', "`httpie` in [from] of"),
        ("[from]\nhttpie = true", "`httpie` in [from] of"),
        ('[from]\n"no name" = "index"', "is no name of a distribution"),
        ('[from]\nhttpie = "index"\nHTTPie = "distro"', "another spelling"),
    ],
)
def test_a_configuration_that_cannot_be_names_the_file_and_the_key(machine: Machine, text: str, said: str) -> None:
    place = configure(machine, text)
    answer = machine.refused(2, "install", "httpie")
    assert said in answer.err
    assert str(place) in answer.err


@pytest.mark.parametrize(
    ("status", "words", "said"),
    [
        (3, ["notindebian"], "error: Debian 12 has no notindebian\n"),
        (4, ["httpie>=4"], "error: Debian 12 has 3.2.1, and httpie>=4 was asked for\n"),
        (5, ["reportbug"], "error: Debian 12's reportbug is another project than the index's reportbug\n"),
        (2, ["httpie[more]"], "error: an extra works only with the index\n"),
        (2, ["httpie", "--python", "3.12"], "error: --python works only with the index\n"),
        (2, ["httpie", "--offline"], "error: --offline asks nobody"),
        (3, ["yamllint"], "error: Debian 12 has no yamllint for this machine, or no source of apt's has it\n"),
        (5, ["calibre"], "error: Debian 12 has a system package calibre, and it is no distribution that"),
    ],
)
def test_a_demand_that_the_distro_cannot_meet(machine: Machine, status: int, words: list[str], said: str) -> None:
    assert said in machine.refused(status, "install", *words, "--from", "distro").err


def test_without_lists_the_demand_says_how_to_get_them(tmp_path: Path, stock: Index) -> None:
    machine = Machine(tmp_path / "home", stock)
    machine.environ["DETENTE_DISTRO"] = str(AptRoot(tmp_path / "bare").path)
    assert "hint: sudo apt update" in machine.refused(3, "install", "httpie", "--from", "distro").err
    assert "installed httpie 3.2.4" in machine.ok("install", "httpie", "--prefer", "distro").out


# both ways in one request


def test_a_mixed_request_is_one_plan(machine: Machine) -> None:
    plan = machine.json("install", "httpie", "notindebian", "--prefer", "distro", "-n")
    assert {step["step"] for step in plan["steps"]} == {"fetch", "system-install"}


def test_what_cannot_be_planned_stops_all_before_anything_runs(machine: Machine) -> None:
    machine.refused(3, "install", "notindebian", "httpie", "nosuch", "--prefer", "distro")
    configure(machine, '[from]\nreportbug = "distro"\n')
    machine.refused(5, "install", "notindebian", "reportbug")


def test_a_part_that_is_refused_leaves_the_other_standing(machine: Machine) -> None:
    answer = machine.run("install", "httpie", "notindebian", "--prefer", "distro")
    assert answer.status == 10
    assert "installed notindebian 1.0" in answer.out
    assert "error: DETENTE_DISTRO names another root" in answer.err
    assert machine.commands() == ["notindebian"]


def test_a_part_that_is_refused_is_an_error_in_json_beside_what_was_done(machine: Machine) -> None:
    answer = machine.run("install", "httpie", "notindebian", "--prefer", "distro", "--json")
    said = json.loads(answer.out)
    assert (answer.status, said["ok"]) == (10, False)
    assert list(said["data"]["applications"]) == ["notindebian"]
    assert said["data"]["system_packages"] == []
    assert [error["code"] for error in said["errors"]] == ["refused"]


# where the distro is of no help


def test_an_unknown_distro_is_told_of_once_and_the_index_serves(tmp_path: Path, stock: Index) -> None:
    (tmp_path / "other").mkdir()
    machine = Machine(tmp_path / "home", stock)
    machine.environ["DETENTE_DISTRO"] = str(tmp_path / "other")
    said = "note: détente does not know this distro's package manager, and uses the index alone\n"
    assert machine.ok("install", "httpie", "--prefer", "distro").err.count(said) == 1
    assert said not in machine.ok("install", "black").err
    answer = machine.refused(5, "install", "notindebian", "--from", "distro")
    assert "does not know this distro's package manager" in answer.err


def test_a_distro_that_is_not_wanted_is_not_spoken_of(machine: Machine) -> None:
    machine.environ["DETENTE_DISTRO"] = "none"
    answer = machine.ok("install", "httpie", "--prefer", "distro")
    assert "distro" not in answer.err
    assert "hint: DETENTE_DISTRO=auto" in machine.refused(5, "install", "black", "--from", "distro").err


def test_a_broken_record_of_dpkg_is_a_note_and_the_index_goes_on(furnished: Machine, root: AptRoot) -> None:
    root.write("/var/lib/dpkg/status", "Package: httpie\nStatus: install ok installed\nVersion")
    answer = furnished.ok("install", "httpie")
    assert "note: the distro was left out: " in answer.err
    furnished.refused(1, "install", "black", "--from", "distro")


# removing


@pytest.mark.parametrize("name", ["httpie", "HTTPie"])
def test_to_remove_a_system_package_is_the_distros_matter(furnished: Machine, name: str) -> None:
    answer = furnished.refused(5, "remove", name)
    assert f"error: {name} is no application of détente's, but a system package of Debian 12" in answer.err
    assert "apt remove httpie\n" in answer.err


def test_ours_is_removed_although_the_distro_has_one_too(furnished: Machine) -> None:
    furnished.ok("install", "httpie>=3.2.2")
    assert "removed httpie" in furnished.ok("remove", "httpie").out
    assert "apt remove httpie\n" in furnished.refused(5, "remove", "httpie").err


def test_who_has_the_command_now_is_said_where_ours_goes(furnished: Machine) -> None:
    furnished.ok("install", "httpie", "--from", "index")
    place = furnished.home / "bin"
    place.mkdir()
    (place / "http").write_text("#!/bin/sh\n")
    (place / "http").chmod(0o755)
    furnished.environ["PATH"] += f":{place}"
    assert f"note: `http` is now {place}/http\n" in furnished.ok("remove", "httpie").err


def test_what_nobody_has_is_not_found(machine: Machine) -> None:
    assert "no application is called nosuch" in machine.refused(3, "remove", "nosuch").err
