import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.cli import overview, table
from detente.cli.table import Verb

WORDS = ("install", "list", "remove", "rollback", "run")


def test_the_overview_has_every_verb_once_below_its_group() -> None:
    text = overview.text(table.VERBS, table.EXAMPLES)
    lines = text.splitlines()
    for name, verb in table.VERBS.items():
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert line.endswith(verb.summary)
        heads = [other for other in lines[: lines.index(line)] if other and not other.startswith(" ")]
        assert heads[-1] == verb.group
    for command, what in table.EXAMPLES:
        assert any(line.split() == f"{command} {what}".split() for line in lines)
    assert max(map(len, lines)) <= 80
    assert text.endswith("\n")


def test_a_group_is_named_once_for_verbs_in_a_row() -> None:
    verbs = {name: Verb(name, "does it", group) for name, group in (("a", "One"), ("b", "One"), ("c", "Two"))}
    lines = overview.text(verbs, []).splitlines()
    assert lines.count("One") == 1
    assert lines.count("Two") == 1


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("instal", "install"),
        ("isntall", "install"),
        ("instlal", "install"),
        ("intsall", "install"),
        ("remvoe", "remove"),
        ("ist", "list"),
        ("lst", "list"),
        ("rnu", "run"),
        ("inst", "install"),
        ("rollb", "rollback"),
        ("run", "run"),
        ("xyzzy", ""),
        ("", ""),
        ("x", ""),
        ("r", ""),
        ("zz", ""),
    ],
)
def test_the_nearest_word_is_found_and_nothing_far(word: str, expected: str) -> None:
    assert overview.nearest(word, WORDS) == expected


def test_of_two_near_words_the_nearer_is_found() -> None:
    assert overview.nearest("shaw", ["slow", "show"]) == "show"
    assert overview.nearest("shaw", ["show", "slow"]) == "show"


def test_how_far_is_near_can_be_said() -> None:
    assert overview.nearest("--indx-ulr", ["--index-url"]) == "--index-url"
    assert overview.nearest("--pyhtno", ["--python"], 1) == ""
    assert overview.nearest("--pyhtno", ["--python"], 3) == "--python"


def test_a_swap_of_neighbours_is_one_edit() -> None:
    assert overview._distance("ab", "ba") == 1
    assert overview._distance("abc", "") == 3
    assert overview._distance("kitten", "sitting") == 3


_WORDS = st.text("ab", max_size=6)


@pytest.mark.property
@given(_WORDS, _WORDS)
@settings(deadline=None, max_examples=150)
def test_a_distance_is_one_both_ways_and_nothing_only_between_equals(one: str, other: str) -> None:
    gap = overview._distance(one, other)
    assert gap == overview._distance(other, one)
    assert (gap == 0) == (one == other)
    assert abs(len(one) - len(other)) <= gap <= max(len(one), len(other))
