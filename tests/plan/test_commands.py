import pytest

from detente.errors import Collision, Refused
from detente.plan.commands import beside, check_names, exposed
from plan.builders import an_application, an_entry

ADMIN = {"demo-admin": "/usr/bin/demo-admin"}


def test_every_command_and_script_of_the_distribution_asked_for_is_exposed() -> None:
    entry = an_entry(commands=["demo", "demo-admin"], scripts={"run-demo": True, "demo.sh": False})
    commands, said = exposed("demo", "", entry, [], [])
    assert commands == {
        "demo": "launch/demo",
        "demo-admin": "launch/demo-admin",
        "run-demo": "launch/run-demo",
        "demo.sh": "bin/demo.sh",
    }
    assert said == ()


def test_a_command_that_is_also_a_plain_script_is_launched() -> None:
    commands, _ = exposed("demo", "", an_entry(commands=["demo"], scripts={"demo": False}), [], [])
    assert commands == {"demo": "launch/demo"}


def test_a_suffix_ends_every_name_and_not_the_path() -> None:
    commands, _ = exposed("demo@2", "@2", an_entry(), [], [])
    assert commands == {"demo@2": "launch/demo"}


def test_commands_of_dependencies_are_exposed_only_where_chosen() -> None:
    others = [an_entry("dep"), an_entry("more", commands=["m1", "m2"])]
    commands, _ = exposed("demo", "", an_entry(), others, ["more"])
    assert sorted(commands) == ["demo", "m1", "m2"]


def test_the_application_keeps_a_command_that_a_chosen_dependency_has_too() -> None:
    others = [an_entry("dep", commands=[], scripts={"demo": False})]
    commands, _ = exposed("demo", "", an_entry(), others, ["dep"])
    assert commands == {"demo": "launch/demo"}


@pytest.mark.parametrize(
    "name",
    ["python", "python3", "python3.11", "pythonw", "python3.13t-config", "python3-dbg", "pip", "pip3.11", "PIP3"],
)
@pytest.mark.parametrize("suffix", ["", "@2"])
def test_the_distributions_python_and_pip_are_never_hidden(name: str, suffix: str) -> None:
    entry = an_entry(commands=["demo"], scripts={name: True})
    commands, said = exposed("demo", suffix, entry, [], [])
    assert commands == {"demo" + suffix: "launch/demo"}
    assert said == (f"{name} of demo is not exposed: python* and pip* stay the distribution's",)
    chosen, _ = exposed("demo", suffix, an_entry(), [an_entry("dep", commands=[name])], ["dep"])
    assert chosen == {"demo" + suffix: "launch/demo"}


def test_a_distribution_with_only_such_commands_is_not_called_a_library() -> None:
    with pytest.raises(Refused) as caught:
        exposed("pip", "", an_entry("pip", commands=["pip", "pip3"]), [], [])
    assert caught.value.message == "pip 1.0 has only commands that are never exposed: pip, pip3"
    assert caught.value.hint is not None


def test_a_library_is_refused_with_what_can_be_done_with_it() -> None:
    with pytest.raises(Refused, match=r"demo 1\.0 is a library: it has no command to run") as caught:
        exposed("demo", "", an_entry(commands=[]), [an_entry("dep", commands=[])], [])
    assert caught.value.hint == "add it to an application that uses it: detente install APPLICATION --with demo"


@pytest.mark.parametrize(("suffix", "more"), [("", ""), ("@2", " --as @2")])
def test_an_application_without_its_own_commands_is_refused_with_where_they_are(suffix: str, more: str) -> None:
    others = [an_entry("lib", commands=[]), an_entry("core"), an_entry("tools")]
    with pytest.raises(Refused, match="has no command of its own") as caught:
        exposed("demo" + suffix, suffix, an_entry(commands=[]), others, [])
    assert caught.value.context == ("commands come with: core, tools",)
    assert caught.value.hint == f"detente install demo{more} --commands-from core"


def test_an_application_whose_chosen_dependency_has_commands_needs_none_of_its_own() -> None:
    commands, _ = exposed("demo", "", an_entry(commands=[]), [an_entry("core")], ["core"])
    assert commands == {"core": "launch/core"}


@pytest.mark.parametrize(("primary", "other"), [("ansible", "ansible-core"), ("jupyterlab", "jupyter-core")])
def test_parts_of_the_application_with_commands_are_told(primary: str, other: str) -> None:
    entry = an_entry(other, commands=["a", "b", "c", "d", "e"])
    _, said = exposed(primary + "@2", "@2", an_entry(primary), [entry, an_entry("click")], [])
    assert said == (
        f"{other} has commands too (a, b, c, d, …): detente install {primary} --as @2 --commands-from {other}",
    )
    assert exposed(primary, "", an_entry(primary), [entry], [other])[1] == ()


