"""Plans of the package manager: what is asked before, and how they read."""

from detente.plan.plan import Plan, SystemChange, SystemInstall
from detente.plan.system_packages import plan, together, words

DEMO = SystemChange("demo", "", "1.0-1")
DEPENDENCY, NEWER, GONE = SystemChange("dep", "", "2"), SystemChange("lib:i386", "1", "2"), SystemChange("old", "3", "")


def step(*changes: SystemChange) -> SystemInstall:
    return SystemInstall(("demo",), changes, ("/usr/bin/apt-get", "install", "--", "demo"))


def questions(*changes: SystemChange) -> tuple[str, ...]:
    return plan(step(*changes), (), ()).questions


def test_exactly_what_was_asked_for_is_no_question() -> None:
    assert questions(DEMO) == ()


def test_what_comes_along_and_what_is_upgraded_is_asked_with_what_was_asked_for() -> None:
    assert questions(DEMO, DEPENDENCY, NEWER) == (
        "the package manager would install demo 1.0-1 and 1 more: dep",
        "the package manager would also upgrade lib:i386",
    )


def test_what_goes_is_asked() -> None:
    assert questions(DEMO, GONE) == ("the package manager would remove old",)


def test_many_are_counted_and_the_first_of_the_alphabet_are_named() -> None:
    many = [SystemChange(f"dep{number:02}", "", "1") for number in reversed(range(20))]
    (asked,) = questions(DEMO, *many)
    assert "and 20 more: dep00, dep01" in asked
    assert asked.endswith(" and 12 more")


def test_a_question_has_the_sizes_that_are_known() -> None:
    sized = step(DEMO, DEPENDENCY)._replace(download=1_800_000, disk=9_500_000)
    assert "demo 1.0-1 and 1 more (1.8 MB to fetch, 9.5 MB on disk): dep" in plan(sized, (), ()).questions[0]
    assert "1 more (1.8 MB to fetch): dep" in plan(sized._replace(disk=0), (), ()).questions[0]


def test_a_dry_run_says_all_of_it() -> None:
    assert words(step(DEPENDENCY, DEMO, NEWER, GONE)) == [
        "install the system package demo 1.0-1",
        "install 1 more that it needs or recommends: dep",
        "upgrade lib:i386 1 → 2",
        "remove old 3",
        "run /usr/bin/apt-get install -- demo",
    ]


def test_what_stands_in_the_simulation_under_an_architecture_is_the_same_package() -> None:
    assert questions(SystemChange("demo:i386", "", "1")) == ()


def test_two_parts_are_one_plan() -> None:
    ours = Plan("3:abc", (), reasons=("a",), warnings=("b",), questions=("c",), pending=True)
    both = together(ours, plan(step(DEMO, GONE), ["d"], ["e"]))
    assert (both.basis, both.pending) == ("3:abc", True)
    assert both.steps == (step(DEMO, GONE),)
    assert (both.reasons, both.warnings) == (("a", "d"), ("b", "e"))
    assert both.questions == ("c", "the package manager would remove old")
