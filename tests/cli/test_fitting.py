"""Tables in the width of a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.cli.fitting import cut, fit, wrapped


def test_a_table_that_fits_stays_as_it_is() -> None:
    rows = [["NAME", "WHAT"], ["black", "the formatter"]]
    assert fit(rows, 80, [(1, 5)]) == rows


def test_columns_give_way_in_turn_and_never_below_their_least() -> None:
    rows = [["N", "A", "B"], ["name", "a" * 20, "b" * 20]]
    assert fit(rows, 38, [(2, 10), (1, 5)])[1] == ["name", "a" * 20, "b" * 9 + "…"]
    assert fit(rows, 30, [(2, 10), (1, 5)])[1] == ["name", "a" * 11 + "…", "b" * 9 + "…"]
    assert fit(rows, 3, [(2, 10), (1, 5)])[1] == ["name", "aaaa…", "b" * 9 + "…"]


def test_a_column_may_go_on_in_further_lines() -> None:
    rows = [["N", "WORDS"], ["1", "one two three"], ["2", "four"]]
    assert fit(rows, 10, [(1, 5)], [1]) == [["N", "WORDS"], ["1", "one two"], ["", "three"], ["2", "four"]]


@pytest.mark.parametrize(("text", "width", "lines"), [("", 3, [""]), ("abcdefg h", 3, ["abc", "def", "g h"])])
def test_a_word_is_broken_only_where_it_must_be(text: str, width: int, lines: list[str]) -> None:
    assert wrapped(text, width) == lines


@given(st.lists(st.text("abc", min_size=1), max_size=6).map(" ".join), st.integers(1, 12))
def test_wrapping_loses_nothing_and_no_line_is_too_long(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert max(map(len, lines)) <= width
    assert len(cut(text, width)) <= width
