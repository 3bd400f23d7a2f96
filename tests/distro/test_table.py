"""The text of a table: what is written is read again, and what a rule says takes no room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.distro import table
from detente.distro.base import ABSENT, OTHER, SAME, UNPROVED, Known

WORDS = st.from_regex(r"[a-z0-9][a-z0-9.+-]{0,8}", fullmatch=True)
ROWS = st.builds(
    Known,
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True),
    WORDS,
    st.one_of(st.just(""), WORDS),
    st.lists(WORDS, max_size=3, unique=True).map(lambda words: tuple(sorted(words))),
    st.sampled_from([SAME, OTHER, ABSENT, UNPROVED]),
    st.one_of(st.just(""), WORDS),
    st.sampled_from(["", "?", "1.0"]),
)


@pytest.mark.property
@given(ROWS)
def test_a_row_is_read_as_it_was_written(row: Known) -> None:
    assert table.read(table.written(row)) == row


@pytest.mark.property
@given(st.lists(ROWS, max_size=20, unique_by=lambda row: row.name))
def test_each_row_is_found_by_its_key_in_lines_sorted_as_bytes(rows: list[Known]) -> None:
    lines = table.lines(rows, {}, "of a test")
    assert [line.encode() for line in lines] == sorted(line.encode() for line in lines)
    for row in rows:
        assert [table.read(line) for line in lines if line.startswith(table.key(table.NAME, row.name))] == [row]


def test_what_the_rule_says_is_left_out() -> None:
    assert table.written(Known("requests", "python3-requests", identity=SAME, recorded="2.28.1-1")) == (
        "n requests\t\t\t\t\t2.28.1-1"
    )
    assert (
        table.written(Known("black", "black", "black", ("black", "blackd"), SAME)) == "n black\tblack\t=\tblack blackd"
    )


def test_commands_and_modules_lead_to_names_and_packages() -> None:
    rows = [Known("one", "a", "a", ("run",)), Known("two", "b", "b", ("run", "walk"))]
    lines = table.lines(rows, {"yaml": ("python3-yaml",), "gi": ("python3-gi", "python3-gi-more")}, "of a test")
    assert {line.partition("\t")[0]: table.words(line) for line in lines if line[0] in "cm"} == {
        "c run": ["one", "two"],
        "c walk": ["two"],
        "m gi": ["python3-gi", "python3-gi-more"],
        "m yaml": ["python3-yaml"],
    }
    assert "m yaml\t" in lines  # a rule says the package
