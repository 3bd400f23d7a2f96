"""Plans of the package manager: what is asked before, and how they read."""

from detente.plan.plan import Plan, SystemChange, SystemInstall
from detente.plan.system_packages import plan, together, words

DEMO = SystemChange("demo", "", "1.0-1")
DEPENDENCY, NEWER, GONE = SystemChange("dep", "", "2"), SystemChange("lib:i386", "1", "2"), SystemChange("old", "3", "")


def step(*changes: SystemChange) -> SystemInstall:
    return SystemInstall(("demo",), changes, ("/usr/bin/apt-get", "install", "--", "demo"))


def questions(*changes: SystemChange, terminal: bool) -> tuple[str, ...]:
    return plan(step(*changes), (), (), terminal=terminal).questions


def test_exactly_what_was_asked_for_is_no_question() -> None:
    assert questions(DEMO, terminal=True) == questions(DEMO, terminal=False) == ()


def test_what_comes_along_is_asked_on_a_terminal_and_else_as_apt_does_with_yes() -> None:
    asked = questions(DEMO, DEPENDENCY, NEWER, terminal=True)
    assert asked == (
        "the package manager would also install dep",
        "the package manager would also upgrade lib:i386",
    )
    assert questions(DEMO, DEPENDENCY, NEWER, terminal=False) == ()


def test_what_goes_is_asked_everywhere() -> None:
    for terminal in (True, False):
        assert questions(DEMO, GONE, terminal=terminal) == ("the package manager would remove old",)


def test_many_are_counted_and_some_are_named() -> None:
    many = [SystemChange(f"dep{number}", "", "1") for number in range(20)]
    (asked,) = questions(DEMO, *many, terminal=True)
    assert "20 system packages: dep0, dep1" in asked
    assert asked.endswith(" and 12 more")


def test_a_dry_run_says_all_of_it() -> None:
    assert words(step(DEPENDENCY, DEMO, NEWER, GONE)) == [
        "install the system package demo 1.0-1",
        "install with that dep",
        "upgrade lib:i386 1 → 2",
        "remove old 3",
        "run /usr/bin/apt-get install -- demo",
    ]


def test_what_stands_in_the_simulation_under_an_architecture_is_the_same_package() -> None:
    assert questions(SystemChange("demo:i386", "", "1"), terminal=True) == ()


def test_two_parts_are_one_plan() -> None:
    ours = Plan("3:abc", (), reasons=("a",), warnings=("b",), questions=("c",), pending=True)
    both = together(ours, plan(step(DEMO, GONE), ["d"], ["e"], terminal=False))
    assert (both.basis, both.pending) == ("3:abc", True)
    assert both.steps == (step(DEMO, GONE),)
    assert (both.reasons, both.warnings) == (("a", "d"), ("b", "e"))
    assert both.questions == ("c", "the package manager would remove old")