def test_a_dependency_that_is_chosen_but_did_not_come_along_is_told() -> None:
    _, said = exposed("demo", "", an_entry(), [an_entry("dep")], ["depp"])
    assert said == ("depp did not come along with demo, so none of its commands is exposed",)


# names that others have


def test_free_names_pass() -> None:
    check_names("demo", {"demo": ""}, {"other": an_application("other")}, {"x": "/usr/bin/x"}, {}, force=False)


def test_a_foreign_command_is_refused_with_its_path_and_owner() -> None:
    foreign = {"demo": "/usr/bin/demo", "demo-admin": "/home/anna/.local/bin/demo-admin", "x": "/usr/bin/x"}
    owners = {"/usr/bin/demo": "system package python3-demo", "/usr/bin/x": "system package x"}
    with pytest.raises(Collision) as caught:
        check_names("demo", {"demo": "", "demo-admin": "", "x": ""}, {}, foreign, owners, force=False)
    assert caught.value.message == "the command demo exists already: /usr/bin/demo (system package python3-demo)"
    assert caught.value.context == (
        "also demo-admin: /home/anna/.local/bin/demo-admin",
        "also x: /usr/bin/x (system package x)",
    )
    assert caught.value.hint is not None
    assert "--force" in caught.value.hint


def test_a_foreign_command_of_unknown_owner_is_refused_with_its_path() -> None:
    with pytest.raises(Collision, match=r"the command demo-admin exists already: /usr/bin/demo-admin$"):
        check_names("demo", {"demo-admin": ""}, {}, ADMIN, {}, force=False)


def test_force_lets_a_foreign_command_pass() -> None:
    check_names("demo", {"demo-admin": ""}, {}, ADMIN, {}, force=True)


@pytest.mark.parametrize("name", ["sudo", "ssh", "apt"])
def test_a_name_of_the_systems_is_refused_even_where_nobody_has_it(name: str) -> None:
    with pytest.raises(Collision, match=f"the command {name} would pass for the system's own") as caught:
        check_names("demo", {name: ""}, {}, {}, {}, force=False)
    assert "--force" in str(caught.value.hint)
    check_names("demo", {name: "", f"{name}@2": ""}, {}, {}, {}, force=True)
    check_names("demo", {f"{name}@2": ""}, {}, {}, {}, force=False)


def test_what_the_application_had_before_is_no_collision() -> None:
    before = an_application(commands=["demo", "demo-admin"])
    check_names("demo", before.commands, {"demo": before}, ADMIN, {}, force=False)


def test_a_new_command_of_an_application_that_is_there_is_checked() -> None:
    with pytest.raises(Collision):
        check_names("demo", {"demo": "", "demo-admin": ""}, {"demo": an_application()}, ADMIN, {}, force=False)


@pytest.mark.parametrize("force", [False, True])
def test_a_command_of_another_application_is_a_collision_even_with_force(force: bool) -> None:
    other = an_application("other", commands=["demo"])
    with pytest.raises(Collision, match="the command demo belongs to other already") as caught:
        check_names("demo", {"demo": ""}, {"other": other}, {}, {}, force=force)
    assert caught.value.hint is not None
    assert "detente remove other" in caught.value.hint


@pytest.mark.parametrize("foreign", [{}, {"demo": "/usr/bin/demo"}])
def test_the_suffix_in_a_hint_can_be_typed_as_it_stands(foreign: dict[str, str]) -> None:
    import re
    import shlex

    from detente.cli.commands import install
    from detente.cli.options import Parser

    current = {} if foreign else {"other": an_application("other", commands=["demo"])}
    with pytest.raises(Collision) as caught:
        check_names("demo", {"demo": ""}, current, foreign, {}, force=False)
    found = re.search(r"detente install ([^;]*)", str(caught.value.hint))
    assert found
    parser = Parser("install", "install", {"HOME": "/nonexistent"})
    install.configure(parser)
    parsed = parser.parse(shlex.split(found[1]))
    assert parsed.requirements == ["demo"]
    assert parsed.suffix


def test_commands_of_a_system_package_that_the_index_was_chosen_over_may_be_hidden_and_are_told() -> None:
    foreign = {"http": "/usr/bin/http", "https": "/usr/local/bin/https", "other": "/usr/bin/other"}
    owners = {"/usr/bin/http": "system package httpie", "/usr/bin/other": "system package other"}
    commands = {"http": "launch/http", "https": "launch/https"}
    left, said = beside(commands, foreign, owners, ("httpie",))
    assert left == {"https": "/usr/local/bin/https", "other": "/usr/bin/other"}
    assert said == ("http hides /usr/bin/http (system package httpie)",)
    assert beside(commands, foreign, owners, ()) == (foreign, ())
